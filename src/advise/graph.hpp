// From the activities of a visit to its graph. Private to advise.
#pragma once

#include <wirelag/advise/visit.hpp>

#include "round_trips.hpp"

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
  double weight = 1;  ///< how many drafts it stands for
};

[[nodiscard]] Visit build_graph(const VisitDraft& draft, const Dataset& data,
                                const Correlation& correlation, const RoundTrips& round_trips,
                                const VisitLimits& limits);

}  // namespace wirelag
