// From the activities of a visit to its graph. Private to advise.
#pragma once

#include <wirelag/advise/visit.hpp>

namespace wirelag {

/// An activity that becomes a node.
struct NodeRef {
  VisitNode::Kind kind;
  std::size_t item;
  std::size_t connection;
  auto operator<=>(const NodeRef&) const = default;
};

/// A visit before its graph is built: activities in order of start.
struct VisitDraft {
  IpAddress client_ip;
  TimeNs start_ns = 0;
  bool api = false;
  bool database = false;
  std::vector<NodeRef> nodes;
};

/// The smallest round trips that a path showed, for connections that could not show their own.
class RoundTrips {
 public:
  explicit RoundTrips(const Dataset& data);
  /// Probe to server and back; kUnknownNs when neither the connection nor another one between the
  /// same addresses showed one.
  [[nodiscard]] DurationNs probe_server_ns(const Connection& c) const;
  /// Probe to client and back, likewise.
  [[nodiscard]] DurationNs probe_client_ns(const Connection& c) const;
  /// Client to server and back.
  [[nodiscard]] DurationNs whole_ns(const Connection& c) const;

 private:
  struct Path {
    IpAddress client;
    IpAddress server;
    DurationNs server_ns = kUnknownNs;
    DurationNs client_ns = kUnknownNs;
    DurationNs whole_ns = kUnknownNs;
  };
  [[nodiscard]] const Path* find(const Connection& c) const;
  std::vector<Path> paths_;
};

/// A request sent this soon after the answer before it on its connection (and a round trip on the
/// client's side of the probe) had waited for that; one this soon after the handshake had waited for
/// the handshake.
inline constexpr DurationNs kQueuedWithinNs = 2 * kMillisecondNs;

[[nodiscard]] Visit build_graph(const VisitDraft& draft, const Dataset& data,
                                const Correlation& correlation, const RoundTrips& round_trips,
                                const VisitLimits& limits);

}  // namespace wirelag
