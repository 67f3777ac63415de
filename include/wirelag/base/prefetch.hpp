// Memory that will be needed soon, asked for cache line by cache line.
#pragma once

#include <cstddef>

namespace wirelag {

inline constexpr std::size_t kCacheLineBytes = 64;

/// `from` may be anywhere: what is not mapped is not fetched.
template <std::size_t bytes>
void prefetch_lines(const void* from) {
#pragma GCC unroll 16
  for (std::size_t at = 0; at < bytes; at += kCacheLineBytes) {
    __builtin_prefetch(static_cast<const char*>(from) + at);
  }
}

}  // namespace wirelag
