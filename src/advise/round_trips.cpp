#include "round_trips.hpp"

#include <tuple>

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

RoundTrips::RoundTrips(const Dataset& data, const VisitLimits& limits) {
  struct Ends {
    IpAddress client;
    IpAddress server;
    SmallIndex connection;
    auto operator<=>(const Ends&) const = default;
  };
  std::vector<Ends> all;
  all.reserve(data.connections().size());
  for (std::size_t i = 0; i < data.connections().size(); ++i) {
    const Connection& c = data.connections()[i];
    all.push_back({c.client.ip, c.server.ip, i});
  }
  std::sort(all.begin(), all.end());
  paths_.reserve(all.size());
  for (const Ends& ends : all) {
    const Path shown = shown_by(data.connections()[ends.connection], limits.jitter_below_ns);
    if (!known(shown.server_ns) && !known(shown.client_ns) && !known(shown.whole_ns)) continue;
    if (paths_.empty() || paths_.back().client != ends.client ||
        paths_.back().server != ends.server) {
      paths_.push_back(shown);
      continue;
    }
    Path& path = paths_.back();
    path.server_ns = smaller(path.server_ns, shown.server_ns);
    path.client_ns = smaller(path.client_ns, shown.client_ns);
    path.whole_ns = smaller(path.whole_ns, shown.whole_ns);
    path.jitter_ns = std::max(path.jitter_ns, shown.jitter_ns);
    path.opened |= shown.opened;
  }
  set_typical_jitter();
}

RoundTrips::Path RoundTrips::shown_by(const Connection& c, DurationNs jitter_below_ns) {
  Path p{c.client.ip,
         c.server.ip,
         smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns),
         smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns),
         c.handshake_rtt_ns,
         jitter_of(c, jitter_below_ns),
         known(c.rtt_probe_server_ns)};
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

DurationNs RoundTrips::jitter_ns(const Connection& c) const {
  const Path* path = find(c);
  return path != nullptr && known(path->jitter_ns) ? path->jitter_ns : typical_jitter_ns_;
}

bool RoundTrips::way_known(const IpAddress& client, const IpAddress& server) const {
  const Path* path = find(client, server);
  return path != nullptr && path->opened;
}

const RoundTrips::Path* RoundTrips::find(const IpAddress& client, const IpAddress& server) const {
  const auto ends = std::tie(client, server);
  const auto at = std::partition_point(paths_.begin(), paths_.end(), [&](const Path& p) {
    return std::tie(p.client, p.server) < ends;
  });
  return at != paths_.end() && std::tie(at->client, at->server) == ends ? &*at : nullptr;
}

DurationNs RoundTrips::probe_server_ns(const Connection& c) const {
  // Data is acknowledged with the answer when that comes soon: without a handshake the own shortest one
  // may have the server's time in it.
  if (known(c.rtt_probe_server_ns))
    return smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns);
  const Path* path = find(c);
  return path != nullptr ? path->server_ns : kUnknownNs;
}

DurationNs RoundTrips::probe_client_ns(const Connection& c) const {
  const DurationNs own = smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns);
  if (known(own)) return own;
  const Path* path = find(c);
  return path != nullptr ? path->client_ns : kUnknownNs;
}

DurationNs RoundTrips::whole_ns(const Connection& c) const {
  const Path* path = find(c);
  return path != nullptr ? path->whole_ns : kUnknownNs;
}

}  // namespace wirelag
