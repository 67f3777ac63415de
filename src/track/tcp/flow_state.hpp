// What the TCP tracker keeps per connection, laid out by use, so that a segment touches few cache lines:
//
//   line 0      finds the flow, and what every segment needs of it
//   Side        one line per side: where its sequence space stands; every segment needs both
//   SideRecent  one line per side: what it sent lately; the sender's, for segments with payload
//   RoundTrips  one line per side: samples; the receiver's, for ACKs of its data
//   the rest    openings, closes and followed bytes
//
// What few connections have is kept apart, in pools: Trouble (resends, holes, closed windows) and the part
// of an opening that is not just SYN, SYN-ACK, ACK (OpeningMore).
//
// A side is one endpoint, numbered by the order of the flow's key, so that a segment tells its sender's
// number before the flow is at hand; which side is the client may only become clear later.
#pragma once

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/flow/key.hpp>
#include <wirelag/track/stream_tracker.hpp>

#include "holes.hpp"
#include "kept_syn.hpp"

namespace wirelag::tcp {

using SideIndex = std::uint8_t;
inline constexpr std::uint32_t kNone = Pool<int>::kNone;
[[nodiscard]] inline SideIndex sender_of(const Packet& packet) {
  return packet.dst < packet.src ? 1 : 0;
}
/// The sequence number behind a segment.
[[nodiscard]] inline std::uint32_t sequence_end(const Packet& packet) {
  const TcpHeader& tcp = packet.tcp;
  return tcp.seq + packet.payload_length + (tcp.has(tcp_flag::syn) ? 1U : 0U) +
         (tcp.has(tcp_flag::fin) ? 1U : 0U);
}
/// Duplicate ACKs that make the sender resend at once (RFC 5681 section 3.2 has 3; with SACK and
/// early retransmit, 2 are seen).
inline constexpr std::uint8_t kFastDuplicateAcks = 2;
/// The shortest retransmission timeout in use (Linux TCP_RTO_MIN).
inline constexpr DurationNs kShortestRtoNs = 200 * kMillisecondNs;

struct alignas(64) Side {
  static constexpr std::uint8_t kShiftUnknown = UINT8_MAX;

  std::uint64_t packets = 0;
  TimeNs ack_ns = kUnknownNs;       ///< of the latest segment with an ACK
  TimeNs timed_ns = 0;              ///< capture time of the segment whose ACK is awaited
  TimeNs stamped_ns = 0;            ///< when `stamp` was sent, valid while `stamping`
  std::uint32_t timed_end = 0;      ///< its end; valid while `timing`
  std::uint32_t next_seq = 0;       ///< end of the highest segment seen
  std::uint32_t max_ack = 0;        ///< highest acknowledgement this side has sent
  std::uint32_t tsval = 0;          ///< the latest it sent
  std::uint32_t stamp = 0;          ///< the TSval whose echo is awaited
  std::uint32_t bare = 0;           ///< fingerprint of its latest bare segment; 0 = none
  std::uint16_t window = 0;         ///< last one announced, unscaled
  std::uint16_t segment_bytes = 0;  ///< payload of its full segments; 0 = handshake not seen
  std::uint8_t window_shift = kShiftUnknown;  ///< of the windows it announces
  std::uint8_t duplicate_acks = 0;
  // What header prediction asks for lies in one byte.
  bool seen : 1 = false;   ///< next_seq and SideDetail::base_seq are valid
  bool acked : 1 = false;  ///< max_ack is valid
  bool window_closed : 1 = false;
  bool window_full : 1 = false;    ///< its data fills the peer's window
  bool awaits_answer : 1 = false;  ///< to a keep-alive or window probe
  bool probing : 1 = false;        ///< the byte at next_seq was sent into the peer's closed window
  bool timing : 1 = false;
  bool stamping : 1 = false;        ///< the echo of a TSval is awaited
  bool stream_started : 1 = false;  ///< SideRecent::stream_next is valid
  bool sent_payload : 1 = false;
  bool overtaken : 1 = false;  ///< segments wait for one that they overtook (SideDetail::waiting)
  bool fin : 1 = false;
  bool fin_delivered : 1 = false;
  bool was_closed : 1 = false;       ///< its window, at some time since the peer's last payload
  std::uint8_t recent_next : 2 = 0;  ///< which of SideRecent's segments gives way
};
static_assert(sizeof(Side) == 64);

struct alignas(64) SideRecent {
  static constexpr std::size_t kSegments = 4;

