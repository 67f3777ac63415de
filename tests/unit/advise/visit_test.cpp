#include <algorithm>
#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/base/hash.hpp>

#include "../../support/cpu_time.hpp"
#include "judged.hpp"
#include "origin.hpp"
#include "simulate.hpp"

namespace wirelag::test {
namespace {

DurationNs of(const Breakdown& b, Category c) { return b[static_cast<std::size_t>(c)]; }

constexpr DurationNs ms_ns(double ms) { return static_cast<DurationNs>(ms * 1e6 + 0.5); }

DurationNs sum(const Breakdown& b) {
  DurationNs total = 0;
  for (const DurationNs d : b) total += d;
  return total;
}

/// What holds for every visit, whatever was captured.
void expect_consistent(const Visit& visit) {
  for (std::size_t i = 0; i < visit.nodes.size(); ++i) {
    const VisitNode& n = visit.nodes[i];
    DurationNs parts = 0;
    for (const VisitPart& p : n.parts) {
      EXPECT_GE(p.duration_ns, 0);
      parts += p.duration_ns;
    }
    EXPECT_LT(n.parts.size(), 10U);  // of ten at most: none was left out
    EXPECT_EQ(parts, n.end_ns - n.start_ns);
    EXPECT_LE(visit.nodes[i == 0 ? 0 : i - 1].start_ns, n.start_ns);
    EXPECT_GE(n.start_ns, visit.start_ns);
  }
  for (const Form form : kForms) {
    for (const VisitEdge& e : visit.edges_of(form)) {
      ASSERT_LT(e.from, e.to);
      EXPECT_GE(e.lag_ns, 0);
    }
    // Without a change the graph runs as it was observed.
    const Run run = simulate(visit, form, {}, Bound::high);
    for (std::size_t i = 0; i < visit.nodes.size(); ++i) {
      EXPECT_EQ(run.nodes[i].start_ns, visit.nodes[i].start_ns) << name(form) << " node " << i;
      EXPECT_EQ(run.nodes[i].end_ns, visit.nodes[i].end_ns) << name(form) << " node " << i;
    }
    EXPECT_EQ(run.wait_ns, visit.wait_ns);
    const CriticalPath path = critical_path(visit, form);
    EXPECT_EQ(sum(path.breakdown), visit.wait_ns) << name(form);
    DurationNs steps = 0;
    for (const PathStep& s : path.steps) {
      steps += s.client_ns + s.round_ns + s.stall_ns + s.duration_ns;
    }
    EXPECT_EQ(steps, visit.wait_ns);
    for (const DurationNs d : path.breakdown) EXPECT_GE(d, 0);
  }
}

/// Anything a client may do: lookups, connections, requests in and out of order, some unanswered.
Story random_story(unsigned seed) {
  std::mt19937 random(seed);
  const auto upto = [&random](double n) {
    return static_cast<double>(random() % 1000) / 1000.0 * n;
  };
  static constexpr const char* kTypes[] = {"text/html", "image/png", "text/css", "",
                                           "application/json"};
  Story story;
  double t = 0;
  for (std::uint16_t k = 0; k < 12; ++k) {
    t += upto(random() % 4 == 0 ? 1500 : 60);
    const std::string server = "192.0.2." + std::to_string(random() % 3 + 1);
    double begin = t;
    if (random() % 2 == 0) {
      const double wait = upto(30);
      story.dns({"10.0.0.5", "10.0.0.1", "n" + std::to_string(k) + ".example"}, t, t + wait,
                DnsOutcome::answered, {server});
      begin += wait + upto(12);
    }
    const double rtt = 1 + upto(40);
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(100 + k), server, 80, begin, rtt);
    if (random() % 6 == 0) story.midstream(c);
    if (random() % 8 == 0) {
      story.fail(c, ConnectionState::refused, begin + rtt);
      continue;
    }
    double at = begin + rtt + upto(4);
    if (random() % 5 == 0) {
      story.tls(c, "x.example", 0x0304, at, at + rtt,
                random() % 2 == 0 ? at + rtt + 1 : Story::kNever);
      continue;
    }
    for (unsigned n = random() % 6; n > 0; --n) {
      const double end = at + 0.2 + upto(80);
      const bool answered = random() % 8 != 0;
      HttpTransaction& h =
          story.http(c, "/" + std::to_string(n), at, answered ? end : Story::kNever);
      h.content_type = answered ? kTypes[random() % 5] : "";
      if (answered) h.response_first_ns = at_ms(at + 0.1 + upto(end - at - 0.2));
      if (random() % 3 == 0) h.referer = "http://www.example.com/1";
      at = random() % 5 == 0 ? at + upto(end - at) : end + upto(random() % 2 == 0 ? 2 : 90);
    }
  }
  return story;
}

TEST(Visits, CategoriesAddUpToTheWaitWhateverHappened) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    for (const Visit& visit : Judged(random_story(seed)).visits.stored) expect_consistent(visit);
    if (HasFailure()) return;
  }
}

