#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"
#include "origin.hpp"

namespace wirelag::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A lookup of `name` and the page behind it, which takes 100 ms from the SYN.
void visit(Story& story, double t, const std::string& resolver, double answer_ms,
           const std::string& name = "www.example") {
  static std::uint16_t port = 1000;
  story.dns({"10.0.0.5", resolver, name}, t, t + answer_ms, DnsOutcome::answered, {"192.0.2.80"});
  Connection& c = story.connection("10.0.0.5", ++port, "192.0.2.80", 80, t + answer_ms + 0.5, 6);
  story.http(c, "/", t + answer_ms + 7, t + answer_ms + 100);
  story.close(c, t + answer_ms + 101);
}

// --------------------------------------------------------------------------- dns-slow-resolver

TEST(DnsSlowResolver, FiresOnASlowOneAndNamesIt) {
  Story story;
  for (int i = 0; i < 10; ++i) visit(story, i * 5000, "192.0.2.53", 70);
  const std::vector<Finding> f = Judged(story).findings("dns-slow-resolver");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "dns/192.0.2.53");
  EXPECT_EQ(f[0].affected_actions, 10U);
  EXPECT_EQ(f[0].saving.low_ns, 0);  // what another one would do has not been seen
  EXPECT_EQ(f[0].saving.high_ns, 70 * kMillisecondNs);  // a cache at the client
  EXPECT_EQ(f[0].evidence.size(), 3U);
  EXPECT_EQ(f[0].evidence[0].duration_ns, 70 * kMillisecondNs);
}

TEST(DnsSlowResolver, AnotherOneSeenToBeFasterIsTheMeasure) {
  Story story;
  for (int i = 0; i < 10; ++i) {
    visit(story, i * 10'000, "192.0.2.53", 15);
    visit(story, i * 10'000 + 5000, "192.0.2.54", 3);
  }
  const std::vector<Finding> f = Judged(story).findings("dns-slow-resolver");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "dns/192.0.2.53");
  EXPECT_EQ(f[0].saving.low_ns, 12 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 12 * kMillisecondNs);
  EXPECT_THAT(f[0].change[0].snippet, HasSubstr("192.0.2.54"));
}

TEST(DnsSlowResolver, TwinThatAnswersQuicklyIsFine) {
  Story story;
  for (int i = 0; i < 10; ++i) visit(story, i * 5000, "192.0.2.53", 5);
  EXPECT_EQ(Judged(story).by("dns-slow-resolver").outcome, Outcome::fine);
  EXPECT_EQ(Judged(origin_story()).by("dns-slow-resolver").outcome, Outcome::fine);
}

TEST(DnsSlowResolver, NobodyWaitedForItSavesNothing) {
  Story story;  // a second name is looked up slowly while the first server's page is still coming
  visit(story, 0, "192.0.2.53", 5);
  story.dns({"10.0.0.5", "192.0.2.54", "cdn.example"}, 8, 48, DnsOutcome::answered, {"192.0.2.90"});
  Connection& c = story.connection("10.0.0.5", 9, "192.0.2.90", 80, 48.5, 6);
  story.http(c, "/a.png", 55, 60);
  const Judged judged(story);
  EXPECT_TRUE(judged.findings("dns-slow-resolver").empty());
  EXPECT_THAT(judged.fine("dns-slow-resolver"), HasSubstr("saves 0 ms"));
}

TEST(DnsSlowResolver, OnlyResponsesIsNotVisible) {
  Story story;
  DnsTransaction& d =
      story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, 0, 70, DnsOutcome::response_only);
  d.query_frames = {};
  d.first_query_ns = d.last_query_ns = kUnknownNs;
  EXPECT_EQ(Judged(story).by("dns-slow-resolver").outcome, Outcome::not_visible);
  EXPECT_EQ(Judged(Story{}).by("dns-slow-resolver").outcome, Outcome::not_applicable);
}

// --------------------------------------------------------------------------- dns-timeout-retry

/// Asked of a silent resolver first, of the next one 5 s later.
void stalled_visit(Story& story, double t, const std::string& silent, double stall_ms) {
  story.dns({"10.0.0.5", silent, "www.example"}, t, Story::kNever);
  visit(story, t + stall_ms, "192.0.2.54", 3);
}

TEST(DnsTimeoutRetry, FiresWithTheSilentResolverAndTheWholeStall) {
  Story story;
  stalled_visit(story, 0, "192.0.2.53", 5000);
  for (int i = 1; i < 10; ++i) visit(story, i * 20'000, "192.0.2.54", 3);
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "dns/192.0.2.53");
  EXPECT_EQ(f[0].affected_actions, 1U);
  EXPECT_EQ(f[0].saving.low_ns, 5000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 5000 * kMillisecondNs);
  EXPECT_EQ(f[0].looked_at, 10U);
  EXPECT_THAT(f[0].change[0].snippet, HasSubstr("timeout:1"));
}

