// Memory that will be needed soon, asked for cache line by cache line.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirelag {

inline constexpr std::size_t kCacheLineBytes = 64;

/// The cache line at `at`, which may be anywhere, null or the end of an object: what is not mapped is not
/// fetched.
[[gnu::always_inline]] inline void prefetch_line(const void* at) {
  __builtin_prefetch(at);
  // To GCC a prefetch is no effect: a function that does nothing else is not called at all, unless it
  // has one (ipa-pure-const).
  asm volatile("");
}

/// The line of a byte that can be read, by a load whose value nobody waits for. A prefetch may be dropped: in a virtual
/// machine with memory in huge pages a third of them were (docs/decisions/2026-11-28-what-a-packet-waits-for.md). Many
/// in a row, or each waits by itself.
[[gnu::always_inline]] inline void fetch_line(const void* at) {
  (void)*static_cast<const volatile std::uint8_t*>(at);
}

/// Numbers, not pointers, are added to: `from` is as free as in prefetch_line().
template <std::size_t bytes>
[[gnu::always_inline]] inline void prefetch_lines(const void* from) {
  const auto begin = reinterpret_cast<std::uintptr_t>(from);
#pragma GCC unroll 16
  for (std::size_t at = 0; at < bytes; at += kCacheLineBytes) {
    prefetch_line(reinterpret_cast<const void*>(begin + at));
  }
}

}  // namespace wirelag
