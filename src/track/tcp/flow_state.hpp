// What the TCP tracker keeps per connection: a hot part that every segment touches, and a detail
// part that only openings, resends, closed windows and round-trip samples touch.
//
// A side is one endpoint, numbered by who sent the first segment seen (0); which side is the client
// may only become clear later.
#pragma once

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/flow/key.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag::tcp {

using SideIndex = std::uint8_t;

/// Sequence numbers compare modulo 2^32, RFC 9293 section 3.4.
[[nodiscard]] constexpr std::int32_t seq_distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

struct Side {
  std::uint64_t payload_bytes = 0;
  std::uint64_t packets = 0;
  TimeNs first_payload_ns = kUnknownNs;
  TimeNs last_payload_ns = kUnknownNs;
  TimeNs ack_ns = kUnknownNs;                ///< of the latest segment with an ACK
  TimeNs timed_ns = 0;                       ///< capture time of the segment whose ACK is awaited
  std::uint32_t timed_end = 0;               ///< its end; valid while `timing`
  std::uint32_t base_seq = 0;                ///< of the first segment seen
  std::uint32_t next_seq = 0;                ///< end of the highest segment seen
  std::uint32_t max_ack = 0;                 ///< highest acknowledgement this side has sent
  std::uint32_t stream_next = 0;             ///< first byte not yet delivered in order
  std::uint32_t fin_seq = 0;                 ///< of the first FIN, valid with `fin`
  std::uint32_t tsval = 0;                   ///< the latest it sent
  std::uint32_t bare = 0;                    ///< fingerprint of its latest bare segment; 0 = none
  std::uint32_t waiting = Pool<int>::kNone;  ///< first of the segments that overtook, by sequence
  std::uint16_t window = 0;                  ///< last one announced, unscaled
  std::uint8_t duplicate_acks = 0;
  std::uint8_t attempts = 0;  ///< payload segments looked at to recognise the protocol
  std::uint8_t waiting_count = 0;
  bool seen : 1 = false;   ///< base_seq and next_seq are valid
  bool acked : 1 = false;  ///< max_ack is valid
  bool stream_started : 1 = false;
  bool timing : 1 = false;
  bool fin : 1 = false;
  bool fin_delivered : 1 = false;
  bool window_closed : 1 = false;
  bool was_closed : 1 = false;     ///< its window, at some time since the peer's last payload
  bool window_full : 1 = false;    ///< its data fills the peer's window
  bool stamping : 1 = false;       ///< the echo of a TSval is awaited
  bool awaits_answer : 1 = false;  ///< to a keep-alive or window probe
  bool probing : 1 = false;        ///< the byte at next_seq was sent into the peer's closed window
};

/// A range of sequence space that was skipped and has not been captured since.
struct Hole {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  TimeNs noticed_ns = 0;
};

struct SideDetail {
  std::array<std::uint32_t, kRetransmissionClasses> retransmissions{};
  std::uint64_t missing_bytes = 0;
  std::array<DurationNs, kRetransmissionClasses> lost_ns{};
  TimeNs lost_until_ns = kUnknownNs;     ///< the time up to here is accounted for in lost_ns
  TimeNs sent_ns = kUnknownNs;           ///< its latest SYN, FIN or payload, probes apart
  TimeNs duplicate_ack_ns = kUnknownNs;  ///< its first ACK that was repeated
  TimeNs stamped_ns = 0;                 ///< when `stamp` was sent, valid with Side::stamping
  TimeNs window_full_since_ns = 0;       ///< valid with Side::window_full
  DurationNs window_full_ns = 0;
  std::uint32_t windows_full = 0;
  std::uint32_t duplicates_reported = 0;
  std::uint32_t keep_alives_answered = 0;
  std::uint32_t stamp = 0;    ///< the TSval whose echo is awaited
  std::uint32_t recover = 0;  ///< end of what it recovers (RFC 6582), valid with `recovering`
  RetransmissionClass recovery =
      RetransmissionClass::rto;  ///< what began the recovery: rto or fast
  bool recovering = false;
  DurationNs zero_window_ns = 0;
  TimeNs window_closed_ns = 0;
  std::uint32_t zero_windows = 0;
  std::uint32_t hole_count = 0;
  std::array<Hole, 4> holes;            ///< the latest ones; older holes stay counted as missing
  RttStats rtt;                         ///< this side's data to its ACK
  RttStats rtt_timestamps;              ///< this side's data to the echo of its TSval
  DurationNs answered_ns = kUnknownNs;  ///< smallest: its data, SYN or SYN-ACK to the peer's answer
  TcpOptions options;                   ///< of its SYN or SYN-ACK
  std::uint16_t syn_window = 0;
  /// The last segments that took sequence space, to recognise a copy made by the mirror.
  struct Seen {
    TimeNs time_ns = kUnknownNs;
    std::uint64_t fingerprint = 0;
  };
  std::array<Seen, 4> seen;
  std::uint32_t seen_next = 0;

  void answered_in(DurationNs ns) {
    if (known(ns) && (!known(answered_ns) || ns < answered_ns)) answered_ns = ns;
  }
};

/// The opening exchange as far as it was seen.
struct Opening {
  BoundedList<FrameNumber, 16> syn_frames;      ///< client's
  BoundedList<FrameNumber, 16> syn_ack_frames;  ///< server's
  BoundedList<HandshakeSegment, 8> segments;  ///< direction is filled in at emission; see `sender`
  std::array<SideIndex, 8> sender{};          ///< parallel to segments
  TimeNs first_syn_ns = kUnknownNs;
  TimeNs last_syn_before_answer_ns = kUnknownNs;
  TimeNs first_syn_ack_ns = kUnknownNs;
  TimeNs acked_syn_ack_ns = kUnknownNs;  ///< last SYN-ACK before the ACK that it covers
  TimeNs ack_ns = kUnknownNs;
  FrameNumber ack_frame = 0;
  std::uint32_t lowest_syn_ack_seq = 0;
  std::uint32_t syns_before_answer = 0;
  std::uint32_t syn_acks_before_ack = 0;
  std::uint32_t syn_ack_tsecr = 0;
  std::uint32_t ack_tsecr = 0;
  bool syn_ack_has_timestamps = false;
  bool ack_has_timestamps = false;
};

struct FlowDetail {
  Opening opening;
  TimeNs close_ns = kUnknownNs;  ///< the first FIN or RST
  FrameNumber close_frame = 0;
  std::array<SideDetail, 2> side;
};

struct TcpFlow {
  FlowKey key;
  std::uint32_t hash = 0;
  std::uint32_t detail = 0;  ///< index into the pool of FlowDetail
  std::array<Side, 2> side;
  TimeNs start_ns = 0;
  TimeNs last_ns = 0;
  std::uint64_t serial = 0;
  FrameNumber first_frame = 0;
  FrameNumber last_frame = 0;
  StreamTracker::Handle tracker = StreamTracker::kNone;
  std::uint32_t probe = Pool<int>::kNone;  ///< first bytes kept until the protocol is recognised
  std::uint32_t transfer =
      Pool<int>::kNone;  ///< both directions' progress while bytes are followed
  ServiceId service = kNoService;
  Protocol protocol = Protocol::unknown;
  ClientBasis basis = ClientBasis::first_packet;
  SideIndex client = 0;
  bool first_is_low : 1 = false;  ///< side 0 is key.low
  bool syn : 1 = false;           ///< a SYN from the client
  bool syn_ack : 1 = false;       ///< a SYN-ACK from the server
  bool server_syn : 1 = false;    ///< a SYN without ACK from the server
  bool complete : 1 = false;      ///< the ACK that completes the handshake
  bool rst : 1 = false;
  bool refusal : 1 = false;     ///< the first RST came from the server, before any payload of it
  bool recognising : 1 = true;  ///< the bytes that come may begin a protocol
  bool live : 1 = false;        ///< the record is in use

  [[nodiscard]] const Endpoint& endpoint(SideIndex s) const {
    return (s == 0) == first_is_low ? key.low : key.high;
  }
  [[nodiscard]] const Endpoint& client_endpoint() const { return endpoint(client); }
  [[nodiscard]] const Endpoint& server_endpoint() const { return endpoint(client ^ 1); }
  [[nodiscard]] Direction direction(SideIndex sender) const {
    return sender == client ? Direction::c2s : Direction::s2c;
  }
  [[nodiscard]] bool closed() const { return rst || (side[0].fin && side[1].fin); }
  [[nodiscard]] ConnectionState state() const;
};

/// The timestamps of a segment (RFC 7323); `present` false when it has none.
struct Timestamps {
  bool present = false;
  std::uint32_t val = 0;
  std::uint32_t ecr = 0;
};
[[nodiscard]] Timestamps timestamps_of(Bytes options);

/// Whether the first SACK block says that the receiver had the data already (RFC 2883 section 4).
[[nodiscard]] bool reports_duplicate(Bytes options, std::uint32_t ack);

/// Options of a segment; what is cut or malformed counts as absent.
[[nodiscard]] TcpOptions parse_options(Bytes options);

}  // namespace wirelag::tcp
