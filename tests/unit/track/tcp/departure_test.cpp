// Connections that both sides have closed leave the table; what still comes of them opens no other.
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

constexpr std::uint8_t kFinAck = tcp_flag::fin | tcp_flag::ack;

/// Both sides have closed at 22 ms; the last ACK is captured if `acknowledged`.
void close_by_both(Conversation& t, bool acknowledged = true) {
  t.shake_hands();
  t.client_sends(20, kFinAck, 1, 1);
  t.server_sends(21, kFinAck, 1, 2);
  if (acknowledged) t.client_sends(22, kAck, 2, 2);
}

TimeNs at_ms(double ms) { return Conversation::kStart + static_cast<TimeNs>(ms * 1e6); }

TEST(Departure, AConnectionThatBothHaveClosedLeavesTheTableSoon) {
  Conversation t;
  close_by_both(t);
  t.tracker().end_closed(at_ms(3000));
  EXPECT_EQ(t.tracker().live_connections(), 1U);
  t.tracker().end_closed(at_ms(3023));
  EXPECT_EQ(t.tracker().live_connections(), 0U);
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::closed);
}

TEST(Departure, WaitsForSilenceAfterTheLastSegment) {
  Conversation t;
  close_by_both(t);
  t.client_sends(3000, kAck, 2, 2);
  t.tracker().end_closed(at_ms(3023));
  EXPECT_EQ(t.tracker().live_connections(), 1U);
  t.tracker().end_closed(at_ms(6001));
  EXPECT_EQ(t.tracker().live_connections(), 0U);
}

TEST(Departure, AFinThatNobodyHasAcknowledgedKeepsTheConnection) {
  Conversation t;
  close_by_both(t, false);
  t.tracker().end_closed(at_ms(60'000));
  EXPECT_EQ(t.tracker().live_connections(), 1U);
  t.server_sends(60'001, kFinAck, 1, 2);
  const Connection& c = t.finish();
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.half.s2c.packets, 3U);
}

TEST(Departure, AStragglerOpensNoOtherConnection) {
  for (const bool departed : {false, true}) {
    Conversation t;
    close_by_both(t);
    if (departed) t.tracker().end_closed(at_ms(10'000));
    EXPECT_EQ(t.server_sends(10'001, kFinAck, 1, 2), NotAnalysed::none);
    t.client_sends(10'002, kAck, 2, 2);
    // Each keeps the ports in mind.
    t.server_sends(120'000, tcp_flag::rst, 2, 2);
    const Connection& c = t.finish();
    EXPECT_EQ(t.sink.connections.size(), 1U);
    EXPECT_EQ(c.half.s2c.packets, departed ? 2U : 4U);
    EXPECT_EQ(t.counters.of(Counter::tcp_after_close), departed ? 3U : 0U);
  }
}

TEST(Departure, NewBytesSynsAndLateOnesBeginAConnection) {
  struct {
    double ms;
    std::uint8_t flags;
    std::uint32_t seq;
    const char* payload;
  } const cases[] = {{10'000, tcp_flag::syn, 5000, ""},
                     {10'000, tcp_flag::ack, 2, "new"},
                     {122'100, tcp_flag::ack, 2, ""}};
  for (const auto& c : cases) {
    Conversation t;
    close_by_both(t);
    t.tracker().end_closed(at_ms(5000));
    t.client_sends(c.ms, c.flags, c.seq, 2, c.payload);
    // THEN the ports are the new one's: what was the earlier one's is no straggler any more
    t.client_sends(c.ms + 1, kAck, 2, 2);
    t.finish();
    EXPECT_EQ(t.sink.connections.size(), 2U) << c.ms << ' ' << int{c.flags};
    EXPECT_EQ(t.counters.of(Counter::tcp_after_close), 0U);
  }
}

TEST(Departure, PortsUsedAgainWithLowerNumbersAreAnotherConnection) {
  // GIVEN a later connection whose SYN was not captured, with numbers before those of the earlier one
  Conversation t;
  close_by_both(t);
  t.tracker().end_closed(at_ms(5000));
  constexpr std::uint32_t kLower = 0U - 500'000;
  t.server_sends(20'000, tcp_flag::syn | kAck, kLower, kLower + 1);
  t.client_sends(20'001, kAck, kLower + 1, kLower + 1);
  t.client_sends(20'002, kAck, kLower + 1, kLower + 1, "GET / HTTP/1.1\r\n\r\n");
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[1].half.c2s.payload_packets, 1U);
  EXPECT_EQ(t.counters.of(Counter::tcp_after_close), 0U);
}

TEST(Departure, AClockFarAheadKeepsNoOtherConnection) {
  Conversation t;
  const double ahead_ms = 1000 * 1e3;
  t.client = endpoint("10.9.9.9", 1024);
  t.shake_hands();
  t.client_sends(20, kFinAck, 1, 1);
  t.server_sends(ahead_ms, kFinAck, 1, 2);
  t.client = endpoint("10.9.9.9", 1025);
  close_by_both(t);
  t.tracker().end_closed(at_ms(5000));
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].client.port, 1025);
}

TEST(Departure, TheLatestConnectionsAreRemembered) {
  TcpLimits limits = Conversation::small();
  limits.connections = 4;
  Conversation t(limits);
  const auto port = [&](std::uint16_t n) { t.client = endpoint("10.9.9.9", 1024 + n); };
  for (std::uint16_t n = 0; n < 6; ++n) {
    port(n);
    close_by_both(t);
    t.tracker().end_closed(at_ms(5000));
  }
  for (std::uint16_t n = 0; n < 6; ++n) {
    port(n);
    t.server_sends(6000, kFinAck, 1, 2);
    EXPECT_EQ(t.counters.of(Counter::tcp_after_close), n < 2 ? 0U : n - 1U);
  }
}

}  // namespace
}  // namespace wirelag::testing
