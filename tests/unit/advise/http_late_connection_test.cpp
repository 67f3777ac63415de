#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"
#include "origin.hpp"

namespace wirelag::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLateConnection = "http-late-connection";

class HttpLateConnection : public testing::Test {
 protected:
  Connection& open(std::uint16_t port, double syn_ms, double rtt_ms = 6) {
    return story_.connection(kClient, port, kServer, 80, syn_ms, rtt_ms);
  }
  [[nodiscard]] RuleResult judged() const { return Judged(story_).by(kLateConnection); }
  /// The first finding's saving in ms: {low, high}; {0, 0} when the rule does not fire.
  [[nodiscard]] std::pair<double, double> saving_ms() const {
    const std::vector<Finding> findings = Judged(story_).findings(kLateConnection);
    if (findings.empty()) return {0, 0};
    const Interval& saving = findings[0].saving;
    return {static_cast<double>(saving.low_ns) / 1e6, static_cast<double>(saving.high_ns) / 1e6};
  }
  /// First contact at 0 with the page under way until `page_end_ms`.
  void page(double page_end_ms) { story_.http(open(1, 0), "/", 6, page_end_ms); }

  Story story_;
};

using Ms = std::pair<double, double>;

TEST_F(HttpLateConnection, OriginSavesOneToTwoRoundTrips) {
  const std::vector<Finding> findings = Judged(origin_story()).findings(kLateConnection);
  ASSERT_EQ(findings.size(), 1U);
  const Finding& f = findings[0];
  // 60692, 60694 and 60696 are one wave, surely waited for; 60690 another, plausibly: with it ready
  // the image that left on 60686 would have left 6.9 ms earlier.
  EXPECT_NEAR(static_cast<double>(f.saving.low_ns), 6'061'628, 800'000);
  EXPECT_NEAR(static_cast<double>(f.saving.high_ns), 2 * 6'061'628, 600'000);
  EXPECT_EQ(f.saving.mid_ns, (f.saving.low_ns + f.saving.high_ns) / 2);
  EXPECT_NEAR(f.user_seconds_per_hour, 0.009, 0.0005);
  // One visit: what all save is what it saves, from low to high.
  EXPECT_DOUBLE_EQ(f.least_user_seconds_per_hour, static_cast<double>(f.saving.low_ns) / kSecondNs);
  EXPECT_DOUBLE_EQ(f.most_user_seconds_per_hour, static_cast<double>(f.saving.high_ns) / kSecondNs);
  EXPECT_EQ(f.scope, "tcp/139.217.146.62:80");
  EXPECT_EQ(f.affected_actions, 1U);
  EXPECT_EQ(f.confidence, "C");
  EXPECT_EQ(f.why_not_higher.size(), 2U);
  EXPECT_THAT(f.capacity, HasSubstr("5.0 connections per visit"));

  ASSERT_FALSE(f.evidence.empty());
  EXPECT_THAT(f.evidence[0].what, HasSubstr("60694"));
  EXPECT_THAT(f.evidence[0].frames, ElementsAre(98U, 110U, 111U));
  EXPECT_THAT(f.evidence[1].what, testing::AllOf(HasSubstr("60690"), HasSubstr("60686")));
  EXPECT_THAT(f.evidence[1].frames, ElementsAre(27U, 37U, 38U, 36U));
  EXPECT_THAT(f.change[0].snippet, HasSubstr("http://mirror.azure.cn"));
}

TEST_F(HttpLateConnection, RequestThatWaitedForItsHandshake) {
  page(50);
  Connection& late = open(2, 60);
  story_.http(late, "/a", 66.1, 80);
  EXPECT_EQ(saving_ms(), Ms(6, 6));
}

TEST_F(HttpLateConnection, TwinWithTheConnectionReadyIsFine) {
  page(50);
  Connection& early = open(2, 20);  // preconnected: used long after its handshake
  story_.http(early, "/a", 60, 74);
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnection, ParallelHandshakesCountOnce) {
  page(50);
  for (std::uint16_t n = 0; n < 4; ++n) {
    Connection& late = open(static_cast<std::uint16_t>(2 + n), 60 + n * 0.3);
    story_.http(late, "/" + std::to_string(n), 66.1 + n * 0.3, 80);
  }
  EXPECT_EQ(saving_ms(), Ms(6, 6));
}

TEST_F(HttpLateConnection, SecondSocketBesideTheFirstContactSavesNothing) {
  story_.http(open(1, 0), "/", 6, 50);
  story_.http(open(2, 0.2), "/a", 6.3, 50);
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnection, WaitHiddenByALongerRequestSavesNothing) {
  story_.http(open(1, 0), "/big", 6, 200);  // under way all the time, ends the visit
  story_.http(open(2, 60), "/a", 66.1, 80);
  EXPECT_EQ(saving_ms(), Ms(0, 0));
  EXPECT_THAT(Judged(story_).fine(kLateConnection), HasSubstr("saves 0 ms"));
}

TEST_F(HttpLateConnection, PartOfTheWaitIsHidden) {
  story_.http(open(1, 0), "/big", 6, 78);
  story_.http(open(2, 60), "/a", 66.1, 80);
  EXPECT_EQ(saving_ms(), Ms(2, 2));
}

TEST_F(HttpLateConnection, HiddenButTheClientWentOnWithTheAnswer) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 6, 20);
  story_.http(first, "/big", 25, 200);
  Connection& late = open(2, 60);
  story_.http(late, "/a.css", 66.1, 80);
  story_.http(late, "/font-from-css", 85, 95);
  EXPECT_EQ(saving_ms(), Ms(0, 0));  // whatever came of it, the visit ends with /big
}

