// The TCP options that tell about round trips, windows and losses. What is cut or malformed counts as
// absent.
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

/// What the options of nearly every segment say, without a search: there are none, or the timestamps in
/// the form of RFC 7323 appendix A and nothing else.
class SegmentOptions {
 public:
  explicit SegmentOptions(Bytes options) : options_(options), usual_(options.empty()) {
    constexpr std::uint32_t kStampsAlone = 0x0101080a;  // NOP, NOP, timestamps, 10
    constexpr std::size_t kStampsAloneBytes = 12;
    if (options.size() != kStampsAloneBytes) return;
    ByteCursor cursor(options);
    usual_ = cursor.u32() == kStampsAlone;
    if (usual_) usual_timestamps_ = {true, cursor.u32(), cursor.u32()};
  }

  [[nodiscard]] bool usual() const { return usual_; }
  [[nodiscard]] Timestamps timestamps() const {
    return usual_ ? usual_timestamps_ : find_timestamps(options_);
  }
  [[nodiscard]] bool reports_duplicate(std::uint32_t ack) const {
    return !usual_ && find_duplicate_sack(options_, ack);
  }

 private:
  Bytes options_;
  Timestamps usual_timestamps_;
  bool usual_;
};

}  // namespace wirelag::tcp
