#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../support/cpu_time.hpp"
#include "story.hpp"

namespace wirelag::test {
namespace {

using testing::ElementsAre;
using Role = AnswerRole;

constexpr std::uint16_t kA = 1, kAaaa = 28, kHttps = 65;

/// What they show lies in datasets and correlations that are kept.
const std::vector<Lookup>& lookups_of(const Story& story) {
  static std::deque<Dataset> data;
  static std::deque<Correlation> correlations;
  return correlations.emplace_back(correlate(data.emplace_back(story.dataset()))).lookups;
}

/// "asked:released" per member, in order.
std::vector<std::string> roles(const Lookup& lookup) {
  std::vector<std::string> out;
  for (const LookupMember& m : lookup.members) {
    out.push_back(std::string(name(m.role)) + ":" + std::string(name(m.answer)));
  }
  return out;
}

double wait_ms(const Lookup& lookup) { return static_cast<double>(lookup.wait_ns) / 1e6; }

TEST(Lookup, StubOnTheSameHostThatRacesThreeResolvers) {
  Story story;
  story.dns({"127.0.0.1", "127.0.1.1", "www.example.com"}, 0, 3.748, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"10.0.0.9", "198.51.100.1", "www.example.com"}, 0.193, 3.673);
  story.dns({"10.0.0.9", "198.51.100.2", "www.example.com"}, 0.214, 3.621);
  story.dns({"10.0.0.9", "198.51.100.3", "www.example.com"}, 0.237, 26.855);

  const std::vector<Lookup> lookups = lookups_of(story);
  ASSERT_EQ(lookups.size(), 1U);
  const Lookup& lookup = lookups[0];
  EXPECT_THAT(roles(lookup),
              ElementsAre("asked:released", "forwarded:spare", "forwarded:won", "forwarded:spare"));
  EXPECT_EQ(lookup.client_ip, ip("127.0.0.1"));
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 3.748);
  EXPECT_EQ(lookup.last_frame, frame_at(3.748));
  EXPECT_THAT(lookup.addresses, ElementsAre(ip("192.0.2.80")));
}

TEST(Lookup, ForwarderElsewhereOnTheNetworkIsAStubWhenItAsksToo) {
  Story story;
  story.dns({"10.0.0.5", "10.0.0.1", "www.example.com"}, 0, 9);
  story.dns({"10.0.0.1", "198.51.100.1", "www.example.com"}, 1, 8);
  ASSERT_EQ(lookups_of(story).size(), 1U);
  EXPECT_THAT(roles(lookups_of(story)[0]), ElementsAre("asked:released", "forwarded:won"));
}

TEST(Lookup, QuestionAfterTheStubAnsweredIsNotItsDoing) {
  Story story;
  story.dns({"10.0.0.5", "10.0.0.1", "www.example.com"}, 0, 9);
  story.dns({"10.0.0.1", "198.51.100.1", "www.example.com"}, 9.5, 12);  // prefetch
  story.dns({"10.0.0.1", "198.51.100.1", "other.example.com"}, 3, 4);
  EXPECT_EQ(lookups_of(story).size(), 3U);
}

TEST(Lookup, ReferralsOnTheWayContribute) {
  Story story;
  story.dns({"10.0.0.5", "10.0.0.1", "www.example.com"}, 0, 31);
  story.dns({"10.0.0.1", "198.51.100.1", "www.example.com"}, 1, 10, DnsOutcome::nodata);  // root
  story.dns({"10.0.0.1", "198.51.100.2", "www.example.com"}, 11, 20, DnsOutcome::nodata);
  story.dns({"10.0.0.1", "198.51.100.3", "www.example.com"}, 21, 30);
  EXPECT_THAT(roles(lookups_of(story).at(0)),
              ElementsAre("asked:released", "forwarded:contributed", "forwarded:contributed",
                          "forwarded:won"));
}

TEST(Lookup, StubsBehindStubs) {
  Story story;
  story.dns({"127.0.0.1", "127.0.0.53", "www.example.com"}, 0, 9);
  story.dns({"10.0.0.5", "10.0.0.1", "www.example.com"}, 1, 8);
  story.dns({"10.0.0.1", "198.51.100.1", "www.example.com"}, 2, 7);
  EXPECT_THAT(roles(lookups_of(story).at(0)),
              ElementsAre("asked:released", "forwarded:won", "forwarded:won"));
}

