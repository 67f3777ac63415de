#include "opening.hpp"

#include <algorithm>
#include <cstdlib>

#include "options.hpp"
#include "transfer.hpp"

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

/// What is captured behind a SYN may come after what was not captured, but not farther.
constexpr std::int32_t kNear = 1 << 16;

/// How far `ack` reaches into what the client has sent behind its SYN.
[[nodiscard]] std::int32_t beyond_syn(const TcpFlow& flow, std::uint32_t ack) {
  return seq_distance(flow.detail[flow.client].base_seq + 1, ack);
}
/// Whether a SYN-ACK with this number answers the client's SYN, with its data or without (RFC 7413).
[[nodiscard]] bool answers_syn(const TcpFlow& flow, std::uint32_t ack) {
  if (!flow.syn) return true;
  const std::int32_t taken = beyond_syn(flow, ack);
  return taken >= 0 && taken <= beyond_syn(flow, flow.side[flow.client].next_seq);
}

[[nodiscard]] std::uint8_t kind(const HandshakeSegment& s) {
  return s.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst);
}

/// Whether a segment is the next one of an ordinary opening: what it says follows from what is kept anyway.
[[nodiscard]] bool is_next_ordinary(const TcpFlow& flow, SideIndex sender, const Packet& packet,
                                    const TcpOptions& options) {
  constexpr std::uint8_t kKind = tcp_flag::syn | tcp_flag::ack | tcp_flag::rst | tcp_flag::fin;
  const TcpHeader& tcp = packet.tcp;
  const std::uint8_t kind = tcp.flags & kKind;
  if (packet.payload_length > 0) return false;
  const std::uint32_t after_syn = flow.detail[flow.client].base_seq + 1;
  switch (flow.opening.segments) {
    case 0:
      return sender == flow.client && flow.basis == ClientBasis::syn && kind == tcp_flag::syn &&
             tcp.ack == 0 && !flow.syn && !flow.syn_ack && !flow.side[sender].seen;
    case 1:
      return sender != flow.client && kind == (tcp_flag::syn | tcp_flag::ack) &&
             tcp.ack == after_syn && !flow.syn_ack;
    case 2: {
      const bool timestamps_at_most =
          options.mss == 0 && options.window_scale < 0 && !options.sack_permitted;
      return sender == flow.client && (tcp.flags & ~tcp_flag::psh) == tcp_flag::ack &&
             tcp.seq == after_syn && tcp.ack == flow.opening.server_isn + 1 && timestamps_at_most;
    }
    default: return false;
  }
}

/// What SYN and SYN-ACK said, and an ordinary opening as far as it was seen.
[[nodiscard]] ConnectionOpening shown(const TcpFlow& flow) {
  const Opening& o = flow.opening;
  const SideDetail& client = flow.detail[flow.client];
  const SideDetail& server = flow.detail[flow.client ^ 1];
  ConnectionOpening out;
  out.options = {client.options, server.options};
  out.window = {client.syn_window, server.syn_window, o.ack_window};
  if (!o.ordinary) return out;
  out.segments = o.segments;
  out.time_ns = {o.first_syn_ns, o.first_syn_ack_ns, o.ack_ns};
  out.isn = {client.base_seq, o.server_isn};
  out.flags = {client.syn_flags, server.syn_flags,
               static_cast<std::uint8_t>(tcp_flag::ack | (o.ack_is_pushed ? tcp_flag::psh : 0))};
  out.ack_has_timestamps = o.ack_has_timestamps;
  out.ack_tsval = o.ack_tsval;
  out.ack_tsecr = o.ack_tsecr;
  return out;
}

void keep(OpeningMore& rest, const HandshakeSegment& segment, SideIndex sender) {
  const std::size_t at = rest.segments.size();
  if (rest.segments.push(segment)) rest.sender[at] = sender;
}

/// Calls visit(segment, sender) for each that was seen.
template <class Visit>
void for_each_ordinary(const TcpFlow& flow, Visit&& visit) {
  const Opening& o = flow.opening;
  const std::array frames = {o.syn_frame, o.syn_ack_frame, o.ack_frame};
  const ConnectionOpening opening = shown(flow);
  for (std::size_t at = 0; at < o.segments; ++at) {
    const HandshakeSegment segment = opening.segment(at, frames[at]);
    visit(segment, segment.direction == Direction::c2s ? flow.client : flow.client ^ 1);
  }
}

}  // namespace

