#include <thread>

#include <gtest/gtest.h>

#include <wirelag/summary/summariser.hpp>

#include "examples.hpp"

namespace wirelag {
namespace {

using examples::connection;
using examples::kMail;
using examples::kResolver;
using examples::kWeb;
using examples::query;
using examples::request;
using enum ServiceCount;

struct Bench {
  Accounting accounting;
  Counters counters;
  examples::Passed passed;
  Summariser summariser;

  explicit Bench(std::size_t live_handshakes = 64, SummaryLimits limits = {})
      : summariser(limits, accounting, counters, passed, live_handshakes) {}

  template <class T>
  void emit(const T& transaction) {
    summariser.emit(&transaction);
  }
  MergedSummary interval(TimeNs now) {
    EXPECT_TRUE(summariser.publish(now));
    MergedSummary merged;
    if (auto taken = summariser.take()) merged.merge(*taken);
    return merged;
  }
};

ServiceSummary server(const MergedSummary& m, const Endpoint& endpoint) {
  const auto at = m.rows.find(ServiceKey::of_server(kNoService, endpoint));
  return at == m.rows.end() ? ServiceSummary{} : at->second;
}
ServiceSummary service(const MergedSummary& m, ServiceId id) {
  const auto at = m.rows.find(ServiceKey::of_server(id, {}));
  return at == m.rows.end() ? ServiceSummary{} : at->second;
}
std::uint64_t connects(const ServiceSummary& s) { return s.of(ServiceDuration::connect).count(); }

TEST(Summariser, passes_every_transaction_on_and_counts_it) {
  Bench bench;
  bench.emit(connection(1, kWeb));
  bench.emit(request(1, kWeb, 200));
  bench.emit(query(DnsOutcome::answered));
  bench.emit(TlsHandshake{});
  bench.emit(DatabaseTransaction{});
  for (const std::size_t n : bench.passed.of_kind) EXPECT_EQ(n, 1U);
  EXPECT_EQ(bench.interval(1).rows.size(), 3U);
}

TEST(Summariser, connections_by_how_the_handshake_went) {
  Bench bench;
  using enum ConnectionState;
  for (const ConnectionState state :
       {complete, complete, refused, syn_unanswered, synack_no_ack, midstream, no_syn_seen}) {
    bench.emit(connection(0, kWeb, state));
  }
  const ServiceSummary row = server(bench.interval(1), kWeb);
  EXPECT_EQ(row.of(connections), 7U);
  EXPECT_EQ(row.of(handshakes_complete), 2U);
  EXPECT_EQ(row.of(ServiceCount::refused), 1U);
  EXPECT_EQ(row.of(ServiceCount::syn_unanswered), 1U);
  EXPECT_EQ(row.of(synack_unanswered), 1U);
  EXPECT_EQ(connects(row), 2U) << "a connect time that is unknown is no sample";
  EXPECT_EQ(row.of(ServiceDuration::connect).max_ns(), 6 * kMillisecondNs);
  EXPECT_EQ(row.of(ServiceDuration::rtt_probe_server).max_ns(), 5 * kMillisecondNs);
}

TEST(Summariser, only_data_sent_again_is_a_retransmission) {
  Bench bench;
  Connection c = connection(1, kWeb);
  for (std::uint32_t& n : test::impair(c.half.c2s).retransmissions) n = 1;
  for (std::uint32_t& n : test::impair(c.half.s2c).retransmissions) n = 10;
  bench.emit(c);
  const ServiceSummary row = server(bench.interval(1), kWeb);
  EXPECT_EQ(row.of(retransmissions), 44U) << "RTO, fast, tail probe, spurious";
  EXPECT_EQ(row.of(syn_resent), 1U);
  EXPECT_EQ(row.of(synack_resent), 10U);
}

TEST(Summariser, a_refused_connection_is_not_a_reset_one) {
  Bench bench;
  Connection refused_one = connection(1, kWeb, ConnectionState::refused);
  Connection reset_one = connection(2, kWeb);
  refused_one.close = reset_one.close = CloseKind::rst;
  bench.emit(refused_one);
  bench.emit(reset_one);
  EXPECT_EQ(server(bench.interval(1), kWeb).of(resets), 1U);
}

TEST(Summariser, requests_by_status) {
  Bench bench;
  for (const std::uint16_t status : {200, 304, 400, 404, 499, 500, 503, 0}) {
    bench.emit(request(1, kWeb, status));
  }
  HttpTransaction orphan = request(1, kWeb, 500);
  orphan.request_seen = false;
  bench.emit(orphan);
  const ServiceSummary row = server(bench.interval(1), kWeb);
  EXPECT_EQ(row.of(http_requests), 8U);
  EXPECT_EQ(row.of(http_4xx), 3U);
  EXPECT_EQ(row.of(http_5xx), 2U);
  EXPECT_EQ(row.of(http_unanswered), 1U);
}

TEST(Summariser, queries_by_outcome_and_copies) {
  Bench bench;
  DnsTransaction answered = query(DnsOutcome::answered, 3);
  answered.first_query_ns = 0;
  answered.response_ns = 5'030 * kMillisecondNs;
  bench.emit(answered);
  bench.emit(query(DnsOutcome::nxdomain));
  bench.emit(query(DnsOutcome::failed));
  bench.emit(query(DnsOutcome::unanswered, 20));
  bench.emit(query(DnsOutcome::response_only, 0));
  const MergedSummary merged = bench.interval(1);
  const ServiceSummary& row = merged.rows.at(ServiceKey::of_resolver(kNoService, kResolver));
  EXPECT_EQ(row.of(dns_queries), 4U);
  EXPECT_EQ(row.of(dns_nxdomain), 1U);
  EXPECT_EQ(row.of(dns_failed), 1U);
  EXPECT_EQ(row.of(dns_unanswered), 1U);
  EXPECT_EQ(row.of(dns_resent), 21U) << "copies beyond the frames that are kept count too";
  EXPECT_EQ(row.of(ServiceDuration::dns_latency).count(), 1U);
  EXPECT_EQ(row.of(ServiceDuration::dns_latency).max_ns(), 5'030 * kMillisecondNs);
}

// ---------------------------------------------------------------------- round trips, one by one

DataRoundTrip round_trip(Direction data, DurationNs to_ack_ns, DurationNs to_timestamp_ns) {
  DataRoundTrip sample;
  sample.server = kWeb;
  sample.data = data;
  sample.to_ack_ns = to_ack_ns;
  sample.to_timestamp_ns = to_timestamp_ns;
  return sample;
}

TEST(RoundTrips, are_in_the_interval_in_which_they_were_measured_by_half_and_method) {
  Bench bench;
  using enum ServiceDuration;
  const DurationNs ms = kMillisecondNs;
  bench.summariser.on_round_trip(round_trip(Direction::c2s, 20 * ms, kUnknownNs));
  bench.summariser.on_round_trip(round_trip(Direction::c2s, 30 * ms, 31 * ms));
  bench.summariser.on_round_trip(round_trip(Direction::s2c, kUnknownNs, 5 * ms));
  DataRoundTrip named = round_trip(Direction::s2c, 7 * ms, kUnknownNs);
  named.service = 2;
  bench.summariser.on_round_trip(named);

  const MergedSummary first = bench.interval(1);
  const ServiceSummary web = server(first, kWeb);
  EXPECT_EQ(web.of(data_rtt_probe_server).count(), 2U);
  EXPECT_EQ(web.of(data_rtt_probe_server).sum_ns(), 50 * ms);
  EXPECT_EQ(web.of(timestamp_rtt_probe_server).max_ns(), 31 * ms);
  EXPECT_EQ(web.of(data_rtt_probe_client).count(), 0U);
  EXPECT_EQ(web.of(timestamp_rtt_probe_client).min_ns(), 5 * ms);
  EXPECT_EQ(service(first, 2).of(data_rtt_probe_client).max_ns(), 7 * ms);
  EXPECT_EQ(web.of(connections), 0U);
  EXPECT_EQ(bench.interval(2).rows.size(), 0U);
}

TEST(RoundTrips, without_room_for_a_row_are_counted_under_other_but_not_as_transactions_lost) {
  Bench bench(64, {.services = 1, .servers = 0});
  bench.summariser.on_round_trip(round_trip(Direction::c2s, 20, 21));
  const MergedSummary merged = bench.interval(1);
  EXPECT_EQ(merged.rows.at(ServiceKey{}).of(ServiceDuration::data_rtt_probe_server).count(), 1U);
  EXPECT_EQ(merged.counters.of(Counter::summary_rows_full), 0U);
}

// ------------------------------------------------------------------- connect time: once, and early

TEST(Handshake, of_a_connection_that_lives_is_counted_before_its_end_and_not_again_at_its_end) {
  Bench bench;
  const Connection c = connection(7, kMail);
  bench.summariser.on_handshake(c);
  const MergedSummary first = bench.interval(102 * kSecondNs);
  EXPECT_EQ(connects(server(first, kMail)), 1U);
  EXPECT_EQ(server(first, kMail).of(connections), 0U);

  bench.emit(c);
  const MergedSummary second = bench.interval(112 * kSecondNs);
  EXPECT_EQ(connects(server(second, kMail)), 0U);
  EXPECT_EQ(server(second, kMail).of(connections), 1U);
}

TEST(Handshake, waits_for_the_name_that_tells_its_service) {
  Bench bench;
  bench.summariser.on_handshake(connection(7, kWeb));
  EXPECT_EQ(connects(bench.interval(100 * kSecondNs + 1).total()), 0U);

  HttpTransaction h = request(7, kWeb, 200);
  h.service = 2;
  bench.emit(h);
  bench.emit(h);
  const MergedSummary merged = bench.interval(110 * kSecondNs);
  EXPECT_EQ(connects(service(merged, 2)), 1U);
  EXPECT_EQ(connects(merged.total()), 1U);
}

TEST(Handshake, that_nobody_names_goes_to_the_server_when_the_wait_is_over) {
  Bench bench;
  bench.summariser.on_handshake(connection(7, kWeb));
  EXPECT_EQ(connects(bench.interval(101 * kSecondNs - 1).total()), 0U);
  EXPECT_EQ(connects(server(bench.interval(101 * kSecondNs), kWeb)), 1U);
}

TEST(Handshake, a_clock_that_steps_back_ends_the_wait) {
  Bench bench;
  bench.summariser.on_handshake(connection(7, kWeb));
  EXPECT_EQ(connects(server(bench.interval(5 * kSecondNs), kWeb)), 1U);
}

TEST(Handshake, of_a_connection_that_ends_at_once_goes_to_its_service) {
  Bench bench;
  Connection c = connection(7, kWeb);
  bench.summariser.on_handshake(c);
  c.service = 3;
  bench.emit(c);
  const MergedSummary merged = bench.interval(200 * kSecondNs);
  EXPECT_EQ(connects(service(merged, 3)), 1U);
  EXPECT_EQ(connects(merged.total()), 1U);
}

TEST(Handshake, is_counted_once_whatever_the_order_and_the_crowd) {
  for (const std::size_t places : {0, 1, 4, 1024}) {
    Bench bench(places);
    std::uint64_t counted = 0;
    // GIVEN 500 connections, 50 alive at a time, announced once or twice, a third of them named
    for (ConnectionKey key = 1; key <= 550; ++key) {
      if (key <= 500) {
        Connection c = connection(ConnectionKey{3} << 48 | key, kWeb);
        c.established_time_ns += static_cast<TimeNs>(key) * 40 * kMillisecondNs;
        bench.summariser.on_handshake(c);
        if (key % 5 == 0) bench.summariser.on_handshake(c);
        if (key % 3 == 0) {
          HttpTransaction h = request(c.key, kWeb, 200);
          h.service = 1;
          bench.emit(h);
        }
      }
      if (key > 50) bench.emit(connection(ConnectionKey{3} << 48 | (key - 50), kWeb));
      if (key % 100 == 0) {
        counted += connects(bench.interval(100 * kSecondNs + static_cast<TimeNs>(key)).total());
      }
    }
    counted += connects(bench.interval(1000 * kSecondNs).total());
    EXPECT_EQ(counted, 500U) << places << " places";
  }
}

// ------------------------------------------------------------------------------------- publishing

TEST(Publish, an_interval_that_control_does_not_take_goes_on_and_loses_nothing) {
  Bench bench;
  bench.summariser.begin(10);
  bench.emit(query(DnsOutcome::answered));
  EXPECT_TRUE(bench.summariser.publish(20));
  bench.emit(query(DnsOutcome::answered));
  EXPECT_FALSE(bench.summariser.publish(30)) << "control has not taken the first one";
  bench.emit(query(DnsOutcome::answered));

  MergedSummary merged;
  merged.merge(*bench.summariser.take());
  EXPECT_EQ(merged.start_time_ns, 10);
  EXPECT_EQ(merged.end_time_ns, 20);
  EXPECT_EQ(merged.total().of(dns_queries), 1U);
  EXPECT_EQ(bench.summariser.take(), nullptr);

  const MergedSummary second = bench.interval(40);
  EXPECT_EQ(second.start_time_ns, 20);
  EXPECT_EQ(second.end_time_ns, 40);
  EXPECT_EQ(second.total().of(dns_queries), 2U);
}

TEST(Publish, while_control_reads_the_other_one_the_worker_keeps_its_own) {
  Bench bench;
  ASSERT_TRUE(bench.summariser.publish(1));
  {
    const Summariser::Taken reading = bench.summariser.take();
    ASSERT_NE(reading, nullptr);
    bench.emit(query(DnsOutcome::answered));
    EXPECT_FALSE(bench.summariser.publish(2));
    EXPECT_TRUE(reading->rows().empty());
  }
  EXPECT_EQ(bench.interval(3).total().of(dns_queries), 1U);
}

TEST(Publish, the_books_of_an_interval_are_what_happened_in_it) {
  Bench bench;
  bench.accounting.count(NotAnalysed::none, 10);
  bench.counters.add(Counter::fragments, 3);
  EXPECT_EQ(bench.interval(1).accounting.received, 10U);

  bench.accounting.count(NotAnalysed::none, 5);
  bench.accounting.count(NotAnalysed::arp, 2);
  bench.counters.add(Counter::fragments, 1);
  const MergedSummary second = bench.interval(2);
  EXPECT_EQ(second.accounting.received, 7U);
  EXPECT_EQ(second.accounting.of(NotAnalysed::arp), 2U);
  EXPECT_EQ(second.counters.of(Counter::fragments), 1U);
  EXPECT_TRUE(second.accounting.balanced());
}

TEST(Publish, a_fragment_that_is_whole_an_interval_later_balances_in_the_sum) {
  Bench bench;
  MergedSummary all;
  bench.accounting.count(NotAnalysed::fragment_incomplete);
  all.merge(bench.interval(1));
  // The last fragment comes: both frames are analysed after all.
  bench.accounting.count(NotAnalysed::none);
  --bench.accounting.not_analysed[static_cast<std::size_t>(NotAnalysed::fragment_incomplete) - 1];
  ++bench.accounting.analysed;
  const MergedSummary second = bench.interval(2);
  EXPECT_EQ(static_cast<std::int64_t>(second.accounting.of(NotAnalysed::fragment_incomplete)), -1);
  EXPECT_TRUE(second.accounting.balanced());
  all.merge(second);
  EXPECT_EQ(all.accounting.received, 2U);
  EXPECT_EQ(all.accounting.analysed, 2U);
  EXPECT_EQ(all.accounting.of(NotAnalysed::fragment_incomplete), 0U);
}

TEST(Publish, rows_that_found_no_room_are_counted) {
  Bench bench(0, {.services = 0, .servers = 1});
  bench.emit(connection(1, kWeb));
  bench.emit(connection(2, kMail));
  bench.emit(connection(3, kMail));
  EXPECT_EQ(bench.interval(1).counters.of(Counter::summary_rows_full), 2U);
  bench.emit(connection(4, kWeb));
  EXPECT_EQ(bench.interval(2).counters.of(Counter::summary_rows_full), 0U);
}

TEST(Publish, two_threads_lose_and_double_nothing) {
  constexpr std::uint64_t kQueries = 200'000;
  Bench bench;
  std::atomic<bool> done{false};
  std::thread worker([&] {
    const DnsTransaction d = query(DnsOutcome::answered);
    for (std::uint64_t i = 1; i <= kQueries; ++i) {
      bench.accounting.count(NotAnalysed::none);
      bench.emit(d);
      if (i % 50 == 0) (void)bench.summariser.publish(static_cast<TimeNs>(i));
    }
    done.store(true);
  });
  MergedSummary merged;
  while (!done.load()) {
    if (const auto taken = bench.summariser.take()) merged.merge(*taken);
  }
  worker.join();
  // What the worker had not handed over when it stopped.
  if (const auto taken = bench.summariser.take()) merged.merge(*taken);
  merged.merge(bench.interval(kQueries + 1));

  EXPECT_EQ(merged.total().of(dns_queries), kQueries);
  EXPECT_EQ(merged.accounting.analysed, kQueries);
}

}  // namespace
}  // namespace wirelag
