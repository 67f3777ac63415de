// Without a handshake nobody knows which part of a wait is the way: what the rules then say, and do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"

namespace wirelag::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// Twenty commands to a Redis one after the other, each answered after 50 ms, with its acknowledgement.
Judged one_by_one(bool handshake) {
  Story story;
  Connection& c = story.connection(kClient, 4000, kServer, 6379, 0, 50);
  if (!handshake) story.midstream(c);
  c.rtt_probe_server.add(50 * kMillisecondNs);
  c.rtt_probe_client.add(100 * kMicrosecondNs);
  for (int i = 0; i < 20; ++i) {
    story.query(c, Protocol::redis, "GET", 60 + i * 50.2, 60 + i * 50.2 + 50);
  }
  return Judged(story);
}

TEST(WayUnknown, SerialRoundTripsMayBeTheServersTime) {
  const std::vector<Finding> sure = one_by_one(true).findings("db-serial-roundtrips");
  ASSERT_EQ(sure.size(), 1U);
  EXPECT_THAT(sure[0].why, HasSubstr("waited for a round trip of its own"));
  EXPECT_THAT(sure[0].evidence.at(0).what, Not(HasSubstr("at most")));
  EXPECT_THAT(sure[0].why_not_higher, Not(Contains(HasSubstr("no handshake"))));

  const std::vector<Finding> unsure = one_by_one(false).findings("db-serial-roundtrips");
  ASSERT_EQ(unsure.size(), 1U);
  EXPECT_THAT(unsure[0].why, Not(HasSubstr("waited for a round trip of its own")));
  EXPECT_THAT(unsure[0].evidence.at(0).what, HasSubstr("round trip 50.1 ms at most"));
  EXPECT_THAT(unsure[0].why_not_higher,
              Contains("no handshake: the round trip may be the server's time"));
}

/// Queries of which one took longer than the round trip that was seen.
Judged slow_queries(bool handshake) {
  Story story;
  Connection& c = story.connection(kClient, 4000, kServer, 5432, 0, 20);
  if (!handshake) story.midstream(c);
  c.rtt_probe_server.add(20 * kMillisecondNs);
  story.query(c, Protocol::postgres, "select quick", 100, 120);
  story.query(c, Protocol::postgres, "select slow", 2200, 2600);
  return Judged(story);
}

TEST(WayUnknown, ASlowServersTimeIsNotCalledItsOwnAlone) {
  const std::vector<Finding> sure = slow_queries(true).findings("db-slow-fingerprint");
  ASSERT_EQ(sure.size(), 1U);
  EXPECT_THAT(sure[0].why, HasSubstr("the round trip is taken off already"));

  const std::vector<Finding> unsure = slow_queries(false).findings("db-slow-fingerprint");
  ASSERT_EQ(unsure.size(), 1U);
  EXPECT_THAT(unsure[0].why, Not(HasSubstr("the round trip is taken off already")));
  EXPECT_THAT(unsure[0].why, HasSubstr("not every handshake was captured"));
}

}  // namespace
}  // namespace wirelag::test
