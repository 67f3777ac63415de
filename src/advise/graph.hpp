// From the activities of a visit to its graph. Private to advise.
#pragma once

#include <algorithm>
#include <tuple>

#include <wirelag/advise/visit.hpp>
#include <wirelag/control/small_index.hpp>

#include "round_trips.hpp"

namespace wirelag {

/// An activity that becomes a node.
struct NodeRef {
  VisitNode::Kind kind;
  bool troubled;  ///< something failed or was lost in it, as far as that is known without a graph
  SmallIndex item;
  SmallIndex connection;
  [[nodiscard]] auto order() const { return std::tuple(kind, item, connection); }
  auto operator<=>(const NodeRef& other) const { return order() <=> other.order(); }
  bool operator==(const NodeRef& other) const { return order() == other.order(); }
};
static_assert(sizeof(NodeRef) == 12);

/// A visit before its graph is built.
struct VisitDraft {
  IpAddress client_ip;
  TimeNs start_ns = 0;
  std::span<const NodeRef> nodes;  ///< activities in order of start
  double weight = 1;               ///< how many drafts it stands for
  bool api = false;
  bool database = false;
  bool troubled = false;  ///< one of its nodes is
};

/// The order of visits that begin at once is that of their clients, then of what they did.
[[nodiscard]] inline bool comes_before(const VisitDraft& a, const VisitDraft& b) {
  if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
  if (a.client_ip != b.client_ip) return a.client_ip < b.client_ip;
  return std::lexicographical_compare(a.nodes.begin(), a.nodes.end(), b.nodes.begin(),
                                      b.nodes.end());
}

/// All of them, and what they show.
struct VisitDrafts {
  std::vector<VisitDraft> all;
  ListRoom<NodeRef> nodes;
};

[[nodiscard]] Visit build_graph(const VisitDraft& draft, const Dataset& data,
                                const Correlation& correlation, const RoundTrips& round_trips,
                                const VisitLimits& limits);

}  // namespace wirelag