TEST(Visits, ShorteningNeverLengthens) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Judged judged(random_story(seed));
    std::mt19937 random(seed);
    for (const Visit& visit : judged.visits.stored) {
      std::vector<Edit> edits;
      for (std::uint32_t n = 0; n < visit.nodes.size(); ++n) {
        if (random() % 3 != 0) continue;
        const DurationNs by = static_cast<DurationNs>(random() % 50) * kMillisecondNs;
        const auto category = static_cast<Category>(random() % kCategories);
        edits.push_back({0, n, Edit::What::shorten, category, by / 2, by});
        if (random() % 2 == 0) {
          edits.push_back({0, n, Edit::What::unqueue, Category::client, 1, 1});
        }
      }
      for (const Form form : kForms) {
        const DurationNs low = simulate(visit, form, edits, Bound::low).wait_ns;
        const DurationNs high = simulate(visit, form, edits, Bound::high).wait_ns;
        EXPECT_LE(low, visit.wait_ns) << seed;
        EXPECT_LE(high, low) << seed;
      }
    }
  }
}

TEST(Visits, OriginIsOneVisit) {
  const Judged judged(origin_story());
  ASSERT_EQ(judged.visits.stored.size(), 1U);
  const Visit& visit = judged.visits.stored[0];
  expect_consistent(visit);
  EXPECT_EQ(visit.service, "mirror.azure.cn");
  // First query to the last request, and the round trip that its answer takes at least.
  EXPECT_EQ(visit.wait_ns, 101'883'557 + 6'601'899 * 99 / 100);
  EXPECT_TRUE(visit.flags.incomplete);
  EXPECT_FALSE(visit.api);
  for (const Form form : kForms) {
    const Breakdown b = critical_path(visit, form).breakdown;
    EXPECT_EQ(of(b, Category::dns), 3'748'760);
    EXPECT_EQ(of(b, Category::connect), 6'061'628 + 6'601'899) << name(form);
    EXPECT_EQ(of(b, Category::tls), 0);
    EXPECT_GT(of(b, Category::rounds), 6'000'000);
  }
}

TEST(Visits, SilenceOfASecondEndsAVisitAndThirtySecondsCutIt) {
  Story story;
  Connection& c = story.connection("10.0.0.5", 1, "192.0.2.80", 80, 0, 6);
  story.http(c, "/", 6, 50);
  story.http(c, "/soon", 1049, 1060);
  story.http(c, "/late", 2061, 2070);
  for (int i = 0; i < 80; ++i) story.http(c, "/poll", 4000 + i * 500, 4100 + i * 500);
  const Judged judged(story);
  ASSERT_EQ(judged.visits.stored.size(), 4U);
  EXPECT_EQ(judged.visits.stored[0].wait_ns, 1060 * kMillisecondNs);
  EXPECT_EQ(judged.visits.stored[1].wait_ns, 9 * kMillisecondNs);
  EXPECT_LE(judged.visits.stored[2].wait_ns, 31 * kSecondNs);
}

TEST(Visits, ApiTrafficIsOneVisitPerRequest) {
  Story story;
  for (int i = 0; i < 3; ++i) {
    const double t = i * 100;
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(i + 1), "192.0.2.80", 80, t, 6);
    story.http(c, "/v1/a", t + 6, t + 26).content_type = "application/json";
    story.http(c, "/v1/b", t + 30, t + 50).content_type = "application/json";
  }
  const Judged judged(story);
  ASSERT_EQ(judged.visits.stored.size(), 6U);
  EXPECT_TRUE(judged.visits.stored[0].api);
  EXPECT_EQ(judged.visits.stored[0].wait_ns, 26 * kMillisecondNs);  // with its handshake
  EXPECT_EQ(judged.visits.stored[1].wait_ns, 20 * kMillisecondNs);
  for (const Visit& visit : judged.visits.stored) expect_consistent(visit);
}

TEST(Visits, SpareSocketsAreNotWaitedFor) {
  Story story;
  story.http(story.connection("10.0.0.5", 1, "192.0.2.80", 80, 0, 6), "/", 6, 50);
  story.connection("10.0.0.5", 2, "192.0.2.80", 80, 20, 400);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 50 * kMillisecondNs);
}

TEST(Visits, TheServersDirectionMissingTheWaitIsNotKnown) {
  Story s;
  Connection& c = s.connection(kClient, 1001, kServer, 80, 0, 40);
  c.one_sided = true;
  c.state = ConnectionState::syn_unanswered;
  c.half.c2s.packets = 5;  // more than its SYN: it was answered
  c.established_time_ns = kUnknownNs;
  c.last_time_ns = at_ms(900);
  c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
  HttpTransaction& h = s.http(c, "/", 40.1, 80);
  h.response_first_ns = h.response_last_ns = kUnknownNs;
  h.response_complete = false;
  const Judged judged(s);
  ASSERT_EQ(judged.visits.stored.size(), 1U);
  const Visit& visit = judged.visits.stored[0];
  EXPECT_TRUE(visit.flags.end_unseen);
  EXPECT_TRUE(visit.flags.one_sided);
  const CriticalPath path = critical_path(visit, Form::serial);
  EXPECT_EQ(path.breakdown[static_cast<std::size_t>(Category::connect)], 0);
}

