// Ethernet frames made by hand, just enough of each for the decoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <wirelag/ingest/frame.hpp>

namespace wirelag::test {

inline void put16(std::string& to, std::uint32_t v) {
  to.push_back(static_cast<char>(v >> 8 & 0xff));
  to.push_back(static_cast<char>(v & 0xff));
}
inline void put32(std::string& to, std::uint32_t v) {
  put16(to, v >> 16);
  put16(to, v & 0xffff);
}

/// 10.0.0.0/8 addresses are given by their last 24 bits.
struct Udp {
  std::uint32_t source = 1, destination = 2;
  std::uint16_t source_port = 40'000, destination_port = 9;
  std::string_view payload = "payload";
};

inline std::string udp_datagram(const Udp& u) {
  std::string d;
  put16(d, u.source_port);
  put16(d, u.destination_port);
  put16(d, static_cast<std::uint32_t>(8 + u.payload.size()));
  put16(d, 0);
  d += u.payload;
  return d;
}

/// `offset` in bytes; `more` = the more-fragments flag.
inline std::string ipv4_in_ethernet(const Udp& u, std::string_view part, std::uint16_t ip_id = 7,
                                    std::uint32_t offset = 0, bool more = false) {
  std::string f(12, '\x02');
  put16(f, 0x0800);
  put16(f, 0x4500);
  put16(f, static_cast<std::uint32_t>(20 + part.size()));
  put16(f, ip_id);
  put16(f, (more ? 0x2000U : 0U) | offset / 8);
  put16(f, 64 << 8 | 17);
  put16(f, 0);
  put32(f, 10U << 24 | u.source);
  put32(f, 10U << 24 | u.destination);
  f += part;
  return f;
}

inline std::string udp_frame(const Udp& u) { return ipv4_in_ethernet(u, udp_datagram(u)); }

inline std::string arp_frame() {
  std::string f(12, '\xff');
  put16(f, 0x0806);
  f.append(28, '\0');
  return f;
}

inline Frame frame_of(std::string_view bytes, FrameNumber number) {
  Frame f;
  f.bytes = as_bytes(bytes);
  f.wire_length = static_cast<std::uint32_t>(bytes.size());
  f.number = number;
  f.time_ns = number * kMillisecondNs;
  f.port = 3;
  return f;
}

}  // namespace wirelag::test
