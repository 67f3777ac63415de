#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"
#include "origin.hpp"

namespace wirelag::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class TcpRules : public testing::Test {
 protected:
  Connection& open(double syn_ms, double rtt_ms = 6, const char* server = kServer,
                   std::uint16_t server_port = 80) {
    return story_.connection(kClient, ++port_, server, server_port, syn_ms, rtt_ms);
  }
  /// The first SYN at `syn_ms` was lost, the second one answered a second later.
  Connection& open_after_loss(double syn_ms, double rtt_ms = 6) {
    Connection& c = open(syn_ms, 1000 + rtt_ms);
    c.syn_wait_ns = 1000 * kMillisecondNs;
    c.handshake_rtt_ns = at_ms(rtt_ms) - kBegin;
    c.rtt_probe_server_ns = at_ms(rtt_ms * 0.99) - kBegin;
    test::push(c.syn_frames, frame_at(syn_ms + 1000));
    return c;
  }
  [[nodiscard]] std::vector<Finding> findings(std::string_view rule) const {
    return Judged(story_).findings(rule);
  }
  [[nodiscard]] Outcome outcome(std::string_view rule) const {
    return Judged(story_).by(rule).outcome;
  }

  Story story_;
  std::uint16_t port_ = 1000;
};

// -------------------------------------------------------------------------------- tcp-syn-loss

TEST_F(TcpRules, SynLossCostsASecond) {
  story_.http(open(0), "/", 6.1, 50);
  story_.http(open_after_loss(5000), "/", 6006.1, 6050);
  const std::vector<Finding> f = findings("tcp-syn-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "tcp/192.0.2.80:80");
  EXPECT_EQ(f[0].affected_actions, 1U);
  EXPECT_EQ(f[0].looked_at, 2U);
  EXPECT_EQ(f[0].saving.low_ns, 1000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 1000 * kMillisecondNs);
  ASSERT_EQ(f[0].evidence.size(), 1U);
  EXPECT_EQ(f[0].evidence[0].connection, 1U);
  EXPECT_THAT(f[0].evidence[0].what, HasSubstr("2 SYNs"));
}

TEST_F(TcpRules, SynLossSaysOnWhichWay) {
  // GIVEN a SYN-ACK that passed before the client sent its SYN again
  const auto shake = [this](std::initializer_list<HandshakeSegment> segments) {
    story_ = {};
    Connection& c = open_after_loss(0);
    c.opened = {};
    for (const HandshakeSegment& s : segments) test::push(c.segments, s);
    story_.http(c, "/", 1006.1, 1050);
    return findings("tcp-syn-loss");
  };
  const auto segment = [](double ms, Direction d, std::uint8_t flags) {
    HandshakeSegment s;
    s.time_ns = at_ms(ms);
    s.direction = d;
    s.flags = flags;
    return s;
  };
  const HandshakeSegment syn = segment(0, Direction::c2s, tcp_flag::syn);
  const HandshakeSegment again = segment(1000, Direction::c2s, tcp_flag::syn);
  const HandshakeSegment answer = segment(3, Direction::s2c, tcp_flag::syn | tcp_flag::ack);
  std::vector<Finding> f = shake({syn, answer, again, answer});
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].title, HasSubstr("SYN-ACKs are lost on the way from 192.0.2.80:80"));
  EXPECT_THAT(f[0].why, HasSubstr("did not reach the client"));
  f = shake({syn, again, answer});
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].title, HasSubstr("SYNs are lost on the way to 192.0.2.80:80"));
  // WHEN an earlier connection's ACK answered the SYN THEN nothing was lost
  HandshakeSegment challenge = segment(3, Direction::s2c, tcp_flag::ack);
  challenge.earlier = true;
  EXPECT_TRUE(shake({syn, challenge, again, answer}).empty());
}

TEST_F(TcpRules, SynLossTwinIsFine) {
  story_.http(open(0), "/", 6.1, 50);
  EXPECT_EQ(outcome("tcp-syn-loss"), Outcome::fine);
  EXPECT_EQ(Judged(origin_story()).by("tcp-syn-loss").outcome, Outcome::fine);
}

