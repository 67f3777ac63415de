// One frame through a fresh decoder, and what came out in a form that prints well.
#pragma once

#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <wirelag/decode/decoder.hpp>

#include "support/frame_builder.hpp"

namespace wirelag {

inline void PrintTo(NotAnalysed reason, std::ostream* out) { *out << name(reason); }

namespace test {

inline constexpr std::size_t kIp = 14;  ///< where the IP header begins behind Ethernet

struct Decoded {
  NotAnalysed reason = NotAnalysed::none;
  std::string src;
  std::string dst;
  std::string payload;
  std::uint32_t payload_length = 0;
  Transport transport = Transport::none;
  int ip_version = 0;
  int tunnels = 0;
  bool snaplen_cut = false;
};

inline Decoded decoded(Decoder& decoder, const Frame& frame) {
  Packet packet;
  Decoded d;
  d.reason = decoder.decode(frame, packet);
  if (d.reason != NotAnalysed::none) return d;
  d.src = packet.src.text();
  d.dst = packet.dst.text();
  d.payload = as_text(packet.payload);
  d.payload_length = packet.payload_length;
  d.transport = packet.transport;
  d.ip_version = packet.ip_version;
  d.tunnels = packet.tunnels;
  d.snaplen_cut = packet.snaplen_cut;
  return d;
}

inline Decoded decoded(const Octets& bytes, LinkType link = LinkType::ethernet,
                       const DecodeLimits& limits = {}) {
  Counters counters;
  Decoder decoder(limits, counters);
  return decoded(decoder, frame_of(bytes, {.link = link}));
}

inline Decoded decoded(const FrameBuilder& builder) {
  return decoded(builder.bytes(), builder.link());
}

/// The innermost packet most tests wrap: 10.0.0.1:1000 -> 10.0.0.2:53, UDP, "hello".
inline FrameBuilder with_hello(FrameBuilder outer) {
  return outer.ipv4("10.0.0.1", "10.0.0.2").udp(1000, 53).payload("hello");
}

inline void expect_hello(const Decoded& d, int tunnels = 0) {
  EXPECT_EQ(d.reason, NotAnalysed::none);
  EXPECT_EQ(d.src, "10.0.0.1:1000");
  EXPECT_EQ(d.dst, "10.0.0.2:53");
  EXPECT_EQ(d.payload, "hello");
  EXPECT_EQ(d.payload_length, 5u);
  EXPECT_EQ(d.transport, Transport::udp);
  EXPECT_EQ(d.ip_version, 4);
  EXPECT_EQ(d.tunnels, tunnels);
}

}  // namespace test
}  // namespace wirelag