TEST(DnsTimeoutRetry, AResolverThatAnswersNearlyAllElseIsNotToBeTakenOut) {
  // GIVEN one answer lost of twenty
  Story story;
  stalled_visit(story, 0, "192.0.2.53", 5000);
  for (int i = 1; i < 20; ++i) visit(story, i * 20'000, "192.0.2.53", 3);
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  // THEN it says that packets are lost, and asking again after a second saves all but that second
  EXPECT_THAT(f[0].title, HasSubstr("lost"));
  EXPECT_THAT(f[0].why, HasSubstr("19 of 20 queries"));
  for (const Change& c : f[0].change) EXPECT_THAT(c.snippet, Not(HasSubstr("remove")));
  EXPECT_EQ(f[0].saving.low_ns, 4000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 5000 * kMillisecondNs);
}

TEST(DnsTimeoutRetry, SeveralInARowWithoutAnAnswerAreNoLoss) {
  Story story;
  for (int i = 0; i < 100; ++i) {
    if (i >= 40 && i < 46) {
      stalled_visit(story, i * 20'000, "192.0.2.53", 5000);
    } else {
      visit(story, i * 20'000, "192.0.2.53", 3);
    }
  }
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].title, HasSubstr("silent for 100.0 s"));
  EXPECT_THAT(f[0].why, HasSubstr("94 of 100 queries"));
}

TEST(DnsTimeoutRetry, AClientThatAsksAgainAfterASecondCannotAskSooner) {
  Story story;
  stalled_visit(story, 0, "192.0.2.53", 1000);
  for (int i = 1; i < 20; ++i) visit(story, i * 20'000, "192.0.2.53", 3);
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_THAT(f[0].title, HasSubstr("Find where DNS packets are lost"));
  for (const Change& c : f[0].change) EXPECT_THAT(c.snippet, Not(HasSubstr("timeout:1")));
}

/// The name's step of a search list: a second until the next resolver says that there is no such name.
void stalled_step(Story& story, double t, const std::string& name) {
  story.dns({"10.0.0.5", "192.0.2.53", name}, t, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.54", name}, t + 1000, t + 1002, DnsOutcome::nxdomain);
}

TEST(DnsTimeoutRetry, EveryStepOfASearchListWaitsForTheSilentOne) {
  Story story;
  stalled_step(story, 0, "www.example.lab.corp");
  stalled_step(story, 1003, "www.example.corp");
  stalled_visit(story, 2006, "192.0.2.53", 1000);
  const Judged judged(story);
  ASSERT_EQ(judged.correlation.lookups.size(), 1U);
  const std::vector<Finding> f = judged.findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].scope, "dns/192.0.2.53");
  EXPECT_EQ(f[0].saving.low_ns, 3000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.high_ns, 3000 * kMillisecondNs);
}

TEST(DnsTimeoutRetry, WhoAsksAgainForAllWaitedForTheTypeWithoutAnAnswer) {
  // GIVEN an answer to A each time, and none to AAAA or only the second time
  for (const double second : {Story::kNever, 5020.0}) {
    Story story;
    for (const double t : {0.0, 5000.0}) {
      story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, t, t + 12, DnsOutcome::answered,
                {kServer});
      story.dns({"10.0.0.5", "192.0.2.53", "www.example", dns_type::aaaa}, t + 0.1,
                t > 0 ? second : Story::kNever, DnsOutcome::nodata);
    }
    story.http(story.connection(kClient, 1, kServer, 80, 5021, 6), "/", 5027.1, 5040);
    const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
    ASSERT_EQ(f.size(), 1U) << second;
    EXPECT_EQ(f[0].saving.high_ns, 5000 * kMillisecondNs);
  }
}

TEST(DnsTimeoutRetry, WhatIsAskedAgainBehindTheAnswerNobodyWaitedFor) {
  // GIVEN an answer to A, with which the client went on, while AAAA stayed unanswered
  Story story;
  visit(story, 0, "192.0.2.53", 20);
  for (const double t : {0.1, 1000.0, 3000.0}) {
    story.dns({"10.0.0.5", "192.0.2.53", "www.example", dns_type::aaaa}, t, Story::kNever);
  }
  EXPECT_EQ(Judged(story).by("dns-timeout-retry").outcome, Outcome::fine);
}

TEST(DnsTimeoutRetry, AskedAgainOfTheSameResolverTheQueryIsTheSame) {
  // GIVEN R1 at 0, R2 at 5 s, and R1 again, from the same port with the same id, at 8 s
  Story story;
  story.dns({"10.0.0.5", "192.0.2.54", "www.example"}, 5000, Story::kNever);
  visit(story, 0, "192.0.2.53", 8005);
  DnsTransaction& first = story.all_dns()[1];
  first.last_query_ns = first.first_query_ns + 8000 * kMillisecondNs;
  test::push(first.query_frames, 999);
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.high_ns, 8000 * kMillisecondNs);
}