TEST(Lookup, WaitsForBothAAndAaaa) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 10, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kAaaa}, 0.1, 30, DnsOutcome::nodata);
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kHttps}, 0.2, 90, DnsOutcome::nodata);
  story.connection("10.0.0.5", 5000, "192.0.2.80", 80, 31, 5);
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 30);
  EXPECT_EQ(lookup.outcome, DnsOutcome::answered);
  EXPECT_THAT(lookup.qtypes, ElementsAre(kA, kAaaa, kHttps));
  EXPECT_THAT(roles(lookup), ElementsAre("asked:contributed", "asked:released", "asked:spare"));
}

TEST(Lookup, ClientThatWentOnAfterTheFirstAnswerDidNotWaitForTheSecond) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 10, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kAaaa}, 0.1, 30, DnsOutcome::nodata);
  story.connection("10.0.0.5", 5000, "192.0.2.80", 80, 11, 5);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story).at(0)), 10);

  // THEN another client's connection to the same address changes nothing
  Story other;
  other.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 10, DnsOutcome::answered,
            {"192.0.2.80"});
  other.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kAaaa}, 0.1, 30, DnsOutcome::nodata);
  other.connection("10.0.0.6", 5000, "192.0.2.80", 80, 11, 5);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(other).at(0)), 30);
}

/// A and AAAA are answered at 10 and 12 ms, HTTPS at `https_ms`; the client opens its connection at `opened_ms`.
Lookup with_https(double https_ms, double opened_ms) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 10, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kAaaa}, 0.1, 12, DnsOutcome::nodata);
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kHttps}, 0.2, https_ms,
            DnsOutcome::nodata);
  story.connection("10.0.0.5", 5000, "192.0.2.80", 443, opened_ms, 5);
  return lookups_of(story).at(0);
}

TEST(Lookup, ClientThatWentOnRightBehindTheHttpsRecordWaitedForIt) {
  const Lookup lookup = with_https(40, 41);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 40);
  EXPECT_EQ(lookup.outcome, DnsOutcome::answered);
  EXPECT_THAT(roles(lookup),
              ElementsAre("asked:contributed", "asked:contributed", "asked:released"));
}

TEST(Lookup, ClientThatWentOnLaterIsNotTakenToHaveWaitedForTheHttpsRecord) {
  EXPECT_DOUBLE_EQ(wait_ms(with_https(40, 60)), 12);    // long behind it
  EXPECT_DOUBLE_EQ(wait_ms(with_https(12.5, 15)), 12);  // it came with the addresses
  EXPECT_DOUBLE_EQ(wait_ms(with_https(40, 39)), 12);    // before it
  EXPECT_DOUBLE_EQ(wait_ms(with_https(9, 13)), 12);     // it came before the addresses
  EXPECT_DOUBLE_EQ(wait_ms(with_https(3000, 2999)), 12);
}

TEST(Lookup, ConnectionToAnAddressThatOnlyTheHttpsRecordHintsAtWasReleasedByIt) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 30, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kHttps}, 0.2, 10, DnsOutcome::answered,
            {"192.0.2.81", "192.0.2.82"});
  story.connection("10.0.0.5", 5000, "192.0.2.82", 443, 11, 5);
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 10);
  EXPECT_THAT(roles(lookup), ElementsAre("asked:spare", "asked:released"));
  EXPECT_EQ(lookup.addresses.size(), 3U);
}

TEST(Lookup, LoopbackClientGoesOnFromTheHostsAddress) {
  Story story;
  story.dns({"127.0.0.1", "127.0.0.53", "www.example.com", kA}, 0, 10, DnsOutcome::answered,
            {"192.0.2.80"});
  story.dns({"127.0.0.1", "127.0.0.53", "www.example.com", kAaaa}, 0.1, 30, DnsOutcome::nodata);
  story.connection("10.0.0.5", 5000, "192.0.2.80", 80, 11, 5);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story).at(0)), 10);
}

