#include "sequence.hpp"

#include <algorithm>

#include "round_trip.hpp"
#include "transfer.hpp"

namespace wirelag::tcp {
namespace {

/// Bytes that fill a hole within a quarter of the RTT were overtaken on the way, not sent again (RFC
/// 8985 section 6.2); without an RTT, within the 3 ms that other analysers use.
constexpr DurationNs kReorderNs = 3 * kMillisecondNs;
/// Frames of several queues or ports are out of order by less, in one file; a clock steps back by more.
constexpr DurationNs kMisplacedNs = 10 * kMillisecondNs;
/// A jump beyond this is not a hole but another connection's numbers.
constexpr std::int32_t kLargestHole = 1 << 30;

/// The time from `noticed` on, less what an earlier resend has been charged with.
void charge(Trouble& trouble, RetransmissionClass c, TimeNs noticed, TimeNs now) {
  const TimeNs from = std::max(noticed, trouble.lost_until_ns);  // unknown is the smallest
  const DurationNs lost = known(noticed) ? elapsed_ns(from, now) : kUnknownNs;
  if (!known(lost)) return;
  DurationNs& total_ns = trouble.lost_ns[static_cast<std::size_t>(c)];
  total_ns = plus_ns(total_ns, lost);
  trouble.lost_until_ns = now;
}

/// What a receiver says of its holes by SACK, beside duplicate ACKs.
void note_sack(Trouble& receiver, std::uint32_t ack, TimeNs now) {
  if (known(receiver.sacked_ns) && receiver.sacked_ack == ack) return;
  receiver.sacked_ack = ack;
  receiver.sacked_ns = now;
}

/// Whether the client sends at `begin` what its SYN carried: the server has taken the SYN alone.
[[nodiscard]] bool sends_syn_data(const TcpFlow& flow, SideIndex sender, std::uint32_t begin) {
  const Side& server = flow.side[sender ^ 1];
  if (sender != flow.client || !flow.syn_ack) return false;
  if (begin != flow.detail[sender].base_seq + 1 || server.max_ack != begin) return false;
  return flow.opening.syn_data;
}

/// Whether the peer's latest ACK can have made `sender` send at `now`: no timer runs out so soon after
/// the ACK reached it.
[[nodiscard]] bool prompted(const TcpFlow& flow, SideIndex sender, TimeNs now) {
  const DurationNs since_ack_ns = elapsed_ns(flow.side[sender ^ 1].ack_ns, now);
  const DurationNs half_ns = flow.answered_ns(sender ^ 1);  // probe to sender and back
  const DurationNs at_most_ns = known(half_ns) ? half_ns + kShortestRtoNs / 2 : kShortestRtoNs;
  return known(since_ack_ns) && since_ack_ns < at_most_ns;
}

}  // namespace

// ---------------------------------------------------------------------------- copies by the mirror

void Sequences::account_mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                    MirrorCopy copy) {
  Side& side = flow.side[sender];
  ++side.packets;
  if (copy == MirrorCopy::bare) {
    trouble(flow.detail[sender]).copied_ack_ns = packet.time_ns;
    return;
  }
  flow.recent[sender].payload_bytes += packet.payload_length;
  if (packet.payload_length > 0) side.sent_payload = true;
  count(flow.detail[sender], RetransmissionClass::mirror_duplicate);
  flow.mirrored = true;
}

MirrorCopy Sequences::copy_of(TcpFlow& flow, SideIndex sender, const Packet& packet,
                              TimeNs previous_ns) {
  const bool takes = takes_sequence_space(packet);
  Prints* const more = flow.mirrored && takes ? prints(flow.detail[sender]) : nullptr;
  const std::uint32_t print = fingerprint(packet);
  const MirrorCopy copy = mirror_copy(flow, sender, packet, print, previous_ns, more);
  if (copy != MirrorCopy::no || !takes) return copy;
  keep_print(flow, sender, print, packet.time_ns);
  if (more != nullptr) keep_print(*more, print, packet.time_ns);
  return MirrorCopy::no;
}