TEST(DnsTimeoutRetry, ResolversAskedAtOnceShareATimer) {
  // GIVEN three living resolvers asked at once, all in vain, and again after 5 s
  Story story;
  const std::array resolvers = {"192.0.2.51", "192.0.2.52", "192.0.2.53"};
  for (std::size_t i = 0; i < resolvers.size(); ++i) {
    story.dns({"10.0.0.5", resolvers[i], "www.example"}, 0.1 * static_cast<double>(i),
              Story::kNever);
  }
  visit(story, 5000, "192.0.2.51", 5);
  for (int i = 1; i < 60; ++i) visit(story, i * 20'000, resolvers[i % 3], 3);
  const std::vector<Finding> f = Judged(story).findings("dns-timeout-retry");
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].saving.high_ns, 5000 * kMillisecondNs);
  EXPECT_EQ(f[0].saving.low_ns, 4000 * kMillisecondNs);
}

TEST(DnsTimeoutRetry, WhoAsksAgainAfterAnAnswerWaitedForNoTimer) {
  // GIVEN a resolver that fails after 4 s, and the next one asked then
  Story failed;
  failed.dns({"10.0.0.5", "192.0.2.53", "www.example"}, 0, 4000, DnsOutcome::failed);
  visit(failed, 4001, "192.0.2.54", 10);
  EXPECT_EQ(Judged(failed).by("dns-timeout-retry").outcome, Outcome::fine);
  // GIVEN a truncated answer, and the question over TCP a second later, as its SYN was lost
  Story truncated;
  truncated.dns({"10.0.0.5", "192.0.2.53", "www.example"}, 0, 10, DnsOutcome::truncated);
  visit(truncated, 1030, "192.0.2.53", 10);
  EXPECT_EQ(Judged(truncated).by("dns-timeout-retry").outcome, Outcome::fine);
}

TEST(DnsTimeoutRetry, TwinIsFineAndAQuickRetryIsNot5s) {
  Story story;
  for (int i = 0; i < 10; ++i) visit(story, i * 5000, "192.0.2.53", 5);
  EXPECT_EQ(Judged(story).by("dns-timeout-retry").outcome, Outcome::fine);
  stalled_visit(story, 100'000, "192.0.2.60", 300);
  EXPECT_EQ(Judged(story).by("dns-timeout-retry").outcome, Outcome::fine);
}

TEST(DnsTimeoutRetry, NobodyConnectedAfterwardsSavesNothing) {
  Story story;
  visit(story, 0, "192.0.2.54", 3);
  story.dns({"10.0.0.5", "192.0.2.53", "other.example"}, 50, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.54", "other.example"}, 5050, 5053, DnsOutcome::answered,
            {"192.0.2.99"});
  const Judged judged(story);
  EXPECT_TRUE(judged.findings("dns-timeout-retry").empty());
  EXPECT_THAT(judged.fine("dns-timeout-retry"), HasSubstr("saves 0 ms"));
}

TEST(DnsTimeoutRetry, WhoWaitedIsUnseenOnlyWhereItsConnectionMayBe) {
  // GIVEN a lookup after which no connection was opened, beside one of others that was open before
  const auto advice = [](const char* client, const char* server) {
    Story story;
    visit(story, 0, "192.0.2.54", 3);
    story.dns({"10.0.0.5", "192.0.2.53", "other.example"}, 50, Story::kNever);
    story.dns({"10.0.0.5", "192.0.2.54", "other.example"}, 5050, 5053, DnsOutcome::answered,
              {"192.0.2.99"});
    story.midstream(story.connection(client, 9, server, 22, 6000, 6));
    return Judged(story).advice();
  };
  const auto unseen = [&](const char* client, const char* server) {
    const auto& verdicts = advice(client, server).not_judged;
    return std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) {
      return v.rule == "dns-timeout-retry" && v.outcome == Outcome::not_visible;
    });
  };
  // THEN it says nothing about who waited
  EXPECT_FALSE(unseen("10.0.0.77", "192.0.2.99"));
  EXPECT_FALSE(unseen("10.0.0.5", "192.0.2.98"));
  // but that of the same client to the answer's address may have
  EXPECT_TRUE(unseen("10.0.0.5", "192.0.2.99"));
}

TEST(DnsTimeoutRetry, WithoutAnyVisitNobodyCanSayWhoWaited) {
  Story story;
  for (int i = 0; i < 3; ++i) {
    story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, i * 20'000, Story::kNever);
    story.dns({"10.0.0.5", "192.0.2.54", "www.example"}, i * 20'000 + 5000, i * 20'000 + 5003,
              DnsOutcome::answered, {"192.0.2.80"});
  }
  const Advice advice = Judged(story).advice();
  EXPECT_TRUE(advice.findings.empty());
  const auto of_rule = [](const Verdict& n) { return n.rule == "dns-timeout-retry"; };
  EXPECT_TRUE(std::none_of(advice.fine.begin(), advice.fine.end(), of_rule));
  EXPECT_TRUE(std::any_of(advice.not_judged.begin(), advice.not_judged.end(), of_rule));
}

TEST(DnsTimeoutRetry, StalledLookupsAreNotCalledSlowAsWell) {
  Story story;
  for (int i = 0; i < 3; ++i) stalled_visit(story, i * 20'000, "192.0.2.53", 5000);
  EXPECT_EQ(Judged(story).by("dns-slow-resolver").outcome, Outcome::not_visible);
}

}  // namespace
}  // namespace wirelag::test
