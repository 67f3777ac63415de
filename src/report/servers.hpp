// What servers had to carry, for the capacity list: worked out once for all renderers, and in words.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// Servers that answered something readable, those with the most requests in flight first.
[[nodiscard]] std::vector<ServerUse> servers_of(const Dataset& data,
                                                const std::vector<ServerLoad>& loads);

/// A cell each, in the order of kServerColumns; "-" for what is not known.
[[nodiscard]] std::vector<std::string> server_cells(const ServerUse& server);
/// What the columns mean, in two sentences.
[[nodiscard]] std::string_view about_servers();

}  // namespace wirelag::report
