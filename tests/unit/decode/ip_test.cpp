// IPv4 and IPv6 headers, options and extension headers.
#include "decoded.hpp"

namespace wirelag::test {
namespace {

TEST(Ipv4, options_are_skipped) {
  expect_hello(decoded(FrameBuilder()
                           .ethernet()
                           .ipv4("10.0.0.1", "10.0.0.2", {.options_words = 10})
                           .udp(1000, 53)
                           .payload("hello")));
}

TEST(Ipv4, total_length_0_means_the_rest_of_the_frame) {
  auto bytes = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .tcp(1, 2)
                   .payload("to be split")
                   .bytes();
  bytes[kIp + 2] = bytes[kIp + 3] = 0;
  const auto d = decoded(bytes);
  EXPECT_EQ(d.payload, "to be split");
  EXPECT_EQ(d.payload_length, 11u);
}

TEST(Ipv4, a_header_that_contradicts_itself) {
  const auto good = with_hello(FrameBuilder().ethernet()).bytes();
  const auto with = [&good](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[kIp + at] = value;
    return decoded(bytes).reason;
  };
  EXPECT_EQ(with(0, 0x55), NotAnalysed::ip_malformed) << "version 5";
  EXPECT_EQ(with(0, 0x44), NotAnalysed::ip_malformed) << "header of 16 bytes";
  EXPECT_EQ(with(3, 19), NotAnalysed::ip_malformed) << "total length below the header's";
  EXPECT_EQ(with(0, 0x4f), NotAnalysed::ip_malformed) << "header longer than the packet";
}

TEST(Ipv6, extension_headers_are_skipped) {
  const auto d = decoded(FrameBuilder()
                             .ethernet()
                             .ipv6("2001:db8::1", "2001:db8::2")
                             .ipv6_extension(0, 1)
                             .ipv6_extension(43, 4)
                             .ipv6_extension(60)
                             .authentication_header()
                             .ipv6_extension(135)
                             .tcp(1000, 80)
                             .payload("GET"));
  EXPECT_EQ(d.reason, NotAnalysed::none);
  EXPECT_EQ(d.dst, "[2001:db8::2]:80");
  EXPECT_EQ(d.payload, "GET");
}

TEST(Ipv6, an_atomic_fragment_is_whole) {
  const auto d = decoded(
      FrameBuilder().ethernet().ipv6("::1", "::2").ipv6_fragment({.id = 9}).udp(1, 2).payload("x"));
  EXPECT_EQ(d.reason, NotAnalysed::none);
  EXPECT_EQ(d.payload, "x");
}

TEST(Ipv6, a_jumbo_option_states_the_length_that_the_header_cannot) {
  auto bytes = FrameBuilder()
                   .ethernet()
                   .ipv6("::1", "::2")
                   .ip_protocol(0)
                   .raw({6, 0, 0xc2, 4, 0, 1, 0x11, 0x70})
                   .tcp(1, 2)
                   .payload("begin")
                   .bytes();
  bytes[kIp + 4] = bytes[kIp + 5] = 0;
  const auto d = decoded(bytes);
  EXPECT_EQ(d.payload, "begin");
  EXPECT_EQ(d.payload_length, 70000u - 8 - 20);
  EXPECT_TRUE(d.snaplen_cut);
}

TEST(Ipv6, payload_length_0_without_a_jumbo_option_means_the_rest_of_the_frame) {
  auto bytes =
      FrameBuilder().ethernet().ipv6("::1", "::2").tcp(1, 2).payload("to be split").bytes();
  bytes[kIp + 4] = bytes[kIp + 5] = 0;
  EXPECT_EQ(decoded(bytes).payload, "to be split");
}

TEST(Ip, protocols_without_a_decoder) {
  const auto reason = [](std::uint8_t protocol) {
    return decoded(FrameBuilder()
                       .ethernet()
                       .ipv4("10.0.0.1", "10.0.0.2")
                       .ip_protocol(protocol)
                       .payload("0123456789"))
        .reason;
  };
  EXPECT_EQ(reason(1), NotAnalysed::icmp);
  EXPECT_EQ(reason(58), NotAnalysed::icmp);
  EXPECT_EQ(reason(2), NotAnalysed::ip_protocol_unknown);    // IGMP
  EXPECT_EQ(reason(50), NotAnalysed::ip_protocol_unknown);   // ESP
  EXPECT_EQ(reason(132), NotAnalysed::ip_protocol_unknown);  // SCTP
  EXPECT_EQ(decoded(FrameBuilder().ipv6("::1", "::2").ip_protocol(59)).reason,
            NotAnalysed::ip_protocol_unknown);
}

TEST(Ip, headers_quoted_in_an_icmp_error_are_not_traffic) {
  const auto quoted = with_hello(FrameBuilder()).bytes();
  EXPECT_EQ(decoded(FrameBuilder()
                        .ethernet()
                        .ipv4("10.0.0.9", "10.0.0.1")
                        .ip_protocol(1)
                        .raw({3, 3, 0, 0, 0, 0, 0, 0})
                        .raw(quoted))
                .reason,
            NotAnalysed::icmp);
}

}  // namespace
}  // namespace wirelag::test