TEST(Lookup, AaaaSentAfterTheAnswerToA) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kA}, 0, 200);
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com", kAaaa}, 201, 400, DnsOutcome::nodata);
  ASSERT_EQ(lookups_of(story).size(), 1U);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story)[0]), 400);
}

TEST(Lookup, RetryWithNewIdAndServerCountsFromTheFirstQuestion) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.54", "www.example.com"}, 5000, 5030);
  ASSERT_EQ(lookups_of(story).size(), 1U);
  const Lookup lookup = lookups_of(story)[0];
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 5030);
  EXPECT_THAT(roles(lookup), ElementsAre("asked:unanswered", "asked:released"));
}

TEST(Lookup, SameQuestionAfterTheAnswerIsAnotherLookup) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, 10);
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 50, 60);
  story.dns({"10.0.0.6", "192.0.2.53", "www.example.com"}, 5, 60);
  EXPECT_EQ(lookups_of(story).size(), 3U);
}

TEST(Lookup, ServerFailureThenTheNextServer) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, 10, DnsOutcome::failed);
  story.dns({"10.0.0.5", "192.0.2.54", "www.example.com"}, 11, 30);
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 30);
  EXPECT_EQ(lookup.outcome, DnsOutcome::answered);
  EXPECT_THAT(roles(lookup), ElementsAre("asked:contributed", "asked:released"));
}

TEST(Lookup, ServerFailureIsTheAnswerWhenNothingFollows) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, 10, DnsOutcome::failed);
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 4000, 4010, DnsOutcome::failed);
  ASSERT_EQ(lookups_of(story).size(), 2U);
  EXPECT_EQ(lookups_of(story)[0].outcome, DnsOutcome::failed);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story)[0]), 10);
}

TEST(Lookup, TruncatedThenTcp) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "big.example.com", 16}, 0, 20, DnsOutcome::truncated);
  story.dns({"10.0.0.5", "192.0.2.53", "big.example.com", 16}, 41, 62).transport =
      DnsTransport::tcp;
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 62);
  EXPECT_THAT(roles(lookup), ElementsAre("asked:contributed", "asked:released"));
}

TEST(Lookup, SearchListIsOneLookupOfTheNameItEndedWith) {
  Story story;
  double t = 0;
  for (const char* suffix : {".ns.svc.cluster.local", ".svc.cluster.local", ".cluster.local"}) {
    const std::string name = std::string("api.example.com") + suffix;
    story.dns({"10.0.0.5", "10.0.0.53", name, kA}, t, t + 4, DnsOutcome::nxdomain);
    story.dns({"10.0.0.5", "10.0.0.53", name, kAaaa}, t + 0.1, t + 5, DnsOutcome::nxdomain);
    t += 6;
  }
  story.dns({"10.0.0.5", "10.0.0.53", "api.example.com", kA}, t, t + 4);
  story.dns({"10.0.0.5", "10.0.0.53", "api.example.com", kAaaa}, t + 0.1, t + 3,
            DnsOutcome::nodata);
  ASSERT_EQ(lookups_of(story).size(), 1U);
  const Lookup lookup = lookups_of(story)[0];
  EXPECT_EQ(lookup.qname, "api.example.com");
  EXPECT_EQ(lookup.members.size(), 8U);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 22);
  EXPECT_EQ(lookup.outcome, DnsOutcome::answered);
  EXPECT_EQ(roles(lookup)[0], "asked:contributed");
}

/// As glibc does: an answer to A and none to AAAA within its timeout, so both are asked again.
Story with_aaaa_lost(DnsOutcome outcome, const std::vector<std::string>& addresses) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 0, 12, outcome, addresses);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kAaaa}, 0.1, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 5000, 5012, outcome, addresses);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kAaaa}, 5000.1, 5020, outcome);
  return story;
}

TEST(Lookup, WhoAsksAgainForAllWasNotReleasedByTheOneAnswer) {
  Story refused = with_aaaa_lost(DnsOutcome::nxdomain, {});
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(refused).at(0)), 5020);
  // AND the next name of the search list comes right behind that
  refused.dns({"10.0.0.5", "192.0.2.53", "www", kA}, 5021, 5030);
  ASSERT_EQ(lookups_of(refused).size(), 1U);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(refused)[0]), 5030);
}

