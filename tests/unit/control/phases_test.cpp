// A connection's life is the sum of its phases, exactly: hand-made connections, and what each
// stretch is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/control/phases.hpp>

#include "story.hpp"

namespace wirelag::test {
namespace {

using testing::ElementsAre;

constexpr DurationNs kNotSeen = kUnknownNs;
DurationNs ms(double n) { return static_cast<DurationNs>(n * 1e6 + 0.5); }

class Phases : public testing::Test {
 protected:
  /// Of the only connection; checks what holds for every one.
  ConnectionPhases cut() {
    const Dataset data = story.dataset();
    const Correlation correlation = correlate(data);
    const Connection& c = data.connections()[0];
    ConnectionPhases phases = phases_of(data, correlation.channels[0]);
    TimeNs at = c.start_time_ns;
    DurationNs sum = 0;
    for (const PhaseInterval& i : phases.intervals) {
      EXPECT_EQ(i.from_ns, at);
      EXPECT_GT(i.to_ns, i.from_ns);
      at = i.to_ns;
    }
    for (const DurationNs total : phases.total_ns) sum += known(total) ? total : 0;
    EXPECT_EQ(at, c.last_time_ns);
    EXPECT_EQ(sum, c.last_time_ns - c.start_time_ns);
    return phases;
  }
  /// "connect 10, client_idle 5, ..." in ms, in order.
  static std::vector<std::string> told(const ConnectionPhases& phases) {
    std::vector<std::string> out;
    for (const PhaseInterval& i : phases.intervals) {
      out.push_back(std::string(name(i.phase)) + " " +
                    std::to_string(i.duration_ns() / kMicrosecondNs));
    }
    return out;
  }

  Connection& open() { return story.connection("10.0.0.1", 40000, "10.0.0.2", 80, 0, 10); }
  void payload(Connection& c, double first_c2s, double last_c2s, double first_s2c,
               double last_s2c) {
    const auto at = [](double t) { return t < 0 ? kUnknownNs : at_ms(t); };
    c.half.c2s.first_payload_ns = at(first_c2s);
    c.half.c2s.last_payload_ns = at(last_c2s);
    c.half.s2c.first_payload_ns = at(first_s2c);
    c.half.s2c.last_payload_ns = at(last_s2c);
    c.half.c2s.packets = c.half.s2c.packets = 5;
  }

  Story story;
};

TEST_F(Phases, TimeBeforeAnAnswerToWhatCouldNotBeReadIsNotTheClientsAlone) {
  Connection& c = open();
  story.http(c, "/1", 12, 20);
  HttpTransaction& answer = story.http(c, "/2", 40, 540);
  answer.request_seen = answer.request_complete = false;
  answer.request_first_ns = answer.request_last_ns = kUnknownNs;
  story.close(c, 541);
  const ConnectionPhases phases = cut();
  EXPECT_EQ(phases.total(Phase::client_idle), ms(2));
  EXPECT_GE(phases.total(Phase::untracked), ms(519));
}

TEST_F(Phases, TwoRequestsOneAfterTheOther) {
  Connection& c = open();
  HttpTransaction& first = story.http(c, "/1", 12, 20);
  first.request_last_ns = at_ms(13);
  story.http(c, "/2", 25, 30);
  story.close(c, 31);
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("connect 10000", "client_idle 2000", "request 1000",
                                        "server_wait 6900", "transfer 100", "client_idle 5000",
                                        "server_wait 4900", "transfer 100", "close_tail 1000"));
  EXPECT_EQ(phases.intervals[2].http, 0U);
  EXPECT_EQ(phases.intervals[6].http, 1U);
  EXPECT_EQ(phases.total(Phase::connect), ms(10));
  EXPECT_EQ(phases.total(Phase::request), ms(1));
  EXPECT_EQ(phases.total(Phase::server_wait), ms(11.8));
  EXPECT_EQ(phases.total(Phase::tls), kNotSeen);
  EXPECT_EQ(phases.total(Phase::untracked), kNotSeen);
}

TEST_F(Phases, APipelinedRequestCountsFromTheEndOfTheOneBeforeIt) {
  Connection& c = open();
  story.http(c, "/1", 10, 20);
  HttpTransaction& second = story.http(c, "/2", 11, 24);
  second.pipelined = true;
  story.close(c, 24);
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("connect 10000", "server_wait 9900", "transfer 100",
                                        "server_wait 3900", "transfer 100"));
  EXPECT_EQ(phases.intervals[3].http, 1U);
  EXPECT_EQ(phases.total(Phase::request), 0);  // the first: one segment
}