TEST(Visits, AHandshakeCapturedInAnOrderThatCannotBeIsNoWait) {
  // GIVEN a visit of nothing but a connection whose ACK was captured before the SYN-ACK
  Story s;
  Connection& c = s.connection(kClient, 1001, kServer, 80, 0, 40);
  c.handshake_ambiguous = true;
  c.connect_time_ns = c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
  // THEN how long it took is not known: neither what lies between its frames, nor 0
  const Judged judged(s);
  ASSERT_EQ(judged.visits.stored.size(), 1U);
  const Visit& visit = judged.visits.stored[0];
  EXPECT_TRUE(visit.flags.end_unseen);
  for (const std::vector<Breakdown>& b : breakdowns(judged.visits.stored)) {
    EXPECT_EQ(of(b[0], Category::connect), 0);
  }
}

TEST(Visits, ASynThatNobodyAnsweredIsAWait) {
  Story s;
  Connection& c = s.connection(kClient, 1001, kServer, 80, 0, 3000);
  s.fail(c, ConnectionState::syn_unanswered, 3000);
  c.one_sided = true;
  c.half.c2s.packets = 1;
  const Judged judged(s);
  ASSERT_EQ(judged.visits.stored.size(), 1U);
  EXPECT_FALSE(judged.visits.stored[0].flags.end_unseen);
  EXPECT_FALSE(judged.visits.stored[0].flags.one_sided)
      << "there was no other direction to capture";
  EXPECT_EQ(judged.visits.stored[0].wait_ns, 3000 * kMillisecondNs);
}

TEST(Visits, ATlsHandshakeWithoutItsEndWaitedAtLeastForTheServerHello) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 443, 0, 10);
  TlsHandshake& t = story.tls(c, "a.example", 0x0304, 11, 40, Story::kNever);
  t.client_finished_ns = t.server_finished_ns = kUnknownNs;
  t.server_hello_ns = at_ms(25);
  const Visit hello = Judged(story).visits.stored.at(0);
  EXPECT_EQ(hello.wait_ns, 25 * kMillisecondNs);
  EXPECT_TRUE(hello.flags.incomplete);

  // WHEN nothing came back THEN no answer comes sooner than a round trip
  t.server_hello_ns = kUnknownNs;
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 11 * kMillisecondNs + 9'900'000);

  // WHEN an alert ended it THEN that is how long it took
  t.alert_frame = 9;
  EXPECT_FALSE(Judged(story).visits.stored.at(0).flags.incomplete);
}

TEST(Visits, NothingWaitedBeyondTheLastFrame) {
  // GIVEN a request 3 ms before the capture ends, on a path of 9.9 ms
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 80, 0, 10);
  story.http(c, "/", 11, Story::kNever);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 20'900'000) << "no end is known";
  story.ends(14);
  const Visit visit = Judged(story).visits.stored.at(0);
  expect_consistent(visit);
  EXPECT_EQ(visit.wait_ns, 14 * kMillisecondNs);
  EXPECT_TRUE(visit.flags.incomplete);
  EXPECT_EQ(visit.nodes.back().unseen_ns, 6'900'000) << "of the round trip";

  // WHEN the capture goes on THEN no answer comes sooner than a round trip
  story.ends(500);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 20'900'000);

  // WHEN the server resets the connection THEN that is when the wait was over
  story.close(c, 13, CloseKind::rst);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 13 * kMillisecondNs);
}

TEST(Visits, WhatAChangeSavesDoesNotDependOnWhenTheCaptureEnded) {
  // GIVEN the origin, whose last requests have no answer, and its last frame
  Story story = origin_story();
  const Finding whole = Judged(story).findings("http-late-connection").at(0);
  story.ends(102.178580);
  const Judged judged(story);
  EXPECT_EQ(judged.visits.stored.at(0).wait_ns, 102'178'580);
  const Finding cut = judged.findings("http-late-connection").at(0);
  EXPECT_EQ(cut.saving.low_ns, whole.saving.low_ns);
  EXPECT_EQ(cut.saving.high_ns, whole.saving.high_ns);
}

TEST(Visits, WhatTheCapturesEndCutOffIsStillWaitedForWithAChange) {
  // GIVEN a request 3 ms before the capture ends, on a path of 9.9 ms
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 80, 0, 10);
  story.http(c, "/", 11, Story::kNever);
  story.ends(14);
  const Visit visit = Judged(story).visits.stored.at(0);
  ASSERT_EQ(visit.nodes.size(), 2U);
  ASSERT_EQ(visit.nodes[1].unseen_ns, 6'900'000);
  // WHEN a change took all that was seen
  const auto all = [](std::uint32_t node, Category category) {
    return Edit{0, node, Edit::What::shorten, category, kSecondNs, kSecondNs};
  };
  const std::vector<Edit> edits = {all(0, Category::connect), all(1, Category::client),
                                   all(1, Category::rounds)};
  // THEN the rest of the round trip is still to come
  const WaitRange left = wait_range(visit, edits);
  EXPECT_EQ(left.least_ns, 6'900'000);
  EXPECT_EQ(left.most_ns, 6'900'000);
  // and what is saved at least is of the wait that was seen, at most of all that it would have been
  const SavedTime saved = saved_time(visit, {}, edits);
  EXPECT_EQ(saved.low_ns, visit.wait_ns - left.most_ns);
  EXPECT_EQ(saved.high_ns, 14 * kMillisecondNs) << "20.9 ms less the 6.9 that are still to come";
  // and on top of another change only what that left
  const SavedTime on_top = saved_time(visit, std::span(edits).first(1), edits);
  EXPECT_EQ(on_top.low_ns, 0) << "4 ms were left of what was seen, and 6.9 ms are still to come";
  EXPECT_EQ(on_top.high_ns, 4 * kMillisecondNs);
}

