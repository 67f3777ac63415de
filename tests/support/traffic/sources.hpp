// Sources of generated frames in order of time. Same options, same frames, on every machine.
//
//   mix     users' accesses (story.hpp), merged by time; memory for the stories under way only
//   flows   N connections, all alive, that exchange small segments in random order
//   flood   SYNs from random sources
#pragma once

#include <memory>

#include "story.hpp"

namespace wirelag::traffic {

struct TimedFrame {
  TimeNs time_ns = 0;
  Bytes bytes;  ///< valid until the source is asked again
};

class Source {
 public:
  virtual ~Source() = default;
  /// False at the end.
  virtual bool next(TimedFrame& out) = 0;
};

struct FloodOptions {
  std::uint64_t seed = 1;
  std::uint32_t packets = 2'000'000;
  DurationNs gap_ns = 1'000;
  TimeNs begin_ns = 1'700'000'000 * kSecondNs;
};

struct FlowsOptions {
  std::uint64_t seed = 1;
  std::uint32_t flows = 100'000;
  std::uint64_t packets = 10'000'000;  ///< at least 3 per flow: the openings
  std::uint16_t payload_bytes = 20;
  DurationNs gap_ns = 1'000;
  TimeNs begin_ns = 1'700'000'000 * kSecondNs;
};

/// `truth` (may be null) must outlive the source and gets a row when a story begins.
std::unique_ptr<Source> mix(const MixOptions& options, TruthSink* truth);
std::unique_ptr<Source> flood(const FloodOptions& options);

/// All openings first, interleaved: opening_packets() frames. Then one request and one response of each flow:
/// first_data_packets(). Then data of random flows, until `packets`.
std::unique_ptr<Source> flows(const FlowsOptions& options, TruthSink* truth);
[[nodiscard]] constexpr std::uint64_t opening_packets(const FlowsOptions& options) {
  return 3ULL * options.flows;
}
[[nodiscard]] constexpr std::uint64_t first_data_packets(const FlowsOptions& options) {
  return 2ULL * options.flows;
}

}  // namespace wirelag::traffic