// ---------------------------------------------------- what belongs to this connection, and what does not

bool of_earlier_connection(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) {
  const bool syn = tcp.has(tcp_flag::syn);
  if (!flow.syn || (flow.complete && !syn)) return false;
  if (sender != flow.client) {
    if (!tcp.has(tcp_flag::ack)) return false;
    if (syn) return !answers_syn(flow, tcp.ack);
    return !flow.syn_ack && beyond_syn(flow, tcp.ack) < 0;
  }
  if ((tcp.flags & (tcp_flag::rst | tcp_flag::ack)) != tcp_flag::rst) return false;
  const std::int32_t at = beyond_syn(flow, tcp.seq);
  return at < -1 || (!flow.syn_ack && at >= kNear);
}

bool outside_window(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) {
  const Side& peer = flow.side[sender ^ 1];
  const std::uint32_t window = window_bytes(peer);
  if (!flow.complete || !flow.side[sender].seen || window == TransferShape::kUnknownWindow) {
    return false;
  }
  // So much may be missing in the capture before a connection's own.
  constexpr std::int64_t kMostMissing = 1 << 24;
  const std::int64_t from_sent = seq_distance(flow.side[sender].next_seq, tcp.seq);
  const std::int64_t from_acked = seq_distance(peer.max_ack, tcp.seq);
  return std::abs(from_sent) > kMostMissing &&
         std::abs(from_acked) > std::max<std::int64_t>(window, kNear);
}

bool may_cross(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) {
  if ((tcp.flags & (tcp_flag::syn | tcp_flag::ack)) != tcp_flag::syn) return false;
  if (sender == flow.client || !flow.syn || flow.syn_ack || flow.server_syn) return false;
  const Side& server = flow.side[sender];
  const bool silent = !flow.side[flow.client].acked && !server.sent_payload && !server.fin;
  const bool same_number = server.seen && flow.detail[sender].base_seq == tcp.seq;
  return silent && !flow.closed() && !same_number;
}

bool shows_crossing(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) {
  if (sender == flow.client) {
    const std::int32_t at = beyond_syn(flow, tcp.seq);
    return tcp.has(tcp_flag::syn) ? at == -1 : at >= -1 && at < kNear;
  }
  if (!tcp.has(tcp_flag::ack)) return true;
  const std::int32_t taken = beyond_syn(flow, tcp.ack);
  return taken >= 0 && taken < kNear;
}

bool Openings::put_aside(TcpFlow& flow, const Packet& packet) {
  SynsAside& aside = more(flow.opening).aside;
  if (aside.size() == aside.capacity()) return false;
  aside.push(KeptSyn(packet));
  flow.syn_aside = true;
  return true;
}

SynsAside Openings::take_aside(TcpFlow& flow) {
  const SynsAside taken = more(flow.opening).aside;
  more(flow.opening).aside.clear();
  flow.syn_aside = false;
  return taken;
}

void Openings::note_earlier(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  if (!flow.complete) {
    keep_segment(flow, sender, packet, parse_options(packet.tcp.options), true);
  }
}

// ------------------------------------------------------------------------------- what there was

void Openings::keep_segment(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            const TcpOptions& options, bool earlier) {
  Opening& opening = flow.opening;
  if (opening.ordinary && !earlier && is_next_ordinary(flow, sender, packet, options)) {
    if (packet.tcp.has(tcp_flag::syn)) flow.detail[sender].syn_flags = packet.tcp.flags;
    ++opening.segments;
    return;
  }
  if (opening.ordinary) write_out(flow);
  HandshakeSegment segment;
  segment.time_ns = packet.measured_ns();
  segment.frame = packet.number;
  segment.seq = packet.tcp.seq;
  segment.ack = packet.tcp.ack;
  segment.payload_length = packet.payload_length;
  segment.options = options;
  segment.window = packet.tcp.window;
  segment.flags = packet.tcp.flags;
  segment.earlier = earlier;
  keep(more(opening), segment, sender);
  const bool carries = packet.tcp.has(tcp_flag::syn) && packet.payload_length > 0;
  if (carries && sender == flow.client) opening.syn_data = true;
}

