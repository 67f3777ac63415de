// The two halves of building a graph: its nodes, then what released each of them. Private to graph.cpp.
#pragma once

#include <span>

#include "graph.hpp"

namespace wirelag {

struct GraphInput {
  const Dataset& data;
  const Correlation& correlation;
  const RoundTrips& round_trips;
  const VisitLimits& limits;
};

/// Appends a node per activity and sets the flags that their connections bring. graph_nodes.cpp
void add_nodes(Visit& visit, std::span<const NodeRef> activities, const GraphInput& input);

/// The edges of one form. The nodes are in order of start. Whether the other form has others: of the serial one, whether
/// anything was complete that may have led to something. graph_edges.cpp
bool add_edges(Visit& visit, Form form, const GraphInput& input);

}  // namespace wirelag
