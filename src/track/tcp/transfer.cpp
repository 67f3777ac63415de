#include "transfer.hpp"

namespace wirelag::tcp {
namespace {

/// Without a round trip a gap is what is longer than packets that overtook each other make it.
constexpr DurationNs kGapNs = 3 * kMillisecondNs;
/// A sender that an ACK has released sends within this time.
constexpr DurationNs kSendDelayNs = 2 * kMillisecondNs;

/// Whether the ACK that passed the probe at `ack_ns` can have released the segment of `now`.
[[nodiscard]] bool released_by_ack(TimeNs ack_ns, TimeNs now, DurationNs rtt_ns,
                                   DurationNs half_to_sender_ns) {
  const DurationNs since_ack_ns = elapsed_ns(ack_ns, now);
  const DurationNs slack_ns = std::min(kSendDelayNs, rtt_ns / 4) + half_to_sender_ns / 4;
  return known(since_ack_ns) && since_ack_ns <= half_to_sender_ns + slack_ns;
}

}  // namespace

void note_payload(TransferProgress& p, TcpFlow& flow, SideIndex sender, TimeNs time_ns,
                  bool resent) {
  Side& peer = flow.side[sender ^ 1];
  p.both_directions = peer.packets > 0;
  p.rtt_ns = flow.complete ? flow.smallest_rtt_ns() : kUnknownNs;
  p.segment_bytes = flow.side[sender].segment_bytes;
  p.window_bytes = window_bytes(peer);
  const DurationNs gap_ns = elapsed_ns(p.last_ns, time_ns);
  const bool first = !known(p.last_ns);
  const bool long_gap =
      known(gap_ns) && gap_ns > 0 && gap_ns >= (known(p.rtt_ns) ? p.rtt_ns / 2 : kGapNs);
  if (long_gap) {
    if (resent) {
      p.resend_stall_ns = plus_ns(p.resend_stall_ns, gap_ns);
    } else if (peer.was_closed) {
      p.window_stall_ns = plus_ns(p.window_stall_ns, gap_ns);
    } else if (known(p.rtt_ns) &&
               released_by_ack(peer.ack_ns, time_ns, p.rtt_ns, flow.answered_ns(sender ^ 1))) {
      p.rounds_ns = plus_ns(p.rounds_ns, gap_ns);
      ++p.rounds;
    } else {
      p.pause_ns = plus_ns(p.pause_ns, gap_ns);
    }
  }
  p.burst_began = first || long_gap;
  if (p.burst_began) {
    ++p.burst;
    p.burst_limited = false;
  }
  const bool full = fills_window(flow.side[sender], peer);
  if (full && !p.burst_limited) {
    p.burst_limited = true;
    ++p.limited_bursts;
  }
  p.latest_resent = resent;
  if (resent) ++p.resent_segments;
  p.current = time_ns >= p.last_ns;
  p.last_ns = std::max(p.last_ns, time_ns);
  peer.was_closed = peer.window_closed;
}

}  // namespace wirelag::tcp