TEST_F(Phases, AResponseThatOvertakesItsRequest) {
  Connection& c = open();
  HttpTransaction& h = story.http(c, "/upload", 10, 20);
  h.early_response = true;
  h.request_headers_ns = at_ms(12);
  h.request_last_ns = at_ms(28);
  story.close(c, 30);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "request 2000", "server_wait 7900",
                                       "transfer 100", "request 8000", "close_tail 2000"));
}

TEST_F(Phases, AnUnansweredRequestWaitsToTheEnd) {
  Connection& c = open();
  story.http(c, "/", 15, Story::kNever);
  payload(c, 15, 15, -1, -1);
  story.close(c, 100, CloseKind::rst);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "client_idle 5000", "server_wait 85000"));
}

TEST_F(Phases, AnUnansweredRequestIsNoWaitWhenBytesAreMissing) {
  Connection& c = open();
  story.http(c, "/1", 10, Story::kNever);
  story.http(c, "/2", 30, 40);
  payload(c, 10, 30, 25, 40);
  test::impair(c.half.s2c).missing_bytes = 1000;
  story.close(c, 50);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "untracked 20000", "server_wait 9900",
                                       "transfer 100", "close_tail 10000"));
}

TEST_F(Phases, MidstreamDoesNotKnowWhatWasBefore) {
  Connection& c = story.midstream(open());
  story.http(c, "/", 20, 25);
  story.close(c, 26);
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("untracked 20000", "server_wait 4900", "transfer 100",
                                        "close_tail 1000"));
  EXPECT_EQ(phases.total(Phase::connect), kNotSeen);
}

TEST_F(Phases, AFailedOpeningIsAllConnect) {
  for (const ConnectionState state :
       {ConnectionState::refused, ConnectionState::syn_unanswered, ConnectionState::synack_no_ack,
        ConnectionState::syn_no_synack}) {
    story = Story();
    Connection& c = open();
    story.fail(c, state, 3000);
    c.half.c2s.packets = 1;
    c.one_sided = state == ConnectionState::syn_unanswered;
    EXPECT_THAT(told(cut()), ElementsAre("connect 3000000")) << name(state);
  }
}

TEST_F(Phases, AnOpeningInAnImpossibleOrderTookAnUnknownTime) {
  Connection& c = open();
  c.handshake_ambiguous = true;
  c.connect_time_ns = c.handshake_rtt_ns = kUnknownNs;
  story.http(c, "/", 12, 20);
  const ConnectionPhases phases = cut();
  EXPECT_EQ(phases.total(Phase::connect), kNotSeen);
  EXPECT_EQ(phases.total(Phase::untracked), ms(10));
}

TEST_F(Phases, AnOpeningInAnImpossibleOrderThatNeverCompletesTookAnUnknownTimeToo) {
  // GIVEN an opening that fails, its SYN-ACK captured before its SYN, behind it, or earlier by its time
  const auto told_with = [&](bool answer_first, double answer_ms) {
    story = Story();
    Connection& c = open();
    story.fail(c, ConnectionState::synack_no_ack, 3000);
    c.half.c2s.packets = c.half.s2c.packets = 1;
    HandshakeSegment syn, syn_ack;
    syn.flags = tcp_flag::syn;
    syn.time_ns = c.start_time_ns;
    syn_ack.flags = tcp_flag::syn | tcp_flag::ack;
    syn_ack.direction = Direction::s2c;
    syn_ack.time_ns = c.start_time_ns + ms(answer_ms);
    c.segments = {};
    test::push(c.segments, answer_first ? syn_ack : syn);
    test::push(c.segments, answer_first ? syn : syn_ack);
    return told(cut());
  };
  EXPECT_THAT(told_with(false, 5), ElementsAre("connect 3000000"));
  EXPECT_THAT(told_with(true, 5), ElementsAre("untracked 3000000"));
  EXPECT_THAT(told_with(false, -5), ElementsAre("untracked 3000000"));
}

TEST_F(Phases, OneDirectionOnlyTellsNoConnectAndNoWait) {
  Connection& c = open();
  story.http(c, "/", 20, Story::kNever);
  story.fail(c, ConnectionState::syn_unanswered, 60);
  payload(c, 20, 20, -1, -1);
  c.half.s2c.packets = 0;
  c.one_sided = true;
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("untracked 60000"));
  EXPECT_EQ(phases.total(Phase::request), 0);
  EXPECT_EQ(phases.total(Phase::server_wait), kNotSeen);
}

