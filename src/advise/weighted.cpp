#include <algorithm>
#include <cmath>

#include <wirelag/advise/weighted.hpp>

namespace wirelag {

DurationNs quantile(std::vector<DurationNs>& values, double q) {
  const double rank = std::ceil(q * static_cast<double>(values.size()));
  const auto at = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

DurationNs quantile(std::vector<Weighted>& values, double q) {
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, q);
}

DurationNs quantile_of_sorted(std::span<const Weighted> values, double q) {
  double total = 0;
  for (const Weighted& v : values) total += v.weight;
  double passed = 0;
  for (const Weighted& v : values) {
    passed += v.weight;
    if (passed >= q * total) return v.value_ns;
  }
  return values.back().value_ns;
}

}  // namespace wirelag
