// tcp-connection-churn: the same client opens a connection for each request, and pays a handshake each
// time: one round trip, and the rounds of TLS. Counted are HTTP/1 connections that carried exactly one
// request and whose client came back soon. Measured: 20 requests of 1 kB on a 40.4 ms path, each on a
// connection of its own 1626.9 ms, on one kept open 863.8 ms: 19 round trips.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../graph.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Server {
  std::size_t judged = 0;  ///< connections seen from both sides whose requests can be counted
  std::size_t single = 0;  ///< one request, and the client opened another soon
  std::size_t told_to_close = 0;   ///< of these, by a header of the exchange
  std::size_t by_client = 0;       ///< of these, closed by the client without that
  std::vector<std::size_t> again;  ///< connections opened when an earlier one had been closed
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        connections_(input.data.connections()),
        limits_(input.thresholds.tcp_connection_churn),
        round_trips_(*input.visits.round_trips),
        nodes_(input.visits, VisitNode::Kind::connect) {}

  RuleResult run() {
    std::map<std::pair<Endpoint, IpAddress>, std::vector<std::size_t>> pairs;
    bool any = false;
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      const Connection& c = connections_[i];
      if (c.protocol != Protocol::http1) continue;
      any = true;
      if (c.one_sided || c.state != ConnectionState::complete) continue;
      pairs[{c.server, c.client.ip}].push_back(i);
    }
    if (!any) {
      return {Outcome::not_applicable, {}, "no HTTP/1 connection that can be read in the capture"};
    }
    if (pairs.empty()) {
      return {Outcome::not_visible,
              {},
              "no HTTP/1 connection was captured from its beginning and from both sides"};
    }
    for (const auto& [pair, all] : pairs) count(servers_[pair.first], all);

    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      const double share = static_cast<double>(server.single) / static_cast<double>(server.judged);
      if (!server.again.empty() && share >= limits_.min_share) {
        result.findings.push_back(finding_for(endpoint, server));
      }
    }
    return result.findings.empty() ? fine(servers_) : result;
  }

 private:
  void count(Server& server, const std::vector<std::size_t>& all) {
    for (std::size_t k = 0; k < all.size(); ++k) {
      const Connection& c = connections_[all[k]];
      const Channel& channel = input_.correlation.channels[all[k]];
      ++server.judged;
      const DurationNs until_next =
          k + 1 < all.size() ? elapsed_ns(done_ns(all[k]), connections_[all[k + 1]].start_time_ns)
                             : kUnknownNs;
      const bool returns = known(until_next) && until_next <= limits_.return_within_ns;
      if (channel.http.size() == 1 && returns && c.close != CloseKind::open &&
          !broken_off(all[k])) {
        ++server.single;
        const bool told = !input_.data.http()[channel.http.front()].keep_alive;
        server.told_to_close += told ? 1 : 0;
        server.by_client += !told && c.close_by == Direction::c2s ? 1 : 0;
      }
      const bool again = channel.purpose == ChannelPurpose::reopened;
      if (again && (k == 0 || !broken_off(all[k - 1]))) server.again.push_back(all[k]);
    }
  }

  /// Whether the server reset it before it had answered: nobody would have kept it open.
  [[nodiscard]] bool broken_off(std::size_t i) const {
    const Connection& c = connections_[i];
    const Channel& channel = input_.correlation.channels[i];
    if (c.close != CloseKind::rst || c.close_by != Direction::s2c) return false;
    return channel.http.empty() || !input_.data.http()[channel.http.back()].response_complete;
  }

  /// When the connection had nothing more to carry. Its closing takes as long as the peers like, and a
  /// client that is in a hurry does not wait for it.
  [[nodiscard]] TimeNs done_ns(std::size_t i) const {
    const Channel& channel = input_.correlation.channels[i];
    if (channel.http.empty()) return connections_[i].last_time_ns;
    const TimeNs last = input_.data.http()[channel.http.back()].response_last_ns;
    return known(last) ? last : connections_[i].last_time_ns;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = "Keep connections to " + endpoint.text() + " open between requests";
    f.fault = fmt::format("{} of {} carried one request and were opened again", server.single,
                          count_of(server.judged, "connection"));
    f.why =
        fmt::format("{}. Every time the client waits for a handshake before it can ask.{}", f.fault,
                    server.told_to_close * 2 > server.single
                        ? " The exchange says Connection: close, so keep-alive is switched off."
                    : server.by_client * 2 > server.single
                        ? " It is the client that closes, though the server would go on."
                        : "");
    f.families = {Family::network, Family::concurrency, Family::batching};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.judged;
    f.affected_actions = server.again.size();
    f.keep_for_capacity = true;
    f.capacity = fmt::format("{} fewer, {} packets, and as many accepts by the server",
                             count_of(server.again.size(), "handshake"), 3 * server.again.size());
    f.threshold = fmt::format(
        "{:.0f} % or more of the connections carry one request, and the client is back within {} "
        "(rule.tcp-connection-churn; from 20 requests with and without keep-alive)",
        100 * limits_.min_share, in_ms(limits_.return_within_ns));
    for (const std::size_t i : server.again) add(f, i);
    f.change = {{"nginx", "keepalive_timeout 75s;\nkeepalive_requests 1000;", "reload",
                 "more idle connections stay open on the server"},
                {"nginx to upstream",
                 "upstream app { server ADDRESS; keepalive 32; }\nproxy_http_version 1.1;\n"
                 "proxy_set_header Connection \"\";",
                 "reload", "the upstream must close later than nginx does"},
                {"application", "use one client with a connection pool, not one per request",
                 "code change", ""}};
    if (server.by_client * 2 > server.single) f.change = {f.change.back()};
    f.verify = "capture again: several requests per connection, few SYNs per client";
    return f;
  }

  void add(Finding& f, std::size_t i) const {
    const Connection& c = connections_[i];
    const DurationNs rtt = round_trips_.whole_ns(i);
    if (known(rtt)) {
      shorten(f, nodes_.find(i), Category::connect, rtt, rtt);
    } else {
      ++f.unplaced;
    }
    if (f.evidence.size() == kExamples) return;
    f.evidence.push_back({c.client.text() + ": opened again, an earlier one had been closed", i,
                          handshake_frames(c), c.start_time_ns, c.connect_time_ns});
  }

  const RuleInput& input_;
  const Transactions<Connection>& connections_;
  const decltype(Thresholds::tcp_connection_churn)& limits_;
  const RoundTrips& round_trips_;
  NodeIndex nodes_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_connection_churn;
constinit const Rule tcp_connection_churn{
    "tcp-connection-churn", "Few connections carry one request and are opened again soon", &judge};
}  // namespace rules

}  // namespace wirelag