TEST_F(HttpLateConnection, AnotherRequestBesideItEndedLater) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 6, 50);
  story_.http(first, "/slow", 61, 120);
  story_.http(open(2, 60), "/a", 66.1, 80);
  EXPECT_EQ(saving_ms(), Ms(0, 0));
}

TEST_F(HttpLateConnection, SocketUsedSecondsLaterIsSpeculative) {
  page(50);
  Connection& spare = open(2, 20);
  story_.http(spare, "/a", 1500, 1510);
  open(3, 30);  // never used
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnection, NextVisitPaysForItsFirstHandshakeAnotherRulesCase) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 6, 50);
  story_.close(first, 51);
  Connection& next = open(2, 10'000);
  story_.http(next, "/", 10'006, 10'050);
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnection, OtherNameAtTheSameAddressIsFirstContact) {
  page(50);
  Connection& other = open(2, 60);
  story_.http(other, "/a", 66.1, 80).host = "other.example.com";
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnection, ConnectionKeptFromAnEarlierVisitIsContact) {
  Connection& kept = open(1, 0);
  story_.http(kept, "/", 6, 50);
  story_.http(kept, "/next", 20'000, 20'050);
  story_.http(open(2, 20'060), "/a", 20'066.1, 20'080);
  EXPECT_EQ(saving_ms(), Ms(6, 6));
}

TEST_F(HttpLateConnection, RetransmittedSynIsNotThisRulesSaving) {
  page(50);
  Connection& late = open(2, 60, 1006);  // the first SYN was lost
  late.handshake_rtt_ns = kUnknownNs;
  late.handshake_ambiguous = true;
  story_.http(late, "/a", 1066.1, 1080);
  EXPECT_EQ(saving_ms(), Ms(0, 0));  // 6 of 1080 ms: below the gate
  Judged judged(story_);
  judged.thresholds.gate.min_effect_share = 0;
  EXPECT_EQ(judged.findings(kLateConnection).at(0).saving.high_ns, 6 * kMillisecondNs);
}

TEST_F(HttpLateConnection, TinyRoundTripsAreBelowTheGate) {
  story_.http(open(1, 0, 0.2), "/", 0.2, 50);
  story_.http(open(2, 60, 0.2), "/a", 60.3, 80);
  EXPECT_EQ(saving_ms(), Ms(0, 0));
  EXPECT_THAT(Judged(story_).fine(kLateConnection), HasSubstr("too little to be worth a change"));
}

/// Within TLS: from the SYN on 6 ms a round trip, an encrypted request right after the handshake. What
/// else the client was waiting for cannot be read: sure is what no other connection's bytes hide.
class HttpLateConnectionTls : public HttpLateConnection {
 protected:
  static constexpr std::uint16_t kTls12 = 0x0303;  // two round trips, one when resumed
  static constexpr std::uint16_t kTls13 = 0x0304;  // one
  static constexpr double kComputed = 0.2;  // before the ClientHello and within the handshake

  /// The answer to its first request begins at `answer_ms`.
  TlsHandshake& secure(std::uint16_t port, double syn_ms, std::uint16_t version, double answer_ms,
                       double hello_after_ms = 0.1, double request_after_ms = 0.1) {
    Connection& c = story_.connection(kClient, port, kServer, 443, syn_ms, 6);
    const double hello = syn_ms + 6 + hello_after_ms;
    const double finished = hello + (version == kTls13 ? 6 : 12) + 0.1;
    TlsHandshake& t =
        story_.tls(c, "www.example.com", version, hello, finished, finished + request_after_ms);
    t.first_server_data_ns = at_ms(answer_ms);
    answered_until(c, answer_ms);
    return t;
  }
  static void answered_until(Connection& c, double ms) {
    c.last_time_ns = c.half.s2c.last_payload_ns = at_ms(ms);
  }
  [[nodiscard]] Connection& of_port(std::uint16_t port) {
    for (Connection& c : story_.all_connections()) {
      if (c.client.port == port) return c;
    }
    throw std::invalid_argument(std::to_string(port));
  }
};

TEST_F(HttpLateConnectionTls, SavesTheConnectionAndTheRoundsOfItsVersion) {
  secure(1, 0, kTls12, 38);
  secure(2, 60, kTls12, 98);
  EXPECT_EQ(saving_ms(), Ms(6 + 12, 6 + 12 + kComputed));
  secure(3, 200, kTls13, 232);
  EXPECT_EQ(saving_ms(), Ms((6 + 12) + (6 + 6), (6 + 12) + (6 + 6) + 2 * kComputed));
}

TEST_F(HttpLateConnectionTls, WhatBothSidesComputePlausiblyGoesWithTheHandshake) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 97, 5);  // five milliseconds until its ClientHello
  EXPECT_EQ(saving_ms(), Ms(6 + 6, 6 + 6 + 5 + 0.1));
}