  TimeNs last_payload_ns = kUnknownNs;  ///< without a goodbye after the peer's (says_goodbye())
  TimeNs sent_ns = kUnknownNs;          ///< its latest SYN, FIN or payload, probes apart
  std::uint64_t payload_bytes = 0;
  std::uint32_t payload_packets = 0;  ///< stops at the largest number
  std::uint32_t stream_next = 0;      ///< first byte not yet delivered in order
  /// The last segments that took sequence space, to recognise a copy made by the mirror: fingerprint
  /// (0 = none) and the low bits of the time.
  std::array<std::uint32_t, kSegments> fingerprint{};
  std::array<std::uint32_t, kSegments> time_low_ns{};
};
static_assert(sizeof(SideRecent) == 64);

/// What ends a round trip of a side's data.
enum class Answer : std::uint8_t { ack, timestamp /* the echo of its TSval */ };

/// Of what this side sent; RttStats twice over, by Answer.
struct alignas(64) RoundTrips {
  DurationNs handshake_ns = kUnknownNs;  ///< its SYN or SYN-ACK to the peer's answer
  std::array<DurationNs, 2> min_ns = {kUnknownNs, kUnknownNs};
  std::array<DurationNs, 2> max_ns = {kUnknownNs, kUnknownNs};
  std::array<DurationNs, 2> sum_ns{};
  std::array<std::uint32_t, 2> samples{};

  void add(Answer answer, DurationNs rtt_ns) {
    RttStats with = stats(answer);
    with.add(rtt_ns);
    const auto at = static_cast<std::size_t>(answer);
    samples[at] = with.samples;
    min_ns[at] = with.min_ns;
    max_ns[at] = with.max_ns;
    sum_ns[at] = with.sum_ns;
  }
  [[nodiscard]] RttStats stats(Answer answer) const {
    const auto at = static_cast<std::size_t>(answer);
    return {samples[at], min_ns[at], max_ns[at], sum_ns[at]};
  }
  /// Smallest: data, SYN or SYN-ACK to the peer's answer.
  [[nodiscard]] DurationNs answered_ns() const {
    const DurationNs data_ns = min_ns[static_cast<std::size_t>(Answer::ack)];
    if (!known(handshake_ns)) return data_ns;
    return known(data_ns) ? std::min(handshake_ns, data_ns) : handshake_ns;
  }
};
static_assert(sizeof(RoundTrips) == 64);

struct SideDetail {
  TimeNs first_payload_ns = kUnknownNs;
  std::uint32_t base_seq = 0;          ///< of the first segment seen
  std::uint32_t fin_seq = 0;           ///< of the first FIN, valid with Side::fin
  std::uint32_t waiting = kNone;       ///< first of the segments that overtook, by sequence
  std::uint32_t last_waiting = kNone;  ///< valid while one waits
  std::uint32_t trouble = kNone;       ///< index into Troubles
  TcpOptions options;                  ///< of its SYN or SYN-ACK
  std::uint16_t syn_window = 0;
  std::uint16_t waiting_count : 14 = 0;  ///< TcpLimits::kMostReordered at most
  std::uint16_t syn_acks : 2 = 0;        ///< it has sent so far, 2 = or more
  std::uint8_t syn_flags = 0;            ///< of its SYN or SYN-ACK in an ordinary opening
  bool closed_first : 1 = false;         ///< the connection's first FIN or RST was its
  bool begin_holed : 1 = false;          ///< bytes are missing of what no tracker has got
};
static_assert(sizeof(SideDetail) == 48);

/// More of what SideRecent keeps, where the mirror delivers a connection twice: from the far side of a router a copy
/// comes behind all that was sent meanwhile.
struct Prints {
  static constexpr std::size_t kSegments = 64;

