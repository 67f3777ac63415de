#pragma once

#include <cstddef>

namespace wirelag::dns_test {

/// Calls of operator new in this process so far.
[[nodiscard]] std::size_t allocation_count();

}  // namespace wirelag::dns_test
