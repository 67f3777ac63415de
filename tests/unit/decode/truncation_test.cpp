// Hostile and cut-short input: every prefix of every kind of frame, and single damaged bytes. The
// frames lie in heap blocks of exactly their size, so that the sanitizers see a read past the end.
#include <memory>
#include <random>

#include "decoded.hpp"

namespace wirelag::test {
namespace {

std::vector<FrameBuilder> one_of_each() {
  const auto eth = [] { return FrameBuilder().ethernet(); };
  const auto v4 = [&] { return eth().ipv4("192.0.2.1", "192.0.2.2"); };
  std::vector<FrameBuilder> all;
  const auto add = [&all](FrameBuilder b) { all.push_back(with_hello(b)); };
  add(eth());
  add(eth().vlan(1, 0x88a8).vlan(2));
  add(FrameBuilder().ethernet_length().llc_snap());
  add(FrameBuilder().linux_sll());
  add(FrameBuilder().linux_sll2());
  add(FrameBuilder().bsd_null(2));
  add(FrameBuilder());
  add(eth().pppoe());
  add(eth().mpls(1, false).mpls(2));
  add(eth().mpls(2).raw({0, 0, 0, 1}).ethernet());
  add(v4());
  add(v4().gre(0xb000));
  add(v4().gre_pptp());
  add(v4().erspan_1().ethernet());
  add(v4().erspan_2().ethernet());
  add(v4().erspan_3(true).ethernet());
  add(v4().ether_ip().ethernet());
  add(v4().udp(1, 4789).vxlan(1).ethernet());
  add(v4().udp(1, 4790).vxlan_gpe(1));
  add(v4().udp(1, 6081).geneve(1, 3).ethernet());
  add(v4().udp(1, 2152).gtp_u(1, true));
  add(v4().udp(1, 1701).raw({0x0b, 2, 0, 1, 0, 2, 0, 3, 0, 4, 0, 2, 9, 9}).ppp());
  add(v4().udp(1, 6635).mpls(3));
  add(eth().ethertype(0x894f).raw({0x0f, 0xc2, 1, 3, 0, 0, 1, 255}).ethernet());
  add(eth().ethertype(0x22f3).raw({0, 0x7f, 0, 1, 0, 2, 9, 9, 9, 9}).ethernet());
  all.push_back(eth()
                    .ipv6("::1", "::2")
                    .ipv6_extension(0, 1)
                    .ipv6_extension(43, 2)
                    .authentication_header()
                    .tcp(1, 2, {.options = {2, 4, 5, 0xb4}})
                    .payload("data"));
  all.push_back(eth()
                    .ipv6("::1", "::2")
                    .ipv6_fragment({.offset = 8, .more = false})
                    .ip_protocol(17)
                    .payload("fragment"));
  all.push_back(
      v4().udp(1, 3544)
          .raw({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
          .raw(FrameBuilder().ipv6("2001::1", "::2").udp(1, 2).payload("teredo").bytes()));
  all.push_back(v4().udp(1, 5072)
                    .raw({0x41, 0x52, 0x11, 41, 0, 0, 0, 0})
                    .raw(Octets(36, 1))
                    .raw(FrameBuilder().ipv6("2001::1", "::2").udp(1, 2).payload("ayiya").bytes()));
  return all;
}

struct Exact {
  explicit Exact(Bytes from) : size(from.size()), bytes(new std::uint8_t[size]) {
    std::copy(from.begin(), from.end(), bytes.get());
  }
  std::size_t size;
  std::unique_ptr<std::uint8_t[]> bytes;
};

/// Decodes and reads all that the packet offers.
NotAnalysed decode_and_read(Decoder& decoder, const Exact& exact, std::size_t wire, LinkType link) {
  Frame frame;
  frame.bytes = {exact.bytes.get(), exact.size};
  frame.wire_length = static_cast<std::uint32_t>(wire);
  frame.link = link;
  Packet packet;
  const NotAnalysed reason = decoder.decode(frame, packet);
  if (reason != NotAnalysed::none) return reason;
  unsigned sum = 0;
  for (const std::uint8_t b : packet.payload) sum += b;
  if (packet.transport == Transport::tcp) {
    for (const std::uint8_t b : packet.tcp.options) sum += b;
  }
  EXPECT_LE(packet.payload.size(), packet.payload_length);
  EXPECT_NE(sum, 1u << 31);
  return reason;
}

bool says_truncated(NotAnalysed reason) {
  switch (reason) {
    case NotAnalysed::link_truncated:
    case NotAnalysed::ip_truncated:
    case NotAnalysed::transport_truncated:
    case NotAnalysed::tunnel_truncated:
    case NotAnalysed::fragment_incomplete: return true;
    default: return false;
  }
}

TEST(Truncation, every_prefix_of_every_kind_of_frame_is_analysed_or_named_as_truncated) {
  Counters counters;
  Decoder decoder({}, counters);
  std::size_t kind = 0;
  for (const FrameBuilder& builder : one_of_each()) {
    const auto bytes = builder.bytes();
    ASSERT_NE(decode_and_read(decoder, Exact(bytes), bytes.size(), builder.link()),
              NotAnalysed::link_unknown);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      SCOPED_TRACE(testing::Message() << "kind " << kind << ", " << size << " of " << bytes.size());
      const Exact prefix(Bytes(bytes).first(size));
      const NotAnalysed reason = decode_and_read(decoder, prefix, bytes.size(), builder.link());
      EXPECT_TRUE(reason == NotAnalysed::none || says_truncated(reason)) << name(reason);
    }
    ++kind;
  }
}

TEST(Truncation, prefixes_that_claim_to_be_whole_are_safe) {
  Counters counters;
  Decoder decoder({}, counters);
  for (const FrameBuilder& builder : one_of_each()) {
    const auto bytes = builder.bytes();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      (void)decode_and_read(decoder, Exact(Bytes(bytes).first(size)), size, builder.link());
    }
  }
}

TEST(Truncation, any_single_byte_may_have_any_value) {
  Counters counters;
  Decoder decoder({}, counters);
  for (const FrameBuilder& builder : one_of_each()) {
    auto bytes = builder.bytes();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const std::uint8_t good = bytes[at];
      for (const int value : {0x00, 0x01, 0x0f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xf0, 0xff}) {
        bytes[at] = static_cast<std::uint8_t>(value);
        (void)decode_and_read(decoder, Exact(bytes), bytes.size(), builder.link());
      }
      bytes[at] = good;
    }
  }
}

TEST(Truncation, random_damage_and_random_bytes_are_safe) {
  Counters counters;
  Decoder decoder({.max_tunnels = 32, .fragment_datagrams = 3}, counters);
  std::mt19937 random(7);
  const auto kinds = one_of_each();
  for (int round = 0; round < 30000; ++round) {
    const FrameBuilder& builder = kinds[random() % kinds.size()];
    auto bytes = builder.bytes();
    for (unsigned n = random() % 6; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (round % 5 == 0) bytes.resize(random() % 120, static_cast<std::uint8_t>(random()));
    (void)decode_and_read(decoder, Exact(bytes), bytes.size() + random() % 3, builder.link());
  }
}

}  // namespace
}  // namespace wirelag::test