void Openings::write_out(TcpFlow& flow) {
  OpeningMore& rest = more(flow.opening);
  for_each_ordinary(flow, [&](const HandshakeSegment& segment, SideIndex sender) {
    keep(rest, segment, sender);
  });
  flow.opening.ordinary = false;
}

void Openings::keep_syn_frame(Opening& opening, FrameNumber frame) {
  if (opening.syn_frame == 0) {
    opening.syn_frame = frame;
  } else {
    more(opening).syn_frames.push(frame);
  }
}

void Openings::keep_syn_ack_frame(Opening& opening, FrameNumber frame) {
  if (opening.syn_ack_frame == 0) {
    opening.syn_ack_frame = frame;
  } else {
    more(opening).syn_ack_frames.push(frame);
  }
  if (opening.syn_ack_frames < Opening::kMany) ++opening.syn_ack_frames;
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
    opening.first_syn_ns = packet.measured_ns();
    flow.detail[sender].options = options;
    flow.detail[sender].syn_window = packet.tcp.window;
    take_agreement(flow);
  }
  keep_syn_frame(opening, packet.number);
  if (!flow.syn_ack) {
    if (opening.syns_before_answer < Opening::kMany) ++opening.syns_before_answer;
    if (opening.syns_before_answer > 1) {
      more(opening).last_syn_before_answer_ns = packet.measured_ns();
    }
  }
}

void Openings::note_syn_ack(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            const TcpOptions& options) {
  if (sender == flow.client) return;
  Opening& opening = flow.opening;
  if (!flow.syn_ack) {
    flow.syn_ack = true;
    opening.first_syn_ack_ns = packet.measured_ns();
    opening.server_isn = packet.tcp.seq;
    opening.syn_ack_has_timestamps = options.timestamps;
    if (opening.syns_before_answer > 1) more(opening).syn_ack_tsecr = options.tsecr;
    flow.detail[sender].options = options;
    flow.detail[sender].syn_window = packet.tcp.window;
    take_agreement(flow);
  }
  keep_syn_ack_frame(opening, packet.number);
  if (packet.tcp.seq != opening.server_isn) opening.isns_differ = true;
  if (!flow.complete) {
    if (opening.syn_acks_before_ack < Opening::kMany) ++opening.syn_acks_before_ack;
    if (opening.syn_acks_before_ack > 1) more(opening).acked_syn_ack_ns = packet.measured_ns();
  }
}

// ---------------------------------------------------------------------------------- what completes it

template <class Visit>
void Openings::for_each_segment(const TcpFlow& flow, Visit&& visit) const {
  if (flow.opening.ordinary) return for_each_ordinary(flow, visit);
  const OpeningMore& rest = more_[flow.opening.more];
  for (std::size_t i = 0; i < rest.segments.size(); ++i) visit(rest.segments[i], rest.sender[i]);
}

/// Of SYN-ACKs with several numbers, the latest one with the number that `ack` acknowledges, or goes beyond
/// the least; null when there is none.
const HandshakeSegment* Openings::acknowledged(const TcpFlow& flow, std::uint32_t ack) const {
  const HandshakeSegment* found = nullptr;
  if (flow.opening.ordinary) return found;  // there is one number only
  std::int32_t least = INT32_MAX;
  for_each_segment(flow, [&](const HandshakeSegment& s, SideIndex sender) {
    if (sender == flow.client || kind(s) != (tcp_flag::syn | tcp_flag::ack) || s.earlier) return;
    const std::int32_t beyond = seq_distance(s.seq + 1, ack);
    if (beyond < 0 || beyond > least) return;
    least = beyond;
    found = &s;
  });
  return found;
}

bool Openings::completes(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) const {
  if (!flow.syn_ack || flow.complete || sender != flow.client) return false;
  constexpr std::uint8_t kLooked = tcp_flag::ack | tcp_flag::syn | tcp_flag::rst;
  if ((tcp.flags & kLooked) != tcp_flag::ack) return false;
  if (flow.opening.isns_differ) return acknowledged(flow, tcp.ack) != nullptr;
  return seq_distance(flow.opening.server_isn + 1, tcp.ack) >= 0;
}