TEST_F(TcpRules, SynLossIsNotFineBesideAConnectionThatNobodyAnswered) {
  story_.http(open(0), "/", 6.1, 50);
  Connection& c = story_.fail(open(100), ConnectionState::syn_unanswered, 100);
  c.one_sided = true;  // as whatever nobody answered
  c.syn_ack_frames = {};
  c.half.c2s.packets = 1;
  story_.ends(7100);
  const RuleResult result = Judged(story_).by("tcp-syn-loss");
  EXPECT_EQ(result.outcome, Outcome::not_visible);
  EXPECT_THAT(result.note, HasSubstr("1 connection was never answered"));

  // WHEN the capture ended before an answer was due THEN nobody knows
  story_.ends(900);
  EXPECT_EQ(outcome("tcp-syn-loss"), Outcome::fine);

  // WHEN the client went on as if it had been answered THEN its server was not captured
  story_.ends(7100);
  c.half.c2s.packets = 5;
  EXPECT_EQ(outcome("tcp-syn-loss"), Outcome::fine);
}

TEST_F(TcpRules, SynLossBehindALongerAnswerSavesNothing) {
  story_.http(open(0), "/big", 6.1, 3000);
  story_.http(open_after_loss(100), "/a.png", 1106.1, 1150);
  const Judged judged(story_);
  EXPECT_TRUE(judged.findings("tcp-syn-loss").empty());
  EXPECT_THAT(judged.fine("tcp-syn-loss"), HasSubstr("saves 0 ms"));
}

TEST_F(TcpRules, SynLossSeenFromOneSideIsABound) {
  Connection& c = open_after_loss(0);
  story_.http(c, "/", 1006.1, 1050);
  c.one_sided = true;
  c.syn_wait_ns = kUnknownNs;
  c.syn_ack_frames = {};
  HandshakeSegment syn;
  syn.flags = tcp_flag::syn;
  syn.time_ns = at_ms(0);
  test::push(c.segments, syn);
  syn.time_ns = at_ms(1000);
  test::push(c.segments, syn);
  const std::vector<Finding> f = findings("tcp-syn-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0);
  EXPECT_EQ(f[0].saving.high_ns, 1000 * kMillisecondNs);
  EXPECT_EQ(f[0].confidence, "C");
}

TEST_F(TcpRules, ALostSynAckCostsASecondToo) {
  Connection& c = open(0, 1006);  // near the server: the SYN was answered at once
  c.syn_wait_ns = 0;
  c.synack_wait_ns = 1000 * kMillisecondNs;
  c.handshake_rtt_ns = at_ms(6) - kBegin;
  story_.http(c, "/", 1006.1, 1050);
  const std::vector<Finding> f = findings("tcp-syn-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 1000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 1000 * kMillisecondNs);
}

TEST_F(TcpRules, SynLossNeedsAnOpening) {
  story_.http(story_.midstream(open(0)), "/", 6.1, 50);
  EXPECT_EQ(outcome("tcp-syn-loss"), Outcome::not_visible);
  EXPECT_EQ(Judged(Story{}).by("tcp-syn-loss").outcome, Outcome::not_applicable);
}

// ------------------------------------------------------------------------- tcp-accept-overflow

TEST_F(TcpRules, SeveralIgnoredSynsAtOnceAreTheListenersQueue) {
  for (int i = 0; i < 4; ++i) story_.http(open(i), "/", 6.1 + i, 50);
  for (int i = 0; i < 3; ++i) story_.http(open_after_loss(4 + i), "/", 1010.1 + i, 1050);
  const std::vector<Finding> f = findings("tcp-accept-overflow");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "tcp/192.0.2.80:80");
  EXPECT_THAT(f[0].fault, HasSubstr("3 of 7"));
  EXPECT_EQ(f[0].evidence.size(), 3U);
  EXPECT_TRUE(findings("tcp-syn-loss").empty());  // one millisecond, one owner
  EXPECT_THAT(Judged(story_).fine("tcp-syn-loss"), HasSubstr("tcp-accept-overflow"));
}

TEST_F(TcpRules, OneLostSynIsNotAnOverflow) {
  for (int i = 0; i < 4; ++i) story_.http(open(i), "/", 6.1 + i, 50);
  story_.http(open_after_loss(4), "/", 1010.1, 1050);
  EXPECT_EQ(outcome("tcp-accept-overflow"), Outcome::fine);
}

TEST_F(TcpRules, FirstRequestsThatWereIgnored) {
  for (int i = 0; i < 3; ++i) {
    Connection& c = open(i);
    story_.http(c, "/", 6.1 + i, 670);  // sent again after 200 and 400 ms
    test::impair(c.half.c2s).retransmissions[static_cast<std::size_t>(RetransmissionClass::rto)] =
        2;
  }
  const std::vector<Finding> f = findings("tcp-accept-overflow");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0);  // the queue's own wait stays
  EXPECT_GT(f[0].saving.high_ns, 500 * kMillisecondNs);
  EXPECT_THAT(f[0].evidence[0].what, HasSubstr("request was ignored"));
}

