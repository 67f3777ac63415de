// Bounds: full tables, floods, no allocation, and results that do not depend on when time passes.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "messages.hpp"
#include "support/allocation_count.hpp"

namespace wirelag::dns_test {
namespace {

DnsLimits limits_of(std::uint32_t pending) {
  DnsLimits limits = Timeline::small_limits();
  limits.pending_queries = pending;
  return limits;
}

/// Counts and keeps nothing, so that its own work does not allocate.
struct Tally final : TransactionSink {
  void emit(TransactionRef transaction) override {
    const DnsTransaction& t = *std::get<const DnsTransaction*>(transaction);
    ++of[static_cast<std::size_t>(t.outcome)];
    response_bytes += t.response.size();
  }
  [[nodiscard]] std::uint64_t count(DnsOutcome o) const { return of[static_cast<std::size_t>(o)]; }
  std::uint64_t of[8]{};
  std::uint64_t response_bytes = 0;
};

TEST(DnsLimits, FullTableGivesUpTheOldestUnansweredQuery) {
  Timeline line(limits_of(4));
  for (unsigned id = 1; id <= 5; ++id) line.ask(ms(id), query(id, "a.example"));
  ASSERT_EQ(line.sink.all.size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.id, 1);
  EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::unanswered);
  EXPECT_EQ(line.count(Counter::dns_evicted), 1U);
  for (unsigned id = 2; id <= 5; ++id) line.answer(ms(10), response(id, "a.example"));
  EXPECT_EQ(line.finish().size(), 5U);
  EXPECT_EQ(line.sink.all[4].t.outcome, DnsOutcome::answered);
}

TEST(DnsLimits, AnsweredOnesGoBeforeUnansweredOnes) {
  Timeline line(limits_of(4));
  for (unsigned id = 1; id <= 4; ++id) line.ask(ms(id), query(id, "a.example"));
  line.answer(ms(8), response(3, "a.example"));
  line.ask(ms(9), query(5, "a.example"));
  ASSERT_EQ(line.sink.all.size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.id, 3);
  EXPECT_EQ(line.count(Counter::dns_evicted), 0U);
  EXPECT_EQ(line.count(Counter::dns_duplicate_window_cut), 1U);
}

TEST(DnsLimits, AnsweredOnesWhoseWindowIsOverLeaveWithoutBeingCounted) {
  Timeline line(limits_of(2));
  for (unsigned id = 1; id <= 100; ++id) {
    line.ask(seconds(id * 6), query(id, "a.example"));
    line.answer(seconds(id * 6) + ms(1), response(id, "a.example"));
  }
  EXPECT_EQ(line.count(Counter::dns_duplicate_window_cut), 0U);
  EXPECT_EQ(line.finish().size(), 100U);
}

TEST(DnsLimits, ResponsesShareABoundedPool) {
  Timeline line(limits_of(8));
  Message large = response(1, "a.example", 1, 1);
  large.resize(60000);
  for (unsigned id = 1; id <= 8; ++id) {
    large[1] = static_cast<std::uint8_t>(id);
    line.ask(ms(id), query(id, "a.example"));
    line.answer(ms(id), large);
  }
  EXPECT_EQ(line.count(Counter::dns_duplicate_window_cut), 7U);
  ASSERT_EQ(line.finish().size(), 8U);
  for (const Seen& s : line.sink.all) EXPECT_EQ(s.response.size(), 60000U) << "each one whole";
}

TEST(DnsLimits, ManyQuestionsWithOneIdAreBounded) {
  Timeline line;
  for (int i = 0; i < 40; ++i) line.ask(ms(i), query(1, "q" + std::to_string(i)));
  EXPECT_EQ(line.count(Counter::dns_evicted), 24U);
  line.answer(ms(50), response(1, "q39"));
  EXPECT_EQ(line.finish().size(), 40U);
}

TEST(DnsLimits, MillionUnansweredQueriesStayWithinTheTableAndAllocateNothing) {
  Counters counters;
  Tally tally;
  DnsTracker tracker(limits_of(1U << 12), classifier(), tally, counters);
  Message ask = query(0, "aaaaaaaaaaaaaaaaaaaa.flood.example");
  Packet p;
  p.src = kClient;
  p.dst = kResolver;
  p.payload = ask;
  p.payload_length = static_cast<std::uint32_t>(ask.size());
  const std::size_t before = test::allocation_count();
  constexpr unsigned kQueries = 1'000'000;
  for (unsigned i = 0; i < kQueries; ++i) {
    ask[0] = static_cast<std::uint8_t>(i >> 8);
    ask[1] = static_cast<std::uint8_t>(i);
    p.src.port = static_cast<std::uint16_t>(i >> 4);
    p.time_ns = i * 1000;
    ASSERT_EQ(tracker.on_datagram(p), NotAnalysed::none);
    if (i % 256 == 0) tracker.tick(p.time_ns);
  }
  EXPECT_EQ(test::allocation_count(), before);
  EXPECT_EQ(counters.of(Counter::dns_evicted), kQueries - (1U << 12));
  tracker.finish();
  EXPECT_EQ(tally.count(DnsOutcome::unanswered), kQueries);
}

TEST(DnsLimits, LongNamesOfOddBytesStayWithinTheirPool) {
  Counters counters;
  Tally tally;
  DnsTracker tracker(limits_of(256), classifier(), tally, counters);
  const std::string odd(63, '\xff');
  for (unsigned i = 0; i < 2000; ++i) {
    const Message ask = Writer()
                            .header(i, kQuery, 1)
                            .label(odd)
                            .label(odd)
                            .label(odd)
                            .label("abc")
                            .u8(0)
                            .u16(1)
                            .u16(1);
    Packet p;
    p.src = kClient;
    p.dst = kResolver;
    p.time_ns = i;
    p.payload = ask;
    p.payload_length = static_cast<std::uint32_t>(ask.size());
    (void)tracker.on_datagram(p);
  }
  tracker.finish();
  EXPECT_EQ(tally.count(DnsOutcome::unanswered), 2000U);
  EXPECT_GT(counters.of(Counter::dns_evicted), 0U);
}

// ------------------------------------------------------------------------------ properties

struct Event {
  TimeNs at;
  bool from_client;
  unsigned client;
  Message message;
};

/// Queries, copies, answers, duplicates and nonsense of a few clients over ten minutes.
std::vector<Event> random_traffic(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  std::vector<Event> events;
  TimeNs now = 0;
  for (int i = 0; i < 600; ++i) {
    now += static_cast<TimeNs>(below(2)) * ms(below(4000));
    const std::string qname = "n" + std::to_string(below(2)) + ".example";
    const unsigned id = below(3);
    const bool from_client = below(2) == 0;
    Message m = from_client ? query(id, qname) : response(id, qname, 1, below(3));
    if (below(20) == 0) m.resize(12 + below(static_cast<unsigned>(m.size()) - 12));
    events.push_back({now, from_client, below(2), m});
  }
  return events;
}

/// Everything a transaction says, in an order that does not depend on when it was emitted.
std::vector<std::string> outcome_of(const std::vector<Event>& events, bool ticking) {
  Timeline line;
  for (const Event& e : events) {
    const Endpoint client = endpoint(e.client + 1, 5000);
    line.datagram(e.at, e.from_client ? client : kResolver, e.from_client ? kResolver : client,
                  e.message);
    if (ticking) line.tracker.tick(e.at);
  }
  std::vector<std::string> out;
  for (const Seen& s : line.finish()) {
    std::string text(name(s.t.outcome));
    text += " " + s.qname + " " + std::to_string(s.t.response_frame);
    for (const FrameNumber f : s.t.query_frames) text += " q" + std::to_string(f);
    for (const FrameNumber f : s.t.duplicate_response_frames) text += " d" + std::to_string(f);
    out.push_back(text + " " + std::to_string(s.t.resolver_ns()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(DnsProperties, ResultsDoNotDependOnTicks) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const std::vector<Event> events = random_traffic(seed);
    EXPECT_EQ(outcome_of(events, true), outcome_of(events, false)) << seed;
  }
}

TEST(DnsProperties, EveryMessageIsInExactlyOneTransaction) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Timeline line;
    const std::vector<Event> events = random_traffic(seed);
    std::size_t accepted = 0;
    for (const Event& e : events) {
      const Endpoint client = endpoint(e.client + 1, 5000);
      accepted += line.datagram(e.at, e.from_client ? client : kResolver,
                                e.from_client ? kResolver : client, e.message) == NotAnalysed::none;
    }
    std::size_t told = 0;
    for (const Seen& s : line.finish()) {
      told += s.t.query_frames.size() + s.t.query_frames.left_out() +
              s.t.duplicate_response_frames.size() + s.t.duplicate_response_frames.left_out() +
              s.t.mirror_duplicates.s2c + (s.t.response_frame != 0 ? 1 : 0);
    }
    EXPECT_EQ(told, accepted) << seed;
  }
}

TEST(DnsProperties, RandomDamageIsSafe) {
  std::mt19937 random(7);
  Timeline line;
  const auto stream = line.tracker.open({1, kClient, kResolver});
  for (int i = 0; i < 20000; ++i) {
    Message m = response(static_cast<unsigned>(random() % 4), "www.example.com", 1, 3);
    for (unsigned hits = random() % 6; hits > 0; --hits) {
      m[random() % m.size()] = static_cast<std::uint8_t>(random());
    }
    m.resize(random() % m.size() + 1);
    (void)line.datagram(ms(i), kResolver, kClient, m);
    (void)decode_answers(m);
    line.tracker.on_bytes(stream, {m, ms(i), line.frame, Direction::s2c});
    if (random() % 9 == 0) line.tracker.on_gap(stream, Direction::s2c, random() % 300);
  }
  line.tracker.close(stream);
  EXPECT_FALSE(line.finish().empty());
}

}  // namespace
}  // namespace wirelag::dns_test
