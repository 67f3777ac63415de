// Which flow gives way when the table is full. Looking at all of them would cost a flood's victim dearly, so
// each search looks at a few and remembers the best of what it saw for the next ones (the eviction pool of
// Redis's approximated LRU): the choice is nearly that of a search of the whole table.
#pragma once

#include <array>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// What is lost when a flow gives way, the least first.
enum class Worth : std::uint8_t {
  over,        ///< closed, and quiet since
  unanswered,  ///< half open, or a stray: its opening was not seen, and it lacks an answer or any payload
               ///< (a flood of ACKs is made of these)
  just_closed,  ///< its last ACKs may still come, and would seem to begin another connection
  idle,         ///< established and long silent
  active,       ///< does not give way
};
[[nodiscard]] Worth worth(const TcpFlow& flow, TimeNs now);

/// A few flows that may give way. Its flows may have gone on or ended since: ask again before one does.
class EvictionPool {
 public:
  struct Candidate {
    std::uint32_t flow = kNone;
    Worth worth = Worth::active;
    TimeNs last_ns = 0;  ///< of the flow when it was looked at
  };

  /// Keeps the candidates that are worth least and, among equals, have been silent longest.
  void add(const Candidate& candidate);
  /// The flow that gives way first, kNone when there is none.
  [[nodiscard]] std::uint32_t next() const { return count_ > 0 ? kept_[count_ - 1].flow : kNone; }
  /// Likewise, no longer kept; its flow is kNone when there is none.
  [[nodiscard]] Candidate take() { return count_ > 0 ? kept_[--count_] : Candidate{}; }

 private:
  static constexpr std::size_t kKept = 8;

  std::array<Candidate, kKept> kept_;  ///< the first to give way is the last
  std::size_t count_ = 0;
};

}  // namespace wirelag::tcp
