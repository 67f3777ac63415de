// What the data path must not do, counted while a test runs it: calls of operator new, of the
// mutex functions and of the clock in this process so far. A test that links allocation_count.cpp
// compares before and after.
#pragma once

#include <cstddef>

namespace wirelag::test {

[[nodiscard]] std::size_t allocation_count();
[[nodiscard]] std::size_t lock_count();
[[nodiscard]] std::size_t clock_count();

}  // namespace wirelag::test
