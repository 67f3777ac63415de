// How a message travelled: in how many flights, and what the time between them was lost to. Rules
// about slow start, loss, closed windows and slow senders start from here.
//
// A sender that may have no more bytes on the way falls silent until the peer's ACK comes back: its
// bytes leave in flights, one round trip apart (slow start: RFC 5681 section 3.1). So the gaps of half a
// round trip or more between the payload segments of one direction are told apart by what ended them:
//
//   gap                                                        counts as
//   ended by a segment that was sent again or fills a hole     resend_stall_ns
//   the receiver's window was closed in it, or smaller than a  window_stall_ns
//     full segment, and filled by what ended the gap
//   ended by the ACK of all that was on the way, less than a   held_ns: Nagle's algorithm (RFC 9293
//     full segment; the receiver sent nothing else, and what     section 3.7.4); the longer the receiver
//     followed is no full segment either                         delays its ACK, the longer the gap
//   ended by an ACK: it passed the probe one half (probe to    rounds_ns, and the next flight begins
//     sender and back) before, give or take a quarter of that
//     and 2 ms (or a quarter of the round trip, if less)
//   any other                                                  pause_ns: the sender had nothing to send
//
// The gaps of a message and the time in which its bytes came one after the other (the bandwidth's
// share) add up to its transfer time:
//   transfer = rounds + resend stalls + window stalls + held + pauses + the rest; the rest is >= 0.
// A burst is what comes between two such gaps, whatever ended them.
//
// What cannot be told: a segment that was lost before the probe and is the last of its burst looks like
// a pause; so does a pause like a flight when it ends a round trip after the last ACK. A resend after a
// message's last byte was seen at the probe is not in its shape (Connection::HalfConnection has it).
// Bytes that waited behind a hole are handed over when it is given up, later than they came: the gaps of
// a message that begins or ends with them are unknown, and so are those around a clock that stepped back.
// The round trip is the smallest seen, both halves, on a connection whose handshake was seen whole;
// without it (midstream, one direction only) there are no flights, rounds and pauses: unknown, not 0.
// While the half from the probe to the sender is not known either, an ACK that came alone into a gap may
// have ended it or not: of such a message held_ns is unknown.
//
// Of an exchange there are also the stalls that no message's shape can hold: a request that was sent
// again while it had no answer, and an answer whose bytes had passed the probe and were sent again
// after (ExchangeStalls). And what the way took instead of the server: an ACK of the request that came alone, and
// 300 ms or more later than the shortest round trip, was not only delayed by the receiver (200 ms at most as a rule): it
// was in a queue, and so was what came behind it.
#pragma once

#include <algorithm>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// The way of one message in its direction. A plain value. "Resent" does not count what the mirror
/// copied, keep-alives and window probes.
struct TransferShape {
  static constexpr std::uint32_t kUnknownWindow = UINT32_MAX;

  DurationNs rtt_ns = kUnknownNs;           ///< the round trip the gaps were held against
  DurationNs rounds_ns = kUnknownNs;        ///< gaps that an ACK ended
  DurationNs pause_ns = kUnknownNs;         ///< gaps with an open window that no ACK ended
  DurationNs resend_stall_ns = kUnknownNs;  ///< gaps that a resend ended
  DurationNs window_stall_ns = kUnknownNs;  ///< gaps with a closed window
  DurationNs held_ns = kUnknownNs;          ///< gaps in which a small segment's ACK was waited for
  std::uint64_t first_burst_bytes = 0;      ///< this message's
  std::uint64_t largest_burst_bytes = 0;
  std::uint32_t first_burst_segments = 0;
  std::uint32_t segments = 0;  ///< that carried it, as sent: a captured frame larger than the
                               ///< MSS counts as many; 0 = nothing was measured
  std::uint32_t flights = 0;   ///< 1 + the gaps that an ACK ended; 0 = not measured
  std::uint32_t bursts = 0;    ///< 1 + all gaps
  std::uint32_t resent_segments = 0;  ///< on its direction from its first byte to its last
  std::uint32_t window_limited_bursts =
      0;  ///< in which less than a segment's room was left in the receiver's window
  std::uint32_t smallest_window_bytes = kUnknownWindow;  ///< the receiver's, scaled (RFC 7323)
  bool first_burst_shared = false;  ///< its first burst began with an earlier message's bytes
};

