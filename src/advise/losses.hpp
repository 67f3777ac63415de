// What exchanges waited for because something was lost on the way, where the loss was seen by its
// resend. Shared by the rules about loss. Private to advise; pure.
//
//   request    its last byte ... silence ... sent again, answer      part of the wait for the answer
//   response   first byte ... silence ... sent again ... last byte   part of the transfer
//   after it   last byte passed the probe ... silence ... sent again   in the gap before the next
//              exchange, or, of the last one, behind its last byte
//
// What the receiver says it had already (duplicate SACK) was not lost: where it says so of all that a side of a
// connection sent again, nothing waited for a loss there.
//
// What was lost before the probe leaves no such trace when it was the last of its message: the sender
// falls silent and goes on. A silence of a retransmission timer's length may be one (Silence).
#pragma once

#include <vector>

#include "nodes.hpp"

namespace wirelag {

struct Loss {
  std::size_t connection = 0;
  VisitNode::Kind kind = VisitNode::Kind::request;  ///< request or query
  std::size_t item = 0;                             ///< index into http() or database()
  Direction direction = Direction::s2c;             ///< of what was lost
  DurationNs stall_ns = 0;                          ///< the silences that its resends ended
  TimeNs time_ns = kUnknownNs;                      ///< of the exchange
  FrameSpan frames;                                 ///< of the message, or of the exchange
};

/// The one pause in a response that no ACK ended and nothing was sent again after.
struct Silence {
  Loss loss;  ///< if it is one
  /// As long as Linux' timer (thresholds.resend_timer) takes from the last segment that came: a round trip until that one is
  /// acknowledged, then SRTT + 200 ms (RFC 6298 section 2.3 with TCP_RTO_MIN; a tail loss probe waits
  /// as long when one segment is unacknowledged, RFC 8985 section 7.2), and up to a delayed ACK more.
  bool as_a_timer = false;
};

struct Losses {
  std::vector<Loss> found;
  std::vector<Silence> silences;  ///< of 200 ms and a round trip or more
  std::size_t judged = 0;         ///< exchanges whose way was measured in both directions
  std::size_t seen = 0;           ///< all
};
[[nodiscard]] Losses find_losses(const RuleInput& input);

/// Segments that one side sent again as if they had been lost: by a timer, duplicate ACKs or SACK, or as a tail
/// probe.
struct Resends {
  std::uint64_t lost = 0;
  std::uint64_t needless = 0;  ///< the receiver says that it had them (RFC 2883, RFC 3708)
};
[[nodiscard]] Resends resends_of(const HalfConnection& half);

/// The nodes that losses are part of.
class LossPlaces {
 public:
  explicit LossPlaces(const Visits& visits)
      : requests_(visits, VisitNode::Kind::request), queries_(visits, VisitNode::Kind::query) {}
  [[nodiscard]] const NodePlace* find(const Loss& loss) const {
    return loss.kind == VisitNode::Kind::query ? queries_.find(loss.item)
                                               : requests_.find(loss.item);
  }

 private:
  NodeIndex requests_;
  NodeIndex queries_;
};

[[nodiscard]] Evidence evidence_of(const RuleInput& input, const Loss& loss);

/// Bytes that neither a segment nor its resend showed: the capture's own loss makes its rules doubtful.
[[nodiscard]] bool capture_has_holes(const RuleInput& input, const Connection& c);

}  // namespace wirelag
