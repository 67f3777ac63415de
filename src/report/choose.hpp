// What a table of a large report shows: the rows that matter most. A line below it says how many are
// not shown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wirelag::report {

/// The `max_rows` items of 0..n-1 that come first by `matters_more(a, b)`, in ascending order
/// again. 0 = all of them.
template <class Compare>
[[nodiscard]] std::vector<std::size_t> choose(std::size_t n, std::size_t max_rows,
                                              Compare matters_more) {
  std::vector<std::size_t> chosen(n);
  for (std::size_t i = 0; i < n; ++i) chosen[i] = i;
  if (max_rows == 0 || n <= max_rows) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), matters_more);
  chosen.resize(max_rows);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace wirelag::report
