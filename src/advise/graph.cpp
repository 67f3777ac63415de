// Builds the graph of one visit: nodes in order of start (graph_nodes.cpp), then what released each of
// them, in both forms (graph_edges.cpp).
#include "graph.hpp"

#include <algorithm>
#include <tuple>

#include <wirelag/control/opening.hpp>

#include "graph_parts.hpp"

namespace wirelag {
namespace {

bool is_html(const HttpTransaction& h) {
  return h.content_type.text().starts_with("text/html") ||
         h.content_type.text().starts_with("application/xhtml");
}

/// Connections that carried nothing in the visit were not waited for, unless there is nothing else.
void mark_spares(Visit& visit) {
  std::vector<SmallIndex> carried;
  for (const VisitNode& n : visit.nodes) {
    if (n.kind == VisitNode::Kind::request || n.kind == VisitNode::Kind::query) {
      carried.push_back(n.connection);
    }
  }
  if (carried.empty()) return;
  std::sort(carried.begin(), carried.end());
  for (VisitNode& n : visit.nodes) {
    const bool handshake = n.kind == VisitNode::Kind::connect || n.kind == VisitNode::Kind::tls;
    n.waited_for =
        !handshake || !n.ended || std::binary_search(carried.begin(), carried.end(), n.connection);
  }
}

std::string service_of(const Visit& visit, const Dataset& data, const Correlation& correlation) {
  std::string address;
  for (const VisitNode& n : visit.nodes) {
    if (n.connection == Dataset::kNone) continue;
    const std::string_view name = correlation.channels[n.connection].name;
    if (!name.empty()) return std::string(name);
    if (address.empty()) address = data.connections()[n.connection].server.text();
  }
  return address;
}

/// Not answered within the capture, and nothing is known of how long that takes at least: the other
/// direction, or any round trip to the server, was not captured. Or captured in an order that cannot be.
bool end_unseen(const VisitNode& n, const GraphInput& input) {
  if (n.kind == VisitNode::Kind::connect && opening_contradicts(input.data.connections()[n.item])) {
    return true;
  }
  if (n.ended || n.connection == Dataset::kNone) return false;
  if (n.kind == VisitNode::Kind::request && n.item != Dataset::kNone &&
      known(input.data.http()[n.item].response_first_ns)) {
    return false;
  }
  if (n.kind == VisitNode::Kind::query && known(input.data.database()[n.item].response_first_ns)) {
    return false;
  }
  if (n.kind == VisitNode::Kind::connect && n.end_ns > n.start_ns) return false;  // resent SYNs
  return input.data.connections()[n.connection].one_sided ||
         !known(input.round_trips.probe_server_ns(n.connection));
}

/// To the end of what was waited for longest.
void set_wait(Visit& visit, const GraphInput& input) {
  for (const VisitNode& n : visit.nodes) {
    const DurationNs until_ns = n.end_ns - visit.start_ns;
    if (!n.waited_for || until_ns < visit.wait_ns) continue;
    visit.wait_ns = until_ns;
    visit.flags.end_unseen = end_unseen(n, input);
  }
}

bool several_documents(const Visit& visit, const Dataset& data) {
  std::size_t unreferred = 0;
  bool referers = false;
  for (const VisitNode& n : visit.nodes) {
    if (n.kind != VisitNode::Kind::request || n.item == Dataset::kNone) continue;
    const HttpTransaction& h = data.http()[n.item];
    referers |= !h.referer.empty();
    unreferred += is_html(h) && h.referer.empty() ? 1 : 0;
  }
  return referers && unreferred > 1;
}

}  // namespace

Visit build_graph(const VisitDraft& draft, const Dataset& data, const Correlation& correlation,
                  const RoundTrips& round_trips, const VisitLimits& limits) {
  Visit visit;
  visit.client_ip = draft.client_ip;
  visit.api = draft.api;
  visit.database = draft.database;
  visit.start_ns = draft.start_ns;
  visit.weight = draft.weight;
  const std::size_t n = std::min<std::size_t>(draft.nodes.size(), limits.max_nodes);
  visit.flags.cut = n < draft.nodes.size();
  visit.nodes.reserve(n);
  add_nodes(visit, draft.nodes.first(n), {data, correlation, round_trips, limits});
  std::stable_sort(visit.nodes.begin(), visit.nodes.end(),
                   [](const VisitNode& a, const VisitNode& b) {
                     return std::tie(a.start_ns, a.kind) < std::tie(b.start_ns, b.kind);
                   });
  mark_spares(visit);
  const GraphInput input{data, correlation, round_trips, limits};
  visit.one_form = !add_edges(visit, Form::serial, input);
  if (visit.one_form) {
    std::swap(visit.edges[0], visit.edges[1]);
  } else {
    add_edges(visit, Form::parallel, input);
  }
  set_wait(visit, input);
  visit.service = service_of(visit, data, correlation);
  visit.flags.shared_address = several_documents(visit, data);
  return visit;
}

}  // namespace wirelag