TEST(Lookup, TheSecondAaaaIsLostTooAndTheSecondAnswerToAIsTheLast) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 0, 12, DnsOutcome::nxdomain);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kAaaa}, 0.1, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 5000, 5012, DnsOutcome::nxdomain);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kAaaa}, 5000.1, Story::kNever);
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_DOUBLE_EQ(wait_ms(lookup), 5012);
  EXPECT_THAT(roles(lookup),
              ElementsAre("asked:spare", "asked:unanswered", "asked:released", "asked:unanswered"));
}

TEST(Lookup, WhatIsAskedAgainAloneSaysNothingOfTheLookupBefore) {
  // GIVEN a client that goes on with A over what is not seen (QUIC), AAAA without an answer, and A asked again later
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 0, 12);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kAaaa}, 0.1, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.53", "www.corp", kA}, 4000, 4012);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story).at(0)), 12);
}

TEST(Lookup, WhoWentOnWithTheOneAnswerWasReleasedByItWhateverIsAskedAgain) {
  Story story = with_aaaa_lost(DnsOutcome::answered, {"192.0.2.80"});
  story.connection("10.0.0.5", 5000, "192.0.2.80", 443, 60, 5);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(story).at(0)), 12);

  // THEN who goes on after the second answers had waited for them
  Story later = with_aaaa_lost(DnsOutcome::answered, {"192.0.2.80"});
  later.connection("10.0.0.5", 5000, "192.0.2.80", 443, 5021, 5);
  EXPECT_DOUBLE_EQ(wait_ms(lookups_of(later).at(0)), 5020);
}

TEST(Lookup, SuffixTriedBetweenAaaaAndA) {
  Story story;
  const auto ask = [&story](const char* name, std::uint16_t type, double from_ms, double to_ms,
                            DnsOutcome outcome) {
    story.dns({"10.0.0.5", "10.0.0.53", name, type}, from_ms, to_ms, outcome);
  };
  ask("img.example", kAaaa, 0, 0.4, DnsOutcome::nodata);
  ask("img.example.corp", kAaaa, 0.5, 0.9, DnsOutcome::nxdomain);
  ask("img.example", kA, 1.0, 1.4, DnsOutcome::answered);
  // GIVEN another process doing the same right after
  ask("img.example", kAaaa, 2.0, 2.4, DnsOutcome::nodata);
  ask("img.example.corp", kAaaa, 2.5, 2.9, DnsOutcome::nxdomain);
  ask("img.example", kA, 3.0, 3.5, DnsOutcome::answered);
  const std::vector<Lookup> lookups = lookups_of(story);
  ASSERT_EQ(lookups.size(), 2U);
  EXPECT_DOUBLE_EQ(wait_ms(lookups[0]), 1.4);
  EXPECT_DOUBLE_EQ(wait_ms(lookups[1]), 1.5);
  EXPECT_THAT(roles(lookups[0]),
              ElementsAre("asked:contributed", "asked:contributed", "asked:released"));
}

TEST(Lookup, NxdomainAloneOrLongAgoOrOfAnotherClientStandsAlone) {
  Story story;
  story.dns({"10.0.0.5", "10.0.0.53", "api.corp.example"}, 0, 5, DnsOutcome::nxdomain);
  story.dns({"10.0.0.5", "10.0.0.53", "api"}, 2100, 2105, DnsOutcome::nxdomain);
  story.dns({"10.0.0.6", "10.0.0.53", "api"}, 6, 7, DnsOutcome::nxdomain);
  EXPECT_EQ(lookups_of(story).size(), 3U);
}

