// SYNs that nothing has followed have a table of their own (src/track/tcp/lone_syns.hpp), and nobody can tell.
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

constexpr std::uint32_t kStray =
    77;  ///< an ACK number without the flag: such a SYN is not put there

TimeNs since_start(double milliseconds) { return Conversation::kStart + ms(milliseconds); }

/// All that a lone SYN's connection can tell, however it was kept.
void expect_same(const Connection& a, const Connection& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.client, b.client);
  EXPECT_EQ(a.server, b.server);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.close, b.close);
  EXPECT_EQ(a.basis, b.basis);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.protocol, b.protocol);
  EXPECT_EQ(a.service, b.service);
  EXPECT_EQ(a.one_sided, b.one_sided);
  EXPECT_EQ(a.untimed, b.untimed);
  EXPECT_EQ(a.handshake_ambiguous, b.handshake_ambiguous);
  EXPECT_EQ(a.first_frame, b.first_frame);
  EXPECT_EQ(a.last_frame, b.last_frame);
  EXPECT_EQ(a.ack_frame, b.ack_frame);
  EXPECT_EQ(a.close_frame, b.close_frame);
  EXPECT_EQ(a.start_time_ns, b.start_time_ns);
  EXPECT_EQ(a.last_time_ns, b.last_time_ns);
  EXPECT_EQ(a.established_time_ns, b.established_time_ns);
  EXPECT_EQ(a.close_time_ns, b.close_time_ns);
  EXPECT_EQ(a.syn_wait_ns, b.syn_wait_ns);
  EXPECT_EQ(a.rtt_probe_server_ns, b.rtt_probe_server_ns);
  EXPECT_EQ(a.synack_wait_ns, b.synack_wait_ns);
  EXPECT_EQ(a.rtt_probe_client_ns, b.rtt_probe_client_ns);
  EXPECT_EQ(a.handshake_rtt_ns, b.handshake_rtt_ns);
  EXPECT_EQ(a.connect_time_ns, b.connect_time_ns);
  for (const Direction d : {Direction::c2s, Direction::s2c}) {
    EXPECT_EQ(a.half[d].packets, b.half[d].packets);
    EXPECT_EQ(a.half[d].payload_packets, b.half[d].payload_packets);
    EXPECT_EQ(a.half[d].payload_bytes, b.half[d].payload_bytes);
    EXPECT_EQ(a.half[d].first_payload_ns, b.half[d].first_payload_ns);
    EXPECT_EQ(a.half[d].last_payload_ns, b.half[d].last_payload_ns);
    EXPECT_EQ(a.half[d].impaired.size(), b.half[d].impaired.size());
    EXPECT_EQ(a.opening().options[d].mss, b.opening().options[d].mss);
    EXPECT_EQ(a.opening().options[d].window_scale, b.opening().options[d].window_scale);
    EXPECT_EQ(a.opening().options[d].sack_permitted, b.opening().options[d].sack_permitted);
    EXPECT_EQ(a.opening().options[d].timestamps, b.opening().options[d].timestamps);
    EXPECT_EQ(a.opening().options[d].tsval, b.opening().options[d].tsval);
    EXPECT_EQ(a.opening().options[d].tsecr, b.opening().options[d].tsecr);
    EXPECT_EQ(a.opening().window[index(d)], b.opening().window[index(d)]);
  }
  EXPECT_EQ(a.rtt_probe_server.samples, b.rtt_probe_server.samples);
  EXPECT_TRUE(std::equal(a.syn_frames.begin(), a.syn_frames.end(), b.syn_frames.begin(),
                         b.syn_frames.end()));
  EXPECT_EQ(a.syn_ack_frames.size(), b.syn_ack_frames.size());
  const Handshake of_a = a.handshake(), of_b = b.handshake();
  ASSERT_EQ(of_a.size(), of_b.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const HandshakeSegment &x = of_a[i], &y = of_b[i];
    EXPECT_EQ(x.time_ns, y.time_ns);
    EXPECT_EQ(x.frame, y.frame);
    EXPECT_EQ(x.seq, y.seq);
    EXPECT_EQ(x.payload_length, y.payload_length);
    EXPECT_EQ(x.window, y.window);
    EXPECT_EQ(x.flags, y.flags);
    EXPECT_EQ(x.direction, y.direction);
    EXPECT_EQ(x.earlier, y.earlier);
    EXPECT_EQ(x.options.mss, y.options.mss);
    EXPECT_EQ(x.options.tsval, y.options.tsval);
  }
}

