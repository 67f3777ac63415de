#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"
#include "origin.hpp"

namespace wirelag::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kFanout = "dns-redundant-fanout";

TEST(DnsRedundantFanout, OriginSavesNoTimeAndNamesTheResolverNotToKeep) {
  const std::vector<Finding> findings = Judged(origin_story()).findings(kFanout);
  ASSERT_EQ(findings.size(), 1U);
  const Finding& f = findings[0];
  EXPECT_EQ(f.saving.low_ns, 0);
  EXPECT_EQ(f.saving.mid_ns, 0);
  EXPECT_EQ(f.saving.high_ns, 0);
  EXPECT_TRUE(f.capacity_only);
  EXPECT_EQ(f.scope, "dns/10.11.29.131");
  EXPECT_EQ(f.affected_actions, 1U);
  EXPECT_EQ(f.confidence, "C");
  EXPECT_THAT(f.capacity, HasSubstr("2 of 3 upstream queries are spare"));

  ASSERT_EQ(f.what_if.size(), 4U);
  EXPECT_EQ(f.what_if[1].what, "only 210.22.84.3");
  EXPECT_EQ(f.what_if[1].wait_ns, 3'406'391);
  EXPECT_EQ(f.what_if[1].change_ns, 0);
  EXPECT_EQ(f.what_if[2].wait_ns, 3'479'936);
  EXPECT_EQ(f.what_if[3].what, "only 114.114.114.114");
  EXPECT_EQ(f.what_if[3].wait_ns, 26'617'849);
  EXPECT_EQ(f.what_if[3].change_ns, 23'211'458);
  EXPECT_THAT(f.warnings,
              Contains(testing::AllOf(HasSubstr("114.114.114.114"), HasSubstr("strict order"),
                                      HasSubstr("+23.2 ms"))));
  EXPECT_THAT(f.why, HasSubstr("0.34 ms"));  // the stub's own share
  ASSERT_EQ(f.evidence.size(), 4U);
  EXPECT_THAT(f.evidence[1].frames, ElementsAre(3U, 5U));
  EXPECT_THAT(f.evidence[1].what, HasSubstr("answered first"));
  EXPECT_THAT(f.evidence[3].frames, ElementsAre(1U, 7U));
  EXPECT_EQ(f.evidence[3].duration_ns, 3'748'760);
}

TEST(DnsRedundantFanout, TwinThatAsksOneResolverIsFine) {
  Story story;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    story.dns({"127.0.0.1", "127.0.1.1", name}, i * 100, i * 100 + 4);
    story.dns({"10.0.0.5", "192.0.2.1", name}, i * 100 + 0.2, i * 100 + 3);
  }
  const RuleResult result = Judged(story).by(kFanout);
  EXPECT_EQ(result.outcome, Outcome::fine);
  EXPECT_TRUE(result.findings.empty());
}

TEST(DnsRedundantFanout, NextServerAfterASilentOneIsNoRace) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.1", "www.example"}, 0, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.2", "www.example"}, 5000, 5003);
  EXPECT_EQ(Judged(story).by(kFanout).outcome, Outcome::fine);
}

TEST(DnsRedundantFanout, RecursionFromServerToServerIsNoRace) {
  Story story;  // each query follows the answer before it, all within 5 ms
  story.dns({"10.0.0.5", "10.0.0.1", "www.example"}, 0, 3);
  story.dns({"10.0.0.1", "192.0.2.1", "www.example"}, 0.1, 1, DnsOutcome::nodata);
  story.dns({"10.0.0.1", "192.0.2.2", "www.example"}, 1.1, 2);
  EXPECT_EQ(Judged(story).by(kFanout).outcome, Outcome::fine);
}

TEST(DnsRedundantFanout, AAndAaaaAreTwoQuestions) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.1", "www.example", 1}, 0, 3);
  story.dns({"10.0.0.5", "192.0.2.2", "www.example", 28}, 0.1, 3);
  EXPECT_EQ(Judged(story).by(kFanout).outcome, Outcome::fine);
}