/// The client has chosen this one of SYN-ACKs with several numbers: the server's bytes count from it.
void Openings::follow_server(TcpFlow& flow, const HandshakeSegment& syn_ack) {
  const SideIndex server = flow.client ^ 1;
  SideDetail& detail = flow.detail[server];
  if (detail.base_seq == syn_ack.seq) return;
  Side& side = flow.side[server];
  detail.base_seq = syn_ack.seq;
  side.next_seq = flow.recent[server].stream_next = syn_ack.seq + 1;
  side.timing = false;
  detail.options = syn_ack.options;
  detail.syn_window = syn_ack.window;
  take_agreement(flow);
}

void Openings::keep_round_trips(TcpFlow& flow) const {
  const OpeningTimes t = times(flow);
  flow.round_trips[flow.client].handshake_ns = t.rtt_probe_server_ns;
  flow.round_trips[flow.client ^ 1].handshake_ns = t.rtt_probe_client_ns;
  flow.rtt_fell = true;
}

void Openings::note_completion(TcpFlow& flow, const Packet& packet, const TcpOptions& options) {
  Opening& opening = flow.opening;
  if (opening.isns_differ) follow_server(flow, *acknowledged(flow, packet.tcp.ack));
  flow.complete = true;
  opening.ack_ns = packet.measured_ns();
  opening.ack_frame = packet.number;
  opening.ack_has_timestamps = options.timestamps;
  opening.ack_tsval = options.tsval;
  opening.ack_tsecr = options.tsecr;
  opening.ack_window = packet.tcp.window;
  opening.ack_is_pushed = packet.tcp.has(tcp_flag::psh);
  keep_round_trips(flow);
}

/// Both have opened at once, and each has answered the other's SYN: nobody owes an ACK (figure 8), so what
/// the client sends next comes when it likes.
void Openings::note_crossing_completion(TcpFlow& flow, const Packet& packet) {
  if (!flow.server_syn || !flow.syn_ack || flow.detail[flow.client].syn_acks == 0) return;
  flow.complete = true;
  flow.opening.ack_ns = packet.measured_ns();
  keep_round_trips(flow);
}

/// The client acknowledges a SYN-ACK that has not been captured yet. Only with its SYN is it sure who the client is.
void Openings::note_early_ack(TcpFlow& flow, SideIndex sender, const Packet& packet) const {
  if (!flow.syn || flow.syn_ack || sender != flow.client || known(flow.opening.ack_ns)) return;
  flow.opening.ack_ns = packet.measured_ns();
  flow.opening.ack_frame = packet.number;
}

/// Behind a SYN-ACK that the client had acknowledged before, nothing that it sends completes the handshake.
void Openings::note_early_completion(TcpFlow& flow, const TcpHeader& syn_ack) {
  const Side& client = flow.side[flow.client];
  if (!client.acked) return;
  const std::int32_t beyond = seq_distance(syn_ack.seq + 1, client.max_ack);
  if (beyond < 0 || beyond >= kNear) return;
  if (flow.opening.isns_differ) {
    const HandshakeSegment* const taken = acknowledged(flow, client.max_ack);
    if (taken == nullptr) return;  // beyond those that are kept
    follow_server(flow, *taken);
  }
  flow.complete = flow.opening.ack_came_first = true;
  keep_round_trips(flow);
}

