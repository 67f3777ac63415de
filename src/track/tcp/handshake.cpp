#include <algorithm>

#include <wirelag/track/transaction.hpp>

namespace wirelag {
namespace {

std::uint64_t count_of(const HalfConnection& half, RetransmissionClass c) {
  return half.impairment().retransmissions[static_cast<std::size_t>(c)];
}

}  // namespace

HandshakeSegment ConnectionOpening::segment(std::size_t at, FrameNumber frame) const {
  constexpr std::size_t kSyn = 0, kSynAck = 1;
  HandshakeSegment segment;
  segment.time_ns = time_ns[at];
  segment.frame = frame;
  segment.window = window[at];
  segment.flags = flags[at];
  segment.direction = at == kSynAck ? Direction::s2c : Direction::c2s;
  if (at == kSyn) {
    segment.seq = isn.c2s;
    segment.options = options.c2s;
  } else if (at == kSynAck) {
    segment.seq = isn.s2c;
    segment.ack = isn.c2s + 1;
    segment.options = options.s2c;
  } else {
    segment.seq = isn.c2s + 1;
    segment.ack = isn.s2c + 1;
    if (ack_has_timestamps) {
      segment.options.timestamps = true;
      segment.options.tsval = ack_tsval;
      segment.options.tsecr = ack_tsecr;
    }
  }
  return segment;
}

Handshake Connection::handshake() const {
  Handshake out;
  const std::array frames = {syn_frames.empty() ? 0 : syn_frames.front(),
                             syn_ack_frames.empty() ? 0 : syn_ack_frames.front(), ack_frame};
  for (std::size_t at = 0; at < opening().segments; ++at) {
    out.push(opening().segment(at, frames[at]));
  }
  for (const HandshakeSegment& segment : segments) out.push(segment);
  out.leave_out(segments.left_out());
  return out;
}

std::uint64_t Connection::sent(const HalfConnection& half, const ListView<FrameNumber>& frames) {
  const std::uint64_t copies = count_of(half, RetransmissionClass::mirror_duplicate);
  const std::uint64_t numbered = frames.seen() > copies ? frames.seen() - copies : 0;
  return std::max(numbered, 1 + count_of(half, RetransmissionClass::handshake));
}

std::uint64_t Connection::packets_after_syns() const {
  const std::uint64_t before = syns() + count_of(half.c2s, RetransmissionClass::mirror_duplicate);
  return half.c2s.packets > before ? half.c2s.packets - before : 0;
}

}  // namespace wirelag
