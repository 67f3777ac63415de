// Random numbers that are the same on every machine for the same seed: SplitMix64 (Steele, Lea and
// Flood, OOPSLA 2014) and the few distributions that the traffic needs.
#pragma once

#include <cmath>
#include <cstdint>

#include <wirelag/base/types.hpp>

namespace wirelag::traffic {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// Independent streams of one seed, by number: what one story draws does not move another's.
  Random(std::uint64_t seed, std::uint64_t stream) : state_(seed) {
    state_ = next() ^ (stream * 0xd1342543de82ef95ULL);
    next();
  }

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint32_t next32() { return static_cast<std::uint32_t>(next() >> 32); }
  /// 0 .. n - 1
  std::uint64_t below(std::uint64_t n) {
    __extension__ using Product = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Product>(next()) * n) >> 64);
  }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  /// 0 <= x < 1
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }
  DurationNs exponential(DurationNs mean) {
    return static_cast<DurationNs>(-std::log(1.0 - unit()) * static_cast<double>(mean));
  }
  double lognormal(double median, double sigma) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
    return median * std::exp(sigma * radius * std::cos(6.283185307179586 * unit()));
  }

 private:
  std::uint64_t state_;
};

}  // namespace wirelag::traffic
