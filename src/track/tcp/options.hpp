// The TCP options that tell about round trips, windows and losses. What is cut or malformed counts as
// absent; of timestamps given twice the first count.
#pragma once

#include <wirelag/base/cursor.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag::tcp {

/// The timestamps of a segment (RFC 7323); `present` false when it has none.
struct Timestamps {
  bool present = false;
  std::uint32_t val = 0;
  std::uint32_t ecr = 0;
};

/// All options of a segment.
[[nodiscard]] TcpOptions parse_options(Bytes options);

/// The timestamps, wherever they are among the options.
[[nodiscard]] Timestamps find_timestamps(Bytes options);

/// Whether the first SACK block says that the receiver had the data already (RFC 2883 section 4).
[[nodiscard]] bool find_duplicate_sack(Bytes options, std::uint32_t ack);

/// Whether a SACK block says that the receiver has bytes beyond `ack` (RFC 2018): so it lacks those at `ack`.
[[nodiscard]] bool find_sack_beyond(Bytes options, std::uint32_t ack);

/// Whether these are the timestamps in the form of RFC 7323 appendix A and nothing else, as in nearly
/// every segment of those that have options.
[[nodiscard]] inline bool timestamps_alone(Bytes options) {
  constexpr std::uint32_t kForm = 0x0101080a;  // NOP, NOP, timestamps, 10
  constexpr std::size_t kBytes = 12;
  return options.size() == kBytes && ByteCursor(options).u32() == kForm;
}
/// What timestamps_alone() has found.
[[nodiscard]] inline Timestamps read_timestamps_alone(Bytes options) {
  ByteCursor cursor(options.subspan(4));
  const std::uint32_t val = cursor.u32();
  return {true, val, cursor.u32()};
}

/// What the options of a segment say, for nearly every one without a search.
class SegmentOptions {
 public:
  explicit SegmentOptions(Bytes options) : options_(options), alone_(timestamps_alone(options)) {}

  [[nodiscard]] Timestamps timestamps() const {
    return alone_ ? read_timestamps_alone(options_) : find_timestamps(options_);
  }
  [[nodiscard]] bool reports_duplicate(std::uint32_t ack) const {
    return !alone_ && find_duplicate_sack(options_, ack);
  }
  [[nodiscard]] bool reports_hole(std::uint32_t ack) const {
    return !alone_ && find_sack_beyond(options_, ack);
  }

 private:
  Bytes options_;
  bool alone_;
};

}  // namespace wirelag::tcp
