// One direction of a path: a queue of limited length in front of a bottleneck, then a distance.
//
//   offered --> [ queue <= queue_bytes ] --> rate --> delay --> due
//
// Bytes wait for the bottleneck in the order they came; what does not fit into the queue is dropped.
// Time comes with the calls (monotonic ns); single thread.
#pragma once

#include <functional>
#include <queue>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag::lab {

struct LinkSettings {
  DurationNs delay_ns = 0;
  double bits_per_second = 0;   ///< 0: no bottleneck
  std::size_t queue_bytes = 0;  ///< in front of the bottleneck; 0: no limit
};

class Link {
 public:
  explicit Link(const LinkSettings& settings) : settings_(settings) {}

  /// False: the queue was full. `extra_delay_ns`: this packet's destination is so much farther.
  bool offer(TimeNs now, Bytes packet, DurationNs extra_delay_ns = 0);

  /// When the next packet is due; kUnknownNs when there is none.
  [[nodiscard]] TimeNs next_due_ns() const;

  /// The packet that is due; call when next_due_ns() has come. Of those due at once, first in first.
  std::vector<std::uint8_t> take();

 private:
  struct Travelling {
    TimeNs due_ns;
    std::uint64_t number;
    std::vector<std::uint8_t> bytes;
    auto operator<=>(const Travelling&) const = default;
  };

  LinkSettings settings_;
  TimeNs free_ns_ = 0;  ///< the bottleneck has sent what it was given
  std::uint64_t offered_ = 0;
  std::priority_queue<Travelling, std::vector<Travelling>, std::greater<>> travelling_;
};

}  // namespace wirelag::lab