TEST(Visits, ATlsHandshakeWaitsNoLongerThanTheCapture) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 443, 0, 10);
  TlsHandshake& t = story.tls(c, "a.example", 0x0304, 11, 40, Story::kNever);
  t.client_finished_ns = t.server_finished_ns = t.server_hello_ns = kUnknownNs;
  story.ends(12);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 12 * kMillisecondNs);
}

TEST(Visits, WithoutARoundTripTheWaitIsThinkAndSaysSo) {
  Story story;
  Connection& c = story.midstream(story.connection("10.0.0.5", 1, "192.0.2.80", 80, 0, 6));
  story.http(c, "/", 10, 60);
  const Visit visit = Judged(story).visits.stored.at(0);
  EXPECT_TRUE(visit.flags.think_has_rtt);
  EXPECT_TRUE(visit.flags.midstream);
  const Breakdown b = critical_path(visit, Form::serial).breakdown;
  EXPECT_EQ(of(b, Category::rounds), 0);
  EXPECT_EQ(of(b, Category::think), 49'900'000);
}

Breakdown breakdown_of(const Story& story) {
  const Judged judged(story);
  EXPECT_EQ(judged.visits.stored.size(), 1U);
  expect_consistent(judged.visits.stored.at(0));
  return critical_path(judged.visits.stored.at(0), Form::serial).breakdown;
}

TEST(Visits, AGreetingIsWaitedForHoweverLongItTakes) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 3306, 0, 10);
  c.half.s2c.first_payload_ns = at_ms(5020);
  story.query(c, Protocol::mysql, "login", 5021, 5040).login = true;
  const Breakdown b = breakdown_of(story);
  EXPECT_EQ(sum(b), 5040 * kMillisecondNs);
  EXPECT_EQ(of(b, Category::connect), 10 * kMillisecondNs);
  // Of both waits a round trip on the server's side is the way.
  EXPECT_EQ(of(b, Category::rounds), 2 * ms_ns(9.9) + ms_ns(0.1));
  EXPECT_EQ(of(b, Category::think), ms_ns(5010 - 9.9) + ms_ns(19 - 9.9));

  // THEN nobody waits for what the server says to who has left, who does not answer, or who never waits for it
  struct Pushed {
    std::uint16_t port;
    double answered_ms;
  };
  for (const Pushed& to : {Pushed{25, Story::kNever}, {25, 6100}, {9000, 5021}}) {
    Story pushed;
    Connection& p = pushed.connection(kClient, 1, kServer, to.port, 0, 10);
    p.protocol = Protocol::unknown;
    p.half.s2c.first_payload_ns = p.half.s2c.last_payload_ns = at_ms(5020);
    if (to.answered_ms > 0) p.half.c2s.first_payload_ns = at_ms(to.answered_ms);
    EXPECT_EQ(Judged(pushed).visits.stored.at(0).wait_ns, 10 * kMillisecondNs) << to.port;
  }
  Story asked;
  Connection& http = asked.connection(kClient, 1, kServer, 80, 0, 10);
  asked.http(http, "/", 11, 30);
  http.half.s2c.first_payload_ns = at_ms(29.9);
  EXPECT_EQ(of(breakdown_of(asked), Category::connect), 10 * kMillisecondNs);
  EXPECT_EQ(of(breakdown_of(asked), Category::client), 1 * kMillisecondNs);
}

TEST(Visits, TheFirstRequestHadWaitedForTheHandshakeThoughTheClientIsSlow) {
  for (const double gap : {1.0, 9.0}) {
    Story story;
    for (std::uint16_t i = 0; i < 4; ++i) {
      const double t = 100.0 * i;
      Connection& c =
          story.connection(kClient, static_cast<std::uint16_t>(1 + i), kServer, 80, t, 40);
      story.http(c, "/", t + 40 + gap, t + 99).content_type = "text/html";
    }
    EXPECT_EQ(of(breakdown_of(story), Category::connect), 160 * kMillisecondNs) << gap;
  }
}