TEST_F(TcpRules, OverflowCostsWhatALongerQueueWouldSave) {
  // One answer every 20 ms; eight came at once, four of them were ignored and came again.
  for (int i = 0; i < 4; ++i) story_.http(open(i), "/", 6.1 + i, 26 + 20 * i);
  for (int i = 0; i < 4; ++i) story_.http(open_after_loss(4 + i), "/", 1010.1 + i, 1030 + 20 * i);
  const auto saving_ms = [this] {
    const std::vector<Finding> f = findings("tcp-accept-overflow");
    return f.size() == 1 ? std::pair(static_cast<double>(f[0].saving.low_ns) / 1e6,
                                     static_cast<double>(f[0].saving.high_ns) / 1e6)
                         : std::pair(-1.0, -1.0);
  };
  // Answered at 106, 126, 146 and 166 ms instead of 1030 to 1090.
  EXPECT_NEAR(saving_ms().first, 924, 0.5);
  EXPECT_NEAR(saving_ms().second, 924, 0.5);
  // How long the queue is that an unreadable request waits in is not known.
  story_.tls(open(3), "www.example.com", 0x0304, 10, 20, 21);
  EXPECT_EQ(saving_ms().first, 0);
  EXPECT_NEAR(saving_ms().second, 1000, 0.5);
}

TEST_F(TcpRules, OverflowOfTheSynAndThenOfTheRequestIsOneConnection) {
  for (int i = 0; i < 4; ++i) story_.http(open(i), "/", 6.1 + i, 26 + 20 * i);
  for (int i = 0; i < 2; ++i) {
    Connection& c = open_after_loss(4 + i);
    HttpTransaction& h = story_.http(c, "/", 1010.1 + i, 1250 + 20 * i);
    test::impair(c.half.c2s).retransmissions[static_cast<std::size_t>(RetransmissionClass::rto)] =
        1;
    test::stalls(h) = {0, 210 * kMillisecondNs, 0, 0, 0};
  }
  const std::vector<Finding> f = findings("tcp-accept-overflow");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].fault, HasSubstr("2 of 6"));
  EXPECT_THAT(f[0].evidence[0].what, HasSubstr("its SYN was ignored, and then its first request"));
  // Answered at 106 instead of 1250 ms: all of the SYN's second, and 144 of the request's 210 ms.
  EXPECT_NEAR(static_cast<double>(f[0].saving.high_ns) / 1e6, 1144, 0.5);
}

TEST_F(TcpRules, OverflowIsNotJudgedFromOneSide) {
  open_after_loss(0).one_sided = true;
  open_after_loss(1).one_sided = true;
  EXPECT_EQ(outcome("tcp-accept-overflow"), Outcome::not_visible);
}

// ------------------------------------------------------------------------- tcp-initcwnd-rounds

