#include "opening.hpp"

#include <algorithm>

#include "options.hpp"

namespace wirelag::tcp {
namespace {

/// What the two have agreed on for the rest of the connection. Call when SYN and SYN-ACK are seen.
///
/// A full segment carries what the other side's SYN allows, less the timestamps option when both use
/// it (RFC 9293 section 3.7.1, RFC 7323 section 3.2); windows are scaled when both said how (RFC 7323
/// section 2.2).
void take_agreement(TcpFlow& flow) {
  constexpr std::uint16_t kTimestampsBytes = 12;
  if (!flow.syn || !flow.syn_ack) return;
  for (SideIndex s = 0; s < 2; ++s) {
    const TcpOptions& mine = flow.detail[s].options;
    const TcpOptions& peers = flow.detail[s ^ 1].options;
    const std::uint16_t options = mine.timestamps && peers.timestamps ? kTimestampsBytes : 0;
    const bool scaled = mine.window_scale >= 0 && peers.window_scale >= 0;
    Side& side = flow.side[s];
    side.segment_bytes = static_cast<std::uint16_t>(peers.mss > options ? peers.mss - options : 0);
    side.window_shift = static_cast<std::uint8_t>(scaled ? mine.window_scale : 0);
  }
}

[[nodiscard]] bool completes(const TcpFlow& flow, const Opening& opening, SideIndex sender,
                             const TcpHeader& tcp) {
  return flow.syn_ack && !flow.complete && sender == flow.client && tcp.has(tcp_flag::ack) &&
         (tcp.flags & (tcp_flag::syn | tcp_flag::rst)) == 0 &&
         seq_distance(opening.lowest_syn_ack_seq + 1, tcp.ack) >= 0;
}

/// Whether the capture has an answer before its question, by frame or by time: the frames were swapped,
/// come from two clocks, or the clock stepped back. None of these times means anything then.
[[nodiscard]] bool contradicts_order(const TcpFlow& flow, const Opening& o) {
  if (!flow.syn_ack) return false;
  if (flow.syn && (o.syns_before_answer == 0 ||
                   o.first_syn_ack_ns < std::max(o.first_syn_ns, o.last_syn_before_answer_ns))) {
    return true;
  }
  return flow.complete && o.ack_ns < std::max(o.first_syn_ack_ns, o.acked_syn_ack_ns);
}

}  // namespace

void Openings::keep_segment(Opening& opening, SideIndex sender, const Packet& packet,
                            const TcpOptions& options) {
  HandshakeSegment segment;
  segment.time_ns = packet.time_ns;
  segment.frame = packet.number;
  segment.seq = packet.tcp.seq;
  segment.ack = packet.tcp.ack;
  segment.payload_length = packet.payload_length;
  segment.options = options;
  segment.window = packet.tcp.window;
  segment.flags = packet.tcp.flags;
  if (opening.segment_count < Opening::kSegments) {
    opening.sender[opening.segment_count] = sender;
    opening.segments[opening.segment_count++] = segment;
    return;
  }
  OpeningMore& rest = more(opening);
  const std::size_t at = rest.segments.size();
  if (rest.segments.push(segment)) rest.sender[at] = sender;
}

void Openings::keep_syn_frame(Opening& opening, FrameNumber frame) {
  if (opening.syn_frames++ == 0) {
    opening.syn_frame = frame;
  } else {
    more(opening).syn_frames.push(frame);
  }
}

void Openings::keep_syn_ack_frame(Opening& opening, FrameNumber frame) {
  if (opening.syn_ack_frames++ == 0) {
    opening.syn_ack_frame = frame;
  } else {
    more(opening).syn_ack_frames.push(frame);
  }
}

void Openings::note_syn(TcpFlow& flow, SideIndex sender, const Packet& packet,
                        const TcpOptions& options) {
  Opening& opening = flow.opening;
  if (sender != flow.client) {
    flow.server_syn = true;
    return;
  }
  if (!flow.syn) {
    flow.syn = true;
    opening.first_syn_ns = packet.time_ns;
    flow.detail[sender].options = options;
    flow.detail[sender].syn_window = packet.tcp.window;
    take_agreement(flow);
  }
  keep_syn_frame(opening, packet.number);
  if (!flow.syn_ack) {
    opening.last_syn_before_answer_ns = packet.time_ns;
    ++opening.syns_before_answer;
  }
}

void Openings::note_syn_ack(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            const TcpOptions& options) {
  if (sender == flow.client) return;
  Opening& opening = flow.opening;
  if (!flow.syn_ack) {
    flow.syn_ack = true;
    opening.first_syn_ack_ns = packet.time_ns;
    opening.lowest_syn_ack_seq = packet.tcp.seq;
    opening.syn_ack_has_timestamps = options.timestamps;
    opening.syn_ack_tsecr = options.tsecr;
    flow.detail[sender].options = options;
    flow.detail[sender].syn_window = packet.tcp.window;
    take_agreement(flow);
  }
  keep_syn_ack_frame(opening, packet.number);
  if (!flow.complete) {
    opening.acked_syn_ack_ns = packet.time_ns;
    ++opening.syn_acks_before_ack;
    if (seq_distance(packet.tcp.seq, opening.lowest_syn_ack_seq) > 0) {
      opening.lowest_syn_ack_seq = packet.tcp.seq;
    }
  }
}

void Openings::note(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  Opening& opening = flow.opening;
  const TcpHeader& tcp = packet.tcp;
  const bool completing = completes(flow, opening, sender, tcp);
  if (!completing && (tcp.flags & (tcp_flag::syn | tcp_flag::rst)) == 0) return;

  const TcpOptions options = parse_options(tcp.options);
  if (!flow.complete) keep_segment(opening, sender, packet, options);
  if (completing) {
    flow.complete = true;
    opening.ack_ns = packet.time_ns;
    opening.ack_frame = packet.number;
    opening.ack_has_timestamps = options.timestamps;
    opening.ack_tsecr = options.tsecr;
    const OpeningTimes t = times(flow);
    flow.round_trips[flow.client].handshake_ns = t.rtt_probe_server_ns;
    flow.round_trips[flow.client ^ 1].handshake_ns = t.rtt_probe_client_ns;
    flow.rtt_fell = true;
  } else if (tcp.has(tcp_flag::syn | tcp_flag::ack)) {
    std::uint8_t& syn_acks = flow.detail[sender].syn_acks;
    if (syn_acks < 2) ++syn_acks;
    note_syn_ack(flow, sender, packet, options);
  } else if (tcp.has(tcp_flag::syn)) {
    note_syn(flow, sender, packet, options);
  }
}

void Openings::note_mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  const bool syn_ack = packet.tcp.has(tcp_flag::ack);
  if (syn_ack != (sender != flow.client)) return;
  if (syn_ack) {
    keep_syn_ack_frame(flow.opening, packet.number);
  } else {
    keep_syn_frame(flow.opening, packet.number);
  }
}