TEST(Visits, TlsInsideATunnelFollowsTheRequestThatOpenedIt) {
  Story story;
  Connection& c = story.connection(kClient, 1, "192.0.2.3", 3128, 0, 10);
  HttpTransaction& tunnel = story.http(c, "a.example:443", 11, 711);
  tunnel.method = "CONNECT";
  TlsHandshake& t = story.tls(c, "a.example", 0x0304, 712, 760, 761);
  t.first_server_data_ns = at_ms(800);
  c.half.s2c.last_payload_ns = at_ms(800);
  const Breakdown b = breakdown_of(story);
  EXPECT_EQ(of(b, Category::tls), 48 * kMillisecondNs);
  EXPECT_EQ(of(b, Category::client) + of(b, Category::rounds) + of(b, Category::think) +
                of(b, Category::bandwidth),
            (800 - 48 - 10) * kMillisecondNs);
  // THEN the handshake comes as much sooner as the tunnel opens
  const Judged judged(story);
  const Visit& visit = judged.visits.stored.at(0);
  std::uint32_t connect = 0;
  while (visit.nodes[connect].kind != VisitNode::Kind::request) ++connect;
  const Edit edit{0, connect, Edit::What::shorten, Category::think, ms_ns(600), ms_ns(600)};
  for (const Form form : kForms) {
    EXPECT_EQ(simulate(visit, form, std::vector{edit}, Bound::high).wait_ns, ms_ns(200));
  }
}

TEST(Visits, DataSentWithTheClientHelloHadWaitedForTheConnection) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 443, 0, 50);
  TlsHandshake& t = story.tls(c, "a.example", 0x0304, 51, 102, 51);
  t.first_server_data_ns = at_ms(102);
  c.half.s2c.last_payload_ns = at_ms(102);
  const Breakdown b = breakdown_of(story);
  EXPECT_EQ(of(b, Category::connect), 50 * kMillisecondNs);
  EXPECT_EQ(of(b, Category::client), 1 * kMillisecondNs);
}

TEST(Visits, ABodyThatEndsWithTheConnectionIsWaitedForUntilTheServerCloses) {
  const auto wait_ms = [](bool ends_with_close, Direction by) {
    Story story;
    Connection& c = story.connection(kClient, 1, kServer, 80, 0, 10);
    story.http(c, "/", 11, 40).ends_with_close = ends_with_close;
    story.close(c, 2500);
    c.close_by = by;
    c.close_time_ns = at_ms(1840);
    return Judged(story).visits.stored.at(0).wait_ns / kMillisecondNs;
  };
  EXPECT_EQ(wait_ms(true, Direction::s2c), 1840);
  EXPECT_EQ(wait_ms(false, Direction::s2c), 40);
  EXPECT_EQ(wait_ms(true, Direction::c2s), 40) << "who leaves does not wait";
}

TEST(Visits, NobodyWaitsForTheEndOfAnEventStream) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 80, 0, 10);
  HttpTransaction& h = story.http(c, "/", 11, 40);
  h.ends_with_close = true;
  h.content_type = "text/event-stream";
  story.close(c, 2500);
  c.close_by = Direction::s2c;
  c.close_time_ns = at_ms(1840);
  EXPECT_EQ(Judged(story).visits.stored.at(0).wait_ns, 40 * kMillisecondNs);
}

TEST(Visits, WhatTheWayTookIsNotTheServersWork) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 80, 0, 10);
  stalls(story.http(c, "/", 11, 511)) = {0, 0, 0, 0, 0, 480 * kMillisecondNs};
  const Breakdown b = breakdown_of(story);
  EXPECT_EQ(of(b, Category::rounds), ms_ns(489.9));
  EXPECT_EQ(of(b, Category::think), ms_ns(499.9 - 489.9));
}

TEST(Visits, ALoginOfOneRoundTripWaitsForTheServersSideOnly) {
  Story story;
  Connection& c = story.connection(kClient, 1, kServer, 6379, 0, 20);
  c.rtt_probe_server_ns = c.rtt_probe_client_ns = ms_ns(10);
  DatabaseTransaction& login = story.query(c, Protocol::redis, "AUTH", 21, 33);
  login.login = true;
  for (const std::uint32_t trips : {1U, 2U}) {
    login.round_trips = trips;
    login.response_first_ns = login.response_last_ns = at_ms(trips == 1 ? 33 : 53);
    const Breakdown b = breakdown_of(story);
    EXPECT_EQ(of(b, Category::think), ms_ns(2)) << trips;
    EXPECT_EQ(of(b, Category::rounds), ms_ns(trips == 1 ? 10 : 30)) << trips;
  }
}

TEST(Visits, HowALongDatabaseAnswerTravelledIsNotMeasured) {
  for (const double took : {5.0, 50.0}) {
    Story story;
    Connection& c = story.connection(kClient, 1, kServer, 5432, 0, 20);
    story.query(c, Protocol::postgres, "select", 21, 41).response_last_ns = at_ms(41 + took);
    EXPECT_EQ(Judged(story).visits.stored.at(0).flags.transfer_unsplit, took > 20) << took;
  }
}

TEST(Visits, RefererNamesTheParent) {
  Story story;
  Connection& c = story.connection("10.0.0.5", 1, "192.0.2.80", 80, 0, 6);
  story.http(c, "/page", 6, 50).content_type = "text/html";
  story.http(c, "/other.css", 60, 100).content_type = "text/css";
  Connection& late = story.connection("10.0.0.5", 2, "192.0.2.80", 80, 110, 6);
  HttpTransaction& h = story.http(late, "/a.png", 116, 140);
  h.content_type = "image/png";
  h.referer = "http://www.example.com/page";
  const Visit visit = Judged(story).visits.stored.at(0);
  const CriticalPath path = critical_path(visit, Form::parallel);
  std::vector<VisitNode::Kind> kinds;
  for (const PathStep& s : path.steps) kinds.push_back(visit.nodes[s.node].kind);
  using K = VisitNode::Kind;
  EXPECT_THAT(kinds, testing::ElementsAre(K::connect, K::request, K::connect, K::request));
}

