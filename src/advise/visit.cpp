#include "visit.hpp"

#include <algorithm>
#include <tuple>

namespace wirelag {
namespace {

constexpr DurationNs kSilenceNs = 1 * kSecondNs;
constexpr DurationNs kLongestVisitNs = 30 * kSecondNs;

/// Something a client did: opened a connection, sent a request, spoke TLS.
struct Activity {
  enum class What : std::uint8_t { connection, request, other };

  IpAddress client_ip;
  TimeNs from_ns;
  What what;
  std::size_t index;
  TimeNs to_ns;

  bool operator<(const Activity& other) const {
    return std::tie(client_ip, from_ns, what, index) <
           std::tie(other.client_ip, other.from_ns, other.what, other.index);
  }
};

std::vector<Activity> activities(const Dataset& data) {
  using What = Activity::What;
  std::vector<Activity> all;
  const auto add = [&all](const IpAddress& client, TimeNs from, TimeNs to, What what,
                          std::size_t index) {
    if (known(from)) all.push_back({client, from, what, index, std::max(from, to)});
  };
  for (std::size_t i = 0; i < data.connections().size(); ++i) {
    const Connection& c = data.connections()[i];
    if (c.state != ConnectionState::midstream) {
      add(c.client.ip, c.start_time_ns, c.established_time_ns, What::connection, i);
    }
  }
  for (std::size_t i = 0; i < data.http().size(); ++i) {
    const HttpTransaction& h = data.http()[i];
    const TimeNs end = known(h.response_last_ns) ? h.response_last_ns : h.request_last_ns;
    add(h.client.ip, h.request_first_ns, end, What::request, i);
  }
  for (std::size_t i = 0; i < data.tls().size(); ++i) {
    const TlsHandshake& t = data.tls()[i];
    add(t.client.ip, t.client_hello_ns, std::max(t.first_client_data_ns, t.first_server_data_ns),
        What::other, i);
  }
  std::sort(all.begin(), all.end());
  return all;
}

void add_request(Visit& visit, const HttpTransaction& h, std::size_t index) {
  const TimeNs end = known(h.response_last_ns) ? h.response_last_ns : kNeverAnswered;
  const TimeNs before = visit.answered_ns.empty() ? kUnknownNs : visit.answered_ns.back();
  visit.requests.push_back(index);
  visit.answered_ns.push_back(std::max(before, end));
}

}  // namespace

std::vector<Visit> find_visits(const Dataset& data) {
  std::vector<Visit> visits;
  TimeNs end_ns = 0;
  for (const Activity& a : activities(data)) {
    const bool goes_on = !visits.empty() && visits.back().client_ip == a.client_ip &&
                         a.from_ns - end_ns < kSilenceNs &&
                         a.from_ns - visits.back().start_ns < kLongestVisitNs;
    if (!goes_on) {
      visits.push_back({a.client_ip, a.from_ns, {}, {}, {}});
      end_ns = a.to_ns;
    }
    end_ns = std::max(end_ns, a.to_ns);
    if (a.what == Activity::What::connection) visits.back().connections.push_back(a.index);
    if (a.what == Activity::What::request)
      add_request(visits.back(), data.http()[a.index], a.index);
  }
  return visits;
}

}  // namespace wirelag
