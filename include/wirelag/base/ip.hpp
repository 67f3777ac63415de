// Addresses and endpoints. IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), so
// that every table has one key format.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

#include <wirelag/base/types.hpp>

namespace wirelag {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 in the last four bytes

  [[nodiscard]] static IpAddress v4(const std::uint8_t* four) {
    IpAddress a;
    a.bytes[10] = a.bytes[11] = 0xff;
    std::memcpy(&a.bytes[12], four, 4);
    return a;
  }
  [[nodiscard]] static IpAddress v6(const std::uint8_t* sixteen) {
    IpAddress a;
    std::memcpy(a.bytes.data(), sixteen, 16);
    return a;
  }
  [[nodiscard]] std::uint64_t high() const { return word(0); }
  [[nodiscard]] std::uint64_t low() const { return word(8); }
  [[nodiscard]] bool is_v4() const {
    return high() == 0 && (low() & 0xffff'ffff) == kMapped;  // little-endian words, base/wire.hpp
  }
  [[nodiscard]] bool is_loopback() const;   ///< 127.0.0.0/8, ::1
  [[nodiscard]] bool is_multicast() const;  ///< 224.0.0.0/4, ff00::/8
  [[nodiscard]] std::string text() const;   ///< RFC 5952 form for IPv6

  /// In network order, as two words: a memcmp() of 16 bytes costs more than the rest of a look-up.
  [[nodiscard]] std::strong_ordering operator<=>(const IpAddress& other) const {
    if (high() != other.high()) {
      return __builtin_bswap64(high()) <=> __builtin_bswap64(other.high());
    }
    return __builtin_bswap64(low()) <=> __builtin_bswap64(other.low());
  }
  bool operator==(const IpAddress& other) const {
    return ((high() ^ other.high()) | (low() ^ other.low())) == 0;
  }

 private:
  static constexpr std::uint64_t kMapped = 0xffff'0000;  ///< bytes 8 to 11 of a mapped address

  [[nodiscard]] std::uint64_t word(std::size_t at) const {
    std::uint64_t w;
    std::memcpy(&w, &bytes[at], 8);
    return w;
  }
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;  ///< 192.0.2.1:80, [2001:db8::1]:80
  auto operator<=>(const Endpoint&) const = default;
  bool operator==(const Endpoint& other) const { return port == other.port && ip == other.ip; }
};

/// An address from its text form (either family); false when it is not one.
[[nodiscard]] bool parse_ip(std::string_view text, IpAddress& out);

}  // namespace wirelag