/// One limit made shorter takes apart what it held together.
struct Window {
  const char* what;
  void (*tell)(Story&);
  void (*shorten)(LookupLimits&);
};
constexpr double kLong = 4000;
const Window kWindows[] = {
    {"other_type",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example", kA}, 0, 10);
       s.dns({"10.0.0.5", "192.0.2.53", "a.example", kAaaa}, 90, 99);
     },
     [](LookupLimits& l) { l.other_type_ns = 50 * kMillisecondNs; }},
    {"retry",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 0, Story::kNever);
       s.dns({"10.0.0.5", "192.0.2.54", "a.example"}, kLong, kLong + 9);
     },
     [](LookupLimits& l) { l.retry_ns = 3 * kSecondNs; }},
    {"failover",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 0, 10, DnsOutcome::failed);
       s.dns({"10.0.0.5", "192.0.2.54", "a.example"}, 1500, 1509);
     },
     [](LookupLimits& l) { l.failover_ns = 1 * kSecondNs; }},
    {"longest",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 0, Story::kNever);
       s.dns({"10.0.0.5", "192.0.2.54", "a.example"}, kLong, kLong + 9);
     },
     [](LookupLimits& l) { l.longest_ns = 3 * kSecondNs; }},
    {"search_next",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example.corp"}, 0, 10, DnsOutcome::nxdomain);
       s.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 1500, 1509);
     },
     [](LookupLimits& l) { l.search_next_ns = 1 * kSecondNs; }},
    {"suffix_labels",
     [](Story& s) {
       s.dns({"10.0.0.5", "192.0.2.53", "a.example.ns.corp"}, 0, 10, DnsOutcome::nxdomain);
       s.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 11, 19);
     },
     [](LookupLimits& l) { l.suffix_labels = 1; }},
    {"stub_patience",
     [](Story& s) {
       s.dns({"10.0.0.5", "127.0.0.1", "a.example"}, 0, Story::kNever);
       s.dns({"10.0.0.9", "192.0.2.53", "a.example"}, kLong, kLong + 9);
     },
     [](LookupLimits& l) { l.stub_patience_ns = 3 * kSecondNs; }},
};

TEST(Lookup, EveryWindowIsAThreshold) {
  for (const Window& window : kWindows) {
    Story story;
    window.tell(story);
    EXPECT_EQ(lookups_of(story).size(), 1U) << window.what;
    LookupLimits limits;
    window.shorten(limits);
    EXPECT_EQ(correlate(story.dataset(), limits).lookups.size(), 2U) << window.what;
  }
}

TEST(Lookup, AnAnswerLeadsToAConnectionForALimitedTime) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 0, 10, DnsOutcome::answered, {"192.0.2.80"});
  story.connection("10.0.0.5", 1, "192.0.2.80", 80, kLong, 6);
  EXPECT_EQ(correlate(story.dataset()).channels.at(0).lookup, std::size_t{0});
  LookupLimits limits;
  limits.answer_used_within_ns = 3 * kSecondNs;
  EXPECT_EQ(correlate(story.dataset(), limits).channels.at(0).lookup, Dataset::kNone);
}

/// Of a resolver that the capture shows nothing of, the client asks once and lives on.
TEST(Lookup, WhoIsWatchedLongEnoughAndNeverAsksAgainHasItsAnswers) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "a.example"}, 0, Story::kNever);
  story.dns({"10.0.0.5", "192.0.2.53", "b.example"}, 20'000, Story::kNever);
  const auto outcome = [&story](const LookupLimits& limits) {
    Dataset data;
    for (const DnsTransaction& d : story.all_dns()) data.emit(&d);
    data.seal(limits);
    return data.dns()[0].outcome;
  };
  LookupLimits limits;
  EXPECT_EQ(outcome(limits), DnsOutcome::not_visible);
  limits.watched_ns = 30 * kSecondNs;
  EXPECT_EQ(outcome(limits), DnsOutcome::unanswered);
  story.dns({"10.0.0.5", "192.0.2.53", "b.example"}, 28'000, Story::kNever);
  limits = {};
  EXPECT_EQ(outcome(limits), DnsOutcome::not_visible);
  limits.asks_again_ns = 9 * kSecondNs;
  EXPECT_EQ(outcome(limits), DnsOutcome::unanswered);
}

TEST(Lookup, UnansweredHasNoWaitAndNoRelease) {
  Story story;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, Story::kNever);
  const Lookup lookup = lookups_of(story).at(0);
  EXPECT_EQ(lookup.outcome, DnsOutcome::unanswered);
  EXPECT_FALSE(known(lookup.wait_ns));
  EXPECT_EQ(lookup.last_frame, 0U);
  EXPECT_EQ(lookup.released_by, Dataset::kNone);
}