Segment syn(double at_ms, std::uint32_t seq = 0) {
  return {.at_ms = at_ms,
          .flags = kSyn,
          .seq = seq,
          .tsval = 9,
          .options = {2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7}};  // MSS 1460, SACK, window scale 7
}

TEST(LoneSyn, TellsWhatAConnectionOfTheTableTells) {
  const auto told = [](std::uint32_t stray) {
    Conversation t;
    t.ack_without_flag = stray;
    t.send(syn(5));
    return t.finish();
  };
  const Connection lone = told(0);
  expect_same(lone, told(kStray));
  EXPECT_EQ(lone.state, ConnectionState::syn_unanswered);
  EXPECT_EQ(lone.opening().options.c2s.window_scale, 7);
}

/// Whatever follows, and from whichever side, the connection is as if its SYN had been in the table.
TEST(LoneSyn, WhatFollowsFindsTheConnectionAsItWas) {
  const std::vector<std::vector<Segment>> followers = {
      {{false, 10, kSynAck, 0, 1}, {true, 12, kAck, 1, 1}},
      {{false, 10, tcp_flag::rst | tcp_flag::ack, 0, 1}},
      {syn(1000), {false, 1010, kSynAck, 0, 1}, {true, 1012, kAck, 1, 1}},
      {syn(5)},                 // a copy made by the mirror
      {syn(500, 700'000)},      // another connection on the same ports
      {syn(301'000, 700'000)},  // likewise, long after the first has timed out
      {{false, 10, kSyn, 0, 0}, {true, 11, kSynAck, 0, 1}, {false, 12, kSynAck, 0, 1}},
      {{true, 10, kAck, 1, 1, "GET / HTTP/1.1\r\n\r\n"}},
  };
  for (const auto& rest : followers) {
    const auto told = [&](std::uint32_t stray) {
      Conversation t;
      t.ack_without_flag = stray;
      t.send(syn(5));
      for (const Segment& s : rest) t.send(s);
      t.tracker().finish();
      std::sort(t.sink.connections.begin(), t.sink.connections.end(),
                [](const Connection& a, const Connection& b) { return a.key < b.key; });
      EXPECT_EQ(t.counters.of(Counter::tcp_connections), t.sink.connections.size());
      return t.sink.connections;
    };
    const auto lone = told(0), in_table = told(kStray);
    ASSERT_EQ(lone.size(), in_table.size());
    for (std::size_t i = 0; i < lone.size(); ++i) expect_same(lone[i], in_table[i]);
  }
}

/// Options are worked out again only where they differ from those of the one told before.
TEST(LoneSyn, EachTellsItsOwnOptions) {
  Conversation t;
  const auto send = [&](std::uint16_t port, std::vector<std::uint8_t> options,
                        std::uint32_t tsval) {
    t.client.port = port;
    Segment s = syn(port);
    s.options = std::move(options);
    s.tsval = tsval;
    t.send(s);
  };
  const std::vector<std::uint8_t> scaled = {2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7};
  send(1001, scaled, 9);
  send(1002, {}, 0);
  send(1003, scaled, 9);
  send(1004, scaled, 10);
  send(1005, {2, 4, 2, 0x18}, 0);
  send(1006, {2, 4, 2, 0x18}, 0);
  t.tracker().finish();
  ASSERT_EQ(t.sink.connections.size(), 6U);
  const auto options = [&](std::uint16_t port) {
    const auto of_port = [port](const Connection& c) { return c.client.port == port; };
    return std::ranges::find_if(t.sink.connections, of_port)->opening().options.c2s;
  };
  for (const std::uint16_t port : {1001, 1003, 1004}) {
    EXPECT_EQ(options(port).mss, 1460) << port;
    EXPECT_EQ(options(port).window_scale, 7) << port;
    EXPECT_EQ(options(port).tsval, port == 1004 ? 10U : 9U) << port;
  }
  EXPECT_EQ(options(1002).mss, TcpOptions{}.mss);
  EXPECT_FALSE(options(1002).timestamps);
  for (const std::uint16_t port : {1005, 1006}) {
    EXPECT_EQ(options(port).mss, 536) << port;
    EXPECT_FALSE(options(port).timestamps) << port;
  }
}

TEST(LoneSyn, TheOldestGivesWay) {
  TcpLimits limits = Conversation::small();
  limits.connections = 2;
  Conversation t(limits);
  for (const std::uint16_t port : {1001, 1002, 1003, 1004}) {
    t.client.port = port;
    t.send(syn(port));
  }
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[0].client.port, 1001);
  EXPECT_EQ(t.sink.connections[1].client.port, 1002);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::evicted);
  EXPECT_EQ(t.counters.of(Counter::tcp_evicted_unanswered), 2U);
  t.client.port = 1003;  // in the middle of the row no longer
  t.server_sends(2000, kSynAck, 0, 1);
  t.client.port = 1005;
  t.send(syn(2001));
  EXPECT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.tracker().live_connections(), 3U);
}

