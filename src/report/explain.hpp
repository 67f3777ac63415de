// A handshake told segment by segment: what each one said, which state both sides were in before
// and after it (RFC 9293 section 3.3.2), and how long the step took at the capture point.
//
// The capture point sees segments, not their arrival. A segment is taken to have arrived unless the
// same one was sent again before anything answered it, or the answer's timestamp names another copy; then the
// other side's state is left alone. So are both by segments of an earlier connection on the same ports.
// "After" means after the segment has arrived, as in RFC 9293 section 3.5, figure 6.
//
// Control thread; pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <wirelag/track/transaction.hpp>

namespace wirelag::report {

enum class TcpState : std::uint8_t {
  unknown,
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
};
/// "CLOSED", "SYN-SENT" ... as RFC 9293 writes them; "not known".
[[nodiscard]] std::string_view name(TcpState state);

struct StateChange {
  TcpState before = TcpState::unknown;
  TcpState after = TcpState::unknown;
};

struct ExplainedSegment {
  HandshakeSegment segment;
  DurationNs offset_ns = kUnknownNs;  ///< since the first segment
  DurationNs step_ns = kUnknownNs;    ///< since the segment it answers or repeats
  StateChange client;
  StateChange server;
  bool arrived = true;                        ///< false: a copy of it was answered, or none
  std::optional<std::uint32_t> relative_seq;  ///< empty when the initial number was not captured
  std::optional<std::uint32_t> relative_ack;  ///< empty without ACK flag, or likewise
  std::optional<std::uint32_t> scaled_window_bytes;  ///< empty when the scale is not known
  std::string meaning;                               ///< a sentence or two
};

[[nodiscard]] std::vector<ExplainedSegment> explain(const Connection& connection);

}  // namespace wirelag::report