void Openings::note(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  const TcpHeader& tcp = packet.tcp;
  const bool completing = completes(flow, sender, tcp);
  if (!completing && (tcp.flags & (tcp_flag::syn | tcp_flag::rst)) == 0) {
    if (tcp.has(tcp_flag::ack)) note_early_ack(flow, sender, packet);
    return;
  }

  const TcpOptions options = parse_options(tcp.options);
  // It may move the number that an ordinary opening's segments are worked out from.
  if (flow.complete && flow.opening.ordinary && tcp.has(tcp_flag::syn)) write_out(flow);
  if (!flow.complete) keep_segment(flow, sender, packet, options, false);
  if (completing) {
    note_completion(flow, packet, options);
  } else if (tcp.has(tcp_flag::syn | tcp_flag::ack)) {
    SideDetail& detail = flow.detail[sender];
    if (detail.syn_acks < 2) ++detail.syn_acks;
    note_syn_ack(flow, sender, packet, options);
    if (!flow.complete) note_crossing_completion(flow, packet);
    if (!flow.complete) note_early_completion(flow, tcp);
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

// --------------------------------------------------------------------------------- how long it took

/// Time of the one segment that matches; unknown when none or several do, or not all were kept.
template <class Matches>
TimeNs Openings::sole_copy_ns(const TcpFlow& flow, Matches&& matches) const {
  const Opening& o = flow.opening;
  if (!o.ordinary && more_[o.more].segments.left_out() > 0) return kUnknownNs;
  std::uint32_t found = 0;
  TimeNs time_ns = kUnknownNs;
  for_each_segment(flow, [&](const HandshakeSegment& s, SideIndex sender) {
    if (!matches(s, sender)) return;
    ++found;
    time_ns = s.time_ns;
  });
  return found == 1 ? time_ns : kUnknownNs;
}

TimeNs Openings::last_syn_before_answer_ns(const Opening& o) const {
  if (o.syns_before_answer == 0) return kUnknownNs;
  return o.syns_before_answer == 1 ? o.first_syn_ns : more_[o.more].last_syn_before_answer_ns;
}

TimeNs Openings::last_syn_ack_before_ack_ns(const Opening& o) const {
  if (o.syn_acks_before_ack == 0) return kUnknownNs;
  return o.syn_acks_before_ack == 1 ? o.first_syn_ack_ns : more_[o.more].acked_syn_ack_ns;
}

/// Whether the capture has an answer before its question, by frame or by time: the frames were swapped,
/// come from two clocks, or the clock stepped back. None of these times means anything then.
bool Openings::contradicts_order(const TcpFlow& flow) const {
  if (!flow.syn_ack) return false;
  const Opening& o = flow.opening;
  if (o.ack_came_first) return true;
  const auto before = [](TimeNs a, TimeNs b) { return known(a) && a < b; };
  const TimeNs asked_ns = std::max(o.first_syn_ns, last_syn_before_answer_ns(o));
  if (flow.syn && (o.syns_before_answer == 0 || before(o.first_syn_ack_ns, asked_ns))) return true;
  return flow.complete &&
         before(o.ack_ns, std::max(o.first_syn_ack_ns, last_syn_ack_before_ack_ns(o)));
}

namespace {

/// Whether the latest copy may have been sent because the answer to the echoed one was lost: no timer runs out sooner.
/// Both ends' timers may run out together, and then two copies come at once.
[[nodiscard]] bool sent_in_want_of_it(TimeNs echoed_ns, TimeNs latest_ns) {
  return known(echoed_ns) && latest_ns - echoed_ns >= kShortestRtoNs;
}

}  // namespace

/// The copy of the client's SYN that the server answered: the only one, or the latest, where the answer echoes its
/// timestamp. An earlier one's echo tells nothing: Linux echoes the first SYN that it got in every SYN-ACK, also in
/// one that a later SYN made it send again.
TimeNs Openings::answered_syn_ns(const TcpFlow& flow) const {
  const Opening& o = flow.opening;
  if (o.syns_before_answer == 1) return o.first_syn_ns;
  if (o.syns_before_answer == 0 || !o.syn_ack_has_timestamps) return kUnknownNs;
  const TimeNs echoed_ns = sole_copy_ns(flow, [&](const HandshakeSegment& s, SideIndex sender) {
    return sender == flow.client && kind(s) == tcp_flag::syn && s.options.timestamps &&
           s.options.tsval == more_[o.more].syn_ack_tsecr && s.time_ns <= o.first_syn_ack_ns;
  });
  return sent_in_want_of_it(echoed_ns, last_syn_before_answer_ns(o)) ? kUnknownNs : echoed_ns;
}

/// The copy of the server's SYN-ACK that the client acknowledged: the only one with the number, or the latest, where
/// its timestamp came back. Of an earlier one it tells nothing: a client's ACK may have been lost, and Linux echoes the
/// first SYN-ACK that it got also in the ACK of the next.
TimeNs Openings::acknowledged_syn_ack_ns(const TcpFlow& flow) const {
  const Opening& o = flow.opening;
  if (o.syn_acks_before_ack == 1) return o.first_syn_ack_ns;
  if (!o.isns_differ && !o.ack_has_timestamps) return kUnknownNs;
  const std::uint32_t isn = flow.detail[flow.client ^ 1].base_seq;
  TimeNs latest_ns = kUnknownNs;
  const TimeNs echoed_ns = sole_copy_ns(flow, [&](const HandshakeSegment& s, SideIndex sender) {
    if (sender == flow.client || kind(s) != (tcp_flag::syn | tcp_flag::ack)) return false;
    if (s.seq != isn || s.time_ns > o.ack_ns || s.earlier) return false;
    latest_ns = std::max(latest_ns, s.time_ns);
    return !o.ack_has_timestamps || (s.options.timestamps && s.options.tsval == o.ack_tsecr);
  });
  return sent_in_want_of_it(echoed_ns, latest_ns) ? kUnknownNs : echoed_ns;
}

/// The client's half of an opening that is complete.
void Openings::take_client_half(const TcpFlow& flow, OpeningTimes& t) const {
  const Opening& o = flow.opening;
  if (flow.server_syn) {  // the server's SYN to the client's SYN-ACK
    const auto sole_ns = [&](SideIndex side, std::uint8_t flags) {
      return sole_copy_ns(flow, [&](const HandshakeSegment& s, SideIndex sender) {
        return sender == side && kind(s) == flags;
      });
    };
    t.rtt_probe_client_ns = elapsed_ns(sole_ns(flow.client ^ 1, tcp_flag::syn),
                                       sole_ns(flow.client, tcp_flag::syn | tcp_flag::ack));
    return;
  }
  const TimeNs acked_ns = acknowledged_syn_ack_ns(flow);
  t.synack_wait_ns = elapsed_ns(o.first_syn_ack_ns, acked_ns);
  t.rtt_probe_client_ns = elapsed_ns(acked_ns, o.ack_ns);
  t.ambiguous = t.ambiguous || (!known(acked_ns) && !flow.untimed);
}

OpeningTimes Openings::times(const TcpFlow& flow) const {
  const Opening& o = flow.opening;
  OpeningTimes t;
  t.ambiguous = contradicts_order(flow);
  if (t.ambiguous) return t;
  if (flow.syn_ack) {
    const TimeNs answered_ns = answered_syn_ns(flow);
    t.syn_wait_ns = elapsed_ns(o.first_syn_ns, answered_ns);
    t.rtt_probe_server_ns = elapsed_ns(answered_ns, o.first_syn_ack_ns);
    t.ambiguous = o.syns_before_answer > 1 && !known(answered_ns) && !flow.untimed;
  }
  if (flow.complete) take_client_half(flow, t);
  return t;
}

void Openings::describe_segments(const TcpFlow& flow, Connection& out) {
  const Opening& o = flow.opening;
  segments_.clear();
  syn_frames_.clear();
  syn_ack_frames_.clear();
  if (o.syn_frame != 0) syn_frames_.push(o.syn_frame);
  if (o.syn_ack_frame != 0) syn_ack_frames_.push(o.syn_ack_frame);
  if (o.more != kNone) {
    const OpeningMore& rest = more_[o.more];
    for (std::size_t i = 0; i < rest.segments.size(); ++i) {
      HandshakeSegment segment = rest.segments[i];
      segment.direction = flow.direction(rest.sender[i]);
      segments_.push(segment);
    }
    segments_.leave_out(rest.segments.left_out());
    syn_frames_.append(rest.syn_frames);
    syn_ack_frames_.append(rest.syn_ack_frames);
  }
  opening_ = shown(flow);
  out.opened = {&opening_, !o.ordinary || o.segments > 0 ? 1U : 0U};
  out.segments = segments_;
  out.syn_frames = syn_frames_;
  out.syn_ack_frames = syn_ack_frames_;
}

void Openings::describe(const TcpFlow& flow, Connection& out) {
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
  if (!contradicts_order(flow) && !flow.server_syn) {
    out.connect_time_ns = elapsed_ns(o.first_syn_ns, o.ack_ns);
  }
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
