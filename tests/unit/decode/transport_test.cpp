// TCP and UDP headers, payload lengths, the flow hash.
#include <vector>

#include "decoded.hpp"

namespace wirelag::test {
namespace {

class Transports : public testing::Test {
 protected:
  NotAnalysed decode(const Octets& bytes, const FrameFields& fields = {}) {
    return decoder.decode(frame_of(bytes, fields), packet);
  }

  Counters counters;
  Decoder decoder{{}, counters};
  Packet packet;
};

TEST_F(Transports, tcp_header_fields) {
  const auto bytes = FrameBuilder()
                         .ethernet()
                         .ipv4("10.0.0.1", "10.0.0.2")
                         .tcp(40000, 80,
                              {.seq = 0xfffffff0,
                               .ack = 0x80000001,
                               .flags = tcp_flag::syn | tcp_flag::ack | tcp_flag::ece,
                               .window = 64240,
                               .options = {2, 4, 0x05, 0xb4, 1, 3, 3, 7}})
                         .payload("early")
                         .bytes();
  ASSERT_EQ(decode(bytes, {.time_ns = 77, .number = 12}), NotAnalysed::none);
  EXPECT_EQ(packet.time_ns, 77);
  EXPECT_EQ(packet.number, 12u);
  EXPECT_EQ(packet.tcp.seq, 0xfffffff0u);
  EXPECT_EQ(packet.tcp.ack, 0x80000001u);
  EXPECT_EQ(packet.tcp.flags, tcp_flag::syn | tcp_flag::ack | tcp_flag::ece);
  EXPECT_EQ(packet.tcp.window, 64240);
  EXPECT_EQ(packet.tcp.options.size(), 8u);
  EXPECT_EQ(packet.tcp.options[3], 0xb4);
  EXPECT_EQ(as_text(packet.payload), "early");
}

TEST_F(Transports, snaplen_cuts_the_payload_but_not_its_length) {
  auto bytes = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .tcp(1, 2)
                   .payload(std::string(1000, 'x'))
                   .bytes();
  bytes.resize(64);
  ASSERT_EQ(decode(bytes, {.cut_bytes = 990}), NotAnalysed::none);
  EXPECT_EQ(packet.payload_length, 1000u);
  EXPECT_EQ(packet.payload.size(), 10u);
  EXPECT_TRUE(packet.snaplen_cut);
}

TEST_F(Transports,
       the_length_is_right_when_the_driver_reports_the_captured_length_as_the_wire_length) {
  auto bytes = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .tcp(1, 2)
                   .payload(std::string(1000, 'x'))
                   .bytes();
  bytes.resize(64);
  ASSERT_EQ(decode(bytes), NotAnalysed::none);
  EXPECT_EQ(packet.payload_length, 1000u);
  EXPECT_TRUE(packet.snaplen_cut);
}

TEST_F(Transports, tcp_cut_inside_its_options_still_counts) {
  auto bytes = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .tcp(1, 2, {.options = {2, 4, 0x05, 0xb4, 1, 3, 3, 7}})
                   .payload("data")
                   .bytes();
  bytes.resize(14 + 20 + 20 + 4);
  ASSERT_EQ(decode(bytes, {.cut_bytes = 8}), NotAnalysed::none);
  EXPECT_EQ(packet.tcp.options.size(), 4u);
  EXPECT_EQ(packet.payload.size(), 0u);
  EXPECT_EQ(packet.payload_length, 4u);
}

TEST_F(Transports, headers_that_contradict_themselves) {
  const std::size_t tcp_offset = 14 + 20 + 12;
  auto tcp = FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).bytes();
  tcp[tcp_offset] = 0x40;
  EXPECT_EQ(decode(tcp), NotAnalysed::transport_malformed) << "16 bytes of TCP header";
  tcp[tcp_offset] = 0xf0;
  EXPECT_EQ(decode(tcp), NotAnalysed::none) << "longer than the segment: the fixed part is good";
  EXPECT_EQ(packet.payload_length, 0u);

