#include "round_trips.hpp"
namespace wirelag {
namespace {

/// How much the samples of one side last longer than the smallest, on average.
DurationNs mean_excess_ns(const RttStats& rtt, DurationNs jitter_below_ns) {
  if (rtt.samples < 2 || rtt.max_ns - rtt.min_ns >= jitter_below_ns) return kUnknownNs;
  return rtt.mean_ns() - rtt.min_ns;
}

/// Of both sides together, where both are known.
DurationNs jitter_of(const Connection& c, DurationNs jitter_below_ns) {
  const DurationNs server = mean_excess_ns(c.rtt_probe_server, jitter_below_ns);
  const DurationNs client = mean_excess_ns(c.rtt_probe_client, jitter_below_ns);
  return known(server) && known(client) ? server + client : kUnknownNs;
}

}  // namespace

RoundTrips::RoundTrips(const Dataset& data, const VisitLimits& limits)
    : connections_(data.connections()), path_of_(connections_.size()) {
  struct Ends {
    IpAddress client;
    IpAddress server;
    SmallIndex connection;
    auto operator<=>(const Ends&) const = default;
  };
  std::vector<Ends> all;
  all.reserve(connections_.size());
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    all.push_back({connections_[i].client.ip, connections_[i].server.ip, i});
  }
  std::sort(all.begin(), all.end());
  paths_.reserve(all.size());  // address space
  for (auto first = all.begin(); first != all.end();) {
    Path path;
    auto next = first;
    for (; next != all.end() && next->client == first->client && next->server == first->server;
         ++next) {
      path.add(shown_by(connections_[next->connection], limits.jitter_below_ns));
    }
    if (path.shows_any()) {
      for (auto one = first; one != next; ++one) path_of_[one->connection] = paths_.size();
      paths_.push_back(path);
    }
    first = next;
  }
  set_typical_jitter();
}

void RoundTrips::Path::add(const Path& other) {
  if (!other.shows_any()) return;
  server_ns = smaller(server_ns, other.server_ns);
  client_ns = smaller(client_ns, other.client_ns);
  whole_ns = smaller(whole_ns, other.whole_ns);
  jitter_ns = std::max(jitter_ns, other.jitter_ns);
  opened |= other.opened;
}

RoundTrips::Path RoundTrips::shown_by(const Connection& c, DurationNs jitter_below_ns) {
  Path p{smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns),
         smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns), c.handshake_rtt_ns,
         jitter_of(c, jitter_below_ns), known(c.rtt_probe_server_ns)};
  if (!known(p.whole_ns) && known(c.rtt_probe_server.min_ns) && known(c.rtt_probe_client.min_ns)) {
    p.whole_ns = plus_ns(c.rtt_probe_server.min_ns, c.rtt_probe_client.min_ns);
  }
  return p;
}

void RoundTrips::set_typical_jitter() {
  std::vector<DurationNs> shown;
  for (const Path& p : paths_) {
    if (known(p.jitter_ns)) shown.push_back(p.jitter_ns);
  }
  if (shown.empty()) return;
  const auto middle = shown.begin() + static_cast<std::ptrdiff_t>(shown.size() / 2);
  std::nth_element(shown.begin(), middle, shown.end());
  typical_jitter_ns_ = *middle;
}

DurationNs RoundTrips::jitter_ns(std::size_t connection) const {
  const Path* path = find(connection);
  return path != nullptr && known(path->jitter_ns) ? path->jitter_ns : typical_jitter_ns_;
}

bool RoundTrips::way_known(std::size_t connection) const {
  const Path* path = find(connection);
  return path != nullptr && path->opened;
}

DurationNs RoundTrips::probe_server_ns(std::size_t connection) const {
  const Connection& c = connections_[connection];
  // Data is acknowledged with the answer when that comes soon: without a handshake the own shortest one
  // may have the server's time in it.
  if (known(c.rtt_probe_server_ns))
    return smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns);
  const Path* path = find(connection);
  return path != nullptr ? path->server_ns : kUnknownNs;
}

DurationNs RoundTrips::probe_client_ns(std::size_t connection) const {
  const Connection& c = connections_[connection];
  const DurationNs own = smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns);
  if (known(own)) return own;
  const Path* path = find(connection);
  return path != nullptr ? path->client_ns : kUnknownNs;
}

DurationNs RoundTrips::whole_ns(std::size_t connection) const {
  const Path* path = find(connection);
  return path != nullptr ? path->whole_ns : kUnknownNs;
}

}  // namespace wirelag
