// http-h1-parallel-limit: over HTTP/1 a connection carries one exchange at a time, and a browser opens
// six. What does not fit waits for its turn; over HTTP/2 all leave at once on one connection.
//
//   h1   c1 |a|g|m|     6 at a time, each wave a round trip and the server's time
//        c2 |b|h|n|
//   h2   c1 |abcghmn|   one wave; but all answers share one slow start, so each that does not fit into
//                       the window of its flight comes a round trip later
//
// The handshakes of the connections that were opened while one was there already go as well; where
// http-late-connection finds them too, they are counted once.
//
// Measured over TLS on a 40.4 ms path: 48 small files 407 -> 204 ms, 24: 246 -> 164, 12: 166 -> 164
// (twelve answers are twelve segments, more than a first flight), 6: 126 -> 124.
//
// Whether a request that followed an answer at once had waited for the connection or for the answer
// is not on the wire: the two forms of the graph hold both.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../flights.hpp"
#include "../graph.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Server {
  std::size_t visits = 0;
  std::size_t queued_visits = 0;
  std::size_t connections = 0;  ///< in the queued visits
  std::vector<Edit> edits;
  std::vector<std::size_t> queued;  ///< requests, indexes into http()
};

bool is_queued(const Visit& visit, std::uint32_t node) {
  const auto& edges = visit.edges_of(Form::parallel);
  const auto first =
      std::lower_bound(edges.begin(), edges.end(), node,
                       [](const VisitEdge& e, std::uint32_t to) { return e.to < to; });
  bool queue = false;
  bool could_have_left = false;
  for (auto e = first; e != edges.end() && e->to == node; ++e) {
    queue |= e->kind == EdgeKind::queue && e->lag_ns > 0;
    could_have_left |= e->kind == EdgeKind::discovery;
  }
  return queue && could_have_left;
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.http_h1_parallel_limit),
        round_trips_(*input.visits.round_trips) {}

  RuleResult run() {
    const bool any = std::any_of(input_.data.connections().begin(), input_.data.connections().end(),
                                 [](const Connection& c) { return c.protocol == Protocol::http1; });
    if (!any) {
      return {Outcome::not_applicable, {}, "no HTTP/1 connection that can be read in the capture"};
    }
    for (std::uint32_t v = 0; v < input_.visits.stored.size(); ++v) collect(v);
    if (crowded_.empty()) return without_a_crowd();
    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      if (!server.edits.empty()) result.findings.push_back(finding_for(endpoint, server));
    }
    return result.findings.empty() ? fine(crowded_) : result;
  }

 private:
  /// Why no visit could be judged.
  [[nodiscard]] RuleResult without_a_crowd() const {
    const Transactions<HttpTransaction>& http = input_.data.http();
    const bool any = std::any_of(http.begin(), http.end(), [](const HttpTransaction& h) {
      return h.request_seen && known(h.response_first_ns);
    });
    if (!any) return {Outcome::not_visible, {}, "no HTTP/1 request was captured with its answer"};
    return {Outcome::not_applicable,
            {},
            fmt::format("no visit sent {} or more requests to one server on {} or more connections",
                        limits_.min_requests, limits_.min_connections)};
  }

  void collect(std::uint32_t v) {
    const Visit& visit = input_.visits.stored[v];
    if (visit.api) return;
    std::map<Endpoint, std::vector<std::uint32_t>> requests;
    std::map<Endpoint, std::size_t> connections;
    for (std::uint32_t i = 0; i < visit.nodes.size(); ++i) {
      const VisitNode& n = visit.nodes[i];
      if (n.kind == VisitNode::Kind::connect) {
        ++connections[input_.data.connections()[n.item].server];
      }
      if (n.kind != VisitNode::Kind::request || n.item == Dataset::kNone) continue;
      requests[input_.data.http()[n.item].server].push_back(i);
    }
    for (const auto& [endpoint, nodes] : requests) {
      Server& server = servers_[endpoint];
      ++server.visits;
      if (nodes.size() < limits_.min_requests) continue;
      std::set<std::size_t> carriers;
      for (const std::uint32_t i : nodes) carriers.insert(visit.nodes[i].connection);
      if (carriers.size() < limits_.min_connections) continue;
      if (!answered(visit, nodes)) continue;
      ++crowded_[endpoint];
      const std::size_t before = server.edits.size();
      edit(server, v, nodes);
      if (server.edits.size() == before) continue;
      ++server.queued_visits;
      server.connections += std::max<std::size_t>(1, connections[endpoint]);
    }
  }

  /// Whether a connection was free or busy is known by its answers only.
  [[nodiscard]] bool answered(const Visit& visit, const std::vector<std::uint32_t>& nodes) const {
    return std::any_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
      return known(input_.data.http()[visit.nodes[i].item].response_first_ns);
    });
  }

  /// All that were queued leave at once; the answers of what follows one another share one window.
  void edit(Server& server, std::uint32_t v, const std::vector<std::uint32_t>& nodes) {
    const Visit& visit = input_.visits.stored[v];
    const std::size_t edits_before = server.edits.size();
    std::uint64_t segments = 0;
    TimeNs wave_ns = visit.start_ns;
    for (const std::uint32_t i : nodes) {
      const VisitNode& n = visit.nodes[i];
      const HttpTransaction& h = input_.data.http()[n.item];
      const bool queued = is_queued(visit, i);
      const std::uint64_t own = std::max<std::uint64_t>(
          1, (h.response_bytes + kFullSegmentBytes - 1) / kFullSegmentBytes);
      const DurationNs rtt = round_trips_.whole_ns(n.connection);
      const bool new_wave =
          !queued &&
          n.start_ns - wave_ns > (known(rtt) ? rtt : input_.thresholds.visits.queued_within_ns);
      wave_ns = n.start_ns;
      segments = new_wave ? own : segments + own;
      if (!queued) continue;
      server.edits.push_back({v, i, Edit::What::unqueue, Category::client, 1, 1});
      server.queued.push_back(n.item);
      if (!known(rtt)) continue;
      const FlightPath path{
          rtt, kFullSegmentBytes, input_.thresholds.tcp_initcwnd_rounds.initial_segments, {}, 0};
      const auto shared = simulate_flights(segments, path).count;
      const auto alone = simulate_flights(own, path).count;
      const DurationNs longer = rtt * (shared - std::min(shared, alone));
      if (longer > 0) {
        server.edits.push_back({v, i, Edit::What::shorten, Category::rounds, -longer, -longer});
      }
    }
    if (server.edits.size() > edits_before) {
      unneeded_handshakes(server, v, visit.nodes[nodes.front()].connection);
    }
  }

  /// Opened to the server of `first` when that connection stood.
  void unneeded_handshakes(Server& server, std::uint32_t v, std::size_t first) {
    const Visit& visit = input_.visits.stored[v];
    const Connection& stood = input_.data.connections()[first];
    for (std::uint32_t i = 0; i < visit.nodes.size(); ++i) {
      const VisitNode& n = visit.nodes[i];
      if (n.kind != VisitNode::Kind::connect || n.item == first || !n.ended) continue;
      if (input_.data.connections()[n.item].server != stood.server) continue;
      const bool needed =
          !known(stood.established_time_ns) || n.start_ns < stood.established_time_ns;
      if (needed) continue;
      const DurationNs whole = n.end_ns - n.start_ns;
      server.edits.push_back({v, i, Edit::What::shorten, Category::connect, whole, whole});
    }
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = "Serve " + endpoint.text() + " over HTTP/2: requests wait for a free connection";
    f.fault = fmt::format("{} waited for the answer before it on the connection",
                          count_of(server.queued.size(), "request"));
    f.why = fmt::format(
        "In {} {}. HTTP/1.1 answers in order, one exchange at a time on each connection; HTTP/2 "
        "carries all of them at once.",
        count_of(server.queued_visits, "visit"), f.fault);
    f.families = {Family::concurrency, Family::network, Family::batching};
    f.scope = tcp_scope(endpoint);
    f.edits = server.edits;
    f.looked_at = server.visits;
    f.affected_actions = server.queued_visits;
    f.keep_for_capacity = true;
    const double per_visit =
        static_cast<double>(server.connections) / static_cast<double>(server.queued_visits);
    f.capacity = fmt::format("connections per visit {:.1f} -> 1", per_visit);
    f.threshold = fmt::format(
        "{} or more requests of one visit to one server on {} or more connections, some of them "
        "queued (rule.http-h1-parallel-limit; six connections are what browsers allow themselves)",
        limits_.min_requests, limits_.min_connections);
    for (std::size_t k = 0; k < std::min(kExamples, server.queued.size()); ++k) {
      const HttpTransaction& h = input_.data.http()[server.queued[k]];
      Evidence e{fmt::format("{} left on {} right after the answer before it", h.target.text(),
                             h.client.text()),
                 input_.data.connection_index(h.connection),
                 {h.request_frames.first},
                 h.request_first_ns,
                 kUnknownNs};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
    f.change = {
        {"nginx", "listen 443 ssl;\nhttp2 on;", "reload",
         "needs TLS; before nginx 1.25.1 it is: listen 443 ssl http2; one lost packet stops "
         "all requests of a client until it is resent"},
        {"HTML", "bundle small images and scripts", "code change",
         "a change of one invalidates all"}};
    f.verify = "capture again: one connection per visit, no request right after another's answer";
    return f;
  }

  const RuleInput& input_;
  const decltype(Thresholds::http_h1_parallel_limit)& limits_;
  const RoundTrips& round_trips_;
  std::map<Endpoint, Server> servers_;
  std::map<Endpoint, std::size_t> crowded_;  ///< visits with enough requests and connections
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule http_h1_parallel_limit;
constinit const Rule http_h1_parallel_limit{
    "http-h1-parallel-limit", "No page on that many connections waited for a free one", &judge};
}  // namespace rules

}  // namespace wirelag