TEST(LoneSyn, HashesThatFallTogetherCostTheOneInTheWay) {
  TcpLimits limits = Conversation::small();
  limits.connections = 1024;
  Conversation t(limits);  // every flow has the same hash
  for (std::uint16_t port = 1000; port < 1300; ++port) {
    t.client.port = port;
    t.send(syn(port));
  }
  EXPECT_GT(t.counters.of(Counter::hash_evicted), 100U);
  EXPECT_EQ(t.counters.of(Counter::hash_evicted), t.sink.connections.size());
  t.finish();
  EXPECT_EQ(t.sink.connections.size(), 300U);
}

TEST(LoneSyn, WithoutRoomForAConnectionThatGoesOnItEnds) {
  TcpLimits limits = Conversation::small();
  limits.connections = 1;
  Conversation t(limits);
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "x");
  t.server_sends(21, kAck, 1, 2, "y");
  t.client.port = 1002;
  t.send(syn(100));
  EXPECT_EQ(t.server_sends(110, kSynAck, 0, 1), NotAnalysed::flow_table_full);
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].client.port, 1002);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::evicted);
  EXPECT_EQ(t.counters.of(Counter::tcp_evicted), 1U);
  EXPECT_EQ(t.counters.of(Counter::tcp_evicted_unanswered), 1U);
}

TEST(LoneSyn, TimesOutLikeAnyHalfOpenConnection) {
  Conversation t;
  t.send(syn(0));
  t.tracker().tick(since_start(300'000));
  EXPECT_TRUE(t.sink.connections.empty());
  t.tracker().tick(since_start(300'001));
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::idle_timeout);
  EXPECT_EQ(t.tracker().live_connections(), 0U);
}

TEST(LoneSyn, OneOfAClockFarAheadKeepsNoOtherWaiting) {
  Conversation t;
  t.client.port = 1001;
  t.send(syn(1e9));
  t.client.port = 1002;
  t.send(syn(0));
  t.tracker().tick(since_start(300'001));
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].client.port, 1002);
}

TEST(LoneSyn, TicksThatTrailLeaveTheOrderAlone) {
  TcpLimits limits = Conversation::small();
  limits.connections = 2;
  Conversation t(limits);
  for (const std::uint16_t port : {1001, 1002}) {
    t.client.port = port;
    t.send(syn(port));
  }
  t.tracker().tick(since_start(0));
  t.client.port = 1003;
  t.send(syn(1003));
  ASSERT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(t.sink.connections[0].client.port, 1001);
}

TEST(LoneSyn, AnotherSynNeedsNoRoomForAConnectionThatGoesOn) {
  for (const double at_ms : {200.0, 400'000.0}) {
    TcpLimits limits = Conversation::small();
    limits.connections = 1;
    Conversation t(limits);
    t.shake_hands();
    t.client_sends(20, kAck, 1, 1, "x");
    t.server_sends(21, kAck, 1, 2, "y");
    const Endpoint established = t.client;
    t.client.port = 1002;
    t.send(syn(100));
    EXPECT_EQ(t.send(syn(at_ms, 70'000)), NotAnalysed::none);
    ASSERT_EQ(t.sink.connections.size(), 1U);
    EXPECT_EQ(t.sink.connections[0].end,
              at_ms < 1000 ? ConnectionEnd::port_reused : ConnectionEnd::idle_timeout);
    EXPECT_NE(t.sink.connections[0].client, established);
    EXPECT_EQ(t.tracker().live_connections(), 2U);
  }
}

TEST(LoneSyn, IsInSnapshotsOnce) {
  for (const std::size_t step : {1U, 1000U}) {
    Conversation t;
    t.shake_hands();
    for (const std::uint16_t port : {1001, 1002, 1003}) {
      t.client.port = port;
      t.send(syn(port));
    }
    Collector seen;
    for (std::size_t at = t.tracker().snapshot(seen, 0, step); at != 0;) {
      at = t.tracker().snapshot(seen, at, step);
    }
    EXPECT_EQ(seen.connections.size(), 4U);
    EXPECT_TRUE(t.sink.connections.empty());
  }
}

}  // namespace
}  // namespace wirelag::testing
