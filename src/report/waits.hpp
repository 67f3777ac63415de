// How long users waited and for what: worked out once for all renderers, and said in words.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

[[nodiscard]] Waits waits_of(const Dataset& data, const Visits& visits, const Advice& advice);

/// "3 visits, which waited 90.1 ms at the median and 300.0 ms at p95"
[[nodiscard]] std::string how_long(const Report& report);
/// " (2 visits left out: ...)": those whose end was not seen; empty when there are none.
[[nodiscard]] std::string left_out(const WaitScope& scope);
/// Fewer than this, and the 95th percentile is the longest one.
inline constexpr std::size_t kEnoughForP95 = 20;
/// "300.0 ms at p95 (one in twenty waited longer)", of few "300.0 ms at most".
[[nodiscard]] std::string slow_end(const WaitScope& scope, std::string_view p95);
/// What makes the categories less sure than they look, a sentence each.
[[nodiscard]] std::vector<std::string> wait_limits(const Waits& waits);
/// The category in words that need no explanation: "round trips on the network".
[[nodiscard]] std::string_view plain(Category category);
/// Likewise, of these waits: where no handshake shows it, round trips may be something else; bytes of what cannot
/// be read likewise.
[[nodiscard]] std::string_view plain(Category category, const Waits& waits);

}  // namespace wirelag::report
