// What a table of a large report shows: the rows that matter most. A line below it says how many are
// not shown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace wirelag::report {

/// The `max_rows` items of 0..n-1 that come first by `matters_more(a, b)`, of equal ones the first, in
/// ascending order again. 0 = all of them.
template <class Compare>
[[nodiscard]] std::vector<std::size_t> choose(std::size_t n, std::size_t max_rows,
                                              Compare matters_more) {
  std::vector<std::size_t> chosen(n);
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  if (max_rows == 0 || n <= max_rows) return chosen;
  const auto end = chosen.begin() + static_cast<std::ptrdiff_t>(max_rows);
  std::partial_sort(chosen.begin(), end, chosen.end(), [&](std::size_t a, std::size_t b) {
    return matters_more(a, b) || (a < b && !matters_more(b, a));
  });
  chosen.resize(max_rows);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace wirelag::report