class InitialWindow : public TcpRules {
 protected:
  /// The first response of a connection: `segments` in `flights`, ten in the first.
  void response(std::uint32_t segments, std::uint32_t flights) {
    constexpr double kRtt = 40;
    const double end = 80.2 + (flights - 1) * kRtt;
    HttpTransaction& h = story_.http(open(0, kRtt), "/", 40.1, end);
    h.response_first_ns = at_ms(80.2);
    h.response_bytes = segments * 1448;
    TransferShape& s = h.response_shape;
    s.rtt_ns = at_ms(kRtt) - kBegin;
    s.segments = segments;
    s.flights = s.bursts = flights;
    s.first_burst_segments = 10;
    s.first_burst_bytes = 14480;
    s.rounds_ns = s.rtt_ns * (flights - 1);
    s.pause_ns = s.resend_stall_ns = s.window_stall_ns = 0;
  }
};

TEST_F(InitialWindow, SavesTheFlightsThatASimulationDoesWithout) {
  response(35, 3);  // 10 + 20 + 5; with a window of 20 it is 20 + 15
  const std::vector<Finding> f = findings("tcp-initcwnd-rounds");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 40 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 40 * kMillisecondNs);
}

TEST_F(InitialWindow, IsNotSureWhereASegmentDecides) {
  response(19, 2);
  const std::vector<Finding> f = findings("tcp-initcwnd-rounds");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0);
  EXPECT_EQ(f[0].saving.high_ns, 40 * kMillisecondNs);
}

TEST_F(InitialWindow, TwinInOneFlightIsFine) {
  response(10, 1);
  EXPECT_EQ(outcome("tcp-initcwnd-rounds"), Outcome::fine);
}

// ------------------------------------------------------------------------ tcp-connection-churn

TEST_F(TcpRules, ChurnSavesAHandshakePerRequest) {
  // 20 serial requests of 1 kB, each on a connection of its own: measured 1626.9 ms at 40.4 ms, 863.8
  // with keep-alive.
  constexpr double kRtt = 40.4;
  double t = 0;
  for (int i = 0; i < 20; ++i) {
    Connection& c = open(t, kRtt);
    HttpTransaction& h = story_.http(c, "/1k", t + kRtt + 0.1, t + 2 * kRtt + 0.2);
    h.keep_alive = false;
    story_.close(c, t + 2 * kRtt + 0.3);
    t += 2 * kRtt + 0.5;
  }
  const Judged judged(story_);
  ASSERT_EQ(judged.visits.stored.size(), 1U);
  const double wait_ms = static_cast<double>(judged.visits.stored[0].wait_ns) / 1e6;
  EXPECT_NEAR(wait_ms, 1626.9, 10);
  const std::vector<Finding> f = judged.findings("tcp-connection-churn");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_NEAR(static_cast<double>(f[0].saving.low_ns) / 1e6, 763.1, 0.02 * 763.1);
  EXPECT_NEAR(static_cast<double>(f[0].saving.high_ns) / 1e6, 763.1, 0.02 * 763.1);
  EXPECT_THAT(f[0].why, HasSubstr("Connection: close"));
  EXPECT_THAT(f[0].capacity, HasSubstr("19 handshakes fewer"));
}

TEST_F(TcpRules, ChurnOfAClientThatDoesNotWaitForTheClose) {
  double t = 0;
  for (int i = 0; i < 5; ++i) {
    Connection& c = open(t, 40);
    story_.http(c, "/1k", t + 40.1, t + 80.1);
    story_.close(c, t + 80.2);
    c.close_time_ns = c.last_time_ns;
    c.last_time_ns = at_ms(t + 120.2);  // the client's FIN is acknowledged
    t += 80.5;
  }
  const std::vector<Finding> f = findings("tcp-connection-churn");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_NEAR(static_cast<double>(f[0].saving.low_ns) / 1e6, 160, 1);
  EXPECT_NEAR(static_cast<double>(f[0].saving.high_ns) / 1e6, 160, 1);
}