/// Null when as many connections are mirrored as there is room for: then the latest few segments are known.
Prints* Sequences::prints(SideDetail& detail) {
  Trouble& mine = trouble(detail);
  if (mine.prints == kNone) mine.prints = prints_.take();
  return mine.prints == kNone ? nullptr : &prints_[mine.prints];
}

bool Sequences::may_answer_twice(const TcpFlow& flow, SideIndex sender,
                                 const TcpHeader& tcp) const {
  if (sender == flow.client || !tcp.has(tcp_flag::syn | tcp_flag::ack)) return false;
  const Trouble* const asked = trouble(flow.detail[flow.client]);
  constexpr auto kAgain = static_cast<std::size_t>(RetransmissionClass::handshake);
  return asked != nullptr && asked->retransmissions[kAgain] > 0 && !flow.mirrored;
}

// ------------------------------------------------------------------------------- what ACKs tell

/// A mirror makes one copy of an ACK: when the third comes as soon as the second, both are the receiver's.
/// Not where it delivers this connection's other segments twice: there the second was its copy.
void Sequences::count_duplicate_ack(TcpFlow& flow, SideIndex sender, TimeNs now) {
  Side& side = flow.side[sender];
  Trouble& mine = trouble(flow.detail[sender]);
  const DurationNs since_copy_ns = elapsed_ns(mine.copied_ack_ns, now);
  const bool was_no_copy = known(since_copy_ns) && since_copy_ns < kBareCopyNs && !flow.mirrored;
  if (side.duplicate_acks == 0) mine.duplicate_ack_ns = was_no_copy ? mine.copied_ack_ns : now;
  side.duplicate_acks = static_cast<std::uint8_t>(
      std::min<int>(UINT8_MAX, side.duplicate_acks + (was_no_copy ? 2 : 1)));
  mine.copied_ack_ns = kUnknownNs;
}

void Sequences::take_acknowledgement(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                     const SegmentOptions& options, RoundTrip& completed) {
  Side& side = flow.side[sender];
  Side& peer = flow.side[sender ^ 1];
  const std::uint32_t ack = packet.tcp.ack;
  side.ack_ns = packet.time_ns;
  if (!side.acked || seq_distance(side.max_ack, ack) > 0) {
    side.max_ack = ack;
    side.acked = true;
    side.duplicate_acks = 0;
  } else if (ack == side.max_ack && packet.payload_length == 0 &&
             packet.tcp.window == side.window && seq_distance(ack, peer.next_seq) > 0) {
    count_duplicate_ack(flow, sender, packet.time_ns);
  }
  SideDetail& asked = flow.detail[sender ^ 1];
  if (packet.payload_length == 0) {
    if (peer.awaits_answer) ++trouble(asked).keep_alives_answered;
    peer.awaits_answer = false;
  }
  if (options.reports_duplicate(ack)) ++trouble(asked).duplicates_reported;
  if (options.reports_hole(ack)) note_sack(trouble(flow.detail[sender]), ack, packet.time_ns);
  if (peer.probing && ack == peer.next_seq + 1) peer.next_seq = ack;  // the probe's byte was taken
  if (seq_distance(peer.next_seq, ack) >= 0) peer.probing = false;
  take_ack_sample(flow, sender, packet, completed);
}

void Sequences::take_window(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  Side& side = flow.side[sender];
  side.window = packet.tcp.window;
  const bool closed = packet.tcp.window == 0;
  if (closed == side.window_closed) return;
  side.window_closed = closed;
  Trouble& mine = trouble(flow.detail[sender]);
  if (closed) {
    side.was_closed = true;
    ++mine.zero_windows;
    mine.window_closed_ns = packet.time_ns;
  } else {
    const DurationNs span = elapsed_ns(mine.window_closed_ns, packet.time_ns);
    if (known(span)) mine.zero_window_ns = plus_ns(mine.zero_window_ns, span);
  }
}

