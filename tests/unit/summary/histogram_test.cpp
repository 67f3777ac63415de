#include <array>
#include <bit>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/summary/histogram.hpp>

namespace wirelag {
namespace {

/// The sample that quantile_ns(q) stands for.
DurationNs nearest_rank(const std::vector<DurationNs>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size()));
  return sorted[rank < 1 ? 0 : static_cast<std::size_t>(rank) - 1];
}

TEST(Histogram, bounds_of_the_buckets_meet_without_a_hole_or_an_overlap) {
  EXPECT_EQ(Histogram::lower_bound_ns(0), 0);
  EXPECT_EQ(Histogram::lower_bound_ns(1), Histogram::kLowestNs);
  EXPECT_EQ(Histogram::lower_bound_ns(Histogram::kBuckets - 1), Histogram::kHighestNs);
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    const DurationNs lower = Histogram::lower_bound_ns(i);
    EXPECT_EQ(Histogram::bucket_of(lower), i);
    if (i > 0) {
      EXPECT_EQ(Histogram::bucket_of(lower - 1), i - 1);
    }
    if (i > 0 && i + 1 < Histogram::kBuckets) {
      EXPECT_LE(8 * (Histogram::lower_bound_ns(i + 1) - lower), lower) << "wider than 1/8 at " << i;
    }
  }
}

TEST(Histogram, no_samples_give_unknown_and_not_zero) {
  const Histogram h;
  EXPECT_EQ(h.quantile_ns(0.5), kUnknownNs);
  EXPECT_EQ(h.min_ns(), kUnknownNs);
  EXPECT_EQ(h.max_ns(), kUnknownNs);
  EXPECT_EQ(h.mean_ns(), kUnknownNs);
}

TEST(Histogram, unknown_and_negative_durations_are_no_samples) {
  Histogram h;
  h.record(kUnknownNs);
  h.record(-1);
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h, Histogram{});
}

TEST(Histogram, quantiles_of_a_single_sample_are_that_sample) {
  for (const DurationNs ns :
       {DurationNs{0}, DurationNs{7}, DurationNs{6'061'628}, 500 * kSecondNs}) {
    Histogram h;
    h.record(ns);
    for (const double q : {0.0, 0.5, 0.99, 1.0}) EXPECT_EQ(h.quantile_ns(q), ns);
  }
}

TEST(Histogram, quantiles_stay_within_the_relative_error) {
  std::mt19937_64 random(2);
  // GIVEN durations spread evenly over the octaves, and durations crowded around 6 ms
  std::uniform_real_distribution<double> exponent(10.0, 36.99);
  std::lognormal_distribution<double> crowd(std::log(6e6), 0.3);
  for (const bool crowded : {false, true}) {
    Histogram h;
    std::vector<DurationNs> samples;
    for (int i = 0; i < 20'000; ++i) {
      const double ns = crowded ? crowd(random) : std::exp2(exponent(random));
      samples.push_back(static_cast<DurationNs>(ns));
      h.record(samples.back());
    }
    std::sort(samples.begin(), samples.end());
    // THEN every quantile is within the documented error of the sample with that rank
    for (int permille = 0; permille <= 1000; ++permille) {
      const double q = permille / 1000.0;
      const auto truth = static_cast<double>(nearest_rank(samples, q));
      const auto answer = static_cast<double>(h.quantile_ns(q));
      EXPECT_LE(std::abs(answer - truth), Histogram::kRelativeError * truth) << "q = " << q;
    }
    EXPECT_EQ(h.quantile_ns(1.0), h.quantile_ns(2.0));
  }
}

TEST(Histogram,
     below_the_lowest_bucket_the_error_is_absolute_and_beyond_the_highest_it_is_the_maximum) {
  Histogram h;
  h.record(3);
  h.record(1000);
  h.record(200 * kSecondNs);
  h.record(3000 * kSecondNs);
  EXPECT_NEAR(static_cast<double>(h.quantile_ns(0.25)), 3, 512);
  EXPECT_NEAR(static_cast<double>(h.quantile_ns(0.5)), 1000, 512);
  EXPECT_EQ(h.quantile_ns(0.75), 3000 * kSecondNs);
  EXPECT_EQ(h.quantile_ns(1.0), 3000 * kSecondNs);
}

TEST(Histogram, a_merge_equals_recording_everything_in_one) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<DurationNs> ns(0, 200 * kSecondNs);
  Histogram all;
  Histogram parts[3];
  for (int i = 0; i < 3000; ++i) {
    const DurationNs sample = ns(random) >> (random() % 38);
    all.record(sample);
    parts[random() % 3].record(sample);
  }
  Histogram forwards;
  Histogram backwards;
  for (int i = 0; i < 3; ++i) {
    forwards.merge(parts[i]);
    backwards.merge(parts[2 - i]);
  }
  forwards.merge(Histogram{});
  EXPECT_EQ(forwards, all);
  EXPECT_EQ(backwards, all);
  EXPECT_EQ(all.mean_ns(), all.sum_ns() / 3000);
}

TEST(Histogram, a_sum_beyond_64_bits_is_exact_and_told_as_the_longest_duration) {
  constexpr DurationNs kCenturies = std::numeric_limits<DurationNs>::max() - 2;
  Histogram h;
  for (int i = 0; i < 5; ++i) h.record(kCenturies);
  Histogram twice = h;
  twice.merge(h);
  for (const Histogram& many : {h, twice}) {
    EXPECT_EQ(many.mean_ns(), kCenturies);
    EXPECT_EQ(many.sum_ns(), std::numeric_limits<DurationNs>::max());
  }
}

TEST(Histogram, of_zeros_is_empty_as_rows_of_fresh_memory_are_taken_for) {
  std::array<unsigned char, sizeof(Histogram)> zeros{};
  EXPECT_EQ(std::bit_cast<Histogram>(zeros), Histogram{});
}

}  // namespace
}  // namespace wirelag
