// A histogram of durations with a known relative error, a fixed size and a trivial merge.
//
// Log-linear buckets: every power of two between 2^10 ns (1.024 us) and 2^37 ns (137 s) is cut into
// eight equal parts, and one bucket at each end takes what lies outside.
//
//   ns      0      1024   1152   1280 ...  2048   2304 ...            2^37
//   bucket  |  0   |  1   |  2   |  3 ...  |  9   | 10 ...   216      |  217
//           under   <------ width 128 ---->  <--- width 256 --->        over
//
// A bucket is at most 1/8 of its lower bound wide and quantile_ns() answers with its middle, so
// that within these bounds a quantile is off by at most 1/16 = 6.25 % of the sample that has the
// rank. Below, it is off by at most 512 ns; beyond, it is the maximum. The answer never lies
// outside the smallest and the largest sample, and these two, the count and the sum are exact: the sum
// has 128 bits, as a year of a busy link adds up to more than 64 hold.
//
// merge() adds bucket by bucket: associative and commutative. A histogram of zeros is an empty one, so fresh
// memory needs no touch before its first sample. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <wirelag/base/types.hpp>

namespace wirelag {

class Histogram {
 public:
  static constexpr double kRelativeError = 1.0 / 16;
  static constexpr DurationNs kLowestNs = DurationNs{1} << 10;
  static constexpr DurationNs kHighestNs = DurationNs{1} << 37;
  static constexpr std::size_t kBuckets = 2 + (37 - 10) * 8;

  /// An unknown or negative duration is no sample.
  void record(DurationNs ns) {
    if (ns < 0) return;
    ++buckets_[bucket_of(ns)];
    ++count_;
    sum_ns_ += static_cast<Sum>(ns);
    min_below_longest_ns_ = std::max(min_below_longest_ns_, kLongestNs - ns);
    max_ns_ = std::max(max_ns_, ns);
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    min_below_longest_ns_ = std::max(min_below_longest_ns_, other.min_below_longest_ns_);
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  /// The sample whose rank is ceil(q * count), q from 0 to 1; unknown when there are no samples.
  [[nodiscard]] DurationNs quantile_ns(double q) const {
    if (count_ == 0) return kUnknownNs;
    const double exact = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact), 1, count_);
    std::uint64_t seen = 0;
    std::size_t i = 0;
    while (i + 1 < kBuckets && (seen += buckets_[i]) < rank) ++i;
    if (i == kBuckets - 1) return max_ns_;
    return std::clamp((lower_bound_ns(i) + lower_bound_ns(i + 1)) / 2, min_ns(), max_ns_);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// At most the longest duration there is.
  [[nodiscard]] DurationNs sum_ns() const {
    return static_cast<DurationNs>(std::min(sum_ns_, Sum{kLongestNs}));
  }
  [[nodiscard]] DurationNs min_ns() const {
    return count_ ? kLongestNs - min_below_longest_ns_ : kUnknownNs;
  }
  [[nodiscard]] DurationNs max_ns() const { return count_ ? max_ns_ : kUnknownNs; }
  [[nodiscard]] DurationNs mean_ns() const {
    return count_ ? static_cast<DurationNs>(sum_ns_ / count_) : kUnknownNs;
  }

  [[nodiscard]] std::uint64_t in_bucket(std::size_t i) const { return buckets_[i]; }
  /// A bucket holds lower_bound_ns(i) <= ns < lower_bound_ns(i + 1); the last one has no upper
  /// bound.
  [[nodiscard]] static constexpr DurationNs lower_bound_ns(std::size_t i) {
    if (i == 0) return 0;
    const std::size_t octave = (i - 1) / 8;
    const std::size_t part = (i - 1) % 8;
    return static_cast<DurationNs>((8 + part) << (octave + 7));
  }
  [[nodiscard]] static constexpr std::size_t bucket_of(DurationNs ns) {
    if (ns < kLowestNs) return 0;
    if (ns >= kHighestNs) return kBuckets - 1;
    const auto value = static_cast<std::uint64_t>(ns);
    const auto bit = static_cast<std::size_t>(std::bit_width(value)) - 1;
    return 1 + (bit - 10) * 8 + ((value >> (bit - 3)) & 7);
  }

  bool operator==(const Histogram&) const = default;

 private:
  __extension__ using Sum = unsigned __int128;
  static constexpr DurationNs kLongestNs = std::numeric_limits<DurationNs>::max();

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Sum sum_ns_ = 0;
  DurationNs min_below_longest_ns_ = 0;  ///< kLongestNs less the smallest sample
  DurationNs max_ns_ = 0;
};

}  // namespace wirelag