TEST_F(TcpRules, ChurnOfAClientThatClosesByItselfIsTheClients) {
  const auto five = [this](CloseKind close, Direction by, bool answered = true) {
    story_ = {};
    double t = 0;
    for (int i = 0; i < 5; ++i, t += 80.5) {
      Connection& c = open(t, 40);
      story_.http(c, "/1k", t + 40.1, t + 80.1).response_complete = answered;
      story_.close(c, t + 80.2);
      c.close = close;
      c.close_by = by;
    }
    return findings("tcp-connection-churn");
  };
  std::vector<Finding> f = five(CloseKind::fin_both, Direction::c2s);
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].why, HasSubstr("It is the client that closes"));
  ASSERT_EQ(f[0].change.size(), 1U);
  EXPECT_EQ(f[0].change[0].label, "application");
  f = five(CloseKind::fin_both, Direction::s2c);
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].change[0].label, "nginx");
  EXPECT_EQ(five(CloseKind::rst, Direction::s2c).size(), 1U) << "a FIN, then a RST";
  // WHEN the server resets them before it has answered THEN nobody would have kept them open
  EXPECT_TRUE(five(CloseKind::rst, Direction::s2c, false).empty());
}

TEST_F(TcpRules, ChurnTwinKeptOpenIsFine) {
  Connection& c = open(0, 40.4);
  for (int i = 0; i < 20; ++i) story_.http(c, "/1k", 41 + i * 41, 81 + i * 41);
  EXPECT_EQ(outcome("tcp-connection-churn"), Outcome::fine);
}

TEST_F(TcpRules, ChurnBehindALongerAnswerFreesLoadOnly) {
  story_.http(open(0, 6, "192.0.2.99"), "/big", 6.1, 5000);
  for (int i = 0; i < 5; ++i) {
    Connection& c = open(100 + i * 50);
    story_.http(c, "/1k", 106.1 + i * 50, 120 + i * 50);
    story_.close(c, 121 + i * 50);
  }
  const std::vector<Finding> f = findings("tcp-connection-churn");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_TRUE(f[0].capacity_only);
  EXPECT_EQ(f[0].saving.high_ns, 0);
}

TEST_F(TcpRules, ChurnIsNotJudgedMidstream) {
  story_.http(story_.midstream(open(0)), "/", 6.1, 50);
  EXPECT_EQ(outcome("tcp-connection-churn"), Outcome::not_visible);
}

// ------------------------------------------------------------------------------- tls-extra-rtt

TEST_F(TcpRules, Tls12FullHandshakeTakesARoundTripMore) {
  Connection& c = open(0, 40, kServer, 443);
  TlsHandshake& t = story_.tls(c, "www.example.com", 0x0303, 40.1, 121, 121.5);
  t.client_version = 0x0304;
  const std::vector<Finding> f = findings("tls-extra-rtt");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "tcp/192.0.2.80:443");
  EXPECT_EQ(f[0].saving.low_ns, 40 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 40 * kMillisecondNs);
}

TEST_F(TcpRules, TlsTwinsAreFine) {
  story_.tls(open(0, 40, kServer, 443), "a.example", 0x0304, 40.1, 80, 80.5).client_version =
      0x0304;
  TlsHandshake& resumed =
      story_.tls(open(5000, 40, kServer, 443), "a.example", 0x0303, 5040.1, 5080, 5081);
  resumed.client_version = 0x0304;
  resumed.resumed = TriState::yes;
  TlsHandshake& old =
      story_.tls(open(9000, 40, kServer, 443), "a.example", 0x0303, 9040.1, 9121, 9122);
  old.client_version = 0x0303;  // the client's limit
  EXPECT_EQ(outcome("tls-extra-rtt"), Outcome::fine);
}

// ---------------------------------------------------------------------------- tcp-nagle-delack

TEST_F(TcpRules, NagleWithoutADelayedAckCountsWhereOthersShowOne) {
  const auto held = [this](double from_ms, double held_ms) {
    HttpTransaction& h = story_.http(open(from_ms - 6.1), "/a", from_ms, from_ms + held_ms + 6.1);
    test::stalls(h) = {0, 0, 0, 0, 0};
    h.request_last_ns = at_ms(from_ms + held_ms);
    test::stalls(h).request_held_ns = at_ms(held_ms) - kBegin;
  };
  held(6.1, 6);  // a receiver's first ACKs come at once
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::fine);
  held(5006.1, 46);
  const std::vector<Finding> f = findings("tcp-nagle-delack");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].affected_actions, 2U);
  EXPECT_EQ(f[0].evidence.size(), 1U);  // the one that shows the delay
  EXPECT_NEAR(f[0].user_seconds_per_hour, 0.052, 0.0001);
  // Each of the two visits counts from its low to its high.
  EXPECT_LE(f[0].least_user_seconds_per_hour, f[0].user_seconds_per_hour);
  EXPECT_GE(f[0].most_user_seconds_per_hour, f[0].user_seconds_per_hour);
}

