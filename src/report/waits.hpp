// How long users waited and for what: worked out once for all renderers, and said in words.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

[[nodiscard]] Waits waits_of(const Visits& visits, const Advice& advice);

/// "3 visits, which waited 90.1 ms at the median and 300.0 ms at p95"
[[nodiscard]] std::string how_long(const Report& report);
/// What makes the categories less sure than they look, a sentence each.
[[nodiscard]] std::vector<std::string> wait_limits(const VisitFlags& flags);
/// The category in words that need no explanation: "round trips on the network".
[[nodiscard]] std::string_view plain(Category category);

}  // namespace wirelag::report
