// The flight simulation against what was measured: nginx over a 40.4 ms path with an exact delay, curl
// on fresh and warm connections. Each row is a median of 3 to 9 runs. The body goes out as segments of
// 1448 bytes, the header as one before it.
#include "flights.hpp"

#include <gtest/gtest.h>

namespace wirelag {
namespace {

constexpr double kRttMs = 40.4;

std::uint64_t segments_of(std::uint64_t body_bytes) { return 1 + (body_bytes + 1447) / 1448; }

FlightPath path(std::uint32_t initial_segments = 10, std::vector<std::uint64_t> window = {}) {
  return {static_cast<DurationNs>(kRttMs * kMillisecondNs), 1448, initial_segments,
          std::move(window), 0};
}

/// Handshake, request and answer on a new connection; the server needs no time.
double fresh_ms(std::uint64_t body_bytes, const FlightPath& p) {
  return 2 * kRttMs +
         static_cast<double>(simulate_flights(segments_of(body_bytes), p).transfer_ns) / 1e6;
}

struct Measured {
  std::uint64_t body_bytes;
  double ms;
};

TEST(Flights, FreshConnectionUpToThreeFlights) {
  for (const Measured& m :
       {Measured{1'000, 80.7}, Measured{10'000, 80.7}, Measured{13'000, 80.8},
        Measured{20'000, 121.2}, Measured{44'000, 161.1}, Measured{50'000, 161.4}}) {
    EXPECT_NEAR(fresh_ms(m.body_bytes, path()), m.ms, 0.005 * m.ms) << m.body_bytes;
  }
}

TEST(Flights, AFewBytesThatSpillOverCostARoundTrip) {
  EXPECT_NEAR(fresh_ms(100'000, path()), 201, 2);  // 71 segments, 70 fit into three flights
  EXPECT_NEAR(fresh_ms(1'000'000, path()), 324, 3);
}

TEST(Flights, TheReceiversWindowClipsAFlight) {
  const std::vector<std::uint64_t> window = {65'000, 65'000, 65'000, 80'000, 160'000, 320'000};
  EXPECT_NEAR(fresh_ms(200'000, path(10, window)), 242, 2);
  EXPECT_NEAR(fresh_ms(200'000, path()), 202, 2);  // without it: what a formula would have said
  EXPECT_GE(fresh_ms(500'000, path(10, window)), 283 - 2);
  EXPECT_LE(fresh_ms(500'000, path(10, window)), 362 + 2);
}

TEST(Flights, LargerInitialWindow) {
  const auto saved = [](std::uint64_t body_bytes) {
    return fresh_ms(body_bytes, path(10)) - fresh_ms(body_bytes, path(30));
  };
  EXPECT_NEAR(saved(20'000), 39.8, 1);
  EXPECT_NEAR(saved(50'000), 40.1, 1);
  EXPECT_NEAR(saved(100'000), 81.1, 1);
  // Where the receiver's window takes part the saving is known to a round trip (measured 40.3).
  EXPECT_NEAR(saved(200'000), 40.3, kRttMs + 1);
}

TEST(Flights, IdleRestartForgetsTheWindow) {
  // 200 kB on a warm connection: one flight; after a second of idle it starts over.
  const double warm =
      kRttMs +
      static_cast<double>(simulate_flights(segments_of(200'000), path(150)).transfer_ns) / 1e6;
  const double restarted =
      kRttMs +
      static_cast<double>(simulate_flights(segments_of(200'000), path(10)).transfer_ns) / 1e6;
  EXPECT_NEAR(warm, 40.8, 1);
  EXPECT_NEAR(restarted, 162.0, 1);
  EXPECT_NEAR(restarted - warm, 121.0, 1);
}

TEST(Flights, BandwidthFillsTheRoundTrip) {
  FlightPath slow = path(10);
  slow.bytes_per_ns = 1448.0 * 10 / (kRttMs * 1e6);  // ten segments take a round trip
  const Flights f = simulate_flights(100, slow);
  EXPECT_NEAR(static_cast<double>(f.transfer_ns) / 1e6, 10 * kRttMs, 0.5);
}

TEST(Flights, NothingToSendTakesNoFlight) {
  EXPECT_EQ(simulate_flights(0, path()).count, 0U);
  EXPECT_EQ(simulate_flights(1, path()).count, 1U);
  EXPECT_EQ(simulate_flights(1, path()).transfer_ns, 0);
  FlightPath closed = path();
  closed.window_bytes = {0};
  EXPECT_EQ(simulate_flights(3, closed).count, 3U);  // a segment at a time, never none
}

}  // namespace
}  // namespace wirelag