TEST_F(TcpRules, NagleMidstreamIsNotVisibleWhereTheWayMayBeTheDelay) {
  const auto exchange = [this](Connection& c) -> ExchangeStalls& {
    HttpTransaction& h = story_.http(c, "/a", 10, 62);
    test::stalls(h) = {0, 0, 0, 0, 0};
    h.request_last_ns = at_ms(56);
    return test::stalls(h);
  };
  // GIVEN no handshake, and the delayed ACK as the only round trip that was seen
  Connection& c = story_.midstream(open(0));
  c.rtt_probe_server.add(46 * kMillisecondNs);
  c.rtt_probe_client.add(50 * kMicrosecondNs);
  ExchangeStalls& stalls = exchange(c);
  stalls.request_held_ns = 46 * kMillisecondNs;
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::not_visible);
  // a pause of which nobody knows whether the ACK ended it
  stalls.request_held_ns = kUnknownNs;
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::not_visible);
  // too short for a delayed ACK, whatever the way is
  stalls.request_held_ns = 20 * kMillisecondNs;
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::fine);
  // a round trip that is shorter tells them apart
  stalls.request_held_ns = 46 * kMillisecondNs;
  c.rtt_probe_server.add(6 * kMillisecondNs);
  EXPECT_EQ(findings("tcp-nagle-delack").size(), 1U);
}

TEST_F(TcpRules, NagleIsJudgedWhereUnknownPausesCouldNotChangeIt) {
  const auto exchange = [this](Connection& c, double from_ms,
                               double request_ms) -> ExchangeStalls& {
    HttpTransaction& h = story_.http(c, "/a", from_ms, from_ms + request_ms + 6);
    test::stalls(h) = {0, 0, 0, 0, 0};
    h.request_last_ns = at_ms(from_ms + request_ms);
    return test::stalls(h);
  };
  for (int i = 0; i < 200; ++i) exchange(open(i * 100), i * 100 + 10, 0).request_held_ns = 0;
  // GIVEN a message of 15 ms without a handshake THEN no ACK was delayed by 40 ms in it
  Connection& c = story_.midstream(open(50'000));
  exchange(c, 50'010, 15).request_held_ns = kUnknownNs;
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::fine);
  // one of 50 ms is one of 202: not often enough to matter
  exchange(c, 51'000, 50).request_held_ns = kUnknownNs;
  EXPECT_EQ(outcome("tcp-nagle-delack"), Outcome::fine);
  // WHEN there are many THEN it says whose they are
  for (int i = 0; i < 40; ++i) exchange(c, 52'000 + i * 100, 50).request_held_ns = kUnknownNs;
  const RuleResult result = Judged(story_).by("tcp-nagle-delack");
  EXPECT_EQ(result.outcome, Outcome::not_visible);
  EXPECT_THAT(result.note, HasSubstr("not every handshake from " + c.client.ip.text() + " to " +
                                     c.server.text() + " was captured"));
}

// -------------------------------------------------------------------------------- tcp-tail-rto

class TailBeforeTheProbe : public TcpRules {
 protected:
  /// A response that pauses for so long before its end; R is 40 ms.
  void paused(double from_ms, double pause_ms) {
    HttpTransaction& h =
        story_.http(open(from_ms - 40.1, 40), "/10k", from_ms, from_ms + 41 + pause_ms);
    h.response_first_ns = at_ms(from_ms + 40.5);
    test::stalls(h) = {0, 0, 0, 0, 0};
    TransferShape& s = h.response_shape;
    s.rtt_ns = 40 * kMillisecondNs;
    s.segments = 8;
    s.flights = 1;
    s.bursts = 2;
    s.pause_ns = at_ms(pause_ms) - kBegin;
    s.rounds_ns = s.resend_stall_ns = s.window_stall_ns = s.held_ns = 0;
  }
};

TEST_F(TailBeforeTheProbe, PausesOfTheTimersLengthStandForIt) {
  for (int i = 0; i < 3; ++i) paused(40.1 + i * 5000, 284 + i);
  const std::vector<Finding> f = findings("tcp-tail-rto");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0) << "a server may pause so long by itself";
  EXPECT_GE(f[0].saving.high_ns, 285 * kMillisecondNs);
  EXPECT_THAT(f[0].why, HasSubstr("no loss was seen"));
  EXPECT_THAT(f[0].why_not_higher, testing::Contains(HasSubstr("the loss itself was not seen")));
}

TEST_F(TailBeforeTheProbe, AFewOrOtherPausesAreTheServersOwn) {
  paused(40.1, 284);
  paused(5040.1, 285);
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fine) << "two may be chance";
  paused(10040.1, 400);
  paused(15040.1, 500);
  paused(20040.1, 600);
  paused(25040.1, 283);
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fine) << "half of them are of other lengths";
}

TEST_F(TailBeforeTheProbe, OtherPausesLeaveItOpen) {
  for (int i = 0; i < 3; ++i) paused(40.1 + i * 5000, 284 + i);
  paused(20040.1, 500);
  const std::vector<Finding> f = findings("tcp-tail-rto");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0);
}

