#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wirelag/report/report.hpp>

#include "../control/story.hpp"

namespace wirelag {
namespace {

using test::Story;
using testing::HasSubstr;
using testing::Not;

/// Commands that were each answered, and acknowledged, after 50 ms.
Report commands(bool handshake) {
  static std::deque<Story> stories;  // what the reports show lies in them
  Story& story = stories.emplace_back();
  Connection& c = story.connection("10.0.0.5", 4000, "192.0.2.80", 6379, 0, 50);
  if (!handshake) story.midstream(c);
  c.rtt_probe_server.add(50 * kMillisecondNs);
  for (int i = 0; i < 9; ++i) {
    story.query(c, Protocol::redis, "GET", 60 + i * 51.0, 110 + i * 51.0);
  }
  return build_report({}, {}, {}, story.dataset(), {}, {""});
}

TEST(Waits, WithoutAHandshakeTheHeadlineDoesNotCallItTheNetwork) {
  constexpr const char* kEither = "round trips, or the server's own work";
  const Report sure = commands(true);
  EXPECT_FALSE(sure.waits.rounds_unsure);
  EXPECT_EQ(nlohmann::json::parse(render_json(sure))["waits"]["rounds_unsure"], false);
  EXPECT_THAT(render_text(sure, {}), Not(HasSubstr(kEither)));
  const Report unsure = commands(false);
  EXPECT_TRUE(unsure.waits.rounds_unsure);
  EXPECT_EQ(nlohmann::json::parse(render_json(unsure))["waits"]["rounds_unsure"], true);
  EXPECT_THAT(render_text(unsure, {}), HasSubstr(kEither));
  EXPECT_THAT(render_html(unsure), HasSubstr("to round trips, or the server"));
}

/// An answer of 100 segments that took 150 ms from its first byte to its last.
Report download(bool readable) {
  static std::deque<Story> stories;
  Story& story = stories.emplace_back();
  Connection& c = story.connection("10.0.0.5", 4000, "192.0.2.80", 80, 0, 50);
  c.half.s2c.payload_packets = 100;
  c.half.s2c.payload_bytes = 100 * 1448;
  if (readable) {
    story.http(c, "/", 60, 310).response_first_ns = test::at_ms(160);
  } else {
    c.half.c2s.payload_packets = 1;
    c.half.c2s.first_payload_ns = c.half.c2s.last_payload_ns = test::at_ms(60);
    c.half.s2c.first_payload_ns = test::at_ms(160);
    c.half.s2c.last_payload_ns = test::at_ms(310);
    c.last_time_ns = test::at_ms(320);
  }
  return build_report({}, {}, {}, story.dataset(), {}, {""});
}

TEST(Waits, OfAnswersThatCannotBeReadTheHeadlineDoesNotCallItTheirBytes) {
  constexpr const char* kEither = "bytes arriving, or the server's own work";
  const Report sure = download(true);
  EXPECT_FALSE(sure.waits.bandwidth_unsure);
  EXPECT_THAT(render_text(sure, {}), Not(HasSubstr(kEither)));
  EXPECT_EQ(nlohmann::json::parse(render_json(sure))["waits"]["bandwidth_unsure"], false);
  const Report unsure = download(false);
  EXPECT_TRUE(unsure.waits.bandwidth_unsure);
  EXPECT_THAT(render_text(unsure, {}), HasSubstr(kEither));
  EXPECT_EQ(nlohmann::json::parse(render_json(unsure))["waits"]["bandwidth_unsure"], true);
}

Report with_status(std::uint16_t status) {
  static std::deque<Story> stories;
  Story& story = stories.emplace_back();
  Connection& c = story.connection("10.0.0.5", 4000, "192.0.2.80", 80, 0, 6);
  story.http(c, "/", 7, 20).status = status;
  return build_report({}, {}, {}, story.dataset(), {}, {""});
}

TEST(DoFirst, SaysToLookIntoWhatFailedWhereSomebodyWaitedForNothing) {
  constexpr const char* kInVain = "waits in vain";
  const Report missing = with_status(404), broken = with_status(503);
  EXPECT_THAT(render_text(missing, {}), HasSubstr("with status 404"));
  EXPECT_THAT(render_text(missing, {}), Not(HasSubstr(kInVain)));
  EXPECT_THAT(render_html(missing), Not(HasSubstr(kInVain)));
  EXPECT_THAT(render_text(broken, {}), HasSubstr(kInVain));
  EXPECT_THAT(render_html(broken), HasSubstr(kInVain));
}

}  // namespace
}  // namespace wirelag
