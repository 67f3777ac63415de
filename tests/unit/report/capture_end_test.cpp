// What was unfinished when the capture ended: no renderer calls it a failure, and all say the same of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wirelag/report/report.hpp>
#include <wirelag/track/http/parser.hpp>

#include "../control/story.hpp"
#include "failures.hpp"
#include "flat.hpp"
#include "visit_outcome.hpp"
#include "waits.hpp"

namespace wirelag::report {
namespace {

using test::at_ms;
using test::kBegin;
using test::Story;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kAsker = "10.0.0.5";
constexpr const char* kAsked = "192.0.2.80";

Connection& syn(Story& s, std::uint16_t port, double ms) {
  Connection& c =
      s.fail(s.connection(kAsker, port, kAsked, 80, ms, 6), ConnectionState::syn_unanswered, ms);
  c.one_sided = true;
  c.syn_ack_frames = {};
  c.half.c2s.packets = 1;
  return c;
}

Report ends(Story& story, double ms) {
  story.ends(ms);
  CaptureBlock capture;
  capture.name = "a.pcap";
  capture.first_time_ns = kBegin;
  capture.last_time_ns = at_ms(ms);
  return build_report(std::move(capture), {}, {}, story.dataset(), Thresholds{}, {""});
}

/// A lookup and a SYN, both unanswered.
Story asked() {
  Story s;
  s.dns({kAsker, "192.0.2.53", "www.example.com"}, 0, Story::kNever);
  syn(s, 1000, 100);
  return s;
}

TEST(CaptureEnd, WhatWasAskedShortlyBeforeItDidNotFail) {
  Story s = asked();
  const Report r = ends(s, 500);
  EXPECT_THAT(failures(r).said, testing::IsEmpty());
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text, Not(HasSubstr("not answered")));
  EXPECT_THAT(text, Not(HasSubstr("unanswered")));
  EXPECT_THAT(text, HasSubstr("1 lookup in 1 transaction: 1 unfinished when the capture ended"));
  EXPECT_THAT(text, HasSubstr("unfinished when the capture ended 500.000 ms later"));
  EXPECT_THAT(text, HasSubstr("1 connection: 1 unfinished when the capture ended"));
  EXPECT_THAT(text, HasSubstr("unfinished when the capture ended: its SYN was sent 400.000 ms"));
  const std::string html = render_html(r);
  EXPECT_THAT(html, HasSubstr("1 lookup in 1 transaction: 1 unfinished when the capture ended."));
  EXPECT_THAT(html, Not(HasSubstr("Did not work")));
  EXPECT_THAT(html, Not(HasSubstr("class=\"bad\"")));
  EXPECT_THAT(html, Not(HasSubstr("not answered")));
  // What the JSON says is what was captured, and its meaning stays.
  const auto json = nlohmann::json::parse(render_json(r));
  EXPECT_EQ(json["tcp"]["connections"][0]["state"], "syn_unanswered");
  EXPECT_EQ(json["dns"]["lookups"][0]["outcome"], "unanswered");
}

TEST(CaptureEnd, WhatHadWaitedLongFailed) {
  Story s = asked();
  const Report r = ends(s, 6'000);
  EXPECT_THAT(failures(r).said, testing::SizeIs(2));
  EXPECT_THAT(render_html(r), HasSubstr("Did not work"));
  EXPECT_THAT(flat(render_text(r, {})),
              testing::AllOf(HasSubstr("1 of 1 DNS lookup: 1 not answered"),
                             HasSubstr("1 of 1 TCP connection: 1 not answered")));
}

VisitOutcome outcome(Story& s, double ends_ms) {
  const Report r = ends(s, ends_ms);
  EXPECT_EQ(r.visits.stored.size(), 1U);
  return outcome_of(r.visits.stored.at(0), r.data);
}

TEST(CaptureEnd, AVisitThatWasStillWaitingIsNeitherAnsweredNorNot) {
  Story s;
  Connection& c = s.connection(kAsker, 1000, kAsked, 80, 0, 6);
  s.http(c, "/", 6, 900).content_type = "text/html";
  EXPECT_EQ(outcome(s, 1'500), VisitOutcome::answered);
  // WHEN it asks more THEN it depends on how long that waited
  s.http(c, "/a.png", 1'300, Story::kNever);
  EXPECT_EQ(outcome(s, 1'500), VisitOutcome::unfinished);
  EXPECT_EQ(outcome(s, 2'400), VisitOutcome::unanswered);
  // WHEN a connection beside it was not opened in time THEN that says nothing of what it asked
  syn(s, 1001, 1'000);
  EXPECT_EQ(outcome(s, 2'100), VisitOutcome::unfinished);
}

TEST(CaptureEnd, AVisitThatTriedToConnectIsUnfinishedUntilTheTimeout) {
  Story s;
  syn(s, 1000, 0);
  EXPECT_EQ(outcome(s, 900), VisitOutcome::unfinished);
  EXPECT_EQ(outcome(s, 1'900), VisitOutcome::unanswered);
}

TEST(CaptureEnd, AnUnfinishedVisitIsNotHeldAgainstOthersAtAMark) {
  Story s;
  Connection& c = s.connection(kAsker, 1000, kAsked, 80, 2'000, 6);
  s.http(c, "/", 2'006, 2'900).content_type = "text/html";
  s.http(c, "/a.png", 3'700, Story::kNever);
  s.ends(4'000);
  CaptureBlock capture;
  capture.first_time_ns = kBegin;
  capture.last_time_ns = at_ms(4'000);
  capture.marks = {{at_ms(1'000), "x"}};
  const Report r = build_report(std::move(capture), {}, {}, s.dataset(), Thresholds{}, {""});
  ASSERT_EQ(r.visits.stored.size(), 1U);
  ASSERT_EQ(r.changes.size(), 1U);
  EXPECT_THAT(r.changes[0].services, testing::IsEmpty());
}

TEST(CaptureEnd, AQuestionThatWasAskedAgainWasInVain) {
  Story s;
  for (const double asked_ms : {0.0, 2'000.0}) {
    s.dns({kAsker, "192.0.2.53", "www.example.com"}, asked_ms, Story::kNever);
  }
  const Report r = ends(s, 3'000);
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text, HasSubstr("1 of 1 DNS lookup: 1 not answered"));
  EXPECT_THAT(text, testing::ContainsRegex("192.0.2.53:53 no answer - unanswered"));
  EXPECT_THAT(text, testing::ContainsRegex("192.0.2.53:53 capture ended - -"));
}

std::vector<std::string> unended(Story& s, double ends_ms) {
  return nlohmann::json::parse(render_json(ends(s, ends_ms)))["waits"]["unended"];
}

std::vector<std::string> limits(Story& s, double ends_ms) {
  return wait_limits(ends(s, ends_ms).waits);
}

TEST(CaptureEnd, WhyAWaitIsAtLeastWhatItIsDependsOnWhatWasCutOff) {
  using testing::AllOf;
  using testing::Contains;
  using testing::StartsWith;
  const auto request = StartsWith("Some requests were not answered within the capture: ");
  const auto response = StartsWith("The end of some responses was not captured: ");
  const auto opening =
      StartsWith("Some connections were still being opened when the capture ended");
  // GIVEN a response that had begun
  Story s;
  Connection& c = s.connection(kAsker, 1000, kAsked, 80, 0, 6);
  s.http(c, "/", 6, 50).response_complete = false;
  EXPECT_THAT(limits(s, 60), AllOf(Contains(response), Not(Contains(request))));
  // WHEN a request beside it was not answered at all THEN both are said
  s.http(s.connection(kAsker, 1001, kAsked, 80, 0, 6), "/a.png", 7, Story::kNever);
  EXPECT_THAT(limits(s, 60), AllOf(Contains(request), Contains(response)));
  EXPECT_THAT(unended(s, 60), testing::ElementsAre("requests", "responses"));
  // WHEN a connection was not open yet THEN that is neither
  Story tried;
  syn(tried, 1000, 0);
  EXPECT_THAT(limits(tried, 900), AllOf(Contains(opening), Not(Contains(request))));
  EXPECT_THAT(limits(tried, 1'900), Not(Contains(opening)));
}

TEST(CaptureEnd, AConnectionThatWasStillBeingOpenedSaysHowLongAndIsNoWait) {
  Story s;
  Connection& first = s.connection(kAsker, 999, kAsked, 80, 0, 6);
  s.http(first, "/", 6, 50).content_type = "text/html";
  Connection& c = syn(s, 1000, 20);
  const Report r = ends(s, 500);
  EXPECT_EQ(r.visits.stored.at(0).wait_ns, 50 * kMillisecondNs);
  EXPECT_TRUE(r.visits.stored[0].flags.incomplete);
  EXPECT_THAT(render_html(r), HasSubstr("+20.0 ms, 480 ms so far, capture ended<"));
  // WHEN its SYN was sent again and the next one is not due THEN likewise, and it is in vain so far
  c.last_time_ns = at_ms(1'020);
  test::push(c.syn_frames, 9);
  EXPECT_THAT(render_html(ends(s, 3'000)), HasSubstr("+20.0 ms, 2.98 s so far, not answered<"));
  // WHEN it is overdue THEN the client was seen until its last SYN
  EXPECT_THAT(render_html(ends(s, 9'000)), HasSubstr("+20.0 ms, 1.00 s, not answered<"));
  // WHEN there was one SYN, and nobody knows when the client gave up THEN no time is said
  c.last_time_ns = at_ms(20);
  c.syn_frames = {};
  test::push(c.syn_frames, 8);
  EXPECT_THAT(render_html(ends(s, 9'000)), HasSubstr("+20.0 ms, not answered<"));
}

/// A page whose picture is still coming in when the capture ends.
TEST(CaptureEnd, TextAndHtmlSayTheSameOfAResponseThatDidNotEnd) {
  Story s;
  Connection& c = s.connection(kAsker, 1000, kAsked, 80, 0, 6);
  s.http(c, "/", 6, 50).content_type = "text/html";
  s.http(c, "/a.png", 60, 120).response_complete = false;
  for (const auto& [end_ms, word] :
       {std::pair(121, "capture ended"), std::pair(4'000, "cut off")}) {
    const Report r = ends(s, end_ms);
    EXPECT_THAT(flat(render_text(r, {})), HasSubstr(std::string("200, ") + word));
    const std::string html = render_html(r);
    EXPECT_THAT(html, HasSubstr(std::string("200, ") + word));
    EXPECT_THAT(html, HasSubstr(std::string("ms, ") + word + "<"));
    EXPECT_THAT(html, Not(HasSubstr("ms, not answered<")));
  }
}

TEST(CaptureEnd, AStepOfAVisitSaysHowItEnded) {
  Story s;
  Connection& c = s.connection(kAsker, 1000, kAsked, 80, 0, 6);
  c.half.s2c.packets = 1;
  s.http(c, "/", 6, Story::kNever);
  EXPECT_THAT(render_html(ends(s, 400)), HasSubstr("ms, capture ended<"));
  EXPECT_THAT(render_html(ends(s, 4'000)), HasSubstr("ms, no answer<"));
}

TEST(CaptureEnd, AResponseWhoseEndCannotBeToldIsNotCalledCutOff) {
  Story s;
  HttpTransaction& h = s.http(s.connection(kAsker, 1000, kAsked, 80, 0, 6), "/", 6, 50);
  h.response_complete = false;
  h.response_body_bytes = kUnknownBodyBytes;
  const std::string html = render_html(ends(s, 51));
  EXPECT_THAT(html, Not(HasSubstr("cut off")));
  EXPECT_THAT(html, Not(HasSubstr("ms, not answered<")));
}

}  // namespace
}  // namespace wirelag::report