// ------------------------------------------------------------------------------- tcp-path-loss

/// 2 % of what came to the client was lost.
void lose_two_percent(Connection& c) {
  c.half.c2s.packets = c.half.s2c.packets = 1000;
  c.half.s2c.payload_packets = 2000;
  test::impair(c.half.s2c).retransmissions[static_cast<std::size_t>(RetransmissionClass::fast)] =
      40;
}

/// An answer in more flights than it needed, as a loss had slowed the sender.
void slow_the_sender(HttpTransaction& h) {
  h.response_first_ns = at_ms(80.5);
  test::stalls(h) = {0, 0, 0, 0, 0};
  TransferShape& s = h.response_shape;
  s.rtt_ns = 40 * kMillisecondNs;
  s.segments = 35;  // 10, 20 and 5 without a loss: three flights
  s.flights = s.bursts = 5;
  s.resent_segments = 1;
  s.rounds_ns = 160 * kMillisecondNs;
  s.pause_ns = s.resend_stall_ns = s.window_stall_ns = s.held_ns = 0;
}

TEST_F(TcpRules, PathLossCountsTheFlightsOfASlowedSenderAsPlausible) {
  Connection& c = open(0, 40);
  lose_two_percent(c);
  slow_the_sender(story_.http(c, "/50k", 40.1, 281.1));
  const std::vector<Finding> f = findings("tcp-path-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.low_ns, 0);
  EXPECT_EQ(f[0].saving.high_ns, 80 * kMillisecondNs);
}

TEST_F(TcpRules, PathLossDoesNotCountWhatTheReceiverHadAlready) {
  Connection& c = open(0, 40);
  lose_two_percent(c);
  slow_the_sender(story_.http(c, "/50k", 40.1, 281.1));
  Impairment& sent = test::impair(c.half.s2c);
  sent.duplicates_reported = 10;
  std::vector<Finding> f = findings("tcp-path-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].why, HasSubstr("1.5 % of 2000 data segments"));
  EXPECT_THAT(f[0].why, HasSubstr("10 more were sent again although the receiver had them"));

  // WHEN as many were resends of other kinds THEN the reports are of these
  sent.retransmissions[static_cast<std::size_t>(RetransmissionClass::fin)] = 6;
  sent.retransmissions[static_cast<std::size_t>(RetransmissionClass::spurious)] = 4;
  f = findings("tcp-path-loss");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].why, HasSubstr("2.0 % of 2000 data segments"));
  EXPECT_THAT(f[0].why, Not(HasSubstr("although")));

  // WHEN it had nearly all THEN the path loses little
  sent.duplicates_reported = 45;
  EXPECT_EQ(outcome("tcp-path-loss"), Outcome::fine);
}

