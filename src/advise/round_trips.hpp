// How long the way to a server and back takes. Private to advise; pure.
#pragma once

#include <algorithm>
#include <vector>

#include <wirelag/advise/visit.hpp>
#include <wirelag/control/small_index.hpp>

namespace wirelag {

/// The smaller of those that are known.
[[nodiscard]] inline DurationNs smaller(DurationNs a, DurationNs b) {
  if (!known(a)) return b;
  return known(b) ? std::min(a, b) : a;
}

/// The smallest round trips that a path showed, for connections whose handshake did not show their own.
/// A connection is named by its index. The dataset may be moved, and must outlive this.
class RoundTrips {
 public:
  RoundTrips(const Dataset& data, const VisitLimits& limits);
  /// Probe to server and back, of the connection when its handshake showed it; kUnknownNs when neither
  /// it nor another one between the same addresses showed one.
  [[nodiscard]] DurationNs probe_server_ns(std::size_t connection) const;
  /// Probe to client and back, likewise.
  [[nodiscard]] DurationNs probe_client_ns(std::size_t connection) const;
  /// Client to server and back.
  [[nodiscard]] DurationNs whole_ns(std::size_t connection) const;
  /// Whether a handshake between the two was captured. If not, the round trips are those of data and its
  /// ACK, and a server that acknowledges with its answer has its own time in them: they are upper bounds.
  [[nodiscard]] bool way_known(std::size_t connection) const;
  /// By how much a round trip of the path lasts longer than the smallest one, on average: waking up,
  /// queues, the path's jitter. That of the capture's median path where this one shows none; 0 where
  /// none does. Paths that show delayed ACKs among their samples are left out.
  [[nodiscard]] DurationNs jitter_ns(std::size_t connection) const;
  [[nodiscard]] DurationNs typical_jitter_ns() const { return typical_jitter_ns_; }

 private:
  struct Path {
    DurationNs server_ns = kUnknownNs;
    DurationNs client_ns = kUnknownNs;
    DurationNs whole_ns = kUnknownNs;
    DurationNs jitter_ns = kUnknownNs;  ///< the largest of its connections
    bool opened = false;                ///< a handshake showed the server's half

    void add(const Path& other);
    [[nodiscard]] bool shows_any() const {
      return known(server_ns) || known(client_ns) || known(whole_ns);
    }
  };
  [[nodiscard]] static Path shown_by(const Connection& c, DurationNs jitter_below_ns);
  [[nodiscard]] const Path* find(std::size_t connection) const {
    const SmallIndex path = path_of_[connection];
    return path == Dataset::kNone ? nullptr : &paths_[path];
  }
  void set_typical_jitter();

  const Transactions<Connection>& connections_;
  std::vector<Path> paths_;          ///< by client and server; those that showed something
  std::vector<SmallIndex> path_of_;  ///< by connection
  DurationNs typical_jitter_ns_ = 0;
};

}  // namespace wirelag
