#include "opening.hpp"

#include <algorithm>

namespace wirelag::tcp {
namespace {

void keep_segment(Opening& opening, SideIndex sender, const Packet& packet,
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
  const std::size_t at = opening.segments.size();
  if (opening.segments.push(segment)) opening.sender[at] = sender;
}

void note_syn(TcpFlow& flow, FlowDetail& detail, SideIndex sender, const Packet& packet,
              const TcpOptions& options) {
  Opening& opening = detail.opening;
  if (sender != flow.client) {
    flow.server_syn = true;
    return;
  }
  if (!flow.syn) {
    flow.syn = true;
    opening.first_syn_ns = packet.time_ns;
    detail.side[sender].options = options;
    detail.side[sender].syn_window = packet.tcp.window;
  }
  opening.syn_frames.push(packet.number);
  if (!flow.syn_ack) {
    opening.last_syn_before_answer_ns = packet.time_ns;
    ++opening.syns_before_answer;
  }
}

void note_syn_ack(TcpFlow& flow, FlowDetail& detail, SideIndex sender, const Packet& packet,
                  const TcpOptions& options) {
  if (sender == flow.client) return;
  Opening& opening = detail.opening;
  if (!flow.syn_ack) {
    flow.syn_ack = true;
    opening.first_syn_ack_ns = packet.time_ns;
    opening.lowest_syn_ack_seq = packet.tcp.seq;
    opening.syn_ack_has_timestamps = options.timestamps;
    opening.syn_ack_tsecr = options.tsecr;
    detail.side[sender].options = options;
    detail.side[sender].syn_window = packet.tcp.window;
  }
  opening.syn_ack_frames.push(packet.number);
  if (!flow.complete) {
    opening.acked_syn_ack_ns = packet.time_ns;
    ++opening.syn_acks_before_ack;
    if (seq_distance(packet.tcp.seq, opening.lowest_syn_ack_seq) > 0) {
      opening.lowest_syn_ack_seq = packet.tcp.seq;
    }
  }
}

[[nodiscard]] bool completes(const TcpFlow& flow, const Opening& opening, SideIndex sender,
                             const TcpHeader& tcp) {
  return flow.syn_ack && !flow.complete && sender == flow.client && tcp.has(tcp_flag::ack) &&
         (tcp.flags & (tcp_flag::syn | tcp_flag::rst)) == 0 &&
         seq_distance(opening.lowest_syn_ack_seq + 1, tcp.ack) >= 0;
}

/// Time of the one copy whose TSval was echoed; unknown when none or several match.
[[nodiscard]] TimeNs echoed_copy_ns(const Opening& opening, std::uint8_t flags, std::uint32_t tsecr,
                                    TimeNs not_after_ns) {
  TimeNs found = kUnknownNs;
  for (const HandshakeSegment& s : opening.segments) {
    const std::uint8_t kind = s.flags & (tcp_flag::syn | tcp_flag::ack);
    if (kind != flags || !s.options.timestamps || s.options.tsval != tsecr) continue;
    if (s.time_ns > not_after_ns) continue;
    if (known(found)) return kUnknownNs;
    found = s.time_ns;
  }
  return found;
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

void note_opening(TcpFlow& flow, FlowDetail& detail, SideIndex sender, const Packet& packet) {
  Opening& opening = detail.opening;
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
    const OpeningTimes times = opening_times(flow, opening);
    detail.side[flow.client].answered_in(times.rtt_probe_server_ns);
    detail.side[flow.client ^ 1].answered_in(times.rtt_probe_client_ns);
  } else if (tcp.has(tcp_flag::syn | tcp_flag::ack)) {
    note_syn_ack(flow, detail, sender, packet, options);
  } else if (tcp.has(tcp_flag::syn)) {
    note_syn(flow, detail, sender, packet, options);
  }
}

OpeningTimes opening_times(const TcpFlow& flow, const Opening& o) {
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

void describe_opening(const TcpFlow& flow, const FlowDetail& detail, Connection& out) {
  const Opening& o = detail.opening;
  out.syn_frames = o.syn_frames;
  out.syn_ack_frames = o.syn_ack_frames;
  out.handshake = o.segments;
  for (std::size_t i = 0; i < out.handshake.size(); ++i) {
    out.handshake[i].direction = flow.direction(o.sender[i]);
  }
  const OpeningTimes t = opening_times(flow, o);
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