void Sequences::begin_window_full(TcpFlow& flow, SideIndex sender, TimeNs now) {
  Side& side = flow.side[sender];
  if (side.window_full || !fills_window(side, flow.side[sender ^ 1])) return;
  side.window_full = true;
  Trouble& mine = trouble(flow.detail[sender]);
  ++mine.windows_full;
  mine.window_full_since_ns = now;
}

void Sequences::end_window_full(TcpFlow& flow, SideIndex sender, TimeNs now) {
  Side& side = flow.side[sender];
  if (!side.window_full || fills_window(side, flow.side[sender ^ 1])) return;
  side.window_full = false;
  Trouble& mine = trouble(flow.detail[sender]);
  const DurationNs span = elapsed_ns(mine.window_full_since_ns, now);
  if (known(span)) mine.window_full_ns = plus_ns(mine.window_full_ns, span);
}

// ---------------------------------------------------------------------------------- what is sent

/// When the receiver first said by SACK that it lacks what its latest ACK asks for; unknown if it has not.
TimeNs Sequences::sacked_ns(const TcpFlow& flow, SideIndex receiver) const {
  const Trouble* const its = trouble(flow.detail[receiver]);
  const bool of_latest = its != nullptr && its->sacked_ack == flow.side[receiver].max_ack;
  return of_latest ? its->sacked_ns : kUnknownNs;
}

/// The same by SACK or by a duplicate ACK, whichever came first.
TimeNs Sequences::hole_told_ns(const TcpFlow& flow, SideIndex receiver) const {
  const Trouble* const its = trouble(flow.detail[receiver]);
  if (its == nullptr) return kUnknownNs;
  const TimeNs sacked = sacked_ns(flow, receiver);
  if (!known(sacked)) return its->duplicate_ack_ns;
  return flow.side[receiver].duplicate_acks > 0 ? std::min(sacked, its->duplicate_ack_ns) : sacked;
}

/// Why a segment without anything new was sent. What a partial ACK brings about belongs to the recovery
/// that is under way (RFC 6582 section 3.2, RFC 6675 section 5).
RetransmissionClass Sequences::classify_resend(TcpFlow& flow, SideIndex sender, std::uint32_t begin,
                                               std::uint32_t end, TimeNs now,
                                               DurationNs silence_ns) {
  const Side& side = flow.side[sender];
  const Side& peer = flow.side[sender ^ 1];
  Trouble& mine = trouble(flow.detail[sender]);
  if (peer.acked && seq_distance(end, peer.max_ack) >= 0) return RetransmissionClass::spurious;
  const bool soon = peer.acked && prompted(flow, sender, now);
  if (soon && mine.recovering && seq_distance(peer.max_ack, mine.recover) > 0) {
    return mine.recovery;
  }
  const bool asked_for = seq_distance(begin, peer.max_ack) >= 0;
  const bool told = peer.duplicate_acks >= kFastDuplicateAcks || known(sacked_ns(flow, sender ^ 1));
  const bool fast = soon && asked_for && told;
  // Sooner than any timeout: a tail loss probe (RFC 8985 section 7).
  if (!fast && end == side.next_seq && known(silence_ns) && silence_ns < kShortestRtoNs) {
    return RetransmissionClass::tail_probe;
  }
  mine.recovering = true;
  mine.recover = side.next_seq;
  mine.recovery = fast ? RetransmissionClass::fast : RetransmissionClass::rto;
  return mine.recovery;
}

