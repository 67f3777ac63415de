// Quantiles of durations, each of which may stand for several: nearest rank. Pure.
#pragma once

#include <span>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// One of several values, and how many it stands for.
struct Weighted {
  DurationNs value_ns = 0;
  double weight = 1;
  bool operator<(const Weighted& other) const { return value_ns < other.value_ns; }
};

/// The smallest value that at least the share `q` of the values does not exceed. `values` is not empty; it is
/// reordered.
[[nodiscard]] DurationNs quantile(std::vector<DurationNs>& values, double q);
/// Likewise, of what the values stand for.
[[nodiscard]] DurationNs quantile(std::vector<Weighted>& values, double q);
/// Likewise, of values that are in ascending order.
[[nodiscard]] DurationNs quantile_of_sorted(std::span<const Weighted> values, double q);

}  // namespace wirelag
