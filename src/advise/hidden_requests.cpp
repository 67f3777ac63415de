#include "hidden_requests.hpp"

#include <algorithm>

namespace wirelag {

HiddenRequests::HiddenRequests(const Dataset& data, const Correlation& correlation) : data_(data) {
  for (std::size_t i = 0; i < data.connections().size(); ++i) {
    const Connection& c = data.connections()[i];
    const bool web = speaks_web(c) || c.protocol == Protocol::unknown;
    if (web && may_hide(correlation.channels[i])) by_client_.push_back({c.client.ip, i});
  }
  std::sort(by_client_.begin(), by_client_.end());
}

bool HiddenRequests::may_hide(const Channel& channel) const {
  constexpr std::uint16_t kSwitchingProtocols = 101;
  return channel.http.empty() ||
         std::any_of(channel.http.begin(), channel.http.end(), [this](std::size_t i) {
           const HttpTransaction& h = data_.http()[i];
           return h.status == kSwitchingProtocols || h.method == "CONNECT";
         });
}

std::vector<HiddenRequests::Span> HiddenRequests::during(const Visit& visit,
                                                         const Sooner& sooner_ns) const {
  std::vector<Span> found;
  const TimeNs end_ns = visit.start_ns + visit.wait_ns;
  auto own = std::lower_bound(by_client_.begin(), by_client_.end(),
                              Member{visit.client_ip, std::size_t{0}});
  for (; own != by_client_.end() && own->client == visit.client_ip; ++own) {
    const std::size_t i = own->connection;
    const Connection& c = data_.connections()[i];
    const bool over = !c.untimed && c.last_time_ns < visit.start_ns;
    if (over || c.start_time_ns > end_ns) continue;
    const TimeNs last_ns = c.half.s2c.last_payload_ns;
    if (c.one_sided || c.untimed) {
      found.push_back({i, c.start_time_ns, kUnknownNs});
    } else if (known(last_ns)) {
      const auto sooner = sooner_ns.find(i);
      found.push_back(
          {i, c.start_time_ns, sooner == sooner_ns.end() ? last_ns : last_ns - sooner->second});
    }
  }
  return found;
}

DurationNs HiddenRequests::ends_last_by_ns(std::size_t connection, TimeNs answer_ns,
                                           const std::vector<Span>& spans) {
  if (!known(answer_ns)) return 0;
  DurationNs by_ns = INT64_MAX;
  for (const Span& s : spans) {
    if (s.connection == connection || s.from_ns >= answer_ns) continue;
    by_ns = std::min(by_ns, known(s.to_ns) ? answer_ns - s.to_ns : 0);
  }
  return std::max<DurationNs>(0, by_ns);
}

}  // namespace wirelag
