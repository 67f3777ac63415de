// IP fragments for tests: a frame's packet split as a router or a sender would (RFC 791, RFC 8200).
#pragma once

#include <algorithm>

#include "frame_builder.hpp"

namespace wirelag::test {

/// Splits the IPv4 packet that begins at `ip_at` (no options) into frames whose fragments carry
/// `payload_bytes` each (a multiple of 8), the last one what is left.
inline std::vector<Octets> fragment_ipv4(const Octets& frame, std::size_t ip_at,
                                         std::size_t payload_bytes, std::uint16_t id = 1) {
  constexpr std::size_t kHeader = 20;
  assert(payload_bytes % 8 == 0 && payload_bytes > 0);
  const std::size_t end =
      ip_at + static_cast<std::size_t>(frame[ip_at + 2] << 8 | frame[ip_at + 3]);
  std::vector<Octets> fragments;
  for (std::size_t at = ip_at + kHeader; at < end; at += payload_bytes) {
    const std::size_t size = std::min(payload_bytes, end - at);
    Octets out(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(ip_at + kHeader));
    out.insert(out.end(), &frame[at], &frame[at] + size);
    const std::size_t total = kHeader + size;
    const std::size_t field = (at - ip_at - kHeader) / 8 | (at + size < end ? 0x2000u : 0u);
    const auto put16 = [&out, ip_at](std::size_t offset, std::size_t value) {
      out[ip_at + offset] = static_cast<std::uint8_t>(value >> 8);
      out[ip_at + offset + 1] = static_cast<std::uint8_t>(value);
    };
    put16(2, total), put16(4, id), put16(6, field);
    fragments.push_back(std::move(out));
  }
  return fragments;
}

/// Likewise for an IPv6 packet without extension headers.
inline std::vector<Octets> fragment_ipv6(const Octets& frame, std::size_t ip_at,
                                         std::size_t payload_bytes, std::uint32_t id = 1) {
  constexpr std::size_t kHeader = 40;
  assert(payload_bytes % 8 == 0 && payload_bytes > 0);
  const std::size_t begin = ip_at + kHeader;
  const std::size_t end =
      begin + static_cast<std::size_t>(frame[ip_at + 4] << 8 | frame[ip_at + 5]);
  std::vector<Octets> fragments;
  for (std::size_t at = begin; at < end; at += payload_bytes) {
    const std::size_t size = std::min(payload_bytes, end - at);
    Octets out(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(begin));
    const std::size_t field = (at - begin) | (at + size < end ? 1u : 0u);
    for (const std::size_t byte :
         {std::size_t{frame[ip_at + 6]}, std::size_t{0}, field >> 8, field & 0xff,
          std::size_t{id} >> 24 & 0xff, std::size_t{id} >> 16 & 0xff, std::size_t{id} >> 8 & 0xff,
          std::size_t{id} & 0xff}) {
      out.push_back(static_cast<std::uint8_t>(byte));
    }
    out.insert(out.end(), &frame[at], &frame[at] + size);
    out[ip_at + 4] = static_cast<std::uint8_t>((size + 8) >> 8);
    out[ip_at + 5] = static_cast<std::uint8_t>(size + 8);
    out[ip_at + 6] = 44;
    fragments.push_back(std::move(out));
  }
  return fragments;
}

}  // namespace wirelag::test