TEST(Lookup, ResponseWithoutAQuestionHasNoWait) {
  Story story;
  DnsTransaction& d =
      story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 0, 10, DnsOutcome::response_only);
  d.query_frames = {};
  d.first_query_ns = d.last_query_ns = kUnknownNs;
  story.dns({"10.0.0.5", "192.0.2.53", "www.example.com"}, 20, 30);
  const std::vector<Lookup> lookups = lookups_of(story);
  ASSERT_EQ(lookups.size(), 2U);
  EXPECT_EQ(lookups[0].outcome, DnsOutcome::response_only);
  EXPECT_FALSE(known(lookups[0].wait_ns));
  EXPECT_EQ(lookups[0].first_frame, frame_at(10));
}

TEST(Lookup, AFloodForOneNameStaysCheap) {
  Story story;
  for (int i = 0; i < 30'000; ++i) {
    story.dns({"10.0.0.1", "10.0.0.53", "www.example.com"}, i * 0.01, Story::kNever);
    story.dns({"10.0.0.53", "192.0.2.53", "www.example.com"}, i * 0.01 + 0.005, Story::kNever);
  }
  const std::vector<Lookup> lookups = lookups_of(story);
  std::size_t members = 0;
  for (const Lookup& lookup : lookups) members += lookup.members.size();
  EXPECT_EQ(members, 60'000U);
}

TEST(Lookup, AddressesComeOnceInTheOrderOfTheAnswers) {
  Story story;
  story.dns({"10.0.0.5", "10.0.0.1", "www.example.com", kA}, 0, 9, DnsOutcome::answered,
            {"192.0.2.9", "192.0.2.1", "192.0.2.9"});
  story.dns({"10.0.0.5", "10.0.0.2", "www.example.com", kA}, 1, 10, DnsOutcome::answered,
            {"192.0.2.5", "192.0.2.1"});
  const std::vector<Lookup> lookups = lookups_of(story);
  ASSERT_EQ(lookups.size(), 1U);
  EXPECT_THAT(lookups[0].addresses, ElementsAre(ip("192.0.2.9"), ip("192.0.2.1"), ip("192.0.2.5")));
}

/// Answers of 100 addresses each, no address twice, to questions for one name or each for its own.
Dataset many_addresses(Story& story, bool one_name) {
  for (unsigned i = 0; i < 400; ++i) {
    std::vector<std::string> addresses;
    for (unsigned k = 0; k < 100; ++k) {
      addresses.push_back("11." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "." +
                          std::to_string(k));
    }
    story.dns({"10.0.0.5", "10.0.0.1", one_name ? "www.example.com" : "n" + std::to_string(i)},
              i * 0.01, 100 + i * 0.01, DnsOutcome::answered, addresses);
  }
  return story.dataset();
}

TEST(Lookup, AnswersOfManyAddressesStayCheap) {
  const auto cost = [](bool one_name) {
    Story story;
    const Dataset data = many_addresses(story, one_name);
    const Correlation found = correlate(data);
    EXPECT_EQ(found.lookups.size(), one_name ? 1U : 400U);
    // Of the 40,000 of one name the first few are kept, the others counted.
    const std::size_t kept = one_name ? Lookup::kMaxAddresses : 40'000U;
    EXPECT_EQ(found.lookup_lists.addresses.size(), kept);
    EXPECT_EQ(found.lookups[0].addresses.size(), one_name ? kept : 100U);
    EXPECT_EQ(found.lookups[0].addresses_left_out, one_name ? 40'000U - kept : 0U);
    EXPECT_EQ(found.lookups[0].addresses.front(), ip("11.0.0.0"));
    return cpu_seconds([&] { (void)correlate(data); });
  };
  EXPECT_LT(cost(true), 10 * cost(false));
}

}  // namespace
}  // namespace wirelag::test
