// The sequence space of one side: what is new, what was sent again and why, what was never
// captured, and the round trips that its data made.
#pragma once

#include <wirelag/base/counters.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// What a segment brought, for the byte stream.
enum class SegmentContent : std::uint8_t {
  nothing,  ///< no payload, or payload that must not reach a parser (probe, keep-alive)
  payload,  ///< payload, possibly partly or wholly seen before
  resent,   ///< payload that the sender sent again, or sends again by what the capture shows
};

/// Whether the capture delivered this segment a moment ago already: the same header and length.
enum class MirrorCopy : std::uint8_t {
  no,
  yes,  ///< of a segment that takes sequence space, or of a keep-alive or window probe
  bare,  ///< of a pure ACK or RST, microseconds ago: no duplicate ACK, but the peer may have sent both
};
[[nodiscard]] MirrorCopy mirror_copy(Side& side, SideDetail& detail, const Packet& packet);

/// Counts a copy made by the mirror (a bare one as a packet only); it means nothing else.
void account_mirror_copy(TcpFlow& flow, FlowDetail& detail, SideIndex sender, const Packet& packet,
                         MirrorCopy copy, Counters& counters);

/// The round trips of the peer's data that a segment completes; unknown where it completes none.
struct RoundTrip {
  DurationNs to_ack_ns = kUnknownNs;
  DurationNs to_timestamp_ns = kUnknownNs;
  [[nodiscard]] bool any() const { return known(to_ack_ns) || known(to_timestamp_ns); }
};

/// Accounts for a segment of `sender`. Call once per segment, after note_opening().
SegmentContent account_segment(TcpFlow& flow, FlowDetail& detail, SideIndex sender,
                               const Packet& packet, RoundTrip& completed);

}  // namespace wirelag::tcp
