// Link types, tags and encapsulations below IP: the same packet must come out of each.
#include "decoded.hpp"

namespace wirelag::test {
namespace {

TEST(Link, ethernet) { expect_hello(decoded(with_hello(FrameBuilder().ethernet()))); }

TEST(Link, vlan_tags_of_every_kind_and_depth) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().vlan(7))));
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().vlan(7, 0x88a8).vlan(8))));
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().vlan(7, 0x9100).vlan(8).vlan(9))));
}

TEST(Link, padding_of_a_short_ethernet_frame_is_not_payload) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet()).pad_to(60)));
}

TEST(Link, snap_with_an_802_3_length) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet_length().llc_snap())));
  expect_hello(decoded(with_hello(FrameBuilder().ethernet_length().llc_snap()).pad_to(120)));
}

TEST(Link, llc_without_snap) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet_length().llc(0x06, 0x06))));
  const auto stp = FrameBuilder().ethernet_length().llc(0x42, 0x42).payload("bridge data").bytes();
  EXPECT_EQ(decoded(stp).reason, NotAnalysed::not_ip);
}

TEST(Link, linux_cooked) {
  expect_hello(decoded(with_hello(FrameBuilder().linux_sll())));
  expect_hello(decoded(with_hello(FrameBuilder().linux_sll2())));
  expect_hello(decoded(with_hello(FrameBuilder().linux_sll().vlan(3))));
}

TEST(Link, linux_cooked_without_a_packet_protocol) {
  auto llc = FrameBuilder().linux_sll();
  const auto bytes = llc.ethertype(4).llc(0x42, 0x42).payload("bridge").bytes();
  EXPECT_EQ(decoded(bytes, LinkType::linux_sll).reason, NotAnalysed::not_ip);
  constexpr std::uint16_t kNetlink = 824;
  const auto netlink = FrameBuilder().linux_sll(kNetlink).ethertype(0x0800).bytes();
  EXPECT_EQ(decoded(netlink, LinkType::linux_sll).reason, NotAnalysed::not_ip);
}

TEST(Link, raw_ip_tells_the_versions_apart) {
  expect_hello(decoded(with_hello(FrameBuilder())));
  const auto v6 = decoded(FrameBuilder().ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload("x"));
  EXPECT_EQ(v6.src, "[2001:db8::1]:1");
  EXPECT_EQ(v6.ip_version, 6);
  EXPECT_EQ(decoded({0x00, 0x01}, LinkType::raw_ip).reason, NotAnalysed::ip_malformed);
}

TEST(Link, bsd_null_in_either_byte_order) {
  expect_hello(decoded(with_hello(FrameBuilder().bsd_null(2))));
  expect_hello(decoded(with_hello(FrameBuilder().bsd_null(2, true))));
}

TEST(Link, bsd_null_knows_every_systems_number_for_ipv6) {
  for (const std::uint32_t family : {10u, 24u, 28u, 30u}) {
    const auto d = decoded(FrameBuilder().bsd_null(family).ipv6("::1", "::1").udp(1, 2));
    EXPECT_EQ(d.reason, NotAnalysed::none) << family;
  }
  EXPECT_EQ(decoded(FrameBuilder().bsd_null(7).payload("OSI")).reason, NotAnalysed::not_ip);
}

TEST(Link, bsd_loop_is_network_order_only) {
  const auto bytes = with_hello(FrameBuilder().bsd_null(2, true)).bytes();
  expect_hello(decoded(bytes, LinkType::bsd_loop));
  const auto little = with_hello(FrameBuilder().bsd_null(2)).bytes();
  EXPECT_EQ(decoded(little, LinkType::bsd_loop).reason, NotAnalysed::link_unknown);
}

TEST(Link, pppoe_session) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().pppoe()).pad_to(60)));
  const auto lcp = FrameBuilder()
                       .ethernet()
                       .ethertype(0x8864)
                       .raw({0x11, 0, 0, 7, 0, 4, 0xc0, 0x21, 1, 1})
                       .bytes();
  EXPECT_EQ(decoded(lcp).reason, NotAnalysed::not_ip);
}

