#include "dns_visibility.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace wirelag {
namespace {

/// What the capture shows of one client.
struct Sight {
  bool received = false;     ///< something was sent to it
  bool went_on = false;      ///< and would not have gone on without
  bool asked_again = false;  ///< what was not answered
  TimeNs first_unanswered_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;

  /// `resolver_seen`: the capture has packets of the resolver, to whomever.
  [[nodiscard]] bool only_its_own_packets(bool resolver_seen, DurationNs long_enough_ns) const {
    if (received) return false;
    if (went_on) return true;
    const DurationNs watched_ns = elapsed_ns(first_unanswered_ns, last_ns);
    return !resolver_seen && !asked_again && known(watched_ns) && watched_ns > long_enough_ns;
  }
};
using Sights = std::map<IpAddress, Sight>;

bool is_open(const DnsTransaction& d) {
  return d.outcome == DnsOutcome::unanswered && d.transport == DnsTransport::udp;
}

void look_at(const Connection& c, Sights& sights) {
  const auto client = sights.find(c.client.ip);
  if (client != sights.end()) {
    client->second.received |= c.half.s2c.packets > 0;
    client->second.went_on |= server_not_captured(c);
    client->second.last_ns = std::max(client->second.last_ns, c.last_time_ns);
  }
  const auto server = sights.find(c.server.ip);
  if (server != sights.end()) server->second.received |= c.half.c2s.packets > 0;
}

/// `dns` is in order of time.
void look_for_repetitions(const Transactions<DnsTransaction>& dns, DurationNs asks_again_ns,
                          Sights& sights) {
  std::map<std::tuple<IpAddress, std::string_view, std::uint16_t>, TimeNs> asked;
  for (const DnsTransaction& d : dns) {
    const auto client = sights.find(d.client.ip);
    if (client == sights.end() || d.query_frames.empty() || d.untimed) continue;
    Sight& sight = client->second;
    sight.last_ns = std::max(sight.last_ns, d.last_query_ns);
    if (!known(sight.first_unanswered_ns)) sight.first_unanswered_ns = d.first_query_ns;
    const auto [before, is_new] =
        asked.try_emplace({d.client.ip, d.qname, d.qtype}, d.first_query_ns);
    if (!is_new && d.first_query_ns - before->second <= asks_again_ns) sight.asked_again = true;
    before->second = d.first_query_ns;
    if (d.resent() > 0) sight.asked_again = true;
  }
}

/// The resolvers that owe an answer and have sent a packet, to whomever.
std::set<IpAddress> speaking_resolvers(const Transactions<DnsTransaction>& dns,
                                       const Transactions<Connection>& connections) {
  std::map<IpAddress, bool> speaks;  // by resolver
  for (const DnsTransaction& d : dns) {
    if (is_open(d)) speaks.try_emplace(d.resolver.ip, false);
  }
  const auto saw = [&](const IpAddress& sender) {
    const auto resolver = speaks.find(sender);
    if (resolver != speaks.end()) resolver->second = true;
  };
  for (const DnsTransaction& d : dns) {
    if (known(d.response_ns) || d.response_frame != 0) saw(d.resolver.ip);
    if (!d.query_frames.empty()) saw(d.client.ip);
  }
  for (const Connection& c : connections) {
    if (c.half.c2s.packets > 0) saw(c.client.ip);
    if (c.half.s2c.packets > 0) saw(c.server.ip);
  }
  std::set<IpAddress> speaking;
  for (const auto& [resolver, has_spoken] : speaks) {
    if (has_spoken) speaking.insert(resolver);
  }
  return speaking;
}

}  // namespace

void mark_not_visible(Transactions<DnsTransaction>& dns,
                      const Transactions<Connection>& connections, const LookupLimits& limits) {
  Sights sights;
  for (const DnsTransaction& d : dns) {
    if (is_open(d)) sights.try_emplace(d.client.ip);
  }
  if (sights.empty()) return;
  const std::set<IpAddress> speaking = speaking_resolvers(dns, connections);
  for (const DnsTransaction& d : dns) {
    const auto client = sights.find(d.client.ip);
    if (client != sights.end()) client->second.received |= known(d.response_ns);
    const auto resolver = sights.find(d.resolver.ip);
    if (resolver != sights.end()) resolver->second.received |= !d.query_frames.empty();
  }
  for (const Connection& c : connections) look_at(c, sights);
  look_for_repetitions(dns, limits.asks_again_ns, sights);
  for (std::size_t i = 0; i < dns.size(); ++i) {
    DnsTransaction& d = dns[i];
    if (is_open(d) &&
        sights.at(d.client.ip)
            .only_its_own_packets(speaking.contains(d.resolver.ip), limits.watched_ns)) {
      d.outcome = DnsOutcome::not_visible;
    }
  }
}

}  // namespace wirelag