TEST_F(Phases, NothingSent) {
  Connection& c = open();
  story.close(c, 70);
  c.half.c2s.packets = c.half.s2c.packets = 3;
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "close_tail 60000"));
}

TEST_F(Phases, TheClientWaitsForTheGreetingOfAServerThatSpeaksFirst) {
  Connection& c = open();
  c.half.s2c.first_payload_ns = at_ms(510);
  story.query(c, Protocol::mysql, "login", 515, 520);
  story.close(c, 530);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "server_wait 500000", "client_idle 5000",
                                       "server_wait 5000", "close_tail 10000"));
  // AND of one whose messages are not read, by its port
  story = Story();
  Connection& mail = open();
  mail.server.port = 25;
  mail.protocol = Protocol::unknown;
  payload(mail, 515, 540, 510, 550);
  story.close(mail, 555);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "server_wait 500000", "payload 40000",
                                       "close_tail 5000"));
}

TEST_F(Phases, ABytesOfAProtocolThatNobodyFollows) {
  Connection& c = open();
  c.protocol = Protocol::unknown;
  payload(c, 15, 40, 20, 50);
  story.close(c, 55);
  EXPECT_THAT(told(cut()),
              ElementsAre("connect 10000", "client_idle 5000", "payload 35000", "close_tail 5000"));
  story = Story();
  Connection& greeted = open();
  greeted.protocol = Protocol::unknown;
  payload(greeted, 20, 40, 15, 50);  // the server speaks first
  story.close(greeted, 55);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "payload 40000", "close_tail 5000"));
}

TEST_F(Phases, RequestsInsideTlsAreNotSeen) {
  Connection& c = open();
  story.tls(c, "www.example.com", 0x0304, 14, 30, 31);
  payload(c, 12, 80, 20, 90);  // the ClientHello in two segments, from 12 ms on
  story.close(c, 95);
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("connect 10000", "client_idle 2000", "tls 18000",
                                        "payload 60000", "close_tail 5000"));
  EXPECT_EQ(phases.total(Phase::server_wait), kNotSeen);
}

TEST_F(Phases, ATlsHandshakeThatFailsLastsToItsLastByte) {
  Connection& c = open();
  TlsHandshake& t = story.tls(c, "", 0, 12, 0, Story::kNever);
  t.server_hello_ns = t.client_finished_ns = t.server_finished_ns = kUnknownNs;
  payload(c, 12, 12, 30, 30);  // an alert
  story.close(c, 31);
  EXPECT_THAT(told(cut()),
              ElementsAre("connect 10000", "client_idle 2000", "tls 18000", "close_tail 1000"));
}

TEST_F(Phases, TlsThroughAConnectTunnel) {
  Connection& c = open();
  HttpTransaction& h = story.http(c, "www.example.com:443", 10, 20);
  h.method = "CONNECT";
  story.tls(c, "www.example.com", 0x0304, 22, 40, 41);
  payload(c, 10, 80, 20, 90);
  story.close(c, 90);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "server_wait 9900", "transfer 100",
                                       "client_idle 2000", "tls 18000", "payload 50000"));
}

TEST_F(Phases, BytesBehindAnUpgradeAreOfAnotherProtocol) {
  Connection& c = open();
  story.http(c, "/chat", 10, 20).status = 101;
  payload(c, 10, 60, 20, 70);
  story.close(c, 75);
  EXPECT_THAT(told(cut()), ElementsAre("connect 10000", "server_wait 9900", "transfer 100",
                                       "payload 50000", "close_tail 5000"));
}

TEST_F(Phases, DnsOverTcp) {
  Connection& c = open();
  DnsTransaction& d = story.dns({"10.0.0.1", "10.0.0.2", "example.com"}, 12, 20);
  d.transport = DnsTransport::tcp;
  d.connection = c.key;
  payload(c, 12, 12, 20, 20);
  story.close(c, 25);
  const ConnectionPhases phases = cut();
  EXPECT_THAT(told(phases), ElementsAre("connect 10000", "client_idle 2000", "server_wait 8000",
                                        "close_tail 5000"));
  EXPECT_EQ(phases.intervals[2].dns, 0U);
}

TEST_F(Phases, NothingWhenTheClockSteppedBack) {
  Connection& c = open();
  c.last_time_ns = c.start_time_ns - 1;
  const Dataset data = story.dataset();
  const ConnectionPhases phases = phases_of(data, correlate(data).channels[0]);
  EXPECT_TRUE(phases.intervals.empty());
  EXPECT_THAT(phases.total_ns, testing::Each(kNotSeen));
}

}  // namespace
}  // namespace wirelag::test
