#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/control/dataset.hpp>

#include "story.hpp"

namespace wirelag::test {
namespace {

/// Everything of the dataset that a report could show, as text.
std::string contents(const Dataset& data) {
  std::string out;
  const auto line = [&out](auto... parts) { ((out += parts, out += ' '), ...), out += '\n'; };
  for (const Connection& c : data.connections()) {
    line(c.client.text(), c.server.text(), std::to_string(c.first_frame),
         std::to_string(data.connection_index(c.key)));
  }
  for (const DnsTransaction& d : data.dns()) {
    line(d.client.text(), std::string(d.qname), std::to_string(d.qtype),
         std::string(as_text(d.response)));
  }
  for (const HttpTransaction& h : data.http()) {
    line(std::string(h.host), std::string(h.target), std::to_string(h.request_frames.first));
  }
  for (const TlsHandshake& t : data.tls()) line(std::string(t.sni), t.client.text());
  return out;
}

Story busy_story() {
  Story story;
  for (int i = 0; i < 40; ++i) {
    const auto port = static_cast<std::uint16_t>(40000 + i);
    // Two clients do the same at the same instants: only the endpoints tell them apart.
    for (const char* client : {"10.0.0.1", "10.0.0.2"}) {
      Connection& c = story.connection(client, port, "192.0.2.1", 80, i, 0.5);
      story.http(c, "/" + std::to_string(i), i + 1, i + 3);
      story.dns({client, "192.0.2.53", "n" + std::to_string(i % 7) + ".example"}, i, i + 2,
                DnsOutcome::answered, {"192.0.2.1"});
      Connection& s = story.connection(client, static_cast<std::uint16_t>(port + 1000), "192.0.2.1",
                                       443, i, 0.5);
      story.tls(s, "tls.example", 0x0304, i + 1, i + 2, i + 2);
    }
  }
  return story;
}

TEST(Dataset, OrderOfEmissionDoesNotShow) {
  const Story story = busy_story();
  const std::string told = contents(story.dataset());
  for (unsigned seed = 1; seed <= 20; ++seed) EXPECT_EQ(contents(story.dataset(seed)), told);
}

TEST(Dataset, SameOrderWithoutFrameNumbers) {
  Story story = busy_story();
  for (Connection& c : story.all_connections()) c.first_frame = c.last_frame = 0;
  for (DnsTransaction& d : story.all_dns()) {
    d.query_frames = {};
    d.response_frame = 0;
  }
  const std::string told = contents(story.dataset());
  for (unsigned seed = 1; seed <= 5; ++seed) EXPECT_EQ(contents(story.dataset(seed)), told);
  const Dataset data = story.dataset(7);
  EXPECT_TRUE(std::is_sorted(
      data.connections().begin(), data.connections().end(),
      [](const auto& a, const auto& b) { return a.start_time_ns < b.start_time_ns; }));
}

/// How many of the queries of a client that asks four names in a minute are not visible.
std::size_t not_visible_of_four(const char* name_asked_again, double again_ms,
                                bool resolver_heard) {
  Story story;
  for (int i = 0; i < 4; ++i) {
    story.dns({"10.0.0.1", "192.0.2.53", "n" + std::to_string(i) + ".example"}, 20e3 * i,
              Story::kNever);
  }
  if (name_asked_again != nullptr) {
    story.dns({"10.0.0.1", "192.0.2.53", name_asked_again}, again_ms, Story::kNever);
  }
  if (resolver_heard) story.dns({"10.0.0.2", "192.0.2.53", "other.example"}, 5, 7);
  const Dataset data = story.dataset();
  return static_cast<std::size_t>(
      std::count_if(data.dns().begin(), data.dns().end(),
                    [](const DnsTransaction& d) { return d.outcome == DnsOutcome::not_visible; }));
}

TEST(Dataset, QueriesAreNotVisibleOnlyWhereTheCaptureCannotHaveTheirAnswers) {
  EXPECT_EQ(not_visible_of_four(nullptr, 0, false), 4U);
  // A capture that has the resolver's answers to others would have had this one's.
  EXPECT_EQ(not_visible_of_four(nullptr, 0, true), 0U);
  // Who gets no answer asks again after 5 s; who has no cache asks again whenever it needs the name.
  EXPECT_EQ(not_visible_of_four("n0.example", 5000, false), 0U);
  EXPECT_EQ(not_visible_of_four("n0.example", 10'000, false), 5U);
}

TEST(Dataset, WhatBeginsAndEndsInTheSameBurstIsOrderedByItsConnection) {
  // GIVEN a port used again within one burst of a live link, and the same inner addresses in two tunnels
  std::vector<Connection> same(4);
  for (std::size_t i = 0; i < same.size(); ++i) {
    same[i].key = (i % 2) << 48 | (1 + i / 2);
    same[i].half.c2s.packets = i;
  }
  for (const std::array<std::size_t, 4>& order :
       {std::array<std::size_t, 4>{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}}) {
    Dataset data;
    for (const std::size_t i : order) data.emit(&same[i]);
    data.seal();
    std::vector<std::uint64_t> seen;
    for (const Connection& c : data.connections()) seen.push_back(c.half.c2s.packets);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 2, 1, 3}));
  }
}

TEST(Dataset, PipelinedRequestsOfOneSegmentKeepTheOrderOfTheirResponses) {
  Story story;
  Connection& c = story.connection("10.0.0.1", 1000, "192.0.2.1", 80, 0, 1);
  // GIVEN three requests in one segment, the last one unanswered
  story.http(c, "/unanswered", 2, Story::kNever);
  story.http(c, "/second", 2, 9);
  story.http(c, "/first", 2, 5);
  const Dataset data = story.dataset();
  EXPECT_EQ(data.http()[0].target, "/first");
  EXPECT_EQ(data.http()[1].target, "/second");
  EXPECT_EQ(data.http()[2].target, "/unanswered");
}

TEST(Dataset, CopiesTheTexts) {
  Dataset data;
  {
    std::string name = "gone.example";
    std::vector<std::uint8_t> response(65'535, 0xab);  // the longest there is
    DnsTransaction d;
    d.qname = name;
    d.response = Bytes(response);
    data.emit(&d);
    name.assign(name.size(), '#');
    response.assign(response.size(), 0);
  }
  data.seal();
  ASSERT_EQ(data.dns().size(), 1U);
  EXPECT_EQ(data.dns()[0].qname, "gone.example");
  ASSERT_EQ(data.dns()[0].response.size(), 65'535U);
  EXPECT_EQ(data.dns()[0].response[65'534], 0xab);
}

TEST(Dataset, LimitDropsTheOldestAndKeepsTheTextsOfTheRest) {
  Dataset data({.max_per_kind = 100});
  for (int i = 0; i < 5000; ++i) {
    const std::string name = "name-" + std::to_string(i);
    const std::string filler(static_cast<std::size_t>(i % 3000), 'x');
    DnsTransaction d;
    d.qname = name;
    d.response = as_bytes(filler);
    d.first_query_ns = i;
    data.emit(&d);
  }
  EXPECT_EQ(data.dropped(), 4900U);
  data.seal();
  ASSERT_EQ(data.dns().size(), 100U);
  for (int i = 0; i < 100; ++i) {
    const DnsTransaction& d = data.dns()[static_cast<std::size_t>(i)];
    EXPECT_EQ(d.qname, "name-" + std::to_string(4900 + i));
    EXPECT_EQ(d.response.size(), static_cast<std::size_t>((4900 + i) % 3000));
  }
}

TEST(Dataset, WhatManySayIsKeptOnceAndAsLongAsOneOfThemIs) {
  Dataset data({.max_per_kind = 100});
  for (int i = 0; i < 20'000; ++i) {  // more than a block
    const std::string host = i % 2 == 0 ? "a.example" : "b.example";
    const std::string target = "/" + std::to_string(i) + std::string(200, 'x');
    HttpTransaction h;
    h.host = host;
    h.target = target;
    h.request_first_ns = i;
    data.emit(&h);
  }
  data.seal();
  ASSERT_EQ(data.http().size(), 100U);
  std::set<const char*> hosts;
  for (int i = 0; i < 100; ++i) {
    const HttpTransaction& h = data.http()[static_cast<std::size_t>(i)];
    EXPECT_EQ(h.host, i % 2 == 0 ? "a.example" : "b.example");
    EXPECT_EQ(h.target, "/" + std::to_string(19'900 + i) + std::string(200, 'x'));
    hosts.insert(h.host.data());
  }
  EXPECT_LE(hosts.size(), 4U);  // two hosts, in two blocks at most
}

/// Pipelined answers in one segment, say: nothing but the order in which they came tells them apart.
TEST(Dataset, AnswersThatDifferInTheirIdOnlyAreKeptOnce) {
  // GIVEN responses whose bytes are told apart by the ID, by what comes after it, or are hardly any
  const std::vector<std::string> responses = {
      "01answer of the name", "02answer of the name", "03Answer of the name", "04", "5", ""};
  Dataset data;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    DnsTransaction d;
    d.id = static_cast<std::uint16_t>(i);
    d.response_frame = static_cast<FrameNumber>(i + 1);
    d.response = ShortSpan<std::uint8_t>(as_bytes(responses[i]));
    data.emit(&d);
  }
  data.seal();
  ASSERT_EQ(data.dns().size(), responses.size());
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const DnsTransaction& d = data.dns()[i];
    EXPECT_EQ(d.id, i);
    ASSERT_EQ(d.response.size(), responses[i].size());
    const std::string kept(as_text(d.response));
    EXPECT_EQ(kept.substr(std::min<std::size_t>(2, kept.size())),
              responses[i].substr(std::min<std::size_t>(2, kept.size())));
  }
  EXPECT_EQ(data.dns()[1].response.data(), data.dns()[0].response.data());
  EXPECT_NE(data.dns()[2].response.data(), data.dns()[0].response.data());
  EXPECT_EQ(as_text(data.dns()[3].response), "04");
  EXPECT_EQ(as_text(data.dns()[4].response), "5");
}

TEST(Dataset, WhatIsAlikeStaysInTheOrderItCameAlsoWhereOldOnesMadeRoom) {
  for (const std::size_t emitted : {3, 4, 5, 6, 7, 8, 11}) {
    Dataset data({.max_per_kind = 4});
    for (std::size_t i = 0; i < emitted; ++i) {
      const auto text = static_cast<std::uint8_t>(i);
      DnsTransaction d;
      d.qname = "same.example";
      d.response = Bytes(&text, 1);
      data.emit(&d);
    }
    data.seal();
    const std::size_t kept = std::min<std::size_t>(emitted, 4);
    ASSERT_EQ(data.dns().size(), kept);
    for (std::size_t i = 0; i < kept; ++i) {
      EXPECT_EQ(data.dns()[i].response[0], emitted - kept + i) << emitted;
    }
  }
}

TEST(Dataset, EmittedAfterSealIsCountedAndLeftOut) {
  Story story;
  story.dns({"10.0.0.1", "192.0.2.53", "a.example"}, 0, 1);
  Dataset data = story.dataset();
  const DnsTransaction late;
  data.emit(&late);
  data.seal();
  EXPECT_EQ(data.dns().size(), 1U);
  EXPECT_EQ(data.dropped(), 1U);
}

TEST(Dataset, NumbersConnectionsByTheirKeys) {
  Story story;
  story.connection("10.0.0.1", 1, "192.0.2.1", 80, 5, 1).key = (ConnectionKey{3} << 48) | 9;
  story.connection("10.0.0.1", 2, "192.0.2.1", 80, 1, 1).key = 7;
  Dataset data;
  for (const Connection& c : story.all_connections()) data.emit(&c);
  // In the order of their frames: of the second connection, of the first, of one that was not emitted, of none.
  FrameNumber frame = 100;
  for (const ConnectionKey key :
       {ConnectionKey{7}, (ConnectionKey{3} << 48) | 9, ConnectionKey{8}, ConnectionKey{0}}) {
    HttpTransaction h;
    h.connection = key;
    h.request_frames = {++frame, frame};
    data.emit(&h);
  }
  data.seal();
  const auto index = [&data](std::size_t i) {
    return data.connection_index(data.http()[i].connection);
  };
  EXPECT_EQ(index(0), 0U);
  EXPECT_EQ(index(1), 1U);
  EXPECT_EQ(index(2), Dataset::kNone);
  EXPECT_EQ(index(3), Dataset::kNone);
  EXPECT_EQ(data.connection_index(data.connections()[1].key), 1U);
}

}  // namespace
}  // namespace wirelag::test