/// Time of the one copy whose TSval was echoed; unknown when none or several match.
TimeNs Openings::echoed_copy_ns(const Opening& opening, std::uint8_t flags, std::uint32_t tsecr,
                                TimeNs not_after_ns) const {
  std::uint32_t matches = 0;
  TimeNs found = kUnknownNs;
  const auto look_at = [&](const HandshakeSegment& s) {
    const std::uint8_t kind = s.flags & (tcp_flag::syn | tcp_flag::ack);
    if (kind != flags || !s.options.timestamps || s.options.tsval != tsecr) return;
    if (s.time_ns > not_after_ns) return;
    ++matches;
    found = s.time_ns;
  };
  for (std::size_t i = 0; i < opening.segment_count; ++i) look_at(opening.segments[i]);
  if (opening.more != kNone) {
    for (const HandshakeSegment& s : more_[opening.more].segments) look_at(s);
  }
  return matches == 1 ? found : kUnknownNs;
}

OpeningTimes Openings::times(const TcpFlow& flow) const {
  const Opening& o = flow.opening;
  OpeningTimes t;
  t.ambiguous = contradicts_order(flow, o);
  if (t.ambiguous) return t;
  if (flow.syn_ack) {
    TimeNs answered_ns = o.last_syn_before_answer_ns;
    bool sure = o.syns_before_answer == 1;
    if (o.syns_before_answer > 1 && o.syn_ack_has_timestamps) {
      const TimeNs echoed = echoed_copy_ns(o, tcp_flag::syn, o.syn_ack_tsecr, o.first_syn_ack_ns);
      sure = known(echoed);
      if (sure) answered_ns = echoed;
    }
    if (sure) {
      t.syn_wait_ns = elapsed_ns(o.first_syn_ns, answered_ns);
      t.rtt_probe_server_ns = elapsed_ns(answered_ns, o.first_syn_ack_ns);
    }
    t.ambiguous = o.syns_before_answer > 1 && !sure;
  }
  if (!flow.complete) return t;

  TimeNs acked_ns = o.acked_syn_ack_ns;
  bool sure = o.syn_acks_before_ack == 1;
  if (!sure && o.ack_has_timestamps) {
    const TimeNs echoed = echoed_copy_ns(o, tcp_flag::syn | tcp_flag::ack, o.ack_tsecr, o.ack_ns);
    sure = known(echoed);
    if (sure) acked_ns = echoed;
  }
  if (sure) {
    t.synack_wait_ns = elapsed_ns(o.first_syn_ack_ns, acked_ns);
    t.rtt_probe_client_ns = elapsed_ns(acked_ns, o.ack_ns);
  }
  t.ambiguous = t.ambiguous || !sure;
  return t;
}

