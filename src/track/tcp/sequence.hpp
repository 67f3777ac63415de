// The sequence space of one side: what is new, what was sent again and why, what was never
// captured, and the round trips that its data made.
#pragma once

#include <algorithm>

#include <wirelag/base/counters.hpp>
#include <wirelag/track/limits.hpp>

#include "flow_state.hpp"
#include "mirror_copy.hpp"
#include "options.hpp"
#include "round_trip.hpp"

namespace wirelag::tcp {

/// What a segment brought, for the byte stream.
enum class SegmentContent : std::uint8_t {
  nothing,  ///< no payload, or payload that must not reach a parser (probe, keep-alive)
  payload,  ///< payload, possibly partly or wholly seen before
  resent,   ///< payload that the sender sent again, or sends again by what the capture shows
};

/// The accounts of all connections of a worker. One thread; all memory is taken at construction, and
/// touched only for what happens.
class Sequences {
 public:
  Sequences(std::size_t connections, Counters& counters)
      : troubles_(2 * connections),
        prints_(std::min<std::size_t>(2 * connections, TcpLimits::kMostMirroredSides)),
        holes_(std::max<std::size_t>(connections, Holes::kMostOfSide), counters) {}

  /// Accounts for a segment of `sender`. Call once per segment, after Openings::note().
  SegmentContent account(TcpFlow& flow, SideIndex sender, const Packet& packet,
                         RoundTrip& completed);
  /// Whether the mirror has delivered this segment before; if not, a copy of it will be recognised. `previous_ns`: the
  /// latest time of the flow's segments before this one.
  [[nodiscard]] MirrorCopy copy_of(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                   TimeNs previous_ns);
  /// Counts a copy made by the mirror (a bare one as a packet only); it means nothing else.
  void account_mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet, MirrorCopy copy);

  /// Whether a SYN-ACK that passes for a copy by the mirror is the server's own second one: the SYN was sent
  /// again, and the timers of both ends run out at the same time (both 1 s, RFC 6298 section 2.1). Not where other
  /// segments of the connection come twice.
  [[nodiscard]] bool may_answer_twice(const TcpFlow& flow, SideIndex sender,
                                      const TcpHeader& tcp) const;
  /// What went wrong on this side so far; null when nothing has.
  [[nodiscard]] const Trouble* trouble(const SideDetail& detail) const {
    return detail.trouble == kNone ? nullptr : &troubles_[detail.trouble];
  }
  /// The flow ends.
  void release(TcpFlow& flow);

 private:
  /// The same to write to; there is room for both sides of every connection.
  [[nodiscard]] Trouble& trouble(SideDetail& detail) {
    if (detail.trouble == kNone) detail.trouble = troubles_.take();
    return troubles_[detail.trouble];
  }
  void count(SideDetail& detail, RetransmissionClass c) {
    ++trouble(detail).retransmissions[static_cast<std::size_t>(c)];
  }
  void count_duplicate_ack(TcpFlow& flow, SideIndex sender, TimeNs now);
  void take_acknowledgement(TcpFlow& flow, SideIndex sender, const Packet& packet,
                            const SegmentOptions& options, RoundTrip& completed);
  [[nodiscard]] TimeNs sacked_ns(const TcpFlow& flow, SideIndex receiver) const;
  [[nodiscard]] Prints* prints(SideDetail& detail);
  [[nodiscard]] TimeNs hole_told_ns(const TcpFlow& flow, SideIndex receiver) const;
  void take_window(TcpFlow& flow, SideIndex sender, const Packet& packet);
  void begin_window_full(TcpFlow& flow, SideIndex sender, TimeNs now);
  void end_window_full(TcpFlow& flow, SideIndex sender, TimeNs now);
  [[nodiscard]] RetransmissionClass classify_resend(TcpFlow& flow, SideIndex sender,
                                                    std::uint32_t begin, std::uint32_t end,
                                                    TimeNs now, DurationNs silence_ns);
  [[nodiscard]] bool begins_elsewhere(TcpFlow& flow, SideIndex sender, std::uint32_t begin);
  [[nodiscard]] bool account_old(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                 std::uint32_t begin, std::uint32_t end, DurationNs silence_ns);

  Pool<Trouble> troubles_;
  Pool<Prints> prints_;
  Holes holes_;
};

}  // namespace wirelag::tcp
