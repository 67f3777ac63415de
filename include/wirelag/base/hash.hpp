// Mixing of words into a hash, in registers.
//
// A table keyed by what a sender chooses starts its hash with a seed that the sender does not know:
// live it is random for each run, in a replay 0. Results do not depend on it.
#pragma once

#include <cstdint>

namespace wirelag {

/// Finaliser of MurmurHash3 (public domain): every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

/// A product of 128 bits, its halves folded together: one multiplication mixes two words (as wyhash does,
/// public domain). Zero where one of them is zero: a sender must not know both.
[[nodiscard]] constexpr std::uint64_t fold64(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A first word that a sender chose: one more mixing, so that no two values of it differ in a way
/// that a later word could undo.
[[nodiscard]] constexpr std::uint64_t seeded64(std::uint64_t seed, std::uint64_t word) {
  return mix64(word ^ seed);
}

[[nodiscard]] constexpr std::uint64_t combine64(std::uint64_t seed, std::uint64_t word) {
  return mix64(seed * 0x9e3779b97f4a7c15ULL + word);
}

}  // namespace wirelag