  const std::size_t udp_length = 14 + 20 + 4;
  auto udp = with_hello(FrameBuilder().ethernet()).bytes();
  udp[udp_length + 1] = 7;
  EXPECT_EQ(decode(udp), NotAnalysed::transport_malformed) << "less than its own header";

  const auto short_packet = FrameBuilder()
                                .ethernet()
                                .ipv4("10.0.0.1", "10.0.0.2")
                                .ip_protocol(17)
                                .raw({0, 1, 0, 2, 0, 8})
                                .bytes();
  EXPECT_EQ(decode(short_packet), NotAnalysed::transport_malformed) << "no room for a UDP header";
}

TEST_F(Transports, udp_length_narrows_and_never_widens) {
  const std::size_t udp_length = 14 + 20 + 4;
  auto bytes = with_hello(FrameBuilder().ethernet()).bytes();
  bytes[udp_length + 1] = 8 + 3;
  ASSERT_EQ(decode(bytes), NotAnalysed::none);
  EXPECT_EQ(as_text(packet.payload), "hel");
  bytes[udp_length] = 0xff;
  ASSERT_EQ(decode(bytes), NotAnalysed::none);
  EXPECT_EQ(packet.payload_length, 5u);
  bytes[udp_length] = bytes[udp_length + 1] = 0;
  ASSERT_EQ(decode(bytes), NotAnalysed::none);
  EXPECT_EQ(packet.payload_length, 5u);
}

std::uint32_t hash_of(const Octets& bytes) {
  Counters counters;
  Decoder decoder({}, counters);
  Packet packet;
  EXPECT_EQ(decoder.decode(frame_of(bytes), packet), NotAnalysed::none);
  EXPECT_EQ(packet.flow_hash, flow_hash(packet.src, packet.dst, packet.transport));
  return packet.flow_hash;
}

TEST(FlowHash, is_the_same_in_both_directions) {
  const auto v4 = [](const char* a, const char* b, std::uint16_t pa, std::uint16_t pb) {
    return hash_of(FrameBuilder().ethernet().ipv4(a, b).tcp(pa, pb).bytes());
  };
  EXPECT_EQ(v4("10.0.0.1", "192.0.2.1", 40000, 443), v4("192.0.2.1", "10.0.0.1", 443, 40000));
  const auto v6 = [](const char* a, const char* b, std::uint16_t pa, std::uint16_t pb) {
    return hash_of(FrameBuilder().ethernet().ipv6(a, b).udp(pa, pb).bytes());
  };
  EXPECT_EQ(v6("2001:db8::1", "2001:db8:7::2", 5000, 53),
            v6("2001:db8:7::2", "2001:db8::1", 53, 5000));
}

TEST(FlowHash, tells_ports_hosts_and_transports_apart) {
  const auto tcp =
      hash_of(FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).bytes());
  const auto udp =
      hash_of(FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes());
  const auto swapped_ports =
      hash_of(FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(2, 1).bytes());
  EXPECT_NE(tcp, udp);
  EXPECT_NE(tcp, swapped_ports);
}

TEST(FlowHash, spreads_clients_of_one_server_evenly) {
  constexpr int kFlows = 1 << 16, kBuckets = 256;
  std::vector<int> by_low_bits(kBuckets), by_high_bits(kBuckets);
  const Endpoint server{address("192.0.2.1"), 443};
  for (int i = 0; i < kFlows; ++i) {
    const std::uint8_t ip[4] = {10, 0, 0, static_cast<std::uint8_t>(i >> 8)};
    const Endpoint client{IpAddress::v4(ip), static_cast<std::uint16_t>(40000 + (i & 0xff))};
    const std::uint32_t hash = flow_hash(client, server, Transport::tcp);
    ++by_low_bits[hash % kBuckets];
    ++by_high_bits[hash >> 24];
  }
  for (int i = 0; i < kBuckets; ++i) {  // 256 expected, standard deviation 16
    EXPECT_NEAR(by_low_bits[i], kFlows / kBuckets, 6 * 16);
    EXPECT_NEAR(by_high_bits[i], kFlows / kBuckets, 6 * 16);
  }
}

}  // namespace
}  // namespace wirelag::test