  std::array<std::uint32_t, kSegments> fingerprint{};
  std::array<std::uint32_t, kSegments> time_low_ns{};
  std::uint32_t next = 0;  ///< which gives way
};

/// What goes wrong with what one side sends, and its closed windows.
struct Trouble {
  std::array<std::uint32_t, kRetransmissionClasses> retransmissions{};
  std::uint64_t missing_bytes = 0;
  std::array<DurationNs, kRetransmissionClasses> lost_ns{};
  TimeNs lost_until_ns = kUnknownNs;     ///< the time up to here is accounted for in lost_ns
  TimeNs duplicate_ack_ns = kUnknownNs;  ///< its first ACK that was repeated
  TimeNs copied_ack_ns = kUnknownNs;     ///< its latest ACK that passed for a copy by the mirror
  TimeNs sacked_ns = kUnknownNs;    ///< its first ACK with `sacked_ack` that said of a hole there
  TimeNs window_full_since_ns = 0;  ///< valid with Side::window_full
  DurationNs window_full_ns = 0;
  DurationNs zero_window_ns = 0;
  TimeNs window_closed_ns = 0;
  std::uint32_t windows_full = 0;
  std::uint32_t zero_windows = 0;
  std::uint32_t duplicates_reported = 0;
  std::uint32_t keep_alives_answered = 0;
  std::uint32_t sacked_ack = 0;  ///< valid with sacked_ns
  std::uint32_t recover = 0;     ///< end of what it recovers (RFC 6582), valid with `recovering`
  std::uint32_t prints =
      kNone;  ///< index into the pool of Prints, where the connection is mirrored
  RetransmissionClass recovery =
      RetransmissionClass::rto;  ///< what began the recovery: rto or fast
  bool recovering = false;
  HoleList holes;
};

/// The opening exchange as far as it was seen. Nearly every one is ordinary so far: SYN, SYN-ACK and ACK, one
/// of each, without payload and with the numbers that follow from each other. Its segments are then worked out
/// from what is here and in SideDetail. Those of any other, and more frames than one, are in OpeningMore.
struct Opening {
  TimeNs first_syn_ns = kUnknownNs;
  TimeNs first_syn_ack_ns = kUnknownNs;
  TimeNs ack_ns = kUnknownNs;
  FrameNumber syn_frame = 0;      ///< the client's first SYN, 0 = none
  FrameNumber syn_ack_frame = 0;  ///< the server's first SYN-ACK, 0 = none
  FrameNumber ack_frame = 0;
  std::uint32_t server_isn = 0;  ///< of the server's first SYN-ACK
  std::uint32_t ack_tsval = 0;   ///< valid with ack_has_timestamps
  std::uint32_t ack_tsecr = 0;
  std::uint32_t more = kNone;    ///< index into the pool of OpeningMore
  std::uint16_t ack_window = 0;  ///< unscaled
  bool ordinary : 1 = true;
  std::uint8_t segments : 2 = 0;  ///< of an ordinary opening, seen so far
  bool ack_is_pushed : 1 = false;
  bool ack_has_timestamps : 1 = false;
  bool syn_ack_has_timestamps : 1 = false;
  bool syn_data : 1 = false;  ///< a SYN of the client carried payload
  /// A later SYN-ACK had another number: of another server, or restarted.
  bool isns_differ : 1 = false;
  bool ack_came_first : 1 =
      false;  ///< the ACK was captured before the SYN-ACK that it acknowledges
  // Up to kMany, which stands for more.
  std::uint8_t syns_before_answer : 2 = 0;
  std::uint8_t syn_acks_before_ack : 2 = 0;
  std::uint8_t syn_ack_frames : 2 = 0;
  static constexpr std::uint8_t kMany = 2;
};
static_assert(sizeof(Opening) == 56);

/// SYNs of the server's that wait until it is clear which connection they belong to.
using SynsAside = BoundedList<KeptSyn, 3>;

struct OpeningMore {
  static constexpr std::size_t kFrames = 15;

  /// Unless the opening is ordinary; direction is filled in at emission, see `sender`.
  Handshake segments;
  std::array<SideIndex, Handshake::capacity()> sender{};  ///< parallel to segments
  BoundedList<FrameNumber, kFrames> syn_frames;           ///< after the first
  BoundedList<FrameNumber, kFrames> syn_ack_frames;
  TimeNs last_syn_before_answer_ns = kUnknownNs;  ///< valid where there were several
  std::uint32_t syn_ack_tsecr = 0;                ///< of the first SYN-ACK, likewise
  TimeNs acked_syn_ack_ns = kUnknownNs;  ///< last SYN-ACK before the ACK, where there were several
  SynsAside aside;                       ///< valid with TcpFlow::syn_aside
};

struct TcpFlow {
  static const TcpFlow kInitial;

