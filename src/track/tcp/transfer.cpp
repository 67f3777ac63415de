#include "transfer.hpp"

#include <algorithm>

namespace wirelag::tcp {
namespace {

/// Without a round trip a gap is what is longer than packets that overtook each other make it.
constexpr DurationNs kGapNs = 3 * kMillisecondNs;
/// A sender that an ACK has released sends within this time.
constexpr DurationNs kSendDelayNs = 2 * kMillisecondNs;
/// The smallest segment that can be a full one, where the MSS was not seen (RFC 9293 section 3.7.1).
constexpr std::uint32_t kDefaultMss = 536;

/// Whether the ACK that passed the probe at `ack_ns` can have released the segment of `now`.
[[nodiscard]] bool released_by_ack(TimeNs ack_ns, TimeNs now, DurationNs rtt_ns,
                                   DurationNs half_to_sender_ns) {
  const DurationNs since_ack_ns = elapsed_ns(ack_ns, now);
  const DurationNs slack_ns = std::min(kSendDelayNs, rtt_ns / 4) + half_to_sender_ns / 4;
  return known(since_ack_ns) && since_ack_ns <= half_to_sender_ns + slack_ns;
}

/// Whether the sender had all acknowledged, and waited for room for more than this segment: a window of less than a
/// full segment is as good as closed for some time (RFC 9293 section 3.8.6.2.1).
[[nodiscard]] bool cramped(const TransferProgress& p, const Side& peer, const Packet& packet) {
  return packet.payload_length < p.segment_bytes && p.window_bytes < p.segment_bytes &&
         packet.payload_length == p.window_bytes && peer.max_ack == packet.tcp.seq;
}

enum class Held : std::uint8_t { no, yes, unsure };

/// Whether the sender waited for the ACK of a small segment (transfer.hpp, held_ns): nothing else was
/// on the way, the ACK came alone, and what it released came at once. Unsure: the ACK had to travel on
/// from the probe to the sender and nobody knows how long.
[[nodiscard]] Held held_back(const TransferProgress& p, const TcpFlow& flow, SideIndex sender,
                             const Packet& packet, DurationNs gap_ns) {
  const std::uint32_t full = p.segment_bytes != 0 ? p.segment_bytes : kDefaultMss;
  if (p.latest_bytes >= full || packet.payload_length >= full) return Held::no;
  const Side& peer = flow.side[sender ^ 1];
  if (peer.max_ack != packet.tcp.seq) return Held::no;
  if (flow.recent[sender ^ 1].last_payload_ns > p.last_ns) return Held::no;
  const DurationNs half_ns = flow.answered_ns(sender ^ 1);  // probe to sender and back
  const DurationNs since_ack_ns = elapsed_ns(peer.ack_ns, packet.time_ns);
  if (peer.ack_ns <= p.last_ns || !known(since_ack_ns)) return Held::no;
  const DurationNs send_ns = std::min(kSendDelayNs, gap_ns / 4);
  if (since_ack_ns <= (known(half_ns) ? half_ns : 0) + send_ns) return Held::yes;
  return known(half_ns) ? Held::no : Held::unsure;
}

}  // namespace

void note_payload(TransferProgress& p, TcpFlow& flow, SideIndex sender, const Packet& packet,
                  bool resent) {
  const TimeNs time_ns = packet.time_ns;
  Side& peer = flow.side[sender ^ 1];
  p.both_directions = peer.packets > 0;
  p.segment_bytes = flow.side[sender].segment_bytes;
  p.window_bytes = window_bytes(peer);
  const DurationNs gap_ns = elapsed_ns(p.last_ns, time_ns);
  const bool first = !known(p.last_ns);
  const bool long_gap =
      known(gap_ns) && gap_ns > 0 && gap_ns >= (known(p.rtt_ns) ? p.rtt_ns / 2 : kGapNs);
  if (long_gap) {
    if (resent) {
      p.resend_stall_ns = plus_ns(p.resend_stall_ns, gap_ns);
      p.resent_since_new_ns = plus_ns(p.resent_since_new_ns, gap_ns);
    } else if (peer.was_closed || cramped(p, peer, packet)) {
      p.window_stall_ns = plus_ns(p.window_stall_ns, gap_ns);
    } else if (const Held held = held_back(p, flow, sender, packet, gap_ns); held == Held::yes) {
      p.held_ns = plus_ns(p.held_ns, gap_ns);
    } else if (held == Held::unsure) {
      ++p.held_unsure;
      p.pause_ns = plus_ns(p.pause_ns, gap_ns);
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
  p.latest_bytes = packet.payload_length;
  peer.was_closed = peer.window_closed;
}

}  // namespace wirelag::tcp
