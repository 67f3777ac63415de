// Memory that will be needed soon, asked for cache line by cache line.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirelag {

inline constexpr std::size_t kCacheLineBytes = 64;

/// `from` may be anywhere, null or the end of an object: what is not mapped is not fetched. Hence numbers, not
/// pointers, are added to.
template <std::size_t bytes>
void prefetch_lines(const void* from) {
  const auto begin = reinterpret_cast<std::uintptr_t>(from);
#pragma GCC unroll 16
  for (std::size_t at = 0; at < bytes; at += kCacheLineBytes) {
    __builtin_prefetch(reinterpret_cast<const void*>(begin + at));
  }
}

}  // namespace wirelag
