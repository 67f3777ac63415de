// How a response leaves a sender in slow start: flight by flight, one round trip apart (RFC 5681
// section 3.1, RFC 6928). Not a closed formula: the window of the receiver may clip a flight, and a
// few bytes that spill over cost a whole round trip.
//
//   flight 1      2              3                      cwnd doubles with every flight that filled it;
//   ||||          ||||||||       ||||||||||||||||       a flight is min(cwnd, rwnd) segments
//   |-- R --------|-- R ---------|
//
// Measured against nginx on a 40.4 ms path (tests/unit/advise/flights_test.cpp). Private to advise;
// pure.
#pragma once

#include <cstdint>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// Of a full segment over Ethernet: 1500 without the headers of IPv4 and TCP with time stamps.
inline constexpr std::uint32_t kFullSegmentBytes = 1448;

struct FlightPath {
  DurationNs rtt_ns = 0;
  std::uint32_t segment_bytes = kFullSegmentBytes;
  std::uint32_t initial_segments = 10;  ///< congestion window at the first flight
  /// Receiver's window at each flight, the last one holds for the rest; empty: no limit.
  std::vector<std::uint64_t> window_bytes;
  double bytes_per_ns = 0;  ///< bottleneck; 0: no limit
};

struct Flights {
  std::uint32_t count = 0;
  DurationNs transfer_ns = 0;  ///< first to last byte
};

/// `segments` as sent: a header sent apart from the body is a segment of its own.
[[nodiscard]] Flights simulate_flights(std::uint64_t segments, const FlightPath& path);

}  // namespace wirelag