TEST(Visits, ASampleKeepsTroubleFirstAndCountsItByWeight) {
  Story story;
  for (int i = 0; i < 1000; ++i) {
    const double t = i * 5000;
    const bool lost = i % 50 == 7;
    Connection& c = story.connection("10.0.0.5", static_cast<std::uint16_t>(i + 1), "192.0.2.80",
                                     80, t, lost ? 1006 : 6);
    if (lost) {
      c.syn_wait_ns = 1000 * kMillisecondNs;
      test::push(c.syn_frames, frame_at(t + 1000));
    }
    const double ready = t + (lost ? 1006 : 6);
    story.http(c, "/", ready + 4, ready + 19);
  }
  const Judged all(story);
  VisitLimits limits;
  limits.max_stored = 100;
  const Visits sample = find_visits(all.data, all.correlation, limits);
  ASSERT_EQ(sample.stored.size(), 100U);
  double weights = 0;
  std::size_t troubled = 0;
  for (const Visit& v : sample.stored) {
    weights += v.weight;
    const bool lost = all.data.connections()[v.nodes[0].connection].syn_frames.size() > 1;
    troubled += lost ? 1 : 0;
    EXPECT_DOUBLE_EQ(v.weight, lost ? 1.0 : 980.0 / 80);
  }
  EXPECT_EQ(troubled, 20U);  // all of them
  EXPECT_NEAR(weights, 1000, 1e-6);
  // What they cost in all is what it is without sampling.
  Thresholds thresholds;
  const Advice advice = advise({all.data, all.correlation, sample, thresholds});
  const auto found = std::find_if(advice.findings.begin(), advice.findings.end(),
                                  [](const Finding& f) { return f.rule == "tcp-syn-loss"; });
  ASSERT_NE(found, advice.findings.end());
  const Finding exact = all.findings("tcp-syn-loss").at(0);
  EXPECT_EQ(found->affected_actions, exact.affected_actions);
  EXPECT_DOUBLE_EQ(found->user_seconds_per_hour, exact.user_seconds_per_hour);
  EXPECT_DOUBLE_EQ(found->affected_share, 0.02);
}

TEST(Visits, MoreTroubleThanHalfOfThePlacesIsSampledToo) {
  Story story;
  for (int i = 0; i < 100; ++i) {
    const double t = i * 5000;
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(i + 1), "192.0.2.80", 80, t, 6);
    if (i < 70) test::push(c.syn_frames, frame_at(t + 1));
    story.http(c, "/", t + 10, t + 25);
  }
  const Judged all(story);
  VisitLimits limits;
  limits.max_stored = 20;
  const Visits half = find_visits(all.data, all.correlation, limits);
  double weights = 0;
  std::size_t heavy = 0;
  for (const Visit& v : half.stored) {
    weights += v.weight;
    heavy += v.weight == 7.0 ? 1 : 0;
  }
  EXPECT_EQ(heavy, 10U);
  EXPECT_NEAR(weights, 100, 1e-6);
  limits.max_stored = 80;  // the 30 others leave 50 places
  std::size_t troubled = 0;
  for (const Visit& v : find_visits(all.data, all.correlation, limits).stored) {
    troubled += v.weight > 1 ? 1 : 0;
  }
  EXPECT_EQ(troubled, 50U);
}

TEST(Visits, BoundedAndTheSameWhateverTheOrder) {
  Story story;
  for (int i = 0; i < 50; ++i) {
    const double t = i * 5000;
    Connection& c =
        story.connection("10.0.0.5", static_cast<std::uint16_t>(i + 1), "192.0.2.80", 80, t, 6);
    for (int n = 0; n < 5; ++n) story.http(c, "/", t + 10 + n * 20, t + 25 + n * 20);
  }
  VisitLimits limits;
  limits.max_stored = 10;
  limits.max_nodes = 4;
  const Judged told(story);
  const Judged shuffled(story, 7);
  const Visits a = find_visits(told.data, told.correlation, limits);
  const Visits b = find_visits(shuffled.data, shuffled.correlation, limits);
  EXPECT_EQ(a.seen, 50U);
  ASSERT_EQ(a.stored.size(), 10U);
  ASSERT_EQ(b.stored.size(), 10U);
  EXPECT_TRUE(a.sampled());
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(a.stored[i].start_ns, b.stored[i].start_ns);
    EXPECT_EQ(a.stored[i].nodes.size(), 4U);
    EXPECT_DOUBLE_EQ(a.stored[i].weight, 5.0);
    EXPECT_TRUE(a.stored[i].flags.cut);
  }
}