TEST(Link, pppoe_length_bounds_an_ip_header_that_claims_more) {
  // GIVEN an access device that counts Ethernet padding in the IP total length
  auto bytes = FrameBuilder().ethernet().pppoe().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).bytes();
  bytes.resize(bytes.size() + 6, 0);
  const std::size_t total_length = 14 + 8 + 2;
  bytes[total_length + 1] = static_cast<std::uint8_t>(bytes[total_length + 1] + 6);
  // THEN the six bytes are no payload
  EXPECT_EQ(decoded(bytes).payload_length, 0u);
}

TEST(Link, pppoe_discovery_is_not_ip) {
  EXPECT_EQ(decoded(FrameBuilder().ethernet().ethertype(0x8863).payload("PADI")).reason,
            NotAnalysed::not_ip);
}

TEST(Link, mpls_stack_over_ip) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().mpls(16))));
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().mpls(16, false).mpls(17))));
  const auto v6 = decoded(FrameBuilder().ethernet().mpls(16).ipv6("::1", "::2").udp(1, 2));
  EXPECT_EQ(v6.ip_version, 6);
}

TEST(Link, mpls_pseudowire_with_and_without_a_control_word) {
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().mpls(16).ethernet())));
  auto with_control_word = FrameBuilder().ethernet().mpls(16).raw({0, 0, 0, 9});
  expect_hello(decoded(with_hello(with_control_word.ethernet())));
}

TEST(Link, mpls_pseudowire_whose_mac_address_looks_like_an_ip_version) {
  const std::string text(200, 'x');
  for (const std::uint8_t first : {0x45, 0x60}) {
    auto inner = FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(text);
    auto bytes = inner.bytes();
    bytes[0] = first;
    const auto d = decoded(FrameBuilder().ethernet().mpls(16).raw(bytes));
    EXPECT_EQ(d.payload, text) << name(d.reason);
  }
}

TEST(Link, mpls_associated_channel_is_not_ip) {
  EXPECT_EQ(decoded(FrameBuilder().ethernet().mpls(16).raw({0x10, 0, 0, 0x21})).reason,
            NotAnalysed::not_ip);
}

TEST(Link, tags_of_switches_and_fabrics) {
  const auto inner = with_hello(FrameBuilder().ethernet()).bytes();
  const auto from_type = Octets(inner.begin() + 12, inner.end());
  const struct {
    std::uint16_t ethertype;
    Octets tag;
    const Octets& rest;
  } cases[] = {
      {0x8926, {0, 0, 0, 1}, from_type},          // VN-Tag
      {0x893f, {0, 0, 0, 1, 0, 0}, from_type},    // 802.1BR
      {0x8909, {1, 1, 0, 1, 0, 2}, from_type},    // Cisco metadata
      {0x88e7, {0, 0, 0, 1}, inner},              // 802.1ah
      {0x8903, {0x10, 0x20}, inner},              // FabricPath
      {0x22f3, {0x00, 0x3f, 0, 1, 0, 2}, inner},  // TRILL
      {0x22f3, {0x00, 0x7f, 0, 1, 0, 2, 9, 9, 9, 9}, inner},
      {0x894f, {0x0f, 0xc2, 1, 3, 0, 0, 1, 255}, inner},  // NSH
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.ethertype);
    expect_hello(decoded(FrameBuilder().ethernet().ethertype(c.ethertype).raw(c.tag).raw(c.rest)));
  }
}

TEST(Link, what_is_not_ip_has_its_reason) {
  const auto reason = [](std::uint16_t type) {
    return decoded(FrameBuilder().ethernet().ethertype(type).payload("0123456789")).reason;
  };
  EXPECT_EQ(reason(0x0806), NotAnalysed::arp);
  EXPECT_EQ(reason(0x88cc), NotAnalysed::not_ip);
  EXPECT_EQ(reason(0x8808), NotAnalysed::not_ip);
  EXPECT_EQ(reason(0x88e5), NotAnalysed::link_unknown);  // MACsec: encrypted
  EXPECT_EQ(reason(0x1234), NotAnalysed::link_unknown);
}

}  // namespace
}  // namespace wirelag::test
