#include "transfer.hpp"

namespace wirelag::tcp {
namespace {

/// Without a round trip a gap is what is longer than packets that overtook each other make it.
constexpr DurationNs kGapNs = 3 * kMillisecondNs;
/// A sender that an ACK has released sends within this time.
constexpr DurationNs kSendDelayNs = 2 * kMillisecondNs;
constexpr std::uint32_t kTimestampsBytes = 12;

/// Whether the ACK that passed the probe at `ack_ns` can have released the segment of `now`.
[[nodiscard]] bool released_by_ack(TimeNs ack_ns, TimeNs now, DurationNs rtt_ns,
                                   DurationNs half_to_sender_ns) {
  const DurationNs since_ack_ns = elapsed_ns(ack_ns, now);
  const DurationNs slack_ns = std::min(kSendDelayNs, rtt_ns / 4) + half_to_sender_ns / 4;
  return known(since_ack_ns) && since_ack_ns <= half_to_sender_ns + slack_ns;
}

}  // namespace

DurationNs smallest_rtt_ns(const FlowDetail& detail) {
  const DurationNs one = detail.side[0].answered_ns;
  const DurationNs other = detail.side[1].answered_ns;
  return known(one) && known(other) ? plus_ns(one, other) : kUnknownNs;
}

std::uint32_t window_bytes(const TcpFlow& flow, const FlowDetail& detail, SideIndex receiver) {
  if (!flow.syn || !flow.syn_ack || !flow.side[receiver].acked) {
    return TransferShape::kUnknownWindow;
  }
  const int scale = detail.side[receiver].options.window_scale;
  const bool scaled = scale >= 0 && detail.side[receiver ^ 1].options.window_scale >= 0;
  return std::uint32_t{flow.side[receiver].window} << (scaled ? scale : 0);
}

std::uint32_t segment_bytes(const TcpFlow& flow, const FlowDetail& detail, SideIndex sender) {
  if (!flow.syn || !flow.syn_ack) return 0;
  const TcpOptions& mine = detail.side[sender].options;
  const TcpOptions& peers = detail.side[sender ^ 1].options;
  const std::uint32_t options = mine.timestamps && peers.timestamps ? kTimestampsBytes : 0;
  return peers.mss > options ? peers.mss - options : 0;
}

bool fills_window(const TcpFlow& flow, const FlowDetail& detail, SideIndex sender) {
  const std::uint32_t window = window_bytes(flow, detail, sender ^ 1);
  if (window == TransferShape::kUnknownWindow || window == 0) return false;
  const std::int32_t in_flight =
      seq_distance(flow.side[sender ^ 1].max_ack, flow.side[sender].next_seq);
  const std::uint32_t room = std::max(1U, segment_bytes(flow, detail, sender));
  return in_flight > 0 && static_cast<std::uint32_t>(in_flight) + room > window;
}

void note_payload(TransferProgress& p, TcpFlow& flow, const FlowDetail& detail, SideIndex sender,
                  TimeNs time_ns, bool resent) {
  Side& peer = flow.side[sender ^ 1];
  p.both_directions = peer.packets > 0;
  p.rtt_ns = flow.complete ? smallest_rtt_ns(detail) : kUnknownNs;
  p.segment_bytes = segment_bytes(flow, detail, sender);
  p.window_bytes = window_bytes(flow, detail, sender ^ 1);
  const DurationNs gap_ns = elapsed_ns(p.last_ns, time_ns);
  const bool first = !known(p.last_ns);
  const bool long_gap =
      known(gap_ns) && gap_ns > 0 && gap_ns >= (known(p.rtt_ns) ? p.rtt_ns / 2 : kGapNs);
  if (long_gap) {
    if (resent) {
      p.resend_stall_ns = plus_ns(p.resend_stall_ns, gap_ns);
    } else if (peer.was_closed) {
      p.window_stall_ns = plus_ns(p.window_stall_ns, gap_ns);
    } else if (known(p.rtt_ns) && released_by_ack(peer.ack_ns, time_ns, p.rtt_ns,
                                                  detail.side[sender ^ 1].answered_ns)) {
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
  const bool full = fills_window(flow, detail, sender);
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