TEST(Visits, WithoutAHandshakeTheWayIsNoLongerThanOthersOfItsPathShowed) {
  // GIVEN a midstream connection whose only request was acknowledged with its answer, 120 ms later
  Story story;
  Connection& slow = story.midstream(story.connection("10.0.0.5", 1, "192.0.2.80", 5432, 0, 6));
  slow.rtt_probe_server.add(120 * kMillisecondNs);
  story.query(slow, Protocol::postgres, "select a", 10, 130);
  const Judged alone(story);
  const auto think = [](const Judged& judged) {
    return of(critical_path(judged.visits.stored.at(0), Form::serial).breakdown, Category::think);
  };
  EXPECT_EQ(think(alone), 0);
  // WHEN another one between the same hosts took 5 THEN the server worked the rest
  Connection& quick = story.midstream(story.connection("10.0.0.5", 2, "192.0.2.80", 5432, 5000, 6));
  quick.rtt_probe_server.add(5 * kMillisecondNs);
  story.query(quick, Protocol::postgres, "select b", 5010, 5015);
  EXPECT_EQ(think(Judged(story)), 115 * kMillisecondNs);
}

TEST(VisitPartsDeathTest, ThereIsNoEleventh) {
  VisitParts parts;
  for (int i = 0; i < 10; ++i) parts.push({Category::think, 1});
  EXPECT_EQ(parts.size(), 10U);
  EXPECT_DEBUG_DEATH(parts.push({Category::think, 1}), "kMost");
}

/// Connections of clients of which each opens one: any, or those that combine64() hashes to one value.
Story many_clients(bool chosen) {
  Story story;
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    Connection& c = story.connection("2001:db8::2", 4000, "2001:db8::1", 80, i * 0.01, 6);
    const std::uint64_t high = random();
    const std::uint64_t low = chosen ? 0 - high * 0x9e3779b97f4a7c15ULL : random();
    std::memcpy(&c.client.ip.bytes[0], &high, 8);
    std::memcpy(&c.client.ip.bytes[8], &low, 8);
    EXPECT_TRUE(!chosen || combine64(c.client.ip.high(), c.client.ip.low()) == mix64(0));
  }
  return story;
}

