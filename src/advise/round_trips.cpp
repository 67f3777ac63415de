#include "round_trips.hpp"

#include <tuple>

namespace wirelag {
namespace {

/// A sample this far above the smallest one is a delayed ACK (Linux: 40 ms or more) or a queue.
constexpr DurationNs kNoJitterNs = 30 * kMillisecondNs;

/// How much the samples of one side last longer than the smallest, on average.
DurationNs mean_excess_ns(const RttStats& rtt) {
  if (rtt.samples < 2 || rtt.max_ns - rtt.min_ns >= kNoJitterNs) return kUnknownNs;
  return rtt.mean_ns() - rtt.min_ns;
}

/// Of both sides together, where both are known.
DurationNs jitter_of(const Connection& c) {
  const DurationNs server = mean_excess_ns(c.rtt_probe_server);
  const DurationNs client = mean_excess_ns(c.rtt_probe_client);
  return known(server) && known(client) ? server + client : kUnknownNs;
}

}  // namespace

RoundTrips::RoundTrips(const Dataset& data) {
  paths_.reserve(data.connections().size());
  for (const Connection& c : data.connections()) {
    Path p{c.client.ip,
           c.server.ip,
           smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns),
           smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns),
           c.handshake_rtt_ns,
           jitter_of(c)};
    if (!known(p.whole_ns) && known(c.rtt_probe_server.min_ns) &&
        known(c.rtt_probe_client.min_ns)) {
      p.whole_ns = plus_ns(c.rtt_probe_server.min_ns, c.rtt_probe_client.min_ns);
    }
    if (known(p.server_ns) || known(p.client_ns) || known(p.whole_ns)) paths_.push_back(p);
  }
  const auto by_ends = [](const Path& a, const Path& b) {
    return std::tie(a.client, a.server) < std::tie(b.client, b.server);
  };
  std::sort(paths_.begin(), paths_.end(), by_ends);
  std::vector<Path> merged;
  for (const Path& p : paths_) {
    if (merged.empty() || by_ends(merged.back(), p)) {
      merged.push_back(p);
      continue;
    }
    merged.back().server_ns = smaller(merged.back().server_ns, p.server_ns);
    merged.back().client_ns = smaller(merged.back().client_ns, p.client_ns);
    merged.back().whole_ns = smaller(merged.back().whole_ns, p.whole_ns);
    merged.back().jitter_ns = std::max(merged.back().jitter_ns, p.jitter_ns);
  }
  paths_ = std::move(merged);
  set_typical_jitter();
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

const RoundTrips::Path* RoundTrips::find(const Connection& c) const {
  const auto ends = std::tie(c.client.ip, c.server.ip);
  const auto at = std::partition_point(paths_.begin(), paths_.end(), [&](const Path& p) {
    return std::tie(p.client, p.server) < ends;
  });
  return at != paths_.end() && std::tie(at->client, at->server) == ends ? &*at : nullptr;
}

DurationNs RoundTrips::probe_server_ns(const Connection& c) const {
  const DurationNs own = smaller(c.rtt_probe_server_ns, c.rtt_probe_server.min_ns);
  if (known(own)) return own;
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
