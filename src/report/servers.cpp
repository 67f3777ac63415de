#include "servers.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "format.hpp"

namespace wirelag::report {
namespace {

/// What is added up per server.
struct Tally {
  std::vector<IpAddress> clients;              ///< of each connection
  std::vector<std::pair<TimeNs, int>> opened;  ///< +1 opened, -1 let go
  std::size_t requests = 0;
  double open_ns = 0;  ///< sum over the requests of their time
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
};

class Collector {
 public:
  std::vector<ServerUse> run(const Dataset& data, const std::vector<ServerLoad>& loads) {
    for (const Connection& c : data.connections()) add(c);
    for (const HttpTransaction& h : data.http()) {
      if (h.request_seen) add(h.server, h.request_first_ns, h.response_last_ns);
    }
    for (const DatabaseTransaction& d : data.database()) {
      if (!d.waits_by_design) add(d.server, d.request_first_ns, d.response_last_ns);
    }
    std::vector<ServerUse> servers;
    for (auto& [server, tally] : tallies_) {
      if (tally.requests > 0) servers.push_back(use_of(server, tally));
    }
    for (const ServerLoad& load : loads) set_limit(servers, load);
    std::stable_sort(servers.begin(), servers.end(), [](const ServerUse& a, const ServerUse& b) {
      return a.in_flight > b.in_flight;
    });
    return servers;
  }

 private:
  void add(const Connection& c) {
    Tally& tally = tallies_[c.server];
    tally.clients.push_back(c.client.ip);
    tally.opened.emplace_back(c.start_time_ns, 1);
    const bool closed = c.close != CloseKind::open && known(c.close_time_ns);
    tally.opened.emplace_back(std::max(closed ? c.close_time_ns : c.last_time_ns, c.start_time_ns),
                              -1);
  }

  void add(const Endpoint& server, TimeNs from, TimeNs to) {
    const DurationNs open_ns = elapsed_ns(from, to);
    if (!known(open_ns)) return;
    Tally& tally = tallies_[server];
    ++tally.requests;
    tally.open_ns += static_cast<double>(open_ns);
    tally.first_ns = known(tally.first_ns) ? std::min(tally.first_ns, from) : from;
    tally.last_ns = known(tally.last_ns) ? std::max(tally.last_ns, to) : to;
  }

  static ServerUse use_of(const Endpoint& server, Tally& tally) {
    ServerUse use;
    use.server = server;
    std::sort(tally.clients.begin(), tally.clients.end());
    const auto last = std::unique(tally.clients.begin(), tally.clients.end());
    use.clients = static_cast<std::size_t>(last - tally.clients.begin());
    use.connections = tally.opened.size() / 2;
    // Opened before let go, where both are at once.
    std::sort(tally.opened.begin(), tally.opened.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first, -a.second) < std::pair(b.first, -b.second);
    });
    std::int64_t open = 0;
    for (const auto& [time_ns, change] : tally.opened) {
      open += change;
      use.open_at_once = std::max(use.open_at_once, static_cast<std::size_t>(open));
    }
    use.requests = tally.requests;
    use.answer_ns = tally.open_ns / static_cast<double>(tally.requests);
    const auto span_ns = static_cast<double>(tally.last_ns - tally.first_ns);
    if (span_ns <= 0) return use;
    use.per_second = static_cast<double>(tally.requests) / span_ns * kSecondNs;
    use.in_flight = tally.open_ns / span_ns;
    return use;
  }

  /// A server's limit is seen only where more requests in flight did not bring more answers.
  static void set_limit(std::vector<ServerUse>& servers, const ServerLoad& load) {
    if (load.beyond() == 0) return;
    for (ServerUse& use : servers) {
      if (use.server == load.server) use.limit_per_second = load.x_max;
    }
  }

  std::map<Endpoint, Tally> tallies_;
};

std::string short_number(double n) { return fmt::format("{:.{}f}", n, n < 10 ? 2 : 0); }

}  // namespace

std::vector<ServerUse> servers_of(const Dataset& data, const std::vector<ServerLoad>& loads) {
  return Collector().run(data, loads);
}

std::vector<std::string> server_cells(const ServerUse& s) {
  const bool rate = s.per_second > 0;
  const double per_client =
      static_cast<double>(s.connections) / static_cast<double>(std::max<std::size_t>(s.clients, 1));
  return {
      s.server.text(),
      std::to_string(s.clients),
      fmt::format("{:.1f}", per_client),
      std::to_string(s.open_at_once),
      std::to_string(s.requests),
      rate ? short_number(s.per_second) : std::string(kNone),
      ms_number(static_cast<DurationNs>(s.answer_ns)),
      rate ? short_number(s.in_flight) : std::string(kNone),
      s.limit_per_second > 0 ? short_number(s.limit_per_second) : std::string(kNone),
      s.limit_per_second > 0 ? fmt::format("{:.0f} %", 100 * s.utilisation()) : std::string(kNone)};
}

std::string_view about_servers() {
  return "conns/client: connections that a client address opened, on average. open: most "
         "connections open at once. in flight: requests per second x mean answer (Little's law), "
         "so "
         "many threads or slots are taken on average; a millisecond less per answer frees that "
         "much "
         "of them. limit/s: most answers per second, known only where more requests in flight just "
         "waited longer. used: requests per second of that limit (utilisation).";
}

}  // namespace wirelag::report
