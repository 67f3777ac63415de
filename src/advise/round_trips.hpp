// How long the way to a server and back takes. Private to advise; pure.
#pragma once

#include <algorithm>
#include <vector>

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// The smaller of those that are known.
[[nodiscard]] inline DurationNs smaller(DurationNs a, DurationNs b) {
  if (!known(a)) return b;
  return known(b) ? std::min(a, b) : a;
}

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

}  // namespace wirelag
