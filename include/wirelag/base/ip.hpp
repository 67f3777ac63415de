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
    static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes.data(), kMapped, 12) == 0;
  }
  [[nodiscard]] bool is_loopback() const;   ///< 127.0.0.0/8, ::1
  [[nodiscard]] bool is_multicast() const;  ///< 224.0.0.0/4, ff00::/8
  [[nodiscard]] std::string text() const;   ///< RFC 5952 form for IPv6

  auto operator<=>(const IpAddress&) const = default;

 private:
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
};

/// An address from its text form (either family); false when it is not one.
[[nodiscard]] bool parse_ip(std::string_view text, IpAddress& out);

}  // namespace wirelag
