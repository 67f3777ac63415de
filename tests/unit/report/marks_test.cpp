// Marks that the operator set: how they are written, and what is said of the visits around them.
#include "marks.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/report/report.hpp>

#include "../control/story.hpp"
#include "flat.hpp"
#include "format.hpp"

namespace wirelag::report {
namespace {

using test::at_ms;
using test::kBegin;
using test::Story;
using testing::HasSubstr;
using testing::Not;

TEST(Mark, IsATimeAndWords) {
  const std::optional<Mark> mark = parse_mark("2018-04-11T04:13:20.05Z http2 on, 10% of users");
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->time_ns, 1'523'420'000'050'000'000);
  EXPECT_EQ(mark->what, "http2 on, 10% of users");
  EXPECT_EQ(print_mark(*mark), "2018-04-11T04:13:20.050000000Z http2 on, 10% of users");
  EXPECT_EQ(parse_mark("1970-01-01T00:00:00Z x")->time_ns, 0);
  EXPECT_EQ(parse_mark("2000-02-29T23:59:59.999999999Z x")->time_ns, 951'868'799'999'999'999);
  for (const char* bad : {"",
                          "http2 on",
                          "2018-04-11T04:13:20Z",
                          "2018-04-11T04:13:20Z ",
                          "2018-04-11T04:13:20Z   ",
                          "2018-04-11 04:13:20Z x",
                          "2018-04-11T04:13:20 x",
                          "2018-04-11T04:13:20+02:00 x",
                          "2018-02-30T04:13:20Z x",
                          "2018-04-11T24:00:00Z x",
                          "2018-04-11T04:60:00Z x",
                          "2018-04-11T04:13:60Z x",
                          "2018-04-11T04:13:20.Z x",
                          "2018-04-11T04:13:20.0000000001Z x",
                          "18-04-11T04:13:20Z x",
                          "2018-04-11T04:13:20.5x5Z x",
                          "2018-4-11T04:13:20Z x",
                          "2018-04-11T-4:13:20Z x",
                          "2018-04-11T04:13:2Z x",
                          "9999-04-11T04:13:20Z x",
                          "1969-12-31T23:59:59Z x"}) {
    EXPECT_FALSE(parse_mark(bad)) << bad;
  }
}

/// One visit every two seconds: `slow` times about 500 ms, then `fast` times about 100.
Story story_of(int slow, int fast) {
  Story s;
  for (int i = 0; i < slow + fast; ++i) {
    const double t = 2000.0 * i;
    Connection& c =
        s.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    s.http(c, "/", t + 6, t + (i < slow ? 500 : 100) + i % 7).content_type = "text/html";
  }
  return s;
}

Report report_of(const Story& story, std::vector<Mark> marks) {
  CaptureBlock capture;
  capture.name = "a.pcap";
  capture.first_time_ns = kBegin;
  capture.last_time_ns = at_ms(100'000);
  capture.marks = std::move(marks);
  return build_report(std::move(capture), {}, {}, story.dataset(), Thresholds{}, {""});
}

TEST(MarkedChange, HoldsTheVisitsAfterAgainstThoseBefore) {
  const Report r = report_of(story_of(20, 25), {{at_ms(39'500), "http2 on"}});
  ASSERT_EQ(r.changes.size(), 1U);
  ASSERT_EQ(r.changes[0].services.size(), 1U);
  const MarkedChange::Service& s = r.changes[0].services[0];
  EXPECT_EQ(s.name, "www.example.com");
  EXPECT_EQ(s.before.visits, 20U);
  EXPECT_EQ(s.after.visits, 25U);
  EXPECT_EQ(s.before.p50_ns, 503 * kMillisecondNs);
  EXPECT_EQ(s.after.p50_ns, 103 * kMillisecondNs);
  EXPECT_TRUE(s.beyond_chance);
  EXPECT_EQ(mark_difference(s), "-400.000");
  EXPECT_EQ(mark_title(r, r.changes[0].mark),
            "2023-11-14 22:13:59.500000000 UTC, 39500.000 ms after the capture begins: http2 on");
}

TEST(MarkedChange, FewVisitsOrTheSameWaitsMayBeChance) {
  EXPECT_FALSE(
      report_of(story_of(3, 3), {{at_ms(5'500), "x"}}).changes[0].services[0].beyond_chance);
  EXPECT_FALSE(
      report_of(story_of(0, 40), {{at_ms(39'500), "x"}}).changes[0].services[0].beyond_chance);
}

TEST(MarkedChange, NinetyFivePercentBeginWithSixVisits) {
  const auto beyond_chance = [](int n) {
    const Report r = report_of(story_of(n, n), {{at_ms(2000.0 * n - 500), "x"}});
    return r.changes[0].services[0].beyond_chance;
  };
  EXPECT_FALSE(beyond_chance(4));
  EXPECT_FALSE(beyond_chance(5));  // smallest to largest: 93.75 %
  EXPECT_TRUE(beyond_chance(6));   // 96.9 %
}

/// Waits from 100 ms in steps of 100 before the mark, and `after` ms ten times behind it.
bool ten_ranks_against(double after) {
  Story s;
  for (int i = 0; i < 20; ++i) {
    const double t = 3000.0 * i;
    Connection& c =
        s.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    s.http(c, "/", t + 6, t + (i < 10 ? 100.0 * (i + 1) : after)).content_type = "text/html";
  }
  return report_of(s, {{at_ms(29'500), "x"}}).changes[0].services[0].beyond_chance;
}

TEST(MarkedChange, OfTenVisitsTheMedianIsBetweenTheSecondAndTheNinth) {
  EXPECT_TRUE(ten_ranks_against(199));
  EXPECT_FALSE(ten_ranks_against(201));
  EXPECT_FALSE(ten_ranks_against(899));
  EXPECT_TRUE(ten_ranks_against(901));
}

TEST(MarkedChange, GoesFromTheMarkBeforeToTheNext) {
  const Report r =
      report_of(story_of(10, 20), {{at_ms(39'500), "second"}, {at_ms(19'500), "first"}});
  ASSERT_EQ(r.changes.size(), 2U);
  EXPECT_EQ(r.changes[0].mark.what, "first");
  EXPECT_EQ(r.changes[0].services[0].before.visits, 10U);
  EXPECT_EQ(r.changes[0].services[0].after.visits, 10U);
  EXPECT_EQ(r.changes[1].mark.what, "second");
  EXPECT_EQ(r.changes[1].services[0].before.visits, 10U);
  EXPECT_EQ(r.changes[1].services[0].after.visits, 10U);
}

TEST(MarkedChange, LeavesOutVisitsThatOnlyOpenedAConnection) {
  Story story = story_of(3, 3);
  story.connection("10.0.0.6", 999, "192.0.2.80", 80, 100, 6);
  const Report r = report_of(story, {{at_ms(5'500), "x"}});
  std::size_t before = 0;
  for (const MarkedChange::Service& s : r.changes[0].services) before += s.before.visits;
  EXPECT_EQ(before, 3U);
}

TEST(MarkedChange, LeavesOutWhatGoesOnAcrossTheMark) {
  const Report r = report_of(story_of(3, 3), {{at_ms(4'200), "x"}});  // within the third visit
  EXPECT_EQ(r.changes[0].services[0].before.visits, 2U);
  EXPECT_EQ(r.changes[0].services[0].after.visits, 3U);
}

/// `ok` visits of about 500 ms, then the mark, then `failing` that `fail` tells: one every two seconds.
template <class Fail>
Report report_of_failing(int ok, int failing, Fail fail) {
  Story story = story_of(ok, 0);
  for (int i = ok; i < ok + failing; ++i) fail(story, i, 2000.0 * i);
  return report_of(story, {{at_ms(2000.0 * ok - 500), "x"}});
}

const auto never_answered = [](Story& s, int i, double t) {
  const auto port = static_cast<std::uint16_t>(1000 + i);
  s.http(s.connection("10.0.0.5", port, "192.0.2.80", 80, t, 6), "/", t + 6, Story::kNever);
};

TEST(MarkedChange, AnOutageIsNoImprovement) {
  const Report r = report_of_failing(20, 20, never_answered);
  const MarkedChange::Service& s = r.changes[0].services[0];
  EXPECT_EQ(s.after.visits, 20U);
  EXPECT_EQ(s.after.unanswered, 20U);
  EXPECT_EQ(s.after.p50_ns, kUnknownNs);
  EXPECT_FALSE(s.beyond_chance);
  EXPECT_EQ(mark_verdict(s), "more not answered");
  EXPECT_EQ(mark_failures(s), "not answered: 0 of 20 before, 20 of 20 after");
  EXPECT_THAT(render_text(r, {}), HasSubstr("not answered: 0 of 20 before, 20 of 20 after"));
  EXPECT_THAT(render_html(r), HasSubstr("not answered: 0 of 20 before, 20 of 20 after"));
  EXPECT_THAT(render_json(r), HasSubstr(R"("unanswered":20)"));
}

TEST(MarkedChange, UnansweredVisitsAreInNoQuantile) {
  const Report r = report_of_failing(20, 24, [](Story& s, int i, double t) {
    if (i % 4 == 0) return never_answered(s, i, t);
    Connection& c =
        s.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    s.http(c, "/", t + 6, t + 100 + i % 7).content_type = "text/html";
  });
  const MarkedChange::Service& s = r.changes[0].services[0];
  EXPECT_EQ(s.after.visits, 24U);
  EXPECT_EQ(s.after.unanswered, 6U);
  EXPECT_EQ(s.after.p50_ns, 102 * kMillisecondNs);
  EXPECT_EQ(mark_verdict(s), "more not answered");
}

TEST(MarkedChange, FastErrorsAreNoImprovement) {
  const Report r = report_of_failing(20, 20, [](Story& s, int i, double t) {
    Connection& c =
        s.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    s.http(c, "/", t + 6, t + 10 + i % 7).status = 503;
  });
  const MarkedChange::Service& s = r.changes[0].services[0];
  EXPECT_EQ(s.after.errors, 20U);
  EXPECT_EQ(s.after.p50_ns, 13 * kMillisecondNs);
  EXPECT_FALSE(s.beyond_chance);
  EXPECT_EQ(mark_verdict(s), "more errors");
  EXPECT_EQ(mark_failures(s), "with an error: 0 of 20 before, 20 of 20 after");
}

TEST(MarkedChange, WhoIsRefusedIsNotAnswered) {
  const Report r = report_of_failing(20, 20, [](Story& s, int i, double t) {
    Connection& c =
        s.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    s.fail(c, ConnectionState::refused, t + 6);
  });
  std::size_t unanswered = 0;
  for (const MarkedChange::Service& s : r.changes[0].services) unanswered += s.after.unanswered;
  EXPECT_EQ(unanswered, 20U);
}

TEST(MarkedChange, ThatOutagesEndedIsNoReasonForNoVerdict) {
  Story story;
  for (int i = 0; i < 4; ++i) never_answered(story, 500 + i, 100 + 1200.0 * i);
  for (int i = 0; i < 40; ++i) {
    const double t = 6000 + 2000.0 * i;
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, t, 6);
    story.http(c, "/", t + 6, t + (i < 20 ? 500 : 100) + i % 7).content_type = "text/html";
  }
  const Report r = report_of(story, {{at_ms(45'500), "x"}});
  EXPECT_EQ(r.changes[0].services[0].before.unanswered, 4U);
  EXPECT_EQ(mark_verdict(r.changes[0].services[0]), "beyond chance");
}

TEST(MarkedChange, WhatMayYetBeAnsweredIsLeftOut) {
  Story story = story_of(3, 0);
  never_answered(story, 90, 5'600);   // the mark is 400 ms behind it
  never_answered(story, 91, 99'500);  // the capture's end is 500 ms behind it
  const Report r = report_of(story, {{at_ms(6'000), "x"}});
  EXPECT_EQ(r.changes[0].services[0].before.visits, 3U);
  EXPECT_EQ(r.changes[0].services[0].before.unanswered, 0U);
  EXPECT_EQ(r.changes[0].services[0].after.unanswered, 0U);
}

TEST(MarkedChange, OfASampleItSaysWhatTheVisitsStandFor) {
  Story story = story_of(20, 20);
  for (int i = 0; i < 12; ++i) never_answered(story, 500 + i, 82'000 + 1200.0 * i);
  const Dataset data = story.dataset();
  VisitLimits limits;
  limits.max_stored = 16;  // eight of twelve with trouble, eight of forty without
  const Visits visits = find_visits(data, correlate(data), limits);
  ASSERT_EQ(visits.stored.size(), 16U);
  CaptureBlock capture;
  capture.last_time_ns = at_ms(100'000);
  capture.marks = {{at_ms(97'500), "x"}};
  const auto s = changes_at(capture, visits, data, {}).at(0).services.at(0);
  EXPECT_EQ(s.before.visits, visits.seen);
  EXPECT_EQ(s.before.unanswered, 12U);
}

TEST(MarkedChange, AFewHeavyVisitsOfASampleAreFew) {
  const Dataset data = story_of(10, 10).dataset();
  Visits visits = find_visits(data, correlate(data), {});
  CaptureBlock capture;
  capture.last_time_ns = at_ms(100'000);
  capture.marks = {{at_ms(19'500), "x"}};
  EXPECT_TRUE(changes_at(capture, visits, data, {})[0].services[0].beyond_chance);
  visits.stored[0].weight = visits.stored[1].weight = 1000;
  EXPECT_EQ(changes_at(capture, visits, data, {})[0].services[0].before.visits, 2008U);
  EXPECT_FALSE(changes_at(capture, visits, data, {})[0].services[0].beyond_chance);
}

TEST(MarkedChange, OutsideOfTheCaptureThereIsNothingToCompare) {
  const Report r = report_of(story_of(10, 20), {{kBegin - 1, "early"}, {at_ms(200'000), "late"}});
  EXPECT_EQ(mark_verdict(r.changes[0].services[0]), "no visit before it");
  EXPECT_EQ(mark_verdict(r.changes[1].services[0]), "no visit after it");
  EXPECT_THAT(mark_title(r, r.changes[0].mark), HasSubstr("before the capture begins"));
  EXPECT_THAT(mark_title(r, r.changes[1].mark), HasSubstr("after the capture ends"));
  EXPECT_EQ(mark_difference(r.changes[0].services[0]), "-");
}

/// Pages whose image opens a connection of its own, late: 40 ms of 160. From the `late`-th on it was open before.
Story story_of_late_images(int late, int ready) {
  Story s;
  for (int i = 0; i < late + ready; ++i) {
    const double t = 2000.0 * i;
    const auto port = static_cast<std::uint16_t>(1000 + 2 * i);
    const double image = i < late ? t + 80 + 40 : t + 80;
    s.http(s.connection("10.0.0.5", port, "192.0.2.80", 80, t, 40), "/", t + 40, t + 80)
        .content_type = "text/html";
    Connection& second = s.connection("10.0.0.5", static_cast<std::uint16_t>(port + 1),
                                      "192.0.2.80", 80, i < late ? t + 80 : t + 0.1, 40);
    s.http(second, "/a.png", image + 0.1, image + 40 + i % 5);
  }
  return s;
}

const std::string kLate = "http-late-connection";

TEST(MarkedChange, APredictionOfBeforeIsHeldAgainstWhatCameAfter) {
  const Report r =
      report_of(story_of_late_images(20, 20), {{at_ms(39'500), "preconnect (" + kLate + ")"}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  ASSERT_EQ(s.predicted.size(), 1U);
  const MarkedChange::Prediction& p = s.predicted[0];
  EXPECT_EQ(p.rule, kLate);
  EXPECT_TRUE(p.named);
  EXPECT_EQ(p.held, MarkedChange::Prediction::Held::yes);
  EXPECT_LE(p.low_ns, s.before.p50_ns - 40 * kMillisecondNs);
  EXPECT_LT(p.high_ns, s.before.p50_ns);
  ASSERT_EQ(r.ledger.size(), 1U);
  EXPECT_EQ(r.ledger[0].held, 1U);
  EXPECT_NEAR(r.ledger[0].saved_share, 1, 0.1);
  EXPECT_THAT(mark_predictions(s).at(0), HasSubstr("ms: as predicted"));
  for (const std::string& page : {render_text(r, {}), render_html(r)}) {
    EXPECT_THAT(page, HasSubstr("1 of 1 prediction held"));
  }
  EXPECT_THAT(render_text(r, {}), HasSubstr("as predicted"));
  const std::string json = render_json(r);
  EXPECT_THAT(json, HasSubstr(R"("held":"yes")"));
  EXPECT_THAT(json, HasSubstr(R"("rule":"http-late-connection","predictions":1,"held":1)"));
}

TEST(MarkedChange, APredictionThatDidNotHoldSaysSo) {
  const Report r = report_of(story_of_late_images(40, 0), {{at_ms(39'500), kLate + ": nothing"}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  EXPECT_EQ(s.predicted.at(0).held, MarkedChange::Prediction::Held::slower);
  EXPECT_EQ(r.ledger.at(0).held, 0U);
  EXPECT_NEAR(r.ledger[0].saved_share, 0, 0.1);
}

TEST(MarkedChange, AFewVisitsAfterHoldNoPrediction) {
  const Report r = report_of(story_of_late_images(20, 3), {{at_ms(39'500), kLate}});
  EXPECT_EQ(r.changes.at(0).services.at(0).predicted.at(0).held,
            MarkedChange::Prediction::Held::too_few);
  EXPECT_TRUE(r.ledger.empty());
}

TEST(MarkedChange, AFewVisitsBeforeHoldNoPrediction) {
  const Report r = report_of(story_of_late_images(3, 20), {{at_ms(5'500), kLate}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  EXPECT_EQ(s.before.p50_low_ns, kUnknownNs);
  EXPECT_EQ(s.predicted.at(0).held, MarkedChange::Prediction::Held::too_few);
  EXPECT_THAT(mark_predictions(s)[0], HasSubstr("to tell"));
  EXPECT_TRUE(r.ledger.empty());
}

/// As story_of_late_images, with images that take up to ten times `apart_ms` longer, each page another time.
Story story_of_varied_pages(double apart_ms) {
  Story s = story_of_late_images(20, 20);
  for (std::size_t i = 1; i < s.all_http().size(); i += 2) {
    const double later_ms = apart_ms * static_cast<double>(i / 2 % 10);
    s.all_http()[i].response_first_ns += static_cast<DurationNs>(later_ms * 1e6);
    s.all_http()[i].response_last_ns += static_cast<DurationNs>(later_ms * 1e6);
  }
  return s;
}

TEST(MarkedChange, APredictionLeavesOpenWhatTheMedianBeforeDoes) {
  const Report r = report_of(story_of_varied_pages(2), {{at_ms(39'500), kLate}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  const MarkedChange::Prediction& p = s.predicted.at(0);
  const DurationNs open_ns = s.before.p50_high_ns - s.before.p50_low_ns;
  EXPECT_GT(open_ns, 4 * kMillisecondNs);
  EXPECT_LT(open_ns, p.saving_ns);
  EXPECT_GE(p.high_ns - p.low_ns, open_ns);
  EXPECT_EQ(p.held, MarkedChange::Prediction::Held::yes);
  EXPECT_EQ(r.ledger.at(0).held, 1U);
}

TEST(MarkedChange, WhatIsOpenByMoreThanTheSavingHoldsNoPrediction) {
  const Report r = report_of(story_of_varied_pages(20), {{at_ms(39'500), kLate}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  EXPECT_GT(s.before.p50_high_ns - s.before.p50_low_ns, s.predicted.at(0).saving_ns);
  EXPECT_EQ(s.predicted[0].held, MarkedChange::Prediction::Held::too_few);
  EXPECT_TRUE(r.ledger.empty());
}

TEST(MarkedChange, AMedianAfterThatMayBeEitherHoldsNoPrediction) {
  // Of 20 pages after the mark 12 are as slow as before: the median may be either.
  const Report r = report_of(story_of_late_images(32, 8), {{at_ms(39'500), kLate}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  EXPECT_LE(s.after.p50_low_ns, s.predicted.at(0).high_ns);
  EXPECT_GE(s.after.p50_high_ns, s.before.p50_low_ns);
  EXPECT_EQ(s.predicted[0].held, MarkedChange::Prediction::Held::too_few);
}

TEST(MarkedChange, MarksOfOneInstantAreOneChange) {
  const Report r = report_of(story_of_late_images(20, 20),
                             {{at_ms(39'500), "one"}, {at_ms(39'500), "two " + kLate}});
  ASSERT_EQ(r.changes.size(), 1U);
  EXPECT_EQ(r.changes[0].mark.what, "one; two " + kLate);
  const MarkedChange::Service& s = r.changes[0].services.at(0);
  EXPECT_EQ(s.before.visits, 20U);
  EXPECT_EQ(s.after.visits, 20U);
  ASSERT_EQ(r.ledger.size(), 1U);
  EXPECT_EQ(r.ledger[0].predictions, 1U);
}

TEST(MarkedChange, OfARuleThatPredictedNothingItIsSaidSo) {
  const Report r = report_of(story_of_late_images(20, 20),
                             {{at_ms(39'500), "HTTP-Late-Connection, dns-slow-resolver"}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  ASSERT_EQ(s.predicted.size(), 1U);
  EXPECT_TRUE(s.predicted[0].named);
  EXPECT_EQ(r.changes[0].predicted_nothing, std::vector<std::string>{"dns-slow-resolver"});
  const std::string said = "service here: dns-slow-resolver.";
  EXPECT_THAT(mark_predicted_nothing(r.changes[0]), HasSubstr(said));
  EXPECT_THAT(render_text(r, {}), HasSubstr("dns-slow-resolver."));
  EXPECT_THAT(render_html(r), HasSubstr(said));
  EXPECT_THAT(render_json(r), HasSubstr(R"("predicted_nothing":["dns-slow-resolver"])"));
}

TEST(MarkedChange, ARuleIsNamedByAWholeWord) {
  const Report r = report_of(story_of_late_images(20, 20),
                             {{at_ms(39'500), "see my-" + kLate + " and " + kLate + "s"}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  ASSERT_FALSE(s.predicted.empty());  // said all the same, but nobody says that it was acted on
  EXPECT_FALSE(s.predicted[0].named);
  EXPECT_EQ(s.predicted[0].held, MarkedChange::Prediction::Held::not_asked);
  EXPECT_TRUE(r.ledger.empty());
  EXPECT_THAT(render_text(r, {}), HasSubstr("when the mark's words name its rule"));
}

TEST(MarkedChange, WhatCameAfterIsNoPartOfThePrediction) {
  const auto predicted = [](const Story& story) {
    return report_of(story, {{at_ms(39'500), kLate}}).changes.at(0).services.at(0).predicted.at(0);
  };
  const MarkedChange::Prediction one = predicted(story_of_late_images(20, 20));
  const MarkedChange::Prediction other = predicted(story_of_late_images(40, 0));
  EXPECT_EQ(one.low_ns, other.low_ns);
  EXPECT_EQ(one.high_ns, other.high_ns);
}

TEST(MarkedChange, AConnectionThatLivesOnTellsNothingOfLater) {
  // One connection, whose round trips may get shorter behind the mark: 24 bursts of queries, one by one.
  const auto predicted = [](const std::vector<DurationNs>& later_rtts_ns) {
    constexpr double kEveryMs = 3000, kQueryMs = 6.2;
    Story story;
    Connection& c = story.connection("10.0.0.5", 1000, "192.0.2.80", 6379, 0, 6);
    for (int burst = 0; burst < 24; ++burst) {
      double at = 6.1 + kEveryMs * burst;
      for (int i = 0; i < 8; ++i, at += kQueryMs + 0.1)
        story.query(c, Protocol::redis, "GET user:?", at, at + kQueryMs);
    }
    for (const DurationNs rtt_ns : later_rtts_ns) {
      c.rtt_probe_server.add(rtt_ns);
      c.rtt_probe_client.add(60'000);
    }
    c.last_time_ns = at_ms(95'000);
    const Report r = report_of(story, {{at_ms(35'500), "db-serial-roundtrips"}});
    return r.changes.at(0).services.at(0).predicted.at(0);
  };
  const MarkedChange::Prediction one = predicted({});
  const MarkedChange::Prediction other = predicted({1'000'000, 2'200'000, 2'300'000});
  EXPECT_EQ(one.low_ns, other.low_ns);
  EXPECT_EQ(one.high_ns, other.high_ns);
}

TEST(MarkedChange, AnOutageIsHeldAgainstNoPrediction) {
  Story story = story_of_late_images(20, 0);
  for (int i = 20; i < 40; ++i) never_answered(story, 500 + i, 2000.0 * i);
  Connection& c = story.connection("10.0.0.5", 9, "192.0.2.80", 80, 82'000, 40);
  story.http(c, "/", 82'040, 82'080).content_type = "text/html";
  const Report r = report_of(story, {{at_ms(39'500), kLate}});
  const MarkedChange::Service& s = r.changes.at(0).services.at(0);
  EXPECT_EQ(mark_verdict(s), "more not answered");
  ASSERT_EQ(s.predicted.size(), 1U);
  EXPECT_EQ(s.predicted[0].held, MarkedChange::Prediction::Held::not_asked);
  EXPECT_THAT(mark_predictions(s)[0], HasSubstr("no verdict"));
}

TEST(MarkedChange, MarksWithoutVisitsTakeOneLine) {
  std::vector<Mark> marks;
  for (int i = 0; i < 50; ++i) marks.push_back({kBegin - kSecondNs * (50 - i), "old"});
  marks.push_back({at_ms(39'500), "new"});
  const Report r = report_of(story_of(20, 25), std::move(marks));
  // The last one before the capture has visits behind it.
  EXPECT_THAT(render_text(r, {}), HasSubstr("49 marks without a visit around them"));
  EXPECT_THAT(render_html(r), HasSubstr("49 marks without a visit around them"));
}

TEST(MarkedChange, AMarkWithinTheCaptureIsNamedWithoutAVisitAroundIt) {
  const Report r =
      report_of(story_of(20, 20), {{at_ms(90'000), "one"}, {at_ms(91'000), "<two>"}, {0, "past"}});
  EXPECT_EQ(mark_alone(r, 0), "");
  EXPECT_THAT(mark_alone(r, 2), HasSubstr("<two>: no whole visit"));
  for (const std::string& page : {flat(render_text(r, {})), render_html(r)}) {
    EXPECT_THAT(page, testing::AnyOf(HasSubstr("<two>: no whole visit from"),
                                     HasSubstr("3. 2023-11-14 22:14:51.000000000 UTC, 91000.000 ms "
                                               "after the capture begins: &lt;two&gt;: no whole")));
    EXPECT_THAT(page, Not(HasSubstr("2 marks without a visit around them")));
  }
}

TEST(MarkedChange, EveryRendererShowsIt) {
  const Report r = report_of(story_of(20, 25), {{at_ms(39'500), "http2 <on>"}});
  const std::string text = render_text(r, {});
  EXPECT_THAT(text, HasSubstr("http2 <on>"));
  EXPECT_THAT(text, HasSubstr("-400.000  beyond chance\n"));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 100U) << text.substr(at, end - at);
    at = end + 1;
  }
  const std::string json = render_json(r);
  EXPECT_THAT(json, HasSubstr(R"("what":"http2 <on>")"));
  EXPECT_THAT(json, HasSubstr(R"("beyond_chance":true)"));
  const std::string html = render_html(r);
  EXPECT_THAT(html, HasSubstr("http2 &lt;on&gt;"));
  EXPECT_THAT(html, HasSubstr("beyond chance"));
  EXPECT_THAT(html, HasSubstr("class=\"mark"));  // in the heat map
}

TEST(MarkedChange, TheOperatorsWordsAreOfAnyLanguage) {
  std::string what = "\xc3\x84nderung \xe2\x82\xac\x1b[2J\xc2\x9b\xe2\x80\xae\xff ";
  for (int i = 0; i < 80; ++i) what += "\xc3\xbc";  // longer than a line
  const Report r = report_of(story_of(3, 3), {{at_ms(5'500), what}});
  const std::string words = "\xc3\x84nderung \xe2\x82\xac\\x1b[2J\\u{009b}\\u{202e}\\xff";
  EXPECT_THAT(mark_title(r, r.changes[0].mark), HasSubstr(words + " \xc3\xbc"));
  const std::string text = render_text(r, {});
  EXPECT_THAT(text, HasSubstr("\xc3\x84nderung\n"));
  EXPECT_THAT(text, HasSubstr(words.substr(words.find(' ') + 1)));
  EXPECT_EQ(utf8(text), text);  // no letter is cut in two
  EXPECT_THAT(render_html(r), HasSubstr(words));
}

TEST(MarkedChange, LongWordsAreCutAndItIsSaid) {
  std::string what;
  for (int i = 0; i < 250; ++i) what += "\xc3\xbc";
  const Report r = report_of(story_of(3, 3), {{at_ms(5'500), what}});
  EXPECT_THAT(mark_title(r, r.changes[0].mark),
              testing::EndsWith(what.substr(0, 400) + " ... (cut: 200 of 250 letters)"));
  EXPECT_THAT(render_json(r), HasSubstr(what));
}

using Since = DoneAlready::Since;
const std::string kMarkWords = "preconnect (" + kLate + ")";

/// The finding of the rule in `list`; null when there is none.
const Finding* of_late(const std::vector<Finding>& list) {
  const auto at =
      std::find_if(list.begin(), list.end(), [](const Finding& f) { return f.rule == kLate; });
  return at == list.end() ? nullptr : &*at;
}

TEST(DoneAlready, WhatIsNotSeenAfterItsMarkIsNotRecommendedAgain) {
  const Story story = story_of_late_images(20, 20);
  ASSERT_NE(of_late(report_of(story, {}).advice.findings), nullptr);
  const Report r = report_of(story, {{at_ms(39'500), kMarkWords}});
  EXPECT_EQ(of_late(r.advice.findings), nullptr);
  const Finding* f = of_late(r.advice.done);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->done->since, Since::not_seen);
  EXPECT_EQ(f->done->visits_since, 20U);
  EXPECT_EQ(f->affected_actions, 20U);
  EXPECT_DOUBLE_EQ(f->affected_share, 1);  // of those before
  EXPECT_GT(f->saving.low_ns, 35 * kMillisecondNs);
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text,
              HasSubstr("do first nothing: no rule found a change that would make a user wait "
                        "less, but for what is marked as done already (1 finding: part 4)"));
  EXPECT_THAT(text, HasSubstr("Marked as done, and not recommended again"));
  EXPECT_THAT(text, HasSubstr("\"), not seen after it in 20 visits"));
  EXPECT_THAT(text, HasSubstr("marks 1 marked change, \"" + kMarkWords + "\" (2023-11-14"));
  EXPECT_THAT(text, HasSubstr("1 of 1 prediction held; not seen any more: 1 finding"));
  EXPECT_THAT(text, Not(HasSubstr("No rule found anything worth changing")));
  const std::string html = render_html(r);
  EXPECT_THAT(html, HasSubstr("Marked as done, and not recommended again"));
  EXPECT_THAT(html, HasSubstr("but for what is marked as done already"));
  EXPECT_THAT(render_json(r),
              HasSubstr(R"("since":"not_seen","visits_before":20,"visits_since":20)"));
}

TEST(DoneAlready, WhatIsStillSeenAfterItsMarkIsOfTheVisitsSince) {
  const Report r = report_of(story_of_late_images(30, 10), {{at_ms(39'500), kMarkWords}});
  EXPECT_TRUE(r.advice.done.empty());
  const Finding* f = of_late(r.advice.findings);
  ASSERT_NE(f, nullptr);
  ASSERT_TRUE(f->done);
  EXPECT_EQ(f->done->since, Since::seen);
  EXPECT_EQ(f->affected_actions, 10U);  // 20 more had it before the mark
  EXPECT_DOUBLE_EQ(f->affected_share, 0.5);
  for (const Edit& e : f->edits) EXPECT_GE(r.visits.stored[e.visit].start_ns, at_ms(39'500));
  ASSERT_FALSE(f->evidence.empty());
  for (const Evidence& e : f->evidence) {
    EXPECT_GE(e.time_ns, at_ms(39'500));
    EXPECT_EQ(r.data.connections()[e.connection].start_time_ns, e.time_ns);
  }
  const std::string said =
      "\"), still seen after it: in 10 of 20 visits, before it in 20 of 20 visits";
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text.substr(0, text.find("1. Every DNS")), HasSubstr(said));  // on the first screen
  EXPECT_THAT(text, HasSubstr("; marked as done and still seen: 1 finding"));
  EXPECT_THAT(render_html(r), HasSubstr("&quot;), still seen after it: in 10 of 20 visits"));
  EXPECT_THAT(render_json(r), HasSubstr(R"("since":"seen","visits_before":20,"visits_since":20,)"
                                        R"("affected_before":20,"affected_since":10)"));
}

TEST(DoneAlready, AFewVisitsSinceDoNotShowThatSomethingRareIsGone) {
  // 6 of 30 visits had it before; of 5 since, all would be without it one time in three.
  const Report r = report_of(story_of_late_images(6, 29), {{at_ms(59'500), kMarkWords}});
  const Finding* f = of_late(r.advice.done);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->done->since, Since::not_captured);
  EXPECT_EQ(f->done->visits_since, 5U);
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text,
              HasSubstr("what came after it (5 visits) is too little to tell whether it is gone"));
  EXPECT_THAT(text, HasSubstr("nothing captured tells whether it is gone: 1 finding"));
  // Of 20 since it would be one time in a hundred.
  const Report more = report_of(story_of_late_images(6, 44), {{at_ms(59'500), kMarkWords}});
  ASSERT_NE(of_late(more.advice.done), nullptr);
  EXPECT_EQ(of_late(more.advice.done)->done->since, Since::not_seen);
}

TEST(DoneAlready, WhatIsStillSeenIsToldAsItIsSince) {
  // GIVEN a resolver that answered nobody before the mark, and loses one answer of many since
  Story story;
  std::uint16_t port = 1000;
  const auto visit = [&](double t, double answer_ms, const char* resolver) {
    story.dns({"10.0.0.5", resolver, "www.example"}, t, t + answer_ms, DnsOutcome::answered,
              {"192.0.2.80"});
    Connection& c = story.connection("10.0.0.5", ++port, "192.0.2.80", 80, t + answer_ms + 0.5, 6);
    story.http(c, "/", t + answer_ms + 7, t + answer_ms + 100);
    story.close(c, t + answer_ms + 101);
  };
  const auto stalled_visit = [&](double t) {
    story.dns({"10.0.0.5", "192.0.2.53", "www.example"}, t, Story::kNever);
    visit(t + 5000, 3, "192.0.2.54");
  };
  for (int i = 0; i < 6; ++i) stalled_visit(6500.0 * i);
  for (int i = 0; i < 35; ++i) visit(39'000 + 1500.0 * i, 3, "192.0.2.53");
  stalled_visit(92'000);
  const Report r = report_of(story, {{at_ms(38'500), "resolver mended (dns-timeout-retry)"}});
  const auto at = std::find_if(r.advice.findings.begin(), r.advice.findings.end(),
                               [](const Finding& f) { return f.rule == "dns-timeout-retry"; });
  ASSERT_NE(at, r.advice.findings.end());
  ASSERT_TRUE(at->done);
  // THEN it is no longer to be taken out
  EXPECT_THAT(at->title, HasSubstr("lost"));
  for (const Change& c : at->change) EXPECT_THAT(c.snippet, Not(HasSubstr("remove")));
  EXPECT_LE(at->saving.low_ns, 4000 * kMillisecondNs);
  const std::set<std::string> reasons(at->why_not_higher.begin(), at->why_not_higher.end());
  EXPECT_EQ(reasons.size(), at->why_not_higher.size()) << "each is said once";
}

TEST(DoneAlready, NothingOfAfterTheMarkShowsNothing) {
  const Report r = report_of(story_of_late_images(20, 0), {{at_ms(90'000), kLate}});
  const Finding* f = of_late(r.advice.done);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->done->since, Since::not_captured);
  EXPECT_THAT(flat(render_text(r, {})),
              HasSubstr("; no visit after it that could show it is captured"));
  const Report later = report_of(story_of_late_images(20, 0), {{at_ms(900'000), kLate}});
  ASSERT_NE(of_late(later.advice.done), nullptr);
  EXPECT_EQ(of_late(later.advice.done)->done->since, Since::not_captured);
}

TEST(DoneAlready, OfAMarkBeforeTheCaptureAllIsSince) {
  const Story story = story_of_late_images(20, 0);
  const Report r = report_of(story, {{kBegin - 3600 * kSecondNs, kLate}});
  const Finding* f = of_late(r.advice.findings);
  ASSERT_NE(f, nullptr);
  ASSERT_TRUE(f->done);
  EXPECT_EQ(f->done->since, Since::seen);
  const Report without = report_of(story, {});
  const Finding* unmarked = of_late(without.advice.findings);
  EXPECT_EQ(f->saving.low_ns, unmarked->saving.low_ns);
  EXPECT_EQ(f->affected_actions, unmarked->affected_actions);
}

TEST(DoneAlready, WhatOnlyTheWholeCaptureShowsIsSeenToo) {
  // A server that answers one at a time in 50 ms, and eight clients that ask it together from 6 s on: that this is
  // slow can be told from before alone.
  Story story;
  for (int i = 0; i < 8; ++i) {
    Connection& c = story.connection("10.0.0." + std::to_string(i + 1),
                                     static_cast<std::uint16_t>(1000 + i), "192.0.2.80", 80, i, 1);
    if (i == 0) {
      for (int n = 1; n < 60; ++n) story.http(c, "/", 100.0 * n, 100.0 * n + 50);
    }
    for (int n = 0; n < 40; ++n) {
      const double asked = 6000 + 50 * i + 400.0 * n;
      story.http(c, "/", asked, asked + 400);
    }
  }
  const auto of_knee = [](const std::vector<Finding>& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const Finding& f) { return f.rule == "srv-saturation-knee"; });
  };
  const Report r = report_of(story, {{at_ms(14'000), "srv-saturation-knee: one more"}});
  EXPECT_TRUE(of_knee(r.advice.findings));
  EXPECT_FALSE(of_knee(r.advice.done));
}

TEST(DoneAlready, TheLatestMarkThatNamesTheRuleCounts) {
  const Report r = report_of(story_of_late_images(20, 20), {{at_ms(39'500), kLate + " again"},
                                                            {at_ms(9'500), kLate},
                                                            {at_ms(50'000), "something else"}});
  ASSERT_NE(of_late(r.advice.done), nullptr);
  EXPECT_EQ(of_late(r.advice.done)->done->time_ns, at_ms(39'500));
}

TEST(DoneAlready, AMarkThatNamesNoRuleChangesNoAdvice) {
  const Report r = report_of(story_of_late_images(20, 20), {{at_ms(39'500), "preconnect"}});
  const Finding* f = of_late(r.advice.findings);
  ASSERT_NE(f, nullptr);
  EXPECT_FALSE(f->done);
  EXPECT_EQ(f->affected_actions, 20U);
}

TEST(DoneAlready, AnotherServiceSinceShowsNothing) {
  Story story = story_of_late_images(20, 0);
  for (int i = 20; i < 40; ++i) {
    const double t = 2000.0 * i;
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(3000 + i), "192.0.2.81", 80, t, 6);
    story.http(c, "/", t + 6, t + 100).content_type = "text/html";
  }
  for (std::size_t i = 40; i < story.all_http().size(); ++i) story.all_http()[i].host = "other";
  const Report r = report_of(story, {{at_ms(39'500), kLate}});
  const Finding* f = of_late(r.advice.done);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->done->since, Since::not_captured);
  EXPECT_EQ(f->done->visits_since, 0U);
}

TEST(MarkedChange, WithoutMarksNothingIsSaid) {
  const Report r = report_of(story_of(20, 25), {});
  EXPECT_THAT(render_text(r, {}), Not(HasSubstr("Marked changes")));
  EXPECT_THAT(render_html(r), Not(HasSubstr("Marked changes")));
  EXPECT_THAT(render_json(r), HasSubstr("\"marks\": []"));
  EXPECT_THAT(render_text(r, {}), Not(HasSubstr("marks ")));
  EXPECT_EQ(marks_summary(r), "");
}

}  // namespace
}  // namespace wirelag::report
