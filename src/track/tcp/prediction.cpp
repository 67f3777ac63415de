#include "prediction.hpp"

#include "mirror_copy.hpp"
#include "transfer.hpp"

namespace wirelag::tcp {
namespace {

/// A connection whose next segments can be told: none of them completes the handshake, no answer is awaited
/// but to data, and none is a copy.
[[nodiscard]] bool predictable(const TcpFlow& flow, const Side& side, const Side& peer) {
  // Bits of one byte: tested together, not one after the other.
  const bool sends = side.seen & side.acked & !side.window_closed;
  const bool held_up = peer.window_full | peer.awaits_answer | peer.probing;
  return (flow.complete | !flow.syn_ack) & !flow.mirrored & sends & !held_up;
}

[[nodiscard]] bool expected(const TcpFlow& flow, const Side& side, const Side& peer,
                            const Packet& packet) {
  const TcpHeader& tcp = packet.tcp;
  if ((tcp.flags & ~tcp_flag::psh) != tcp_flag::ack || packet.untimed) return false;
  if (tcp.seq != side.next_seq || tcp.window == 0) return false;
  if (!predictable(flow, side, peer)) return false;
  const std::int32_t acknowledged = seq_distance(side.max_ack, tcp.ack);
  const std::uint32_t length = packet.payload_length;
  if (length == 0) return acknowledged > 0;
  // A byte alone may be a probe; the first payload's time is kept apart.
  if (acknowledged < 0 || length == 1 || !side.sent_payload) return false;
  return side.window_full || !fills_window(side, side.next_seq + length, peer);
}

void take_payload(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  Side& side = flow.side[sender];
  SideRecent& recent = flow.recent[sender];
  side.next_seq += packet.payload_length;
  if (!side.timing) {
    side.timing = true;
    side.timed_end = side.next_seq;
    side.timed_ns = packet.time_ns;
  }
  if (recent.payload_packets < UINT32_MAX) ++recent.payload_packets;
  recent.payload_bytes += packet.payload_length;
  if (!flow.says_goodbye(sender, packet.payload_length)) recent.last_payload_ns = packet.time_ns;
  recent.sent_ns = packet.time_ns;
  keep_print(flow, sender, fingerprint(packet), packet.time_ns);
}

}  // namespace

bool account_expected(TcpFlow& flow, SideIndex sender, const Packet& packet, RoundTrip& completed) {
  Side& side = flow.side[sender];
  const Bytes options = packet.tcp.options;
  const bool stamped = timestamps_alone(options);
  if (!stamped && !options.empty()) return false;
  if (!expected(flow, side, flow.side[sender ^ 1], packet)) return false;
  ++side.packets;
  side.ack_ns = packet.time_ns;
  if (packet.tcp.ack != side.max_ack) {
    side.max_ack = packet.tcp.ack;
    side.duplicate_acks = 0;
  }
  side.window = packet.tcp.window;
  take_ack_sample(flow, sender, packet, completed);
  if (stamped) {
    take_timestamps(flow, sender, packet, read_timestamps_alone(options), completed);
  }
  if (packet.payload_length > 0) {
    take_payload(flow, sender, packet);
  } else {
    side.bare = fingerprint(packet);
  }
  return true;
}

}  // namespace wirelag::tcp
