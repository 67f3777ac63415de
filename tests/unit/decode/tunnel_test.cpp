// Tunnels: the innermost packet comes out, the tunnels are counted, and a UDP port that is only by
// chance a tunnel's does no harm.
#include "decoded.hpp"

namespace wirelag::test {
namespace {

FrameBuilder outer() { return FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2"); }
FrameBuilder outer_udp(std::uint16_t port) { return outer().udp(50000, port); }

TEST(Tunnel, ip_in_ip_in_all_four_combinations) {
  expect_hello(decoded(with_hello(outer())), 1);
  expect_hello(decoded(with_hello(FrameBuilder().ethernet().ipv6("2001:db8::1", "2001:db8::2"))),
               1);
  for (const bool v4_outside : {true, false}) {
    auto builder = v4_outside ? outer() : FrameBuilder().ipv6("2001:db8::8", "2001:db8::9");
    const auto d = decoded(builder.ipv6("2001:db8::1", "2001:db8::2").tcp(1, 2).payload("x"));
    EXPECT_EQ(d.src, "[2001:db8::1]:1");
    EXPECT_EQ(d.ip_version, 6);
    EXPECT_EQ(d.tunnels, 1);
  }
}

TEST(Tunnel, gre_with_every_optional_field) {
  for (const std::uint16_t flags : {0x0000, 0x8000, 0x2000, 0x1000, 0xb000, 0xa000, 0x3000}) {
    SCOPED_TRACE(flags);
    expect_hello(decoded(with_hello(outer().gre(flags))), 1);
    expect_hello(decoded(with_hello(outer().gre(flags).ethernet())), 1);
  }
}

TEST(Tunnel, gre_with_source_routes) {
  const auto inner = with_hello(FrameBuilder()).bytes();
  expect_hello(decoded(outer()
                           .ip_protocol(47)
                           .raw({0x40, 0, 0x08, 0x00, 0, 0, 0, 0})
                           .raw({0x08, 0, 0, 4, 192, 0, 2, 9})
                           .raw({0, 0, 0, 0})
                           .raw(inner)),
               1);
}

TEST(Tunnel, gre_carries_mpls_vlan_and_ppp) {
  expect_hello(decoded(with_hello(outer().gre().mpls(16))), 1);
  expect_hello(decoded(with_hello(outer().gre().ethernet().vlan(5))), 1);
  expect_hello(decoded(with_hello(outer().gre_pptp())), 1);
}

TEST(Tunnel, gre_failures_have_reasons) {
  EXPECT_EQ(decoded(outer().gre().ethertype(0x7777).payload("?")).reason,
            NotAnalysed::tunnel_unknown);
  EXPECT_EQ(decoded(outer().ip_protocol(47).raw({0, 0, 0, 0})).reason, NotAnalysed::not_ip)
      << "keepalive";
  EXPECT_EQ(decoded(outer().ip_protocol(47).raw({0, 5, 8, 0})).reason,
            NotAnalysed::tunnel_malformed)
      << "version 5";
  EXPECT_EQ(decoded(outer().ip_protocol(47).raw({0, 0, 8})).reason, NotAnalysed::tunnel_truncated);
}

TEST(Tunnel, erspan) {
  expect_hello(decoded(with_hello(outer().erspan_1().ethernet())), 1);
  expect_hello(decoded(with_hello(outer().erspan_2().ethernet().vlan(4))), 1);
  expect_hello(decoded(with_hello(outer().erspan_3().ethernet())), 1);
  expect_hello(decoded(with_hello(outer().erspan_3(true).ethernet())), 1);
}

TEST(Tunnel, erspan_3_carries_ip_too_and_names_what_it_does_not_know) {
  constexpr std::uint16_t kIp = 2;
  for (const bool subheader : {false, true}) {
    expect_hello(decoded(with_hello(outer().erspan_3(subheader, kIp))), 1);
  }
  for (std::uint16_t type = 1; type < 32; ++type) {
    if (type == kIp) continue;
    EXPECT_EQ(decoded(with_hello(outer().erspan_3(false, type))).reason,
              NotAnalysed::tunnel_unknown)
        << type;
  }
}

TEST(Tunnel, gre_carries_frame_relay) {
  const auto carried = [](const Octets& header, const Octets& inner) {
    return decoded(outer().ip_protocol(47).raw({0, 0, 0x65, 0x59}).raw(header).raw(inner));
  };
  const auto ip = with_hello(FrameBuilder()).bytes();
  expect_hello(carried({0x18, 0x41, 0x03, 0xcc}, ip), 1);
  expect_hello(carried({0x18, 0x41, 0x08, 0x00}, ip), 1);
  EXPECT_EQ(carried({0x18, 0x41, 0x03, 0x81}, ip).reason, NotAnalysed::not_ip) << "IS-IS";
  EXPECT_EQ(carried({0x18, 0x41, 0x77, 0x77}, ip).reason, NotAnalysed::tunnel_unknown);
  EXPECT_EQ(carried({0x18}, {}).reason, NotAnalysed::link_truncated);
}

TEST(Tunnel, vxlan_on_both_ports) {
  expect_hello(decoded(with_hello(outer_udp(4789).vxlan(42).ethernet())), 1);
  expect_hello(decoded(with_hello(outer_udp(8472).vxlan(42).ethernet().vlan(5))), 1);
}

TEST(Tunnel, vxlan_gpe_with_and_without_ethernet) {
  expect_hello(decoded(with_hello(outer_udp(4790).vxlan_gpe(42).ethernet())), 1);
  expect_hello(decoded(with_hello(outer_udp(4790).vxlan_gpe(42))), 1);
}

TEST(Tunnel, geneve_with_and_without_options) {
  expect_hello(decoded(with_hello(outer_udp(6081).geneve(42).ethernet())), 1);
  expect_hello(decoded(with_hello(outer_udp(6081).geneve(42, 9).ethernet())), 1);
  expect_hello(decoded(with_hello(outer_udp(6081).geneve(42))), 1);
}

TEST(Tunnel, gtp_u_with_and_without_extension_headers) {
  expect_hello(decoded(with_hello(outer_udp(2152).gtp_u(7))), 1);
  expect_hello(decoded(with_hello(outer_udp(2152).gtp_u(7, true))), 1);
}

TEST(Tunnel, l2tp_with_and_without_its_optional_fields) {
  const auto carried = [](const Octets& header) {
    return decoded(with_hello(outer_udp(1701).raw(header).ppp()));
  };
  expect_hello(carried({0x00, 0x02, 0, 1, 0, 2}), 1);
  expect_hello(carried({0x08, 0x02, 0, 1, 0, 2, 0, 3, 0, 4}), 1);
  expect_hello(carried({0x03, 0x02, 0, 1, 0, 2, 0, 3, 9, 9, 9}), 1);
  const auto ip = with_hello(FrameBuilder()).bytes();
  const auto length = static_cast<std::uint8_t>(4 + 4 + 2 + ip.size());
  const auto stated = [&](std::uint8_t low) {
    return decoded(outer_udp(1701).raw({0x40, 0x02, 0, low, 0, 1, 0, 2, 0, 0x21}).raw(ip));
  };
  expect_hello(stated(length), 1);
  EXPECT_EQ(stated(length + 1).tunnels, 0) << "longer than its datagram: something else";
}

TEST(Tunnel, l2tp_carries_more_than_ip_and_has_messages_of_its_own) {
  const Octets data{0x00, 0x02, 0, 1, 0, 2}, control{0xc8, 0x02, 0, 12, 0, 1, 0, 0, 0, 1, 0, 1};
  EXPECT_EQ(decoded(outer_udp(1701).raw(data).raw({0xff, 3, 0xc0, 0x21, 9, 1, 0, 4})).reason,
            NotAnalysed::not_ip)
      << "an echo request of PPP";
  EXPECT_EQ(decoded(outer_udp(1701).raw(data).raw({0x71, 3, 0xc0, 0x21})).reason, NotAnalysed::none)
      << "the port by chance";
  const auto hello = decoded(outer_udp(1701).raw(control));
  EXPECT_EQ(hello.reason, NotAnalysed::none);
  EXPECT_EQ(hello.payload_length, control.size());
}

TEST(Tunnel, gre_and_mpls_over_udp) {
  const auto gre = Octets{0, 0, 8, 0};
  expect_hello(decoded(with_hello(outer_udp(4754).raw(gre))), 1);
  expect_hello(decoded(with_hello(outer_udp(6635).mpls(16))), 1);
}

TEST(Tunnel, mpls_and_ethernet_in_ip) {
  expect_hello(decoded(with_hello(outer().mpls(16))), 1);
  expect_hello(decoded(with_hello(outer().ethernet())), 1);
  expect_hello(decoded(with_hello(outer().ether_ip().ethernet())), 1);
}

TEST(Tunnel, teredo_with_its_indications_and_between_client_and_relay) {
  const auto inner =
      FrameBuilder().ipv6("2001::1", "2001:db8::2").udp(1000, 53).payload("x").bytes();
  const Octets origin{0, 0, 0x12, 0x34, 1, 2, 3, 4};
  const Octets authentication{0, 1, 2, 1, 'i', 'd', 'v', 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (const auto& d :
       {decoded(outer_udp(3544).raw(inner)), decoded(outer_udp(3544).raw(origin).raw(inner)),
        decoded(outer_udp(3544).raw(authentication).raw(origin).raw(inner)),
        decoded(outer_udp(32900).raw(inner))}) {
    EXPECT_EQ(d.src, "[2001::1]:1000");
    EXPECT_EQ(d.payload, "x");
    EXPECT_EQ(d.tunnels, 1);
  }
}

TEST(Tunnel, ayiya) {
  const auto inner = FrameBuilder().ipv6("2001:db8::1", "2001:db8::2").udp(1000, 53).bytes();
  const auto d = decoded(outer_udp(5072)
                             .raw({0x41, 0x52, 0x11, 41, 0, 0, 0, 0})
                             .raw(Octets(16 + 20, 0xaa))
                             .raw(inner));
  EXPECT_EQ(d.src, "[2001:db8::1]:1000");
  EXPECT_EQ(d.tunnels, 1);
}

TEST(Tunnel, tunnels_nest) {
  auto builder = outer_udp(4789).vxlan(1).ethernet().ipv4("172.16.0.1", "172.16.0.2").gre();
  expect_hello(decoded(with_hello(builder.ipv4("172.17.0.1", "172.17.0.2"))), 3);
}

TEST(Tunnel, one_too_many) {
  auto builder = FrameBuilder().ethernet();
  for (int i = 0; i < 5; ++i) builder.ipv4("172.16.0.1", "172.16.0.2");
  expect_hello(decoded(with_hello(builder).bytes(), LinkType::ethernet, {.max_tunnels = 5}), 5);
  EXPECT_EQ(decoded(with_hello(builder)).reason, NotAnalysed::tunnel_too_deep);
}

TEST(Tunnel, a_configuration_cannot_make_the_nesting_unbounded) {
  auto builder = FrameBuilder().ethernet();
  for (int i = 0; i < 400; ++i) builder.ipv4("172.16.0.1", "172.16.0.2");
  EXPECT_EQ(decoded(builder.bytes(), LinkType::ethernet, {.max_tunnels = UINT32_MAX}).reason,
            NotAnalysed::tunnel_too_deep);
}

TEST(Tunnel, inner_icmp_and_arp_keep_their_reasons) {
  EXPECT_EQ(
      decoded(outer_udp(4789).vxlan(1).ethernet().ethertype(0x0806).payload("who has")).reason,
      NotAnalysed::arp);
  EXPECT_EQ(
      decoded(outer().gre().ipv4("10.0.0.1", "10.0.0.2").ip_protocol(1).payload("ping")).reason,
      NotAnalysed::icmp);
}

TEST(Tunnel, a_udp_port_that_is_only_by_chance_a_tunnels_is_plain_udp) {
  // GIVEN a DNS answer to a client whose port happens to be a tunnel's
  for (const std::uint16_t port : {1701, 2152, 3544, 4754, 4789, 4790, 5072, 6081, 6635, 8472}) {
    for (const std::uint8_t first : {0x00, 0x08, 0x0c, 0x30, 0x41, 0x60}) {
      SCOPED_TRACE(testing::Message() << "port " << port << " first byte " << int{first});
      const Octets dns{first, 0x71, 0x81, 0x80, 0,   1, 0, 0, 0, 0, 0,
                       0,     3,    'w',  'w',  'w', 0, 0, 1, 0, 1};
      const auto d = decoded(
          FrameBuilder().ethernet().ipv6("2001:db8::53", "2001:db8::1").udp(53, port).raw(dns));
      // THEN it is that answer, with its own addresses
      EXPECT_EQ(d.reason, NotAnalysed::none);
      EXPECT_EQ(d.src, "[2001:db8::53]:53");
      EXPECT_EQ(d.payload_length, dns.size());
      EXPECT_EQ(d.tunnels, 0);
      EXPECT_EQ(d.ip_version, 6);
    }
  }
}

TEST(Tunnel, a_tunnel_cut_by_the_snaplen_is_not_mistaken_for_plain_udp) {
  auto bytes = with_hello(outer_udp(4789).vxlan(1).ethernet()).bytes();
  bytes.resize(14 + 20 + 8 + 8 + 14 + 10);
  EXPECT_EQ(decoded(bytes).reason, NotAnalysed::ip_truncated);
}

TEST(Tunnel, an_inner_length_is_bounded_by_the_outer_one) {
  // GIVEN a mirror that cuts inner packets and fits the outer headers to what is left
  auto inner = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .tcp(1, 2)
                   .payload(std::string(500, 'x'))
                   .bytes();
  inner.resize(14 + 20 + 20 + 100);
  const auto d = decoded(outer_udp(4789).vxlan(1).raw(inner));
  EXPECT_EQ(d.payload_length, 100u);
  EXPECT_FALSE(d.snaplen_cut);
}

}  // namespace
}  // namespace wirelag::test
