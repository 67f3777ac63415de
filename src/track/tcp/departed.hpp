// Connections that are over: both sides have closed, each has the other's FIN, and both have been silent for
// a while. Where the table fills, their records make room sooner than those of connections that may go on.
// What may still come is a FIN or an ACK sent once more, or an RST, which must not seem to open another
// connection: it brings and acknowledges nothing new, so the ports and where the sequence numbers ended are
// enough to know it.
//
// One thread; all memory is taken at construction and touched as it is needed.
#pragma once

#include <bit>

#include <wirelag/flow/index.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// Silence after which a connection is over that both sides have closed: with FINs acknowledged nothing is
/// sent again, save what an ACK that was lost calls for.
inline constexpr DurationNs kOverNs = 3 * kSecondNs;

/// Whether both sides have closed and each has all of the other.
[[nodiscard]] bool closed_by_both(const TcpFlow& flow);

/// The ports of connections that are over, the latest as many as there is room for.
class Departed {
 public:
  /// Remembers `most` connections, for `remembered_ns` after their last segment.
  Departed(std::size_t most, DurationNs remembered_ns);

  void prefetch(std::uint32_t hash) const {
    if (kept_ > 0) index_.prefetch(hash);
  }
  void add(const TcpFlow& flow);
  /// Whether a segment that belongs to no flow is a late one of a connection that is over: that is
  /// remembered longer then. If not, another connection begins, and one on the same ports is forgotten.
  [[nodiscard]] bool has_straggler(const Packet& packet, SideIndex sender);

 private:
  struct Entry {
    FlowKey key;
    std::uint32_t hash;
    TimeNs last_ns;
    std::array<std::uint32_t, 2> next_seq;
    bool kept;
  };
  [[nodiscard]] static bool belongs_to(const Entry& entry, const Packet& packet, SideIndex sender);
  void forget(std::uint32_t at);

  DurationNs remembered_ns_;
  FlowIndex index_;
  TableMemory memory_;
  std::span<Entry> ring_;
  std::uint32_t oldest_ = 0;  ///< the next one to be written over
  std::size_t kept_ = 0;
};

/// Closed connections in the order in which they will be over.
class Departures {
 public:
  struct Due {
    TimeNs time_ns;
    std::uint32_t flow;
    std::uint32_t serial;  ///< its low bits: whether the record is still the same flow's
  };

  explicit Departures(std::size_t connections);

  /// False when there is no room: the flow is found later, like any other that has expired.
  bool add(const Due& due);
  /// The next one, null when it is not due. Those of clocks far ahead of `now` are dropped on the way.
  [[nodiscard]] const Due* next(TimeNs now);
  void drop_next() { ++first_; }

 private:
  [[nodiscard]] Due& at(std::size_t n) const { return ring_[n & (ring_.size() - 1)]; }

  TableMemory memory_;
  std::span<Due> ring_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace wirelag::tcp
