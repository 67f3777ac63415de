// The opening exchange: which SYN was answered, which SYN-ACK was acknowledged, and the five times
// of docs/metrics.md. A half that could belong to either of two copies is not reported (Karn),
// unless the timestamps option tells the copies apart (RFC 7323 section 4.1).
//
// Who opens a connection on ports that were used before meets what is left of the earlier one (RFC 9293
// section 3.5, figures 9 and 10): that is no answer, and in none of the numbers. A SYN of the peer's while
// the client's own is unanswered may cross it (figure 8), or open another connection the other way round:
// the sequence number of what comes next tells.
#pragma once

#include "flow_state.hpp"

namespace wirelag::tcp {

/// The four parts of the connect time; unknown where the exchange does not tell (Karn).
struct OpeningTimes {
  DurationNs syn_wait_ns = kUnknownNs;
  DurationNs rtt_probe_server_ns = kUnknownNs;
  DurationNs synack_wait_ns = kUnknownNs;
  DurationNs rtt_probe_client_ns = kUnknownNs;
  bool ambiguous = false;  ///< an answer may belong to either of two copies
};

/// Whether this segment belongs to an earlier connection on the same ports: it acknowledges what the
/// client's SYN did not send, or is the RST with which the client says so.
[[nodiscard]] bool of_earlier_connection(const TcpFlow& flow, SideIndex sender,
                                         const TcpHeader& tcp);
/// Whether the receiver drops this FIN or RST, as its number is neither near what was sent or acknowledged nor within
/// the window (RFC 9293 section 3.10.7.4); false where too little was seen to tell.
[[nodiscard]] bool outside_window(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp);
/// Whether this SYN crosses the client's, or opens another connection: not known yet.
[[nodiscard]] bool may_cross(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp);
/// Whether a segment that follows such a SYN shows that it crossed the client's.
[[nodiscard]] bool shows_crossing(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp);

/// The openings of all connections of a worker. One thread; all memory is taken at construction.
class Openings {
 public:
  explicit Openings(std::size_t connections) : more_(connections) {}

  /// Notes a segment that may belong to the opening. Call for every segment with SYN or RST, and for
  /// every segment of the client until the handshake is complete.
  void note(TcpFlow& flow, SideIndex sender, const Packet& packet);
  /// A copy, made by the mirror, of a segment with SYN: only its frame is kept.
  void note_mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet);
  /// A segment of an earlier connection: kept to be explained, no more.
  void note_earlier(TcpFlow& flow, SideIndex sender, const Packet& packet);
  /// Puts a SYN that may_cross() aside; false when there is no room.
  [[nodiscard]] bool put_aside(TcpFlow& flow, const Packet& packet);
  /// What was put aside, which is no longer.
  [[nodiscard]] SynsAside take_aside(TcpFlow& flow);

  [[nodiscard]] OpeningTimes times(const TcpFlow& flow) const;
  /// Fills the handshake members of `out`; its lists are valid until the next call.
  void describe(const TcpFlow& flow, Connection& out);
  /// The flow ends.
  void release(TcpFlow& flow);

 private:
  /// There is room for every connection.
  [[nodiscard]] OpeningMore& more(Opening& opening) {
    if (opening.more == kNone) opening.more = more_.take();
    return more_[opening.more];
  }
  void keep_segment(TcpFlow& flow, SideIndex sender, const Packet& packet,
                    const TcpOptions& options, bool earlier);
  /// From now on the segments are kept one by one.
  void write_out(TcpFlow& flow);
  void keep_syn_frame(Opening& opening, FrameNumber frame);
  void keep_syn_ack_frame(Opening& opening, FrameNumber frame);
  void note_syn(TcpFlow& flow, SideIndex sender, const Packet& packet, const TcpOptions& options);
  void note_syn_ack(TcpFlow& flow, SideIndex sender, const Packet& packet,
                    const TcpOptions& options);
  void note_completion(TcpFlow& flow, const Packet& packet, const TcpOptions& options);
  void note_crossing_completion(TcpFlow& flow, const Packet& packet);
  void note_early_ack(TcpFlow& flow, SideIndex sender, const Packet& packet) const;
  void note_early_completion(TcpFlow& flow, const TcpHeader& syn_ack);
  [[nodiscard]] bool completes(const TcpFlow& flow, SideIndex sender, const TcpHeader& tcp) const;
  [[nodiscard]] const HandshakeSegment* acknowledged(const TcpFlow& flow, std::uint32_t ack) const;
  void follow_server(TcpFlow& flow, const HandshakeSegment& syn_ack);
  void keep_round_trips(TcpFlow& flow) const;
  template <class Matches>
  [[nodiscard]] TimeNs sole_copy_ns(const TcpFlow& flow, Matches&& matches) const;
  template <class Visit>
  void for_each_segment(const TcpFlow& flow, Visit&& visit) const;
  [[nodiscard]] TimeNs last_syn_before_answer_ns(const Opening& opening) const;
  [[nodiscard]] TimeNs last_syn_ack_before_ack_ns(const Opening& opening) const;
  [[nodiscard]] bool contradicts_order(const TcpFlow& flow) const;
  [[nodiscard]] TimeNs answered_syn_ns(const TcpFlow& flow) const;
  [[nodiscard]] TimeNs acknowledged_syn_ack_ns(const TcpFlow& flow) const;
  void take_client_half(const TcpFlow& flow, OpeningTimes& t) const;
  void describe_segments(const TcpFlow& flow, Connection& out);

  Pool<OpeningMore> more_;
  // What the connection that was described last shows.
  ConnectionOpening opening_;
  Handshake segments_;
  BoundedList<FrameNumber, 1 + OpeningMore::kFrames> syn_frames_;
  BoundedList<FrameNumber, 1 + OpeningMore::kFrames> syn_ack_frames_;
};

}  // namespace wirelag::tcp
