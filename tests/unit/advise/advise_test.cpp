#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"
#include "origin.hpp"

namespace wirelag::test {
namespace {

/// One visit that opens a late connection to each server at the given times.
Story visit_to_two_servers(double late_first_ms, double late_second_ms) {
  Story story;
  const auto visit = [&story](const char* server, std::uint16_t port, double late_ms,
                              double rtt_ms) {
    story.http(story.connection("10.0.0.5", port, server, 80, 0, rtt_ms), "/", rtt_ms, 40);
    Connection& late = story.connection("10.0.0.5", static_cast<std::uint16_t>(port + 1), server,
                                        80, late_ms, rtt_ms);
    story.http(late, "/a", late_ms + rtt_ms, late_ms + rtt_ms + 60);
  };
  visit("192.0.2.80", 1000, late_first_ms, 30);
  visit("192.0.2.81", 2000, late_second_ms, 10);
  return story;
}

TEST(Advise, OriginRanksTheLateConnectionsAndPutsCapacityLast) {
  const Advice advice = Judged(origin_story()).advice();
  ASSERT_GE(advice.findings.size(), 2U);
  EXPECT_EQ(advice.findings.front().rule, "http-late-connection");
  EXPECT_EQ(advice.findings.front().after_higher_ranked_ns, advice.findings.front().saving.mid_ns);
  EXPECT_EQ(advice.findings.back().rule, "dns-redundant-fanout");
  EXPECT_EQ(advice.findings.back().after_higher_ranked_ns, 0);
}

TEST(Advise, OrderOfEmissionDoesNotShow) {
  const Story story = origin_story();
  const Judged told(story);
  const Advice expected = told.advice();
  for (unsigned seed = 1; seed <= 10; ++seed) {
    const Judged shuffled(story, seed);
    const Advice advice = shuffled.advice();
    ASSERT_EQ(advice.findings.size(), expected.findings.size());
    for (std::size_t i = 0; i < advice.findings.size(); ++i) {
      EXPECT_EQ(advice.findings[i].saving.high_ns, expected.findings[i].saving.high_ns);
      EXPECT_EQ(advice.findings[i].why, expected.findings[i].why);
      ASSERT_EQ(advice.findings[i].evidence.size(), expected.findings[i].evidence.size());
      for (std::size_t e = 0; e < advice.findings[i].evidence.size(); ++e) {
        EXPECT_EQ(advice.findings[i].evidence[e].what, expected.findings[i].evidence[e].what);
        EXPECT_EQ(advice.findings[i].evidence[e].connection,
                  expected.findings[i].evidence[e].connection);
      }
    }
  }
}

TEST(Advise, SavingsAtDifferentTimesAddUp) {
  const Advice advice = Judged(visit_to_two_servers(60, 160)).advice();
  ASSERT_EQ(advice.findings.size(), 2U) << advice.findings.front().rule;
  EXPECT_EQ(advice.findings[0].scope, "tcp/192.0.2.80:80");  // 30 ms, the larger one
  for (const Finding& f : advice.findings) EXPECT_EQ(f.after_higher_ranked_ns, f.saving.mid_ns);
}

TEST(Advise, SavingsAtTheSameTimeDoNot) {
  // GIVEN two late connections side by side, the slower one last
  const Advice advice = Judged(visit_to_two_servers(60, 62)).advice();
  // WHEN they are ranked THEN the second one's saving is counted with the first one's done
  DurationNs alone = 0;
  DurationNs together = 0;
  for (const Finding& f : advice.findings) {
    alone += f.saving.mid_ns;
    together += f.after_higher_ranked_ns;
  }
  EXPECT_LE(together, alone);
  EXPECT_LE(together, 30'000'000);  // the visit cannot get shorter than by the longer handshake
}

TEST(Advise, RoundTripsThatVaryMoveLowAndHighApart) {
  const auto finding = [](const Story& story) {
    const std::vector<Finding> all = Judged(story).findings("http-late-connection");
    return all.empty() ? Finding{} : all.front();
  };
  const Finding steady = finding(visit_to_two_servers(60, 160));
  EXPECT_EQ(steady.jitter_ns, 0);
  Story story = visit_to_two_servers(60, 160);
  for (Connection& c : story.all_connections()) {
    const DurationNs rtt_ns = c.handshake_rtt_ns;
    for (const DurationNs more_ns : {0, 300'000, 900'000}) {  // 0.4 ms on average
      c.rtt_probe_server.add(rtt_ns + more_ns);
      c.rtt_probe_client.add(60'000);
    }
  }
  const Finding varied = finding(story);
  // One visit whose path has 5 to 7 round trips: 1.96 x 1.25 x 0.4 ms x sqrt(2 x steps).
  EXPECT_GT(varied.jitter_ns, 2'500'000);
  EXPECT_LT(varied.jitter_ns, 5'000'000);
  EXPECT_LT(varied.saving.low_ns, steady.saving.low_ns);
  EXPECT_EQ(varied.saving.mid_ns, steady.saving.mid_ns + 200'000);
  EXPECT_GT(varied.saving.high_ns, steady.saving.high_ns + 400'000);
}

TEST(Advise, NobodySavesMuchMoreThanWhatGoesTook) {
  // GIVEN one slow query among fast ones, on a path that varies wildly
  Story story;
  Connection& c = story.connection("10.0.0.5", 1000, "192.0.2.80", 5432, 0, 6);
  double at = 6.1;
  for (int i = 0; i < 20; ++i, at += 6.1) {
    story.query(c, Protocol::postgres, "select a from t", at, at + 6);
  }
  story.query(c, Protocol::postgres, "select slow()", at, at + 306);
  for (const DurationNs more_ns : {0, 20'000'000, 29'000'000}) {
    c.rtt_probe_server.add(6'000'000 + more_ns);
    c.rtt_probe_client.add(60'000);
  }
  const std::vector<Finding> found = Judged(story).findings("db-slow-fingerprint");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GE(found[0].saving.high_ns, 290 * kMillisecondNs);
  EXPECT_LE(found[0].saving.high_ns, 337 * kMillisecondNs);
}

TEST(Advise, NobodySavesMoreThanTheWait) {
  Story story;
  Connection& c = story.connection("10.0.0.5", 1000, "192.0.2.80", 6379, 0, 6);
  double at = 6.1;
  for (int i = 0; i < 40; ++i, at += 6.1) story.query(c, Protocol::redis, "GET user:?", at, at + 6);
  for (const DurationNs more_ns : {0, 20'000'000, 29'000'000}) {  // a path that varies wildly
    c.rtt_probe_server.add(6'000'000 + more_ns);
    c.rtt_probe_client.add(60'000);
  }
  const Judged judged(story);
  const std::vector<Finding> found = judged.findings("db-serial-roundtrips");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LE(found[0].saving.high_ns, judged.visits.stored[0].wait_ns);
  EXPECT_LE(found[0].saving.mid_ns, found[0].saving.high_ns);
  EXPECT_EQ(found[0].saving.low_ns, 0);
}

TEST(Advise, DelayedAcksAreNoJitter) {
  Story story = visit_to_two_servers(60, 160);
  for (Connection& c : story.all_connections()) {
    for (const DurationNs more_ns : {0, 300'000, 40'000'000}) {
      c.rtt_probe_server.add(c.handshake_rtt_ns + more_ns);
      c.rtt_probe_client.add(60'000);
    }
  }
  for (const Finding& f : Judged(story).findings("http-late-connection")) {
    EXPECT_EQ(f.jitter_ns, 0);
  }
}

TEST(Advise, SaysWhatWasFineAndWhatCouldNotBeJudged) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, 0, 3);
  const Judged judged(story);
  EXPECT_TRUE(judged.advice().findings.empty());
  EXPECT_EQ(judged.fine("dns-redundant-fanout"),
            "Few DNS questions go to several resolvers at once");
  std::vector<std::string> not_judged;
  for (const Verdict& n : judged.advice().not_judged) {
    EXPECT_FALSE(n.reason.empty());
    not_judged.push_back(n.rule);
  }
  EXPECT_THAT(not_judged, testing::Contains("http-late-connection"));
  EXPECT_THAT(not_judged, testing::Contains("tcp-syn-loss"));
}

TEST(Advise, EveryRuleSaysOneOfTheFourThings) {
  for (const Story& story : {Story{}, origin_story(), visit_to_two_servers(60, 100)}) {
    const Judged judged(story);
    for (const Rule& rule : all_rules()) {
      const RuleResult r = judged.by(rule.id);
      EXPECT_EQ(r.outcome == Outcome::fires, !r.findings.empty()) << rule.id;
      EXPECT_EQ(r.outcome != Outcome::fires, !r.note.empty()) << rule.id;
      for (const Finding& f : r.findings) {
        EXPECT_FALSE(f.title.empty()) << rule.id;
        EXPECT_FALSE(f.why.empty()) << rule.id;
        EXPECT_FALSE(f.fault.empty()) << rule.id;
        EXPECT_FALSE(f.threshold.empty()) << rule.id;
        EXPECT_FALSE(f.evidence.empty()) << rule.id;
        EXPECT_FALSE(f.change.empty()) << rule.id;
        EXPECT_FALSE(f.verify.empty()) << rule.id;
      }
    }
  }
}

TEST(Advise, EveryRuleHasAnIdOfItsOwnAndATitle) {
  std::vector<std::string_view> ids;
  for (const Rule& rule : all_rules()) {
    EXPECT_FALSE(rule.title_when_fine.empty());
    EXPECT_EQ(std::count(ids.begin(), ids.end(), rule.id), 0);
    ids.push_back(rule.id);
  }
}

/// `n` executions of a statement that was prepared as s1 before the capture, on a connection of its own.
void named(Story& s, std::uint16_t port, int n, std::string_view operation, double took_ms) {
  Connection& c = s.midstream(s.connection(kClient, port, kServer, 5432, 0, 6));
  c.rtt_probe_server.add(5'900'000);
  c.rtt_probe_client.add(100'000);
  for (int i = 0; i < n; ++i) {
    const double at = 10 + (took_ms + 1) * i;
    DatabaseTransaction& t = s.query(c, Protocol::postgres, "", at, at + took_ms);
    t.operation = operation;
    t.statement_name = "s1";
    t.name_only = true;
    t.fingerprint_hash = 1000U + port;
  }
}

TEST(Advise, StatementsWhoseTextWasNotCapturedAreJudgedApart) {
  // GIVEN two connections that call different statements s1 THEN neither has the other's loop or time
  Story story;
  named(story, 1, 4, "SELECT", 10);
  named(story, 2, 4, "SELECT", 10);
  EXPECT_TRUE(Judged(story).findings("db-n-plus-one").empty());

  named(story, 3, 6, "SELECT", 80);
  const Judged judged(story);
  const std::vector<Finding> loops = judged.findings("db-n-plus-one");
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_THAT(loops[0].title, testing::HasSubstr("SELECT s1 of 10.0.0.5:3 (text not known)"));
  EXPECT_THAT(loops[0].evidence.at(0).what, testing::HasSubstr("10.0.0.5:3: s1, 6 times"));
  const std::vector<Finding> slow = judged.findings("db-slow-fingerprint");
  ASSERT_EQ(slow.size(), 1U);
  EXPECT_THAT(slow[0].scope, testing::HasSubstr("10.0.0.5:3"));
  EXPECT_EQ(slow[0].looked_at, 6U);
}

TEST(Advise, APoolOfConnectionsThatLoopsOverUnknownTextIsOneFinding) {
  Story story;
  constexpr std::uint16_t kConnections = 40;
  for (std::uint16_t port = 1; port <= kConnections; ++port) named(story, port, 6, "SELECT", 10);
  const std::vector<Finding> loops = Judged(story).findings("db-n-plus-one");
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_EQ(loops[0].edits.size() % (kConnections * (6 - 1)), 0U);  // of all of them
  EXPECT_THAT(loops[0].title, testing::HasSubstr("40 SELECT statements prepared before"));
  EXPECT_EQ(loops[0].scope,
            "tcp/192.0.2.80:5432 SELECT statements prepared before the capture (text not known)");
}

TEST(Advise, OfManyStatementsInLoopsThoseWithTheMostTimeAreNamed) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 5432, 0, 6);
  double at = 10;
  for (int shape = 0; shape < 9; ++shape) {
    for (int i = 0; i < 6; ++i, at += 10 + shape) {
      story.query(c, Protocol::postgres,
                  "select name from t" + std::to_string(shape) + " where id=?", at, at + 9 + shape);
    }
  }
  const std::vector<Finding> loops = Judged(story).findings("db-n-plus-one");
  ASSERT_EQ(loops.size(), 5U);
  for (const Finding& f : loops) {
    EXPECT_THAT(f.scope, testing::ContainsRegex("from t[4-8] where"));
    EXPECT_THAT(f.threshold, testing::HasSubstr("of 9 such statements the 5 with the most time"));
  }
}

TEST(Advise, WhatIsNotKnownToReadIsNoLoopOfReads) {
  Story story;
  named(story, 1, 8, "Execute", 10);
  EXPECT_EQ(Judged(story).by("db-n-plus-one").outcome, Outcome::not_visible);
}

/// Open before the capture; its server acknowledges a request with the answer, `took_ms` later.
Connection& acknowledged_with_the_answer(Story& s, std::uint16_t port, std::uint16_t server_port,
                                         double took_ms) {
  Connection& c = s.midstream(s.connection(kClient, port, kServer, server_port, 0, 6));
  c.rtt_probe_server.add(at_ms(took_ms) - kBegin);
  return c;
}

TEST(Advise, WhereTheWayCannotBeToldFromTheServersTimeNothingIsSaidToBeFine) {
  Story page;
  page.http(acknowledged_with_the_answer(page, 1, 80, 940), "/", 10, 950);
  const RuleResult http = Judged(page).by("http-slow-ttfb");
  EXPECT_EQ(http.outcome, Outcome::not_visible);
  EXPECT_THAT(http.note,
              testing::HasSubstr("192.0.2.80:80 was captured: of waits of up to 939.9 ms"));

  Story story;
  story.query(acknowledged_with_the_answer(story, 2, 5432, 120), Protocol::postgres, "select a", 10,
              130);
  const RuleResult sql = Judged(story).by("db-slow-fingerprint");
  EXPECT_EQ(sql.outcome, Outcome::not_visible);
  EXPECT_THAT(sql.note, testing::HasSubstr("192.0.2.80:5432 was captured"));
  // WHEN the handshake of another client shows its way THEN this one's is as unknown as before
  story.connection("10.0.0.6", 1, kServer, 443, 0, 140);
  EXPECT_EQ(Judged(story).by("db-slow-fingerprint").outcome, Outcome::not_visible);
  // WHEN one of its own shows a way that is as long THEN the server's own time is none
  story.connection(kClient, 3, kServer, 443, 0, 140);
  EXPECT_EQ(Judged(story).by("db-slow-fingerprint").outcome, Outcome::fine);
}

TEST(Advise, ShortWaitsAreFineWithoutAHandshakeToo) {
  Story story;
  story.http(acknowledged_with_the_answer(story, 1, 80, 90), "/", 10, 100);
  story.query(acknowledged_with_the_answer(story, 2, 5432, 20), Protocol::postgres, "select a", 10,
              30);
  EXPECT_EQ(Judged(story).by("http-slow-ttfb").outcome, Outcome::fine);
  EXPECT_EQ(Judged(story).by("db-slow-fingerprint").outcome, Outcome::fine);
}

}  // namespace
}  // namespace wirelag::test
