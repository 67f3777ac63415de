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
  ASSERT_EQ(advice.findings.size(), 2U);
  EXPECT_EQ(advice.findings[0].rule, "http-late-connection");
  EXPECT_EQ(advice.findings[0].after_higher_ranked_ns, advice.findings[0].saving.mid_ns);
  EXPECT_EQ(advice.findings[1].rule, "dns-redundant-fanout");
  EXPECT_EQ(advice.findings[1].after_higher_ranked_ns, 0);
  EXPECT_TRUE(advice.not_judged.empty());
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
  const Advice advice = Judged(visit_to_two_servers(60, 100)).advice();
  ASSERT_EQ(advice.findings.size(), 2U);
  EXPECT_EQ(advice.findings[0].scope, "tcp/192.0.2.80:80");  // 30 ms, the larger one
  for (const Finding& f : advice.findings) EXPECT_EQ(f.after_higher_ranked_ns, f.saving.mid_ns);
}

TEST(Advise, SavingsAtTheSameTimeDoNot) {
  const Advice inside = Judged(visit_to_two_servers(60, 65)).advice();
  ASSERT_EQ(inside.findings.size(), 2U);
  EXPECT_EQ(inside.findings[0].after_higher_ranked_ns, inside.findings[0].saving.mid_ns);
  EXPECT_EQ(inside.findings[1].after_higher_ranked_ns, 0);

  const Advice half = Judged(visit_to_two_servers(60, 85)).advice();
  EXPECT_EQ(half.findings[1].after_higher_ranked_ns, half.findings[1].saving.mid_ns / 2);
}

TEST(Advise, SaysWhatWasFineAndWhatCouldNotBeJudged) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, 0, 3);
  const Advice advice = Judged(story).advice();
  EXPECT_TRUE(advice.findings.empty());
  ASSERT_EQ(advice.fine.size(), 1U);
  EXPECT_EQ(advice.fine[0].rule, "dns-redundant-fanout");
  ASSERT_EQ(advice.not_judged.size(), 1U);
  EXPECT_EQ(advice.not_judged[0].rule, "http-late-connection");
  EXPECT_FALSE(advice.not_judged[0].reason.empty());
}

TEST(Advise, EveryRuleHasAnIdOfItsOwnAndATitle) {
  std::vector<std::string_view> ids;
  for (const Rule& rule : all_rules()) {
    EXPECT_FALSE(rule.title_when_fine.empty());
    EXPECT_EQ(std::count(ids.begin(), ids.end(), rule.id), 0);
    ids.push_back(rule.id);
  }
}

}  // namespace
}  // namespace wirelag::test
