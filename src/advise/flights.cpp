#include "flights.hpp"

#include <algorithm>
#include <cmath>

namespace wirelag {

Flights simulate_flights(std::uint64_t segments, const FlightPath& path) {
  Flights flights;
  std::uint64_t cwnd = std::max<std::uint32_t>(path.initial_segments, 1);
  while (segments > 0) {
    std::uint64_t flight = cwnd;
    if (!path.window_bytes.empty()) {
      const std::size_t at = std::min<std::size_t>(flights.count, path.window_bytes.size() - 1);
      const std::uint64_t room = path.window_bytes[at] / std::max(path.segment_bytes, 1U);
      flight = std::min(flight, std::max<std::uint64_t>(room, 1));
    }
    flight = std::min(flight, segments);
    segments -= flight;
    ++flights.count;
    const double bytes = static_cast<double>(flight) * path.segment_bytes;
    const DurationNs on_wire =
        path.bytes_per_ns > 0 ? static_cast<DurationNs>(std::llround(bytes / path.bytes_per_ns))
                              : 0;
    flights.transfer_ns += segments > 0 ? std::max(path.rtt_ns, on_wire) : on_wire;
    cwnd += flight;  // one more for each one acknowledged
  }
  return flights;
}

}  // namespace wirelag