/// Payload, SYN or FIN that begins below the highest sequence seen. `silence_ns`: since the payload
/// before it. Whether the sender sent it again.
bool Sequences::account_old(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            std::uint32_t begin, std::uint32_t end, DurationNs silence_ns) {
  Side& side = flow.side[sender];
  const Side& peer = flow.side[sender ^ 1];
  // The first SYN-ACK of a side that has sent a SYN before answers the peer's: it is no copy
  // (simultaneous open and split handshake, RFC 9293 section 3.5).
  const bool syn_ack = packet.tcp.has(tcp_flag::syn | tcp_flag::ack);
  if (syn_ack && flow.detail[sender].syn_acks == 1) return false;
  Trouble& mine = trouble(flow.detail[sender]);
  side.timing = false;  // Karn: the next ACK may answer either copy
  if (mine.retransmissions[static_cast<std::size_t>(RetransmissionClass::syn_data)] == 0 &&
      sends_syn_data(flow, sender, begin)) {
    count(flow.detail[sender], RetransmissionClass::syn_data);
    return false;
  }
  const std::uint64_t sent = flow.recent[sender].payload_bytes + mine.missing_bytes;
  const auto [filled_bytes, noticed] = holes_.fill(mine.holes, begin, end, side.next_seq, sent);
  mine.missing_bytes -= filled_bytes;
  const bool needless = peer.acked && seq_distance(end, peer.max_ack) >= 0;
  if (flow.untimed && !needless && packet.payload_length > 0 && !packet.tcp.has(tcp_flag::syn)) {
    count(flow.detail[sender], RetransmissionClass::unclassified);
    return true;
  }
  const DurationNs late = elapsed_ns(noticed, packet.time_ns);
  const DurationNs rtt = flow.smallest_rtt_ns();  // duplicate ACKs bring nothing sooner
  const bool overtaken =
      known(rtt) ? late < rtt / 4 : late < kReorderNs && peer.duplicate_acks < kFastDuplicateAcks;
  // Captured shortly before what showed the hole: the frames are out of order in the file.
  const DurationNs ahead_ns = elapsed_ns(packet.time_ns, noticed);
  const bool misplaced = known(ahead_ns) && ahead_ns > 0 && ahead_ns < kMisplacedNs;
  if (misplaced || (known(late) && overtaken)) {
    count(flow.detail[sender], RetransmissionClass::out_of_order);
    charge(mine, RetransmissionClass::out_of_order, noticed, packet.time_ns);
    return false;
  }
  const bool bare = packet.payload_length == 0;
  const RetransmissionClass why =
      packet.tcp.has(tcp_flag::syn) ? RetransmissionClass::handshake
      : bare && packet.tcp.has(tcp_flag::fin)
          ? RetransmissionClass::fin
          : classify_resend(flow, sender, begin, end, packet.time_ns, silence_ns);
  count(flow.detail[sender], why);
  if (needless || why == RetransmissionClass::spurious) return true;
  const bool fast = why == RetransmissionClass::fast;
  charge(mine, why,
         known(noticed) ? noticed
         : fast         ? hole_told_ns(flow, sender ^ 1)
                        : flow.recent[sender].sent_ns,
         packet.time_ns);
  return true;
}

/// A SYN or SYN-ACK whose number is not the one this side began with. Whether it is none of its bytes: as
/// long as there are none, it begins with this number (what came before was of an earlier connection), but
/// for the SYN-ACK of another server, which counts when the client acknowledges it.
bool Sequences::begins_elsewhere(TcpFlow& flow, SideIndex sender, std::uint32_t begin) {
  constexpr std::int32_t kCapturedLate = 1 << 16;
  if (flow.opening.isns_differ && sender != flow.client) return true;
  Side& side = flow.side[sender];
  const std::int32_t before = seq_distance(begin, side.next_seq);
  const bool late = before >= 0 && before < kCapturedLate;
  if (!side.sent_payload && !late) {
    flow.detail[sender].base_seq = side.next_seq = begin;
    side.acked = false;
    side.fin = side.fin_delivered = flow.fins = false;
  }
  return false;
}