/// What has passed of one direction's payload so far: sums that only grow. Kept by the TCP tracker for
/// connections whose bytes are followed; a StreamChunk refers to its direction's.
struct alignas(64) TransferProgress {
  DurationNs rtt_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;         ///< of the latest payload segment, resent ones included
  DurationNs resent_since_new_ns = 0;  ///< of resend_stall_ns, since the latest new byte
  std::uint32_t burst = 0;             ///< the current one's number, from 1
  std::uint32_t resent_segments = 0;
  std::uint32_t limited_bursts = 0;
  std::uint32_t segment_bytes = 0;  ///< payload of a full segment; 0 = unknown
  std::uint32_t latest_bytes = 0;   ///< payload of the latest segment
  std::uint32_t chunks = 0;         ///< handed over so far: tells one chunk from the next
  std::uint32_t window_bytes = TransferShape::kUnknownWindow;  ///< the receiver's at present
  bool both_directions = false;                                ///< ACKs and windows are seen
  bool burst_limited = false;  ///< the current burst is among limited_bursts
  bool burst_began = false;    ///< the latest segment began the current burst
  bool latest_resent = false;  ///< the latest segment is among resent_segments
  bool current = true;         ///< the sums end with the bytes handed over, not at a later time
  // The second cache line: what only gaps touch.
  std::uint32_t rounds = 0;       ///< gaps that an ACK ended
  std::uint32_t held_unsure = 0;  ///< gaps of which nobody knows whether they belong to held_ns
  DurationNs rounds_ns = 0;
  DurationNs pause_ns = 0;
  DurationNs resend_stall_ns = 0;
  DurationNs window_stall_ns = 0;
  DurationNs held_ns = 0;
  DurationNs late_acks_ns =
      0;  ///< of ACKs later than receivers delay them: behind the shortest one
};

/// What an exchange waited for, apart from the server: kUnknownNs where the progress of both directions
/// was not measured; the held ones also where a gap's end is not known (above). A plain value.
struct ExchangeStalls {
  DurationNs request_held_ns = kUnknownNs;  ///< gaps in the request, as in a shape
  /// Silences of the client that ended with a resend of the request, before the response began.
  DurationNs request_resend_ns = kUnknownNs;
  DurationNs response_held_ns = kUnknownNs;    ///< gaps in the response
  DurationNs response_resend_ns = kUnknownNs;  ///< likewise
  /// Silences of the server that ended with a resend of bytes it had sent before, since its last new
  /// byte and up to this request: the client may have waited for them.
  DurationNs earlier_resend_ns = kUnknownNs;
  /// Between the request and the response: how much later than the shortest round trip the request's ACK came alone,
  /// where that is 300 ms or more. The way took that long, not the server.
  DurationNs request_queued_ns = kUnknownNs;

  /// One direction at least was.
  [[nodiscard]] bool measured() const {
    return known(request_held_ns) || known(request_resend_ns) || known(response_held_ns) ||
           known(response_resend_ns) || known(earlier_resend_ns);
  }
};

/// Where the sums of both directions stood when a message began and when it ended.
class TransferMarks {
 public:
  /// More of the message came; `own` is its direction's progress, `other` the other one's. Midstream the
  /// other direction may be seen for the first time while the message goes on.
  void add(const TransferProgress* own, const TransferProgress* other) {
    if (own == nullptr || other == nullptr) return;
    const Sums now = {own->held_ns, own->resend_stall_ns, other->resend_stall_ns};
    if (!began_) {
      first_ = now;
      first_unsure_ = own->held_unsure;
      other_resent_ns_ = other->resent_since_new_ns;
      other_late_ns_ = other->late_acks_ns;
    }
    last_ = now;
    late_ns_ = own->late_acks_ns;
    held_unsure_ |= own->held_unsure != first_unsure_;
    began_ = true;
    measured_ |= own->both_directions;
  }
  /// The message goes on as `later`.
  void add(const TransferMarks& later) {
    if (!later.began_) return;
    if (!began_) {
      *this = later;
      return;
    }
    last_ = later.last_;
    late_ns_ = later.late_ns_;
    held_unsure_ |= later.held_unsure_ || later.first_unsure_ != first_unsure_;
    measured_ |= later.measured_;
  }
  [[nodiscard]] static ExchangeStalls stalls(const TransferMarks& request,
                                             const TransferMarks& response) {
    ExchangeStalls s;
    if (request.measured_) {
      s.request_held_ns = request.held_ns();
      s.earlier_resend_ns = request.other_resent_ns_;
    }
    if (!response.measured_) return s;
    s.response_held_ns = response.held_ns();
    s.response_resend_ns = response.last_.resend_ns - response.first_.resend_ns;
    if (request.measured_) {
      s.request_resend_ns =
          std::max<DurationNs>(0, response.first_.other_resend_ns - request.first_.resend_ns);
      s.request_queued_ns = std::max<DurationNs>(0, response.other_late_ns_ - request.late_ns_);
    }
    return s;
  }

