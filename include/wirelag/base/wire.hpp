// Big-endian integers as they lie in a header. They have no arithmetic: say host() to get a number.
// They are byte arrays, so a wire struct made of them has no padding and needs no alignment.
#pragma once

#include <bit>
#include <cstdint>

namespace wirelag {

static_assert(std::endian::native == std::endian::little, "host() swaps");

struct be16 {
  std::uint8_t b[2];
  [[nodiscard]] constexpr std::uint16_t host() const {
    return __builtin_bswap16(std::bit_cast<std::uint16_t>(*this));
  }
};

struct be32 {
  std::uint8_t b[4];
  [[nodiscard]] constexpr std::uint32_t host() const {
    return __builtin_bswap32(std::bit_cast<std::uint32_t>(*this));
  }
};

struct be64 {
  be32 high;
  be32 low;
  [[nodiscard]] constexpr std::uint64_t host() const {
    return static_cast<std::uint64_t>(high.host()) << 32 | low.host();
  }
};

static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);
static_assert(sizeof(be64) == 8 && alignof(be64) == 1);

}  // namespace wirelag