SegmentContent Sequences::account(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                  RoundTrip& completed) {
  Side& side = flow.side[sender];
  const Side& peer = flow.side[sender ^ 1];
  SideDetail& detail = flow.detail[sender];
  SideRecent& recent = flow.recent[sender];
  const TcpHeader& tcp = packet.tcp;
  const std::uint32_t length = packet.payload_length;
  const bool syn = tcp.has(tcp_flag::syn);
  const bool rst = tcp.has(tcp_flag::rst);
  const bool fin = tcp.has(tcp_flag::fin);
  const std::uint32_t begin = tcp.seq;
  const std::uint32_t end = sequence_end(packet);

  ++side.packets;
  if (syn && side.seen && begin != detail.base_seq && begins_elsewhere(flow, sender, begin)) {
    return SegmentContent::nothing;
  }
  DurationNs silence_ns = kUnknownNs;
  if (length > 0) {
    if (!side.sent_payload) detail.first_payload_ns = packet.time_ns;
    side.sent_payload = true;
    recent.payload_bytes += length;
    if (recent.payload_packets < UINT32_MAX) ++recent.payload_packets;
    silence_ns = elapsed_ns(recent.last_payload_ns, packet.time_ns);
    if (!flow.says_goodbye(sender, length)) recent.last_payload_ns = packet.time_ns;
  }
  const SegmentOptions options(tcp.options);
  if (tcp.has(tcp_flag::ack) && !rst) {
    take_acknowledgement(flow, sender, packet, options, completed);
  }
  if (!syn && !rst) take_window(flow, sender, packet);
  end_window_full(flow, sender ^ 1, packet.time_ns);
  if (rst) return SegmentContent::nothing;
  take_timestamps(flow, sender, packet, options.timestamps(), completed);

  if (!side.seen) {
    side.seen = true;
    detail.base_seq = side.next_seq = begin;
  }
  if (fin && !side.fin) {
    side.fin = true;
    flow.fins = peer.fin;
    detail.fin_seq = begin + (syn ? 1U : 0U) + length;
  }

  const bool one_or_none_before = length <= 1 && !syn && !fin && begin + 1 == side.next_seq;
  if (one_or_none_before && peer.acked && peer.max_ack == side.next_seq) {
    count(detail, peer.window_closed ? RetransmissionClass::zero_window_probe
                                     : RetransmissionClass::keep_alive);
    side.awaits_answer = true;
    return SegmentContent::nothing;
  }
  if (begin == end) return SegmentContent::nothing;

  if (length == 1 && peer.window_closed && begin == side.next_seq && !fin) {
    count(detail, RetransmissionClass::zero_window_probe);
    side.awaits_answer = true;
    side.probing = true;
    return SegmentContent::payload;
  }

  const std::int32_t ahead = seq_distance(side.next_seq, begin);
  const bool resent = ahead < 0 && account_old(flow, sender, packet, begin, end, silence_ns);
  if (ahead > 0 && ahead < kLargestHole) {
    Trouble& mine = trouble(detail);
    mine.missing_bytes += static_cast<std::uint32_t>(ahead);
    const std::uint64_t sent = flow.recent[sender].payload_bytes + mine.missing_bytes;
    holes_.note(mine.holes, side.next_seq, begin, sent, packet.time_ns);
  }
  if (seq_distance(side.next_seq, end) > 0) {
    side.next_seq = end;
    if (ahead >= 0 && !side.timing && !syn) {
      side.timing = true;
      side.timed_end = end;
      side.timed_ns = packet.time_ns;
    }
  }
  recent.sent_ns = packet.time_ns;
  if (length == 0) return SegmentContent::nothing;
  begin_window_full(flow, sender, packet.time_ns);
  return resent ? SegmentContent::resent : SegmentContent::payload;
}

void Sequences::release(TcpFlow& flow) {
  for (SideDetail& detail : flow.detail) {
    if (detail.trouble == kNone) continue;
    Trouble& mine = troubles_[detail.trouble];
    holes_.release(mine.holes);
    if (mine.prints != kNone) prints_.give(mine.prints);
    troubles_.give(detail.trouble);
  }
}

}  // namespace wirelag::tcp