  FlowKey key;
  FrameNumber last_frame = 0;
  TimeNs last_ns = 0;
  StreamTracker::Handle tracker = StreamTracker::kNone;
  std::uint32_t transfer = kNone;  ///< both directions' progress while bytes are followed
  ServiceId service = kNoService;
  Protocol protocol = Protocol::unknown;
  ClientBasis basis = ClientBasis::first_packet;
  std::array<std::uint8_t, 2> attempts{};  ///< payload segments looked at to recognise the protocol
  SideIndex client : 1 = 0;
  bool syn : 1 = false;         ///< a SYN from the client
  bool syn_ack : 1 = false;     ///< a SYN-ACK from the server
  bool server_syn : 1 = false;  ///< a SYN without ACK from the server
  bool complete : 1 = false;    ///< the ACK that completes the handshake
  bool rst : 1 = false;
  bool fins : 1 = false;        ///< from both sides
  bool refusal : 1 = false;     ///< the first RST came from the server, before any payload of it
  bool recognising : 1 = true;  ///< the bytes that come may begin a protocol
  bool live : 1 = false;        ///< the record is in use
  bool rtt_fell : 1 = false;    ///< smallest_rtt_ns() has changed since `transfer` was told
  bool syn_aside : 1 = false;   ///< a SYN of the server waits (opening.hpp)
  bool mirrored : 1 = false;    ///< a copy of a segment has come (mirror_copy.hpp)
  bool untimed : 1 = false;     ///< a frame of it has no time of its own (Frame::untimed)
  bool departing : 1 = false;   ///< it is among the Departures (departed.hpp)

  std::array<Side, 2> side;
  std::array<SideRecent, 2> recent;
  std::array<RoundTrips, 2> round_trips;
  std::array<SideDetail, 2> detail;
  TimeNs start_ns = 0;
  std::uint64_t serial = 0;
  std::uint32_t hash = 0;
  FrameNumber first_frame = 0;
  std::uint32_t probe = kNone;   ///< first bytes kept until the protocol is recognised
  FrameNumber close_frame = 0;   ///< of the first FIN or RST
  TimeNs close_ns = kUnknownNs;  ///< likewise
  Opening opening;

  [[nodiscard]] const Endpoint& endpoint(SideIndex s) const { return s == 0 ? key.low : key.high; }
  [[nodiscard]] const Endpoint& client_endpoint() const { return endpoint(client); }
  [[nodiscard]] const Endpoint& server_endpoint() const { return endpoint(client ^ 1); }
  [[nodiscard]] Direction direction(SideIndex sender) const {
    return sender == client ? Direction::c2s : Direction::s2c;
  }
  [[nodiscard]] bool closed() const { return rst || fins; }
  /// Whether so much payload of `sender`, after other payload, is no more than its word that it closes too (TLS:
  /// close_notify): the peer has had all that it wanted.
  [[nodiscard]] bool says_goodbye(SideIndex sender, std::uint32_t length) const {
    constexpr std::uint32_t kMost = 64;  // an alert of the longest MAC and padding in use
    return side[sender ^ 1].fin && protocol == Protocol::tls && length <= kMost &&
           known(recent[sender].last_payload_ns);
  }
  /// Whether Streams still has to do with its bytes.
  [[nodiscard]] bool followed() const {
    return recognising || tracker != StreamTracker::kNone || transfer != kNone;
  }
  /// Whether this is the flow of a packet from its side `sender`.
  [[nodiscard]] bool carries(const Packet& packet, SideIndex sender) const {
    return endpoint(sender) == packet.src && endpoint(sender ^ 1) == packet.dst;
  }
  [[nodiscard]] bool half_open() const { return (syn || syn_ack) && !complete; }
  [[nodiscard]] DurationNs answered_ns(SideIndex s) const { return round_trips[s].answered_ns(); }
  /// The smallest round trip between the two ends that was seen; unknown unless both halves are.
  [[nodiscard]] DurationNs smallest_rtt_ns() const {
    const DurationNs one = answered_ns(0), other = answered_ns(1);
    return known(one) && known(other) ? plus_ns(one, other) : kUnknownNs;
  }
  [[nodiscard]] ConnectionState state() const;
};
inline constexpr TcpFlow TcpFlow::kInitial{};
static_assert(sizeof(TcpFlow) == 640);
static_assert(offsetof(TcpFlow, side) == 64, "what finds the flow is one cache line");

}  // namespace wirelag::tcp
