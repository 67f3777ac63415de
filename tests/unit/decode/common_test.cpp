// The short way for common frames gives what the walk gives. The same IP packet as a raw_ip frame takes
// the walk, so the two are compared on whole, cut and damaged frames.
#include "common.hpp"

#include <random>

#include "decoded.hpp"

namespace wirelag::test {
namespace {

constexpr std::size_t kEthernetBytes = 14;

std::vector<Octets> common_frames() {
  const TcpFields tcp{
      .seq = 0x01020304, .flags = tcp_flag::ack, .options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}};
  std::vector<Octets> frames;
  for (const bool v6 : {false, true}) {
    const auto ip = [&] {
      FrameBuilder b = FrameBuilder().ethernet();
      return v6 ? b.ipv6("2001:db8::1", "2001:db8:1::2") : b.ipv4("192.0.2.1", "198.51.100.2");
    };
    frames.push_back(ip().tcp(40000, 443, tcp).payload("hello").bytes());
    frames.push_back(ip().tcp(443, 40000).pad_to(64).bytes());
    frames.push_back(ip().udp(40000, 53).payload("query").bytes());
  }
  return frames;
}

Decoded by_the_walk(const Octets& bytes, std::uint32_t wire_length) {
  Counters counters;
  Decoder decoder({.fragment_datagrams = 0}, counters);
  Frame frame = frame_of(bytes, {.link = LinkType::raw_ip});
  frame.bytes = frame.bytes.subspan(std::min(kEthernetBytes, bytes.size()));
  frame.wire_length = wire_length - kEthernetBytes;
  return decoded(decoder, frame);
}

/// Decodes both ways; returns whether the short way applied.
bool agree(const Octets& bytes, std::uint32_t wire_length) {
  Frame frame = frame_of(bytes);
  frame.wire_length = wire_length;
  Packet packet;
  if (!decode::decode_common(frame, 0, packet)) return false;
  const Decoded walked = by_the_walk(bytes, wire_length);
  EXPECT_EQ(walked.reason, NotAnalysed::none);
  EXPECT_EQ(walked.src, packet.src.text());
  EXPECT_EQ(walked.dst, packet.dst.text());
  EXPECT_EQ(walked.payload, as_text(packet.payload));
  EXPECT_EQ(walked.payload_length, packet.payload_length);
  EXPECT_EQ(walked.transport, packet.transport);
  EXPECT_EQ(walked.ip_version, packet.ip_version);
  EXPECT_EQ(walked.tunnels, packet.tunnels);
  EXPECT_EQ(walked.snaplen_cut, packet.snaplen_cut);
  return true;
}

std::uint32_t length_of(const Octets& bytes) { return static_cast<std::uint32_t>(bytes.size()); }

TEST(CommonFrame, every_ordinary_frame_takes_the_short_way) {
  for (const Octets& frame : common_frames()) EXPECT_TRUE(agree(frame, length_of(frame)));
}

TEST(CommonFrame, one_vlan_tag_is_common_two_are_not) {
  Packet packet;
  const auto tagged = FrameBuilder()
                          .ethernet()
                          .vlan(7)
                          .ipv4("192.0.2.1", "192.0.2.2")
                          .udp(1, 2)
                          .payload("query")
                          .bytes();
  const auto twice = with_hello(FrameBuilder().ethernet().vlan(7).vlan(8)).bytes();
  EXPECT_TRUE(decode::decode_common(frame_of(tagged), 0, packet));
  EXPECT_EQ(as_text(packet.payload), "query");
  EXPECT_FALSE(decode::decode_common(frame_of(twice), 0, packet));
}

TEST(CommonFrame, tunnels_and_extension_headers_are_left_to_the_walk) {
  const auto v4 = [] { return FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2"); };
  Packet packet;
  for (const FrameBuilder& b :
       {v4().udp(1, 4789).payload("x"), v4().udp(2152, 1).payload("x"),
        v4().udp(1, 2).payload("\x60x"), v4().ip_protocol(47).payload("gre"),
        FrameBuilder().ethernet().ipv6("::1", "::2").ipv6_extension(0).udp(1, 2).payload("x")}) {
    EXPECT_FALSE(decode::decode_common(frame_of(b.bytes()), 0, packet));
  }
}

TEST(CommonFrame, both_ways_agree_wherever_the_frame_is_cut) {
  for (const Octets& frame : common_frames()) {
    for (std::size_t n = kEthernetBytes; n < frame.size(); ++n) {
      agree(Octets(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n)),
            length_of(frame));
    }
  }
}

TEST(CommonFrame, both_ways_agree_on_damaged_frames) {
  std::mt19937 random(1);
  int short_way = 0;
  for (const Octets& frame : common_frames()) {
    for (int i = 0; i < 2000; ++i) {
      Octets damaged = frame;
      for (int bytes = 1 + static_cast<int>(random() % 3); bytes > 0; --bytes) {
        damaged[kEthernetBytes + random() % (damaged.size() - kEthernetBytes)] =
            static_cast<std::uint8_t>(random());
      }
      short_way += agree(damaged, length_of(frame) + random() % 2);
    }
  }
  EXPECT_GT(short_way, 2000);
}

TEST(CommonFrame, the_hash_is_the_same_for_both_directions) {
  const auto one = FrameBuilder().ethernet().ipv6("2001:db8::1", "2001:db8::2").tcp(1, 2).bytes();
  Packet packet;
  ASSERT_TRUE(decode::decode_common(frame_of(one), 42, packet));
  EXPECT_EQ(packet.flow_hash, flow_hash(packet.dst, packet.src, Transport::tcp, 42));
}

}  // namespace
}  // namespace wirelag::test
