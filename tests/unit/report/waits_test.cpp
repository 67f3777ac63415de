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

}  // namespace
}  // namespace wirelag
