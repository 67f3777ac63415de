#include "stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transfer.hpp"

namespace wirelag::tcp {
namespace {

/// A hole that the peer has acknowledged beyond was lost before the capture; a packet captured out
/// of order between the directions comes sooner than this.
constexpr DurationNs kHoleGraceNs = 50 * kMillisecondNs;
/// The same where the peer was not captured and nobody knows what it acknowledged: the first retransmission
/// timeout (RFC 6298 section 2).
constexpr DurationNs kUnseenPeerGraceNs = 1 * kSecondNs;

/// While half of the room for what waits is taken, a direction has this much of it, so that a few cannot keep
/// the others out.
constexpr std::size_t kWaitingWhenScarce = 64;

/// Where no SYN or SYN-ACK has told who is the client, the first message that is recognised does.
void follow_speaker(TcpFlow& flow, SideIndex sender, Speaker speaker) {
  const bool guessed = flow.basis == ClientBasis::port || flow.basis == ClientBasis::first_packet;
  if (speaker == Speaker::either || !guessed || flow.protocol != Protocol::unknown) return;
  flow.client = speaker == Speaker::client ? sender : sender ^ 1;
  flow.basis = ClientBasis::protocol;
}

/// Whether it is the server that says what Redis' clients say on a line: another protocol has the same words (NATS,
/// whose servers ask whether their client lives).
[[nodiscard]] bool is_out_of_role(const TcpFlow& flow, SideIndex sender,
                                  const Recognised& message) {
  return message.protocol == Protocol::redis && message.speaker == Speaker::client &&
         sender != flow.client;
}

/// Whether the peer has the bytes before `seq`: what was not captured of them never will be.
[[nodiscard]] bool is_acknowledged(const TcpFlow& flow, SideIndex sender, std::uint32_t seq) {
  const Side& peer = flow.side[sender ^ 1];
  return peer.acked && seq_distance(seq, peer.max_ack) >= 0;
}

}  // namespace

Streams::Streams(const TcpLimits& limits, std::uint16_t worker, Classifier& classifier,
                 const TcpTracker::Trackers& trackers, Counters& counters)
    : limits_(limits),
      worker_(worker),
      classifier_(classifier),
      trackers_(trackers),
      counters_(counters),
      blocks_(limits.reorder_segments),
      block_bytes_(limits.reorder_segments * kBlockBytes),
      probes_(limits.reorder_segments),
      transfers_(limits.connections) {
  limits_.reorder_per_direction = std::min(limits.reorder_per_direction, TcpLimits::kMostReordered);
}

bool Streams::wants_bytes(const TcpFlow& flow, SideIndex sender) const {
  if (flow.tracker != StreamTracker::kNone) return true;
  return flow.recognising && may_be_recognised(flow, sender);
}

void Streams::on_segment(TcpFlow& flow, SideIndex sender, const Packet& packet,
                         SegmentContent content) {
  Side& side = flow.side[sender];
  const std::uint32_t seq = packet.tcp.seq + (packet.tcp.has(tcp_flag::syn) ? 1U : 0U);
  // The first SYN-ACK says where the server's bytes begin, whatever was sent in its name before.
  const bool first_syn_ack = packet.tcp.has(tcp_flag::syn) && packet.tcp.has(tcp_flag::ack) &&
                             flow.opening.syn_ack_frames == 1 && !side.sent_payload;
  if (!side.stream_started || first_syn_ack) {
    side.stream_started = true;
    flow.recent[sender].stream_next = seq;
  }
  if (!wants_bytes(flow, sender)) {
    if (flow.transfer != kNone || flow.recognising) stop_following(flow, sender);
    return;
  }
  if (content != SegmentContent::nothing) measure(flow, sender, packet, content);
  if (flow.half_open() && packet.tcp.has(tcp_flag::ack)) {
    settle_syn_data(flow, sender ^ 1, packet.tcp.ack);
  }
  if (packet.payload_length > 0 && !hold_syn_data(flow, sender, packet, seq)) {
    settle_syn_data(flow, sender, seq);
    if (seq_distance(flow.recent[sender].stream_next, seq) > 0) {
      wait(flow, sender, packet, seq);
      if (side.overtaken && hole_is_final(flow, sender, packet.time_ns)) skip_hole(flow, sender);
    } else {
      const Bytes bytes =
          packet.payload.first(std::min<std::size_t>(packet.payload.size(), packet.payload_length));
      advance(flow, sender, seq, packet.payload_length, chunk(flow, sender, bytes, origin(packet)));
    }
    if (side.overtaken) drain(flow, sender);
  }
  if (side.fin && flow.recent[sender].stream_next == flow.detail[sender].fin_seq) {
    deliver_fin(flow, sender, packet.measured_ns(), packet.number);
    // Both sides have sent all they had, and it was handed over: closed connections stay for a while.
    if (flow.side[sender ^ 1].fin_delivered) let_go(flow);
  }
}

/// Keeps the direction's progress; without room for it, or times, the bytes go on unmeasured.
void Streams::measure(TcpFlow& flow, SideIndex sender, const Packet& packet,
                      SegmentContent content) {
  if (flow.untimed) {
    if (flow.transfer != kNone) transfers_.give(flow.transfer);
    flow.transfer = kNone;
    return;
  }
  if (flow.transfer == kNone) {
    flow.transfer = transfers_.take();
    if (flow.transfer == kNone) return;
    flow.rtt_fell = true;
  }
  Transfer& transfer = transfers_[flow.transfer];
  if (flow.rtt_fell) {
    flow.rtt_fell = false;
    const DurationNs rtt_ns = flow.complete ? flow.smallest_rtt_ns() : kUnknownNs;
    for (TransferProgress& progress : transfer) progress.rtt_ns = rtt_ns;
  }
  note_payload(transfer[sender], flow, sender, packet, content == SegmentContent::resent);
}

void Streams::note_late_ack(const TcpFlow& flow, SideIndex sender, DurationNs late_ns) {
  if (flow.transfer == kNone) return;
  DurationNs& sum_ns = transfers_[flow.transfer][sender ^ 1].late_acks_ns;
  sum_ns = plus_ns(sum_ns, late_ns);
}

std::uint32_t Streams::burst(const TcpFlow& flow, SideIndex sender) const {
  return flow.transfer != kNone ? transfers_[flow.transfer][sender].burst : 0;
}

StreamChunk Streams::chunk(const TcpFlow& flow, SideIndex sender, Bytes bytes,
                           const Origin& origin) {
  const Side& other = flow.side[sender ^ 1];
  StreamChunk out{bytes, origin.time_ns, origin.frame, flow.direction(sender)};
  out.ack = origin.ack;
  out.acks = origin.acks;
  out.order_ns = flow.last_ns;
  out.other_behind =
      other.overtaken || (other.seen && flow.side[sender].acked &&
                          seq_distance(other.next_seq, flow.side[sender].max_ack) > 0);
  if (flow.transfer == kNone) return out;
  TransferProgress& progress = transfers_[flow.transfer][sender];
  ++progress.chunks;
  out.progress = &progress;
  out.other_progress = &transfers_[flow.transfer][sender ^ 1];
  out.burst = progress.burst;
  return out;
}

/// Nobody wants the bytes of this side any more, and perhaps of neither.
void Streams::stop_following(TcpFlow& flow, SideIndex sender) {
  drop_waiting(flow, sender);
  if (!wants_bytes(flow, 0) && !wants_bytes(flow, 1)) let_go(flow);
}

/// No more bytes are followed: frees all that is kept for them.
void Streams::let_go(TcpFlow& flow) {
  for (const SideIndex side : {SideIndex{0}, SideIndex{1}}) drop_waiting(flow, side);
  if (flow.tracker != StreamTracker::kNone) close_tracker(flow);
  flow.recognising = false;
  if (flow.probe != kNone) probes_.give(flow.probe);
  flow.probe = kNone;
  if (flow.transfer != kNone) transfers_.give(flow.transfer);
  flow.transfer = kNone;
}

/// Delivers what is new of [seq, seq + length), which begins at or before stream_next.
void Streams::advance(TcpFlow& flow, SideIndex sender, std::uint32_t seq, std::uint32_t length,
                      StreamChunk chunk) {
  std::uint32_t& next = flow.recent[sender].stream_next;
  const auto seen = static_cast<std::uint32_t>(seq_distance(seq, next));
  if (seen >= length) return;
  next = seq + length;
  const std::size_t captured = chunk.bytes.size();
  if (seen < captured) {
    chunk.bytes = chunk.bytes.subspan(seen);
    chunk.seq = seq + seen;
    deliver(flow, sender, chunk);
  }
  const std::size_t cut_from = std::max<std::size_t>(captured, seen);
  chunk.seq = seq + static_cast<std::uint32_t>(cut_from);
  if (cut_from < length) announce_cut(flow, sender, chunk, length - cut_from);
}

/// How many segments of a direction may wait at present.
std::uint32_t Streams::most_waiting() const {
  if (!is_scarce()) return limits_.reorder_per_direction;
  const std::size_t share = std::clamp<std::size_t>(blocks_.capacity() / 2, 1, kWaitingWhenScarce);
  return std::min(limits_.reorder_per_direction, static_cast<std::uint32_t>(share));
}

void Streams::wait(TcpFlow& flow, SideIndex sender, const Packet& packet, std::uint32_t seq) {
  SideDetail& detail = flow.detail[sender];
  std::uint32_t left = packet.payload_length;
  Bytes bytes = packet.payload;
  while (left > 0) {
    const std::uint32_t index = detail.waiting_count < most_waiting() ? blocks_.take() : kNone;
    if (index == kNone) {
      counters_.add(Counter::tcp_reordered_dropped);
      return;  // the stream will find a hole here
    }
    Block& block = blocks_[index];
    block.origin = origin(packet);
    block.seq = seq;
    block.burst = burst(flow, sender);
    block.captured = static_cast<std::uint32_t>(std::min(bytes.size(), kBlockBytes));
    const bool last = bytes.size() <= kBlockBytes;
    block.length = last ? left : block.captured;
    if (block.captured > 0) std::memcpy(bytes_of(index), bytes.data(), block.captured);
    bytes = bytes.subspan(block.captured);
    left -= block.length;
    seq += block.length;
    line_up(detail, index);
    flow.side[sender].overtaken = true;
  }
}

/// Puts a block into the order of sequence: behind all others as a rule.
void Streams::line_up(SideDetail& detail, std::uint32_t index) {
  Block& block = blocks_[index];
  ++detail.waiting_count;
  if (detail.waiting != kNone && seq_distance(blocks_[detail.last_waiting].seq, block.seq) >= 0) {
    blocks_[detail.last_waiting].next = index;
    detail.last_waiting = index;
    return;
  }
  std::uint32_t* link = &detail.waiting;
  while (*link != kNone && seq_distance(blocks_[*link].seq, block.seq) >= 0) {
    link = &blocks_[*link].next;
  }
  block.next = *link;
  *link = index;
  if (block.next == kNone) detail.last_waiting = index;
}

void Streams::drain(TcpFlow& flow, SideIndex sender) {
  SideDetail& detail = flow.detail[sender];
  while (detail.waiting != kNone) {
    const std::uint32_t index = detail.waiting;
    const Block& block = blocks_[index];
    if (seq_distance(flow.recent[sender].stream_next, block.seq) > 0) {
      if (detail.waiting_count < most_waiting()) return;
      if (!is_acknowledged(flow, sender, block.seq)) counters_.add(Counter::tcp_holes_given_up);
      skip_hole(flow, sender);
      continue;
    }
    detail.waiting = block.next;
    --detail.waiting_count;
    StreamChunk piece = chunk(flow, sender, Bytes(bytes_of(index), block.captured), block.origin);
    piece.burst = block.burst;
    advance(flow, sender, block.seq, block.length, piece);
    blocks_.give(index);
  }
  flow.side[sender].overtaken = false;
}

// -------------------------------------------------------------------------------- data of a SYN

bool Streams::holds_syn_data(const TcpFlow& flow, SideIndex sender) const {
  if (!flow.side[sender].overtaken) return false;
  const std::uint32_t first = flow.detail[sender].waiting;
  return first != kNone && blocks_[first].seq == flow.recent[sender].stream_next;
}

/// Keeps what a SYN carries, the first copy of it; false for any other segment, and when so much waits that
/// a flood of such SYNs could take the room of segments that overtook: then it counts as taken.
bool Streams::hold_syn_data(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            std::uint32_t seq) {
  if ((packet.tcp.flags & (tcp_flag::syn | tcp_flag::ack)) != tcp_flag::syn) return false;
  if (seq != flow.recent[sender].stream_next || is_scarce()) return false;
  if (!holds_syn_data(flow, sender)) wait(flow, sender, packet, seq);
  return true;
}

/// The server has acknowledged the SYN and what it carried up to here, or the client goes on from here.
void Streams::settle_syn_data(TcpFlow& flow, SideIndex sender, std::uint32_t taken_up_to) {
  if (!holds_syn_data(flow, sender)) return;
  if (seq_distance(flow.recent[sender].stream_next, taken_up_to) > 0) {
    drain(flow, sender);
  } else {
    drop_waiting(flow, sender);
  }
}

bool Streams::hole_is_final(const TcpFlow& flow, SideIndex sender, TimeNs now) const {
  const Block& first = blocks_[flow.detail[sender].waiting];
  const DurationNs waited_ns = elapsed_ns(first.origin.time_ns, now);
  if (flow.side[sender ^ 1].packets == 0) return waited_ns >= kUnseenPeerGraceNs;
  return is_acknowledged(flow, sender, first.seq) && waited_ns >= kHoleGraceNs;
}

/// Gives up the bytes before the first waiting block and delivers what follows.
void Streams::skip_hole(TcpFlow& flow, SideIndex sender) {
  std::uint32_t& next = flow.recent[sender].stream_next;
  const std::uint32_t begin = blocks_[flow.detail[sender].waiting].seq;
  const std::int32_t missing = seq_distance(next, begin);
  if (missing > 0) {
    next = begin;
    announce_gap(flow, sender, static_cast<std::uint64_t>(missing));
  }
  const bool was_current = set_current(flow, sender, false);
  drain(flow, sender);
  set_current(flow, sender, was_current);
}

/// TransferProgress::current; what it was before.
bool Streams::set_current(const TcpFlow& flow, SideIndex sender, bool current) {
  return flow.transfer != kNone &&
         std::exchange(transfers_[flow.transfer][sender].current, current);
}

void Streams::announce_gap(TcpFlow& flow, SideIndex sender, std::uint64_t missing) {
  counters_.add(Counter::tcp_gaps);
  if (flow.tracker != StreamTracker::kNone) {
    return tracker(flow)->on_gap(flow.tracker, flow.direction(sender), missing);
  }
  flow.detail[sender].begin_holed = true;
  if (flow.probe != kNone) probes_[flow.probe].half[sender].overflowed = true;
}

/// A hole whose bytes came with `chunk`.
void Streams::announce_cut(TcpFlow& flow, SideIndex sender, StreamChunk chunk,
                           std::uint64_t missing) {
  if (flow.tracker == StreamTracker::kNone) return announce_gap(flow, sender, missing);
  counters_.add(Counter::tcp_gaps);
  chunk.bytes = {};
  tracker(flow)->on_cut(flow.tracker, chunk, missing);
  follow_interest(flow);
}

void Streams::deliver_fin(TcpFlow& flow, SideIndex sender, TimeNs time_ns, FrameNumber frame) {
  Side& side = flow.side[sender];
  if (side.fin_delivered) return;
  side.fin_delivered = true;
  if (flow.tracker != StreamTracker::kNone) {
    tracker(flow)->on_fin(flow.tracker, flow.direction(sender), time_ns, frame);
  }
}

void Streams::deliver(TcpFlow& flow, SideIndex sender, StreamChunk chunk) {
  if (flow.transfer != kNone) transfers_[flow.transfer][sender].resent_since_new_ns = 0;
  if (flow.tracker != StreamTracker::kNone) {
    tracker(flow)->on_bytes(flow.tracker, chunk);
  } else if (flow.recognising) {
    recognise(flow, sender, chunk);
  }
  if (flow.tracker != StreamTracker::kNone) follow_interest(flow);
}

/// Lets go of a protocol tracker that has seen all it needs.
void Streams::follow_interest(TcpFlow& flow) {
  const StreamInterest interest = tracker(flow)->interest(flow.tracker);
  if (interest == StreamInterest::bytes) return;
  close_tracker(flow);
  flow.recognising = interest == StreamInterest::other_protocol;
  flow.attempts = {};
  for (SideDetail& detail : flow.detail) detail.begin_holed = false;
}

ServiceId Streams::service(const TcpFlow& flow) const {
  if (flow.tracker == StreamTracker::kNone) return flow.service;
  const ServiceId named = tracker(flow)->service(flow.tracker);
  return named != kNoService ? named : flow.service;
}

void Streams::close_tracker(TcpFlow& flow) {
  flow.service = service(flow);
  tracker(flow)->close(flow.tracker);
  flow.tracker = StreamTracker::kNone;
}

void Streams::recognise(TcpFlow& flow, SideIndex sender, StreamChunk chunk) {
  std::uint8_t& attempts = flow.attempts[sender];
  if (!may_be_recognised(flow, sender)) return;
  const bool first = attempts++ == 0;
  // First as the rest of what came before: "ET / HTTP/1.1" alone would be a method of its own.
  const Recognised joined = recognise_joined(flow, sender, chunk);
  const bool continues = joined.protocol != Protocol::unknown;
  const Recognised message =
      continues ? joined : classifier_.recognise(chunk.bytes, Transport::tcp);
  if (message.protocol == Protocol::unknown || is_out_of_role(flow, sender, message)) {
    keep_beginning(flow, sender, chunk);
    return;
  }
  follow_speaker(flow, sender, message.speaker);
  chunk.direction = flow.direction(sender);
  adopt(flow, message.protocol, continues || first, client_unread(flow, sender, continues));
  if (flow.tracker != StreamTracker::kNone && continues) {
    deliver_beginning(flow, sender, chunk.seq);
  }
  if (flow.tracker != StreamTracker::kNone) tracker(flow)->on_bytes(flow.tracker, chunk);
  if (flow.probe != kNone) probes_.give(flow.probe);
  flow.probe = kNone;
}

/// While the beginning is of few bytes, the number of segments that brought it says nothing.
bool Streams::may_be_recognised(const TcpFlow& flow, SideIndex sender) const {
  if (flow.attempts[sender] < limits_.classify_segments) return true;
  if (flow.probe == kNone) return false;
  const Probe::Half& half = probes_[flow.probe].half[sender];
  return half.piece_count > 0 && half.length < kTellingBytes && !half.overflowed;
}

/// What begins in the segments before this one: a message may come in pieces.
Recognised Streams::recognise_joined(const TcpFlow& flow, SideIndex sender,
                                     const StreamChunk& chunk) {
  if (flow.probe == kNone) return {};
  const Probe::Half& half = probes_[flow.probe].half[sender];
  if (half.piece_count == 0 || half.overflowed) return {};
  std::uint8_t joined[kProbeBytes];
  std::memcpy(joined, half.bytes, half.length);
  const std::size_t more = std::min(kProbeBytes - half.length, chunk.bytes.size());
  std::memcpy(joined + half.length, chunk.bytes.data(), more);
  return classifier_.recognise(Bytes(joined, half.length + more), Transport::tcp);
}

void Streams::keep_beginning(TcpFlow& flow, SideIndex sender, const StreamChunk& chunk) {
  if (flow.probe == kNone) flow.probe = probes_.take();
  if (flow.probe == kNone) return;
  Probe::Half& half = probes_[flow.probe].half[sender];
  half.seen =
      static_cast<std::uint16_t>(std::min<std::size_t>(half.seen + chunk.bytes.size(), UINT16_MAX));
  if (half.length + chunk.bytes.size() > kProbeBytes) {
    half.overflowed = true;
    return;
  }
  // Where a message begins and ends matters, not how its beginning got here: the last piece grows.
  if (half.piece_count < half.pieces.size()) ++half.piece_count;
  Probe::Piece& piece = half.pieces[half.piece_count - 1U];
  piece.origin = {chunk.time_ns, chunk.frame, chunk.ack, chunk.acks};
  piece.length = static_cast<std::uint8_t>(piece.length + chunk.bytes.size());
  std::memcpy(half.bytes + half.length, chunk.bytes.data(), chunk.bytes.size());
  half.length = static_cast<std::uint8_t>(half.length + chunk.bytes.size());
}

/// What the client has sent that no tracker will get, as `sender`'s bytes told the protocol.
std::uint16_t Streams::client_unread(const TcpFlow& flow, SideIndex sender, bool continues) const {
  if (flow.probe == kNone || (continues && sender == flow.client)) return 0;
  return probes_[flow.probe].half[flow.client].seen;
}

void Streams::adopt(TcpFlow& flow, Protocol protocol, bool first_bytes,
                    std::uint16_t client_unread) {
  flow.protocol = protocol;
  flow.recognising = false;
  StreamTracker* const to = tracker(flow);
  if (to == nullptr) return;
  const bool midstream = flow.state() == ConnectionState::midstream;
  flow.tracker = to->open({key_of(flow.serial), flow.client_endpoint(), flow.server_endpoint(),
                           first_bytes && !midstream, flow.syn, flow.syn_ack,
                           midstream ? std::uint16_t{0} : client_unread});
  if (flow.tracker == StreamTracker::kNone) return;
  for (const SideIndex side : {SideIndex{0}, SideIndex{1}}) {
    if (flow.detail[side].begin_holed) to->on_gap(flow.tracker, flow.direction(side), 1);
  }
}

/// What was kept, up to the sequence number `end_seq`.
void Streams::deliver_beginning(TcpFlow& flow, SideIndex sender, std::uint32_t end_seq) {
  const Probe::Half& half = probes_[flow.probe].half[sender];
  std::size_t at = 0;
  for (std::size_t i = 0; i < half.piece_count; ++i) {
    const Probe::Piece& piece = half.pieces[i];
    StreamChunk beginning = chunk(flow, sender, Bytes(half.bytes + at, piece.length), piece.origin);
    beginning.seq = end_seq - half.length + static_cast<std::uint32_t>(at);
    tracker(flow)->on_bytes(flow.tracker, beginning);
    at += piece.length;
  }
}

void Streams::drop_waiting(TcpFlow& flow, SideIndex sender) {
  if (!flow.side[sender].overtaken) return;
  flow.side[sender].overtaken = false;
  SideDetail& detail = flow.detail[sender];
  while (detail.waiting != kNone) {
    const std::uint32_t index = detail.waiting;
    detail.waiting = blocks_[index].next;
    blocks_.give(index);
  }
  detail.waiting_count = 0;
}

void Streams::close(TcpFlow& flow) {
  for (const SideIndex s : {SideIndex{flow.client}, static_cast<SideIndex>(flow.client ^ 1)}) {
    const Side& side = flow.side[s];
    SideDetail& detail = flow.detail[s];
    while (detail.waiting != kNone && wants_bytes(flow, s)) skip_hole(flow, s);
    drop_waiting(flow, s);
    if (!side.fin) continue;
    const std::int32_t missing = seq_distance(flow.recent[s].stream_next, detail.fin_seq);
    if (side.stream_started && missing > 0 && wants_bytes(flow, s)) {
      announce_gap(flow, s, static_cast<std::uint64_t>(missing));
    }
    deliver_fin(flow, s, flow.untimed ? kUnknownNs : flow.last_ns, flow.last_frame);
  }
  let_go(flow);
}

}  // namespace wirelag::tcp
