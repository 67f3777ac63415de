// Reports against each other, where some of what they say is allowed to differ.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "run.hpp"

namespace wirelag::properties {

/// What is wrong, one line each.
using Problems = std::vector<std::string>;

/// Where two values differ, at most a few lines: "dns.transactions[3].latency_ns: 1 / 2".
void differences(const Json& one, const Json& other, const std::string& path, Problems& out);

/// The lists of a report: dns, tcp, tls, http.
[[nodiscard]] Json lists(const Json& report);

/// `value` without members of these names, at any depth.
[[nodiscard]] Json strip(Json value, std::initializer_list<std::string_view> names);

/// A time since the epoch, by the name of its member.
[[nodiscard]] bool is_time(std::string_view name);
/// `value` with every time moved by `by_ns`, at any depth.
[[nodiscard]] Json with_times_moved(Json value, DurationNs by_ns);
/// `value` without any time since the epoch.
[[nodiscard]] Json without_times(Json value);

}  // namespace wirelag::properties