 private:
  struct Sums {
    DurationNs held_ns = 0;    ///< of the message's direction
    DurationNs resend_ns = 0;  ///< likewise
    DurationNs other_resend_ns = 0;
  };
  [[nodiscard]] DurationNs held_ns() const {
    return held_unsure_ ? kUnknownNs : last_.held_ns - first_.held_ns;
  }

  Sums first_;
  Sums last_;
  DurationNs other_resent_ns_ = 0;
  DurationNs late_ns_ = 0;          ///< TransferProgress::late_acks_ns when it ended
  DurationNs other_late_ns_ = 0;    ///< of the other direction, when it began
  std::uint32_t first_unsure_ = 0;  ///< TransferProgress::held_unsure when it began
  bool held_unsure_ = false;        ///< it grew since
  bool began_ = false;
  bool measured_ = false;  ///< both directions were seen
};

/// Puts the shape of one message together from the chunks that brought it.
class TransferMeter {
 public:
  /// `bytes` more of the message came in `burst` (StreamChunk::burst), in the order of the stream. A
  /// null `progress` measures nothing.
  void add(const TransferProgress* progress, std::uint32_t burst, std::uint64_t bytes) {
    if (progress == nullptr || bytes == 0) return;
    const TransferProgress& p = *progress;
    if (shape_.segments == 0) begin(p, burst);
    if (p.chunks != chunk_) chunk_bytes_ = 0;
    chunk_ = p.chunks;
    const std::uint32_t segments =
        segments_of(chunk_bytes_ + bytes, p) - segments_of(chunk_bytes_, p);
    chunk_bytes_ += bytes;
    shape_.segments += segments;
    if (burst == first_burst_) {
      shape_.first_burst_bytes += bytes;
      shape_.first_burst_segments += segments;
    }
    if (burst != burst_) burst_bytes_ = 0;
    burst_ = burst;
    burst_bytes_ += bytes;
    shape_.largest_burst_bytes = std::max(shape_.largest_burst_bytes, burst_bytes_);
    shape_.smallest_window_bytes = std::min(shape_.smallest_window_bytes, p.window_bytes);
    if (p.current && base_.current) {
      take_sums(p);
    } else {
      forget_gaps();
    }
  }

  [[nodiscard]] const TransferShape& shape() const { return shape_; }

 private:
  /// Segments that `bytes` of one captured frame were sent in.
  [[nodiscard]] static std::uint32_t segments_of(std::uint64_t bytes, const TransferProgress& p) {
    if (p.segment_bytes == 0) return bytes > 0 ? 1 : 0;
    return static_cast<std::uint32_t>((bytes + p.segment_bytes - 1) / p.segment_bytes);
  }
  void begin(const TransferProgress& p, std::uint32_t burst) {
    base_ = p;
    base_.resent_segments -= p.latest_resent ? 1U : 0U;
    base_.limited_bursts -= p.burst_limited ? 1U : 0U;
    first_burst_ = burst_ = burst;
    shape_.first_burst_shared = !p.burst_began;
  }
  void take_sums(const TransferProgress& p) {
    shape_.resent_segments = p.resent_segments - base_.resent_segments;
    if (!p.both_directions) return;
    shape_.resend_stall_ns = p.resend_stall_ns - base_.resend_stall_ns;
    shape_.window_stall_ns = p.window_stall_ns - base_.window_stall_ns;
    const bool sure = p.held_unsure == base_.held_unsure;
    shape_.held_ns = sure ? p.held_ns - base_.held_ns : kUnknownNs;
    shape_.window_limited_bursts = p.limited_bursts - base_.limited_bursts;
    if (!known(base_.rtt_ns)) return;
    shape_.rtt_ns = p.rtt_ns;
    shape_.rounds_ns = p.rounds_ns - base_.rounds_ns;
    shape_.pause_ns = p.pause_ns - base_.pause_ns;
    shape_.flights = 1 + p.rounds - base_.rounds;
    shape_.bursts = 1 + p.burst - base_.burst;
  }
  void forget_gaps() {
    shape_.rtt_ns = shape_.rounds_ns = shape_.pause_ns = kUnknownNs;
    shape_.resend_stall_ns = shape_.window_stall_ns = shape_.held_ns = kUnknownNs;
    shape_.flights = shape_.bursts = 0;
  }

  TransferShape shape_;
  TransferProgress base_;  ///< as it stood before the message
  std::uint64_t burst_bytes_ = 0;
  std::uint64_t chunk_bytes_ = 0;  ///< of the message, in the chunk at hand
  std::uint32_t first_burst_ = 0;
  std::uint32_t burst_ = 0;
  std::uint32_t chunk_ = 0;  ///< 0 = none yet
};

}  // namespace wirelag