void Openings::describe_segments(const TcpFlow& flow, Connection& out) const {
  const Opening& o = flow.opening;
  const auto tell = [&](HandshakeSegment segment, SideIndex sender) {
    segment.direction = flow.direction(sender);
    out.handshake.push(segment);
  };
  for (std::size_t i = 0; i < o.segment_count; ++i) tell(o.segments[i], o.sender[i]);
  if (o.syn_frames > 0) out.syn_frames.push(o.syn_frame);
  if (o.syn_ack_frames > 0) out.syn_ack_frames.push(o.syn_ack_frame);
  if (o.more == kNone) return;
  const OpeningMore& rest = more_[o.more];
  for (std::size_t i = 0; i < rest.segments.size(); ++i) tell(rest.segments[i], rest.sender[i]);
  out.handshake.leave_out(rest.segments.left_out());
  out.syn_frames.append(rest.syn_frames);
  out.syn_ack_frames.append(rest.syn_ack_frames);
}

void Openings::describe(const TcpFlow& flow, Connection& out) const {
  const Opening& o = flow.opening;
  describe_segments(flow, out);
  const OpeningTimes t = times(flow);
  out.syn_wait_ns = t.syn_wait_ns;
  out.rtt_probe_server_ns = t.rtt_probe_server_ns;
  out.synack_wait_ns = t.synack_wait_ns;
  out.rtt_probe_client_ns = t.rtt_probe_client_ns;
  out.handshake_ambiguous = t.ambiguous;
  if (!flow.complete) return;
  out.ack_frame = o.ack_frame;
  out.established_time_ns = o.ack_ns;
  if (!contradicts_order(flow, o)) out.connect_time_ns = elapsed_ns(o.first_syn_ns, o.ack_ns);
  if (known(t.rtt_probe_server_ns) && known(t.rtt_probe_client_ns)) {
    out.handshake_rtt_ns = plus_ns(t.rtt_probe_server_ns, t.rtt_probe_client_ns);
  }
}

void Openings::release(TcpFlow& flow) {
  if (flow.opening.more != kNone) more_.give(flow.opening.more);
}

ConnectionState TcpFlow::state() const {
  if (syn && syn_ack) return complete ? ConnectionState::complete : ConnectionState::synack_no_ack;
  if (syn) {
    if (server_syn) return ConnectionState::simultaneous_open;
    if (refusal) return ConnectionState::refused;
    const Side& server = side[client ^ 1];
    if (server.packets == 0) return ConnectionState::syn_unanswered;
    return ConnectionState::syn_no_synack;
  }
  return syn_ack ? ConnectionState::no_syn_seen : ConnectionState::midstream;
}

}  // namespace wirelag::tcp