TEST(Visits, AddressesThatClientsChooseMakeNoMoreWork) {
  const auto cost = [](bool chosen) {
    const Judged judged(many_clients(chosen));
    EXPECT_EQ(judged.visits.seen, 20'000U);
    return cpu_seconds(
        [&] { (void)find_visits(judged.data, judged.correlation, judged.thresholds.visits); });
  };
  EXPECT_LT(cost(true), 8 * cost(false));
}

// --------------------------------------------------------------------- answers that cannot be read

/// A TLS connection that asked once: its answer began at 140 ms and its last byte came at 400.
struct Encrypted {
  Encrypted() {
    c = &story.connection("10.0.0.5", 1000, "192.0.2.80", 443, 0, 40);
    t = &story.tls(*c, "a.example", 0x0304, 41, 90, 91);
    t->first_server_data_ns = at_ms(140);
    c->half.c2s.payload_packets = 3;  // hello, Finished, request
    c->half.c2s.last_payload_ns = at_ms(91);
    c->half.s2c.payload_packets = 50;
    c->half.s2c.payload_bytes = 600'000;  // six flights of 40 ms
    c->half.s2c.last_payload_ns = at_ms(400);
    c->last_time_ns = at_ms(400);
  }
  [[nodiscard]] double wait_ms() const {
    const Dataset data = story.dataset();
    const Visits visits = find_visits(data, correlate(data), {});
    EXPECT_EQ(visits.stored.size(), 1U);
    expect_consistent(visits.stored.at(0));
    return static_cast<double>(visits.stored.at(0).wait_ns) / 1e6;
  }
  Story story;
  Connection* c;
  TlsHandshake* t;
};

TEST(UnreadableAnswer, OfTheOnlyRequestEndsWithTheServersLastByte) {
  Encrypted e;
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->half.c2s.payload_packets = 4;  // and the client's goodbye behind the last byte
  e.c->half.c2s.last_payload_ns = at_ms(401);
  EXPECT_EQ(e.wait_ms(), 400);
}

TEST(UnreadableAnswer, WhereMoreMayHaveBeenAskedItsFirstByteIsAllThatIsKnown) {
  Encrypted e;
  e.c->half.s2c.payload_bytes = 100'000;  // four flights of 40 ms
  e.c->half.c2s.payload_packets = 4;
  e.c->half.c2s.last_payload_ns = at_ms(300);  // a second request in the middle
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->half.c2s.payload_packets = 5;
  e.c->half.c2s.last_payload_ns = at_ms(401);
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, WithoutAPauseAllOfItWasWaitedForWhateverWasAsked) {
  Encrypted e;
  e.c->half.c2s.payload_packets = 9;  // HTTP/2: settings, windows
  e.c->half.c2s.last_payload_ns = at_ms(300);
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->half.c2s.last_payload_ns = at_ms(401);  // and a goodbye
  EXPECT_EQ(e.wait_ms(), 400);
}

TEST(UnreadableAnswer, WhereTheServerSpeaksFirstItsFirstByteIsNotKnown) {
  Encrypted e;
  e.t->first_server_data_ns = at_ms(90.5);  // HTTP/2's settings; the client's request is at 91
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->half.s2c.payload_bytes =
      5'000;  // these do not take so long: when the answer came is not known
  EXPECT_LT(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, WithLossesItEndsWhereTheClientLeaves) {
  Encrypted e;
  Impairment& lost = test::impair(e.c->half.s2c);
  lost.retransmissions[static_cast<std::size_t>(RetransmissionClass::fast)] = 3;
  e.c->half.s2c.payload_bytes = 100'000;
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->half.c2s.payload_packets = 4;
  e.c->half.c2s.last_payload_ns = at_ms(401);
  EXPECT_EQ(e.wait_ms(), 400);
  // It said more, but a path with so many losses takes that long.
  e.c->half.c2s.payload_packets = 6;
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->half.s2c.payload_bytes = 1'000;
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, WhoResetsAtOnceLeavesToo) {
  Encrypted e;
  e.c->half.s2c.payload_bytes = 5'000;  // which do not take 260 ms by themselves
  e.c->close = CloseKind::rst;
  e.c->close_time_ns = at_ms(401);
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->close_time_ns = at_ms(450);
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->close_time_ns = at_ms(401);
  e.c->close = CloseKind::fin_both;  // whose FIN came first is not known
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, OfManyBytesMayTakeLonger) {
  Encrypted e;
  e.c->half.c2s.payload_packets = 4;
  e.c->half.s2c.last_payload_ns = e.c->last_time_ns = at_ms(8000);
  e.c->half.c2s.last_payload_ns = at_ms(8001);
  EXPECT_EQ(e.wait_ms(), 8000);  // 600 kB in 8 s
  e.c->half.s2c.payload_bytes = 60'000;
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, TwoGoodbyesBehindItAreNoPartOfIt) {
  Encrypted e;
  e.c->close = CloseKind::fin_both;
  e.c->half.c2s.payload_packets = 4;
  e.c->half.c2s.last_payload_ns = at_ms(350);
  EXPECT_NEAR(e.wait_ms(), 350, 1);      // 50 ms later the server's
  e.c->half.s2c.payload_bytes = 10'000;  // these do not take 210 ms: it waited, and asked again
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->half.s2c.payload_bytes = 600'000;
  e.c->half.s2c.last_payload_ns = at_ms(500);  // more than a goodbye came after it
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, AfterASilenceTheServersLastByteIsNoPartOfIt) {
  Encrypted e;
  e.c->half.s2c.payload_bytes = 5000;  // one flight does not take 260 ms: its goodbye, or a push
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->half.c2s.payload_packets = 4;
  e.c->half.c2s.last_payload_ns = at_ms(401);
  e.c->close = CloseKind::fin_both;
  e.c->close_time_ns = at_ms(400);  // which the client's own answers
  EXPECT_EQ(e.wait_ms(), 140);
  e.c->close_time_ns = at_ms(401);  // but who leaves first, at once, had all it waited for
  EXPECT_EQ(e.wait_ms(), 400);
  e.c->half.c2s.last_payload_ns = e.c->close_time_ns = at_ms(450);
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, BytesThatAreNoNewsMayBeTheLastOnes) {
  for (const auto r : {RetransmissionClass::rto, RetransmissionClass::fast,
                       RetransmissionClass::tail_probe, RetransmissionClass::spurious,
                       RetransmissionClass::keep_alive, RetransmissionClass::zero_window_probe}) {
    Encrypted e;
    test::impair(e.c->half.s2c).retransmissions[static_cast<std::size_t>(r)] = 1;
    EXPECT_EQ(e.wait_ms(), 140) << name(r);
  }
  Encrypted e;  // overtaken: new ones
  const auto new_ones = static_cast<std::size_t>(RetransmissionClass::out_of_order);
  test::impair(e.c->half.s2c).retransmissions[new_ones] = 1;
  EXPECT_EQ(e.wait_ms(), 400);
}

TEST(UnreadableAnswer, AServersGoodbyeIsNoPartOfIt) {
  Encrypted e;
  e.c->half.s2c.last_payload_ns = e.c->last_time_ns = at_ms(140 + 5000);
  EXPECT_EQ(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, OfOneDirectionNothingIsAdded) {
  Encrypted e;
  e.c->one_sided = true;
  EXPECT_LE(e.wait_ms(), 140);
}

TEST(UnreadableAnswer, OfAnUnknownProtocolLikewise) {
  Story story;
  Connection& c = story.connection("10.0.0.5", 1000, "192.0.2.80", 9999, 0, 40);
  c.protocol = Protocol::unknown;
  c.half.c2s = {2, 1, 10, at_ms(41), at_ms(41), {}};
  c.half.s2c = {9, 8, 200'000, at_ms(90), at_ms(250), {}};
  c.last_time_ns = at_ms(250);
  const Dataset data = story.dataset();
  const Visits visits = find_visits(data, correlate(data), {});
  ASSERT_EQ(visits.stored.size(), 1U);
  EXPECT_EQ(visits.stored[0].wait_ns, 250 * kMillisecondNs);
  EXPECT_TRUE(visits.stored[0].flags.transfer_unsplit);
}

}  // namespace
}  // namespace wirelag::test
