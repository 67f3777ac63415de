// What a call costs, for tests that hold it against the same amount of harmless work.
#pragma once

#include <algorithm>
#include <ctime>

namespace wirelag::test {

/// Processor time of the process, of the cheapest of three calls: other programs do not count.
template <class Call>
[[nodiscard]] double cpu_seconds(Call&& call) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    call();
    least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return least;
}

}  // namespace wirelag::test
