#include "mirror_copy.hpp"

#include "../mirror.hpp"

namespace wirelag::tcp {
namespace {

/// On a short path a fast retransmit follows as soon: since the original, the peer has asked for it with
/// duplicate ACKs.
[[nodiscard]] bool asked_again(const TcpFlow& flow, SideIndex sender, const Packet& packet,
                               std::uint32_t original_low_ns) {
  const Side& peer = flow.side[sender ^ 1];
  if (peer.duplicate_acks < kFastDuplicateAcks || packet.tcp.seq != peer.max_ack) return false;
  return static_cast<std::uint32_t>(peer.ack_ns) - original_low_ns < kMirrorCopyNs;
}

}  // namespace

MirrorCopy mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet, std::uint32_t print,
                       TimeNs previous_ns, const Prints* more) {
  Side& side = flow.side[sender];
  if (!takes_sequence_space(packet)) {
    if (print != side.bare) {
      side.bare = print;
      return MirrorCopy::no;
    }
    const DurationNs since = elapsed_ns(side.ack_ns, packet.time_ns);
    if (!known(since) || since >= kBareCopyNs) return MirrorCopy::no;
    side.bare = 0;  // a mirror makes one copy; a third is the receiver's
    const bool probe = side.seen && packet.tcp.seq + 1 == side.next_seq;
    return probe ? MirrorCopy::yes : MirrorCopy::bare;
  }
  // The original came no later than the flow's previous segment: only if that is recent do the low bits tell.
  if (elapsed_ns(previous_ns, packet.time_ns) >= kMirrorCopyNs) return MirrorCopy::no;
  const auto now_low_ns = static_cast<std::uint32_t>(packet.time_ns);
  const auto is_among = [&](const auto& kept) {
    for (std::size_t i = 0; i < kept.fingerprint.size(); ++i) {
      const std::uint32_t original_low_ns = kept.time_low_ns[i];
      if (kept.fingerprint[i] != print || now_low_ns - original_low_ns >= kMirrorCopyNs) continue;
      if (!asked_again(flow, sender, packet, original_low_ns)) return true;
    }
    return false;
  };
  const bool copy = is_among(flow.recent[sender]) || (more != nullptr && is_among(*more));
  return copy ? MirrorCopy::yes : MirrorCopy::no;
}

}  // namespace wirelag::tcp