TEST_F(HttpLateConnectionTls, WhatAnotherConnectionMayHideIsNotSure) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  answered_until(of_port(1), 300);  // something that cannot be read went on
  EXPECT_EQ(saving_ms(), Ms(0, 6 + 6 + kComputed));
  answered_until(of_port(1), 87);  // and ended 5 ms before the late one's answer
  EXPECT_EQ(saving_ms(), Ms(5, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, ConnectionsOfAnotherClientHideNothing) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  TlsHandshake& other = secure(3, 1, kTls13, 39);
  Connection& c = of_port(3);
  c.client = other.client = endpoint("10.0.0.6", 3);
  answered_until(c, 300);
  EXPECT_EQ(saving_ms(), Ms(6 + 6, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, OfOneSideBesideItNothingIsSure) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  secure(3, 1, kTls13, 39);
  of_port(3).one_sided = true;  // until when it was answered is not known
  EXPECT_EQ(saving_ms(), Ms(0, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, WithoutTimesBesideItNothingIsSure) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  secure(3, 1, kTls13, 39);
  of_port(3).untimed = true;
  of_port(3).last_time_ns = kUnknownNs;
  EXPECT_EQ(saving_ms(), Ms(0, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, AnotherLateOneMayHideAsLongAsItWouldLastWithoutItsHandshakes) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  secure(3, 60.1, kTls13, 92);
  answered_until(of_port(3), 100);
  EXPECT_EQ(saving_ms(), Ms(92 - (100 - 12), 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, TunnelHides) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  Connection& tunnel = story_.connection(kClient, 3, "198.51.100.9", 80, 1, 6);
  story_.http(tunnel, "/socket", 7, 13).status = 101;
  answered_until(tunnel, 300);
  EXPECT_EQ(saving_ms(), Ms(0, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, SpareThatCarriesSomethingLaterMayHide) {
  secure(1, 0, kTls13, 38);
  secure(2, 60, kTls13, 92);
  secure(3, 60, kTls13, 83, 0.1, 10.5);  // its request did not wait for its handshake
  answered_until(of_port(3), 89);
  EXPECT_EQ(saving_ms(), Ms(3, 9));
}

TEST_F(HttpLateConnectionTls, EvidenceIsBothHandshakes) {
  secure(1, 0, kTls13, 50);
  secure(2, 60, kTls13, 92);
  const Finding f = Judged(story_).findings(kLateConnection).at(0);
  EXPECT_EQ(f.confidence, "C");
  ASSERT_EQ(f.evidence.size(), 1U);
  EXPECT_THAT(f.evidence[0].what,
              testing::AllOf(HasSubstr("TCP and TLS handshake"), HasSubstr("10.0.0.5:2")));
  EXPECT_EQ(f.evidence[0].duration_ns, at_ms(72.2) - at_ms(60));
  EXPECT_THAT(f.change[0].snippet, HasSubstr("http2 on"));
  EXPECT_EQ(f.change[0].effort, "reload");
}

TEST_F(HttpLateConnectionTls, ResumedSessionTakesOneRoundLess) {
  secure(1, 0, kTls12, 38);
  TlsHandshake& resumed = secure(2, 60, kTls12, 92);
  resumed.resumed = TriState::yes;
  resumed.client_finished_ns = resumed.server_finished_ns = at_ms(72.2);
  resumed.first_client_data_ns = at_ms(72.3);
  EXPECT_EQ(saving_ms(), Ms(6 + 6, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, HelloRetryTakesOneRoundMore) {
  secure(1, 0, kTls13, 38);
  TlsHandshake& retried = secure(2, 60, kTls13, 98);
  retried.hello_retry = TriState::yes;
  retried.client_finished_ns = retried.server_finished_ns = at_ms(78.2);
  retried.first_client_data_ns = at_ms(78.3);
  EXPECT_EQ(saving_ms(), Ms(6 + 12, 6 + 12 + kComputed));
}

TEST_F(HttpLateConnectionTls, HandshakesHiddenByALongerAnswerSaveNothing) {
  secure(1, 0, kTls13, 300);  // not answered before 300 ms: the visit's end
  secure(2, 60, kTls13, 92);
  EXPECT_EQ(saving_ms(), Ms(0, 0));
  EXPECT_THAT(Judged(story_).fine(kLateConnection), HasSubstr("saves 0 ms"));
}

TEST_F(HttpLateConnectionTls, OnlyWhatIsNotHiddenIsSaved) {
  secure(1, 0, kTls13, 85);  // of 12 ms until the other's answer at 92 ms, 7 are left
  secure(2, 60, kTls13, 92);
  EXPECT_EQ(saving_ms(), Ms(7, 7));
}

TEST_F(HttpLateConnectionTls, HandshakesOfOneWaveCountOnce) {
  secure(1, 0, kTls13, 50);
  for (std::uint16_t n = 0; n < 4; ++n) {
    secure(static_cast<std::uint16_t>(2 + n), 60 + n * 0.2, kTls13, 92 + n * 0.2);
  }
  EXPECT_EQ(saving_ms(), Ms(6 + 6, 6 + 6 + kComputed));
}

TEST_F(HttpLateConnectionTls, AClientThatWaitsBeforeItsHelloComputesNothing) {
  secure(1, 0, kTls13, 50);
  secure(2, 60, kTls13, 153, 61);
  EXPECT_EQ(saving_ms(), Ms(6 + 6, 6 + 6 + 0.1));
}

TEST_F(HttpLateConnectionTls, TwinThatWasReadyBeforeItWasNeededIsFine) {
  secure(1, 0, kTls13, 50);
  secure(2, 20, kTls13, 90, 0.1, 50);  // preconnected: the request follows 50 ms later
  EXPECT_EQ(judged().outcome, Outcome::fine);
}

TEST_F(HttpLateConnectionTls, OneSideOfItIsNotJudged) {
  secure(1, 0, kTls13, 50);
  secure(2, 60, kTls13, 92);
  for (Connection& c : story_.all_connections()) c.one_sided = true;
  EXPECT_EQ(judged().outcome, Outcome::not_visible);
}

TEST_F(HttpLateConnection, MidstreamAndOneSidedAreNotJudged) {
  Connection& a = story_.midstream(open(1, 0));
  story_.http(a, "/", 6, 50);
  Connection& b = open(2, 20);
  b.one_sided = true;
  story_.http(b, "/b", 26, 50);
  const RuleResult result = judged();
  EXPECT_EQ(result.outcome, Outcome::not_visible);
  EXPECT_THAT(result.note, HasSubstr("handshake"));

  // GIVEN one that can be judged beside them THEN it is
  Connection& c = open(3, 60);
  story_.http(c, "/c", 66.1, 80);
  EXPECT_EQ(saving_ms(), Ms(6, 6));
}

TEST_F(HttpLateConnection, NotApplicableWithoutHttpOrTls) {
  open(1, 0).protocol = Protocol::unknown;
  EXPECT_EQ(judged().outcome, Outcome::not_applicable);
}

TEST_F(HttpLateConnection, AverageOverTheAffectedVisits) {
  for (int visit = 0; visit < 120; ++visit) {
    const double t = visit * 20'000.0;
    const auto port = static_cast<std::uint16_t>(10 * visit + 10);
    Connection& first = open(port, t);
    story_.http(first, "/", t + 6, t + 50);
    story_.close(first, t + 100);
    if (visit % 2 == 1) continue;
    Connection& late = open(static_cast<std::uint16_t>(port + 1), t + 60);
    story_.http(late, "/a", t + 66.1, t + 80);
    story_.close(late, t + 100);
  }
  const Finding f = Judged(story_).findings(kLateConnection).at(0);
  EXPECT_EQ(f.affected_actions, 60U);
  EXPECT_DOUBLE_EQ(f.affected_share, 0.5);
  EXPECT_EQ(f.saving.mid_ns, 6'000'000);
  EXPECT_NEAR(f.user_seconds_per_hour, 60 * 0.006, 1e-9);  // 40 minutes count as an hour
  EXPECT_LE(f.evidence.size(), 3U);
}

}  // namespace
}  // namespace wirelag::test