TEST(DnsRedundantFanout, RareRacesStayBelowTheThreshold) {
  Story story;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    story.dns({"10.0.0.5", "192.0.2.1", name}, i * 100, i * 100 + 3);
    if (i < 4) story.dns({"10.0.0.5", "192.0.2.2", name}, i * 100 + 1, i * 100 + 5);
  }
  EXPECT_EQ(Judged(story).by(kFanout).outcome, Outcome::fine);
}

TEST(DnsRedundantFanout, SilentRunnerIsNamedWithWhatItWouldCost) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.1", "www.example"}, 0, 3);
  story.dns({"10.0.0.5", "192.0.2.2", "www.example"}, 0.1, Story::kNever);
  const RuleResult result = Judged(story).by(kFanout);
  ASSERT_EQ(result.outcome, Outcome::fires);
  EXPECT_THAT(result.findings[0].warnings,
              Contains(HasSubstr("192.0.2.2 left 1 of 1 questions unanswered")));
}

TEST(DnsRedundantFanout, ManyQuestionsRaiseConfidenceAndTellWhoIsDispensable) {
  Story story;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    story.dns({"10.0.0.5", "192.0.2.1", name}, i * 100, i * 100 + 3);
    story.dns({"10.0.0.5", "192.0.2.2", name}, i * 100 + 0.1, i * 100 + 26);
  }
  const Finding f = Judged(story).findings(kFanout).at(0);
  EXPECT_EQ(f.confidence, "A");
  EXPECT_THAT(f.warnings,
              Contains(testing::AllOf(HasSubstr("without loss at p99"), HasSubstr("192.0.2.2"),
                                      testing::Not(HasSubstr("192.0.2.1")))));
}

TEST(DnsRedundantFanout, OfAnswersThatWereNotCapturedItClaimsNothing) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.1", "www.example"}, 0, Story::kNever).outcome =
      DnsOutcome::not_visible;
  DnsTransaction& d = story.dns({"10.0.0.5", "192.0.2.2", "www.example"}, 0.1, Story::kNever);
  d.outcome = DnsOutcome::not_visible;
  const RuleResult unseen = Judged(story).by(kFanout);
  ASSERT_EQ(unseen.outcome, Outcome::fires);
  const Finding& f = unseen.findings.at(0);
  ASSERT_EQ(f.evidence.size(), 2U);
  EXPECT_EQ(f.evidence[0].what, "www.example to 192.0.2.1: answer not captured");
  EXPECT_THAT(f.why, HasSubstr("None was captured"));
  EXPECT_THAT(f.warnings, Contains(HasSubstr("capture the answers before")));
  // one of two captured: the other one is not called silent
  d.outcome = DnsOutcome::answered;
  d.response_ns = at_ms(3);
  d.response_frame = frame_at(3);
  const RuleResult half = Judged(story).by(kFanout);
  ASSERT_EQ(half.outcome, Outcome::fires);
  EXPECT_THAT(half.findings.at(0).warnings,
              testing::Not(Contains(HasSubstr("questions unanswered"))));
}

TEST(DnsRedundantFanout, WithoutDnsOrWithoutQueriesItSaysSo) {
  Story none;
  none.connection("10.0.0.5", 1, "192.0.2.80", 80, 0, 6);
  EXPECT_EQ(Judged(none).by(kFanout).outcome, Outcome::not_applicable);

  Story one_sided;
  DnsTransaction& d =
      one_sided.dns({"10.0.0.5", "192.0.2.1", "www.example"}, 0, 3, DnsOutcome::response_only);
  d.query_frames = {};
  d.first_query_ns = d.last_query_ns = kUnknownNs;
  const RuleResult result = Judged(one_sided).by(kFanout);
  EXPECT_EQ(result.outcome, Outcome::not_visible);
  EXPECT_FALSE(result.note.empty());
}

}  // namespace
}  // namespace wirelag::test
