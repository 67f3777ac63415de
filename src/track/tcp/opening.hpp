// The opening exchange: which SYN was answered, which SYN-ACK was acknowledged, and the five times
// of docs/metrics.md. A half that could belong to either of two copies is not reported (Karn),
// unless the timestamps option tells the copies apart (RFC 7323 section 4.1).
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

/// The openings of all connections of a worker. One thread; all memory is taken at construction.
class Openings {
 public:
  explicit Openings(std::size_t connections) : more_(connections) {}

  /// Notes a segment that may belong to the opening. Call for every segment with SYN or RST, and for
  /// every segment of the client until the handshake is complete.
  void note(TcpFlow& flow, SideIndex sender, const Packet& packet);
  /// A copy, made by the mirror, of a segment with SYN: only its frame is kept.
  void note_mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet);

  [[nodiscard]] OpeningTimes times(const TcpFlow& flow) const;
  /// Fills the handshake members of `out`.
  void describe(const TcpFlow& flow, Connection& out) const;
  /// The flow ends.
  void release(TcpFlow& flow);

 private:
  /// There is room for every connection.
  [[nodiscard]] OpeningMore& more(Opening& opening) {
    if (opening.more == kNone) opening.more = more_.take();
    return more_[opening.more];
  }
  void keep_segment(Opening& opening, SideIndex sender, const Packet& packet,
                    const TcpOptions& options);
  void keep_syn_frame(Opening& opening, FrameNumber frame);
  void keep_syn_ack_frame(Opening& opening, FrameNumber frame);
  void note_syn(TcpFlow& flow, SideIndex sender, const Packet& packet, const TcpOptions& options);
  void note_syn_ack(TcpFlow& flow, SideIndex sender, const Packet& packet,
                    const TcpOptions& options);
  [[nodiscard]] TimeNs echoed_copy_ns(const Opening& opening, std::uint8_t flags,
                                      std::uint32_t tsecr, TimeNs not_after_ns) const;
  void describe_segments(const TcpFlow& flow, Connection& out) const;

  Pool<OpeningMore> more_;
};

}  // namespace wirelag::tcp
