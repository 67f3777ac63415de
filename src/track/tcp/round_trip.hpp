// The round trips that one side's data makes, from the probe to the peer and back: to the ACK that covers
// it, and to the echo of its TSval.
#pragma once

#include "flow_state.hpp"
#include "options.hpp"

namespace wirelag::tcp {

/// The round trips of the peer's data that a segment completes; unknown where it completes none.
struct RoundTrip {
  DurationNs to_ack_ns = kUnknownNs;
  DurationNs to_timestamp_ns = kUnknownNs;
  DurationNs late_ns =
      0;  ///< of an ACK alone: behind the shortest one, kLateAckNs at least; else 0
  [[nodiscard]] bool any() const { return known(to_ack_ns) || known(to_timestamp_ns); }
};

/// An ACK that comes so much later than the shortest round trip was not only delayed: receivers do that for 200 ms at
/// most (Linux's TCP_DELACK_MAX, Windows' TcpDelAckTicks; RFC 9293 section 3.8.6.3 allows 500), and the way varies.
inline constexpr DurationNs kLateAckNs = 300 * kMillisecondNs;

/// The sample that the ACK of `sender` completes. One segment of the peer at a time is timed.
inline void take_ack_sample(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            RoundTrip& completed) {
  Side& peer = flow.side[sender ^ 1];
  if (!peer.timing || seq_distance(peer.timed_end, packet.tcp.ack) < 0) return;
  peer.timing = false;
  completed.to_ack_ns = elapsed_ns(peer.timed_ns, packet.time_ns);
  if (!known(completed.to_ack_ns)) return;
  RoundTrips& trips = flow.round_trips[sender ^ 1];
  const DurationNs smallest_ns = trips.answered_ns();
  if (!known(smallest_ns) || completed.to_ack_ns < smallest_ns) {
    flow.rtt_fell = true;
  } else if (completed.to_ack_ns - smallest_ns > kLateAckNs && packet.payload_length == 0) {
    completed.late_ns = completed.to_ack_ns - smallest_ns;
  }
  trips.add(Answer::ack, completed.to_ack_ns);
}

/// Samples of the round trip by timestamps: the first data that carried a TSval to the first segment
/// that echoes it. One TSval at a time, and only one that no earlier segment carried, so each sample
/// belongs to one segment; that holds for a resend too, so Karn's rule is not needed.
inline void take_timestamps(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            const Timestamps& stamps, RoundTrip& completed) {
  if (!stamps.present) return;
  Side& side = flow.side[sender];
  Side& peer = flow.side[sender ^ 1];
  if (peer.stamping && packet.tcp.has(tcp_flag::ack)) {
    if (stamps.ecr == peer.stamp) {
      completed.to_timestamp_ns = elapsed_ns(peer.stamped_ns, packet.time_ns);
      if (known(completed.to_timestamp_ns)) {
        flow.round_trips[sender ^ 1].add(Answer::timestamp, completed.to_timestamp_ns);
      }
    }
    if (seq_distance(peer.stamp, stamps.ecr) >= 0) peer.stamping = false;
  }
  if (packet.payload_length > 0 && !side.stamping && stamps.val != side.tsval) {
    side.stamping = true;
    side.stamp = stamps.val;
    side.stamped_ns = packet.time_ns;
  }
  side.tsval = stamps.val;
}

}  // namespace wirelag::tcp