TEST_F(TcpRules, SeveralFastRetransmissionsAreNoTimer) {
  Connection& c = open(0, 40);
  test::stalls(story_.http(c, "/", 40.1, 900)) = {0, 0, 0, 450 * kMillisecondNs, 0};
  auto& resends = test::impair(c.half.s2c).retransmissions;
  resends[static_cast<std::size_t>(RetransmissionClass::fast)] = 9;
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fine);
  resends[static_cast<std::size_t>(RetransmissionClass::rto)] = 1;
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fires);
}

TEST_F(TcpRules, ATimerWithoutALossIsNoTailLoss) {
  Connection& c = open(0, 40);
  test::stalls(story_.http(c, "/", 40.1, 400)) = {0, 0, 0, 250 * kMillisecondNs, 0};
  Impairment& sent = test::impair(c.half.s2c);
  sent.retransmissions[static_cast<std::size_t>(RetransmissionClass::rto)] = 1;
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fires);
  sent.duplicates_reported = 1;
  EXPECT_EQ(outcome("tcp-tail-rto"), Outcome::fine);
}

TEST_F(TcpRules, WhoWaitedForLostSegmentsOfWhatCannotBeReadIsNotVisible) {
  Connection& c = open(0, 40, kServer, 443);
  story_.tls(c, "www.example.com", 0x0304, 41, 85, 86);
  lose_two_percent(c);
  const Advice advice = Judged(story_).advice();
  const auto about = [](const Verdict& v) { return v.rule == "tcp-path-loss"; };
  const auto said = std::find_if(advice.not_judged.begin(), advice.not_judged.end(), about);
  ASSERT_NE(said, advice.not_judged.end());
  EXPECT_THAT(said->reason, HasSubstr("who waited for it was not captured"));
  EXPECT_TRUE(std::none_of(advice.fine.begin(), advice.fine.end(), about));
}

TEST_F(TcpRules, WhoWaitedForSomeOfTheLostSegmentsIsNotVisible) {
  Connection& readable = open(0, 40);
  lose_two_percent(readable);
  slow_the_sender(story_.http(readable, "/50k", 40.1, 281.1));
  Connection& longer = open(1, 40, "192.0.2.81");
  story_.http(longer, "/longer", 41.1, 3000);  // so nobody waited for the segments that can be read
  const auto about = [](const Verdict& v) { return v.rule == "tcp-path-loss"; };
  const Advice alone = Judged(story_).advice();
  EXPECT_TRUE(std::any_of(alone.fine.begin(), alone.fine.end(), about));

  Connection& unreadable = open(0, 40, "192.0.2.82", 443);
  unreadable.client.ip = test::ip("10.0.0.77");
  story_.tls(unreadable, "www.example.com", 0x0304, 41, 85, 86);
  lose_two_percent(unreadable);
  const Advice beside = Judged(story_).advice();
  EXPECT_TRUE(std::none_of(beside.fine.begin(), beside.fine.end(), about));
  const auto said = std::find_if(beside.not_judged.begin(), beside.not_judged.end(), about);
  ASSERT_NE(said, beside.not_judged.end());
  EXPECT_THAT(said->reason, HasSubstr("who waited for some of it was not captured"));
}

TEST_F(TcpRules, AConnectionWithoutItsSynBesideItHidesNobodyWhoWaited) {
  Connection& c = open(0, 40);
  lose_two_percent(c);
  test::stalls(story_.http(c, "/", 40.1, 90)) = {0, 0, 0, 0, 0};  // what was lost delayed no answer
  story_.http(story_.midstream(open(0, 6, "198.51.100.7", 8080)), "/", 6.1, 50);
  const Judged judged(story_);
  EXPECT_THAT(judged.fine("tcp-path-loss"), HasSubstr("saves 0 ms: nobody waited for it alone"));
}

}  // namespace
}  // namespace wirelag::test
