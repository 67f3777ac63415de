// Property: however the summaries of workers and intervals are ordered and grouped, the merge is
// the same.
#include <random>

#include <gtest/gtest.h>

#include <wirelag/summary/summary.hpp>

#include "examples.hpp"

namespace wirelag {
namespace {

using Random = std::mt19937_64;

std::unique_ptr<Summary> random_summary(Random& random) {
  auto summary = std::make_unique<Summary>(SummaryLimits{.services = 3, .servers = 6});
  if (random() % 8 != 0) {  // a worker that saw nothing yet has no times
    summary->start_time_ns = static_cast<TimeNs>(random() % 1000);
    summary->end_time_ns = summary->start_time_ns + static_cast<TimeNs>(random() % 1000);
  }
  summary->accounting.count(NotAnalysed::none, random() % 100);
  summary->accounting.count(NotAnalysed::icmp, random() % 100);
  summary->counters.add(Counter::tcp_connections, random() % 100);
  for (std::size_t i = random() % 30; i > 0; --i) {
    const auto number = static_cast<std::uint16_t>(random() % 12);
    const auto service = static_cast<ServiceId>(random() % 3 == 0 ? 1 + random() % 4 : 0);
    const Endpoint endpoint = examples::at("192.0.2.1", number);
    const ServiceKey key = random() % 2 == 0 ? ServiceKey::of_server(service, endpoint)
                                             : ServiceKey::of_resolver(service, endpoint);
    ServiceSummary& row = summary->row(key, random() % 2 == 0);
    row.add(static_cast<ServiceCount>(random() % std::size(kServiceCounts)), random() % 1000);
    row.record(static_cast<ServiceDuration>(random() % std::size(kServiceDurations)),
               static_cast<DurationNs>(random() >> (random() % 60 + 2)));
  }
  return summary;
}

void expect_equal(const MergedSummary& a, const MergedSummary& b) {
  EXPECT_EQ(a.start_time_ns, b.start_time_ns);
  EXPECT_EQ(a.end_time_ns, b.end_time_ns);
  EXPECT_EQ(a.accounting.received, b.accounting.received);
  EXPECT_EQ(a.accounting.analysed, b.accounting.analysed);
  EXPECT_EQ(a.accounting.not_analysed, b.accounting.not_analysed);
  EXPECT_EQ(a.counters.values, b.counters.values);
  EXPECT_TRUE(a.rows == b.rows);
}

TEST(MergedSummary, order_and_grouping_make_no_difference) {
  Random random(11);
  for (int round = 0; round < 50; ++round) {
    // GIVEN the summaries of some workers and intervals, merged one after the other
    std::vector<std::unique_ptr<Summary>> summaries;
    for (int i = 0; i < 12; ++i) summaries.push_back(random_summary(random));
    MergedSummary one_by_one;
    for (const auto& summary : summaries) one_by_one.merge(*summary);

    // WHEN they come in any order, and are merged in groups, and the groups in any order
    std::shuffle(summaries.begin(), summaries.end(), random);
    std::vector<MergedSummary> groups(1 + random() % 5);
    for (const auto& summary : summaries) groups[random() % groups.size()].merge(*summary);
    while (groups.size() > 1) {
      std::shuffle(groups.begin(), groups.end(), random);
      groups[0].merge(groups.back());
      groups.pop_back();
    }
    // THEN nothing differs
    expect_equal(groups[0], one_by_one);
    EXPECT_TRUE(one_by_one.accounting.balanced());
  }
}

TEST(MergedSummary, nothing_merged_into_it_changes_nothing) {
  Random random(12);
  MergedSummary merged;
  merged.merge(*random_summary(random));
  const MergedSummary before = merged;
  merged.merge(MergedSummary{});
  merged.merge(Summary({}));
  expect_equal(merged, before);
}

TEST(MergedSummary, total_is_the_sum_of_all_rows) {
  Random random(13);
  MergedSummary merged;
  for (int i = 0; i < 5; ++i) merged.merge(*random_summary(random));
  std::uint64_t connections = 0;
  std::uint64_t samples = 0;
  for (const auto& [key, numbers] : merged.rows) {
    connections += numbers.of(ServiceCount::connections);
    samples += numbers.of(ServiceDuration::connect).count();
  }
  EXPECT_EQ(merged.total().of(ServiceCount::connections), connections);
  EXPECT_EQ(merged.total().of(ServiceDuration::connect).count(), samples);
}

}  // namespace
}  // namespace wirelag
