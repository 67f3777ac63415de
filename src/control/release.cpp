// Which answer released the client of a lookup.
//
//   A  ------answer                     no connection in between: both were waited for
//   AAAA ------------answer   SYN
//
//   A  ------answer   SYN               the client went on with the first
//   AAAA ---------------------answer
#include <algorithm>

#include <wirelag/track/dns/message.hpp>

#include "draft.hpp"

namespace wirelag {

Openings::Openings(const Transactions<Connection>& connections) {
  by_client_.reserve(connections.size());
  for (const Connection& c : connections) {
    if (c.state == ConnectionState::midstream) continue;
    by_client_.push_back({c.server.ip, c.client.ip, c.start_time_ns});
  }
  std::sort(by_client_.begin(), by_client_.end());
}

/// Only on a capture host that asks itself is it not known which client is meant.
void Openings::forget_clients() {
  by_server_ = by_client_;
  for (Opening& o : by_server_) o.client = {};
  std::sort(by_server_.begin(), by_server_.end());
}

TimeNs Openings::first_after(const IpAddress& server, const std::vector<IpAddress>& hosts,
                             TimeNs after) {
  if (hosts.empty()) {
    if (by_server_.empty()) forget_clients();
    return first(by_server_, {server, {}, after});
  }
  TimeNs earliest = kUnknownNs;
  for (const IpAddress& host : hosts) {
    const TimeNs t = first(by_client_, {server, host, after});
    if (known(t) && (!known(earliest) || t < earliest)) earliest = t;
  }
  return earliest;
}

TimeNs Openings::first(const std::vector<Opening>& in, const Opening& from) {
  const auto found = std::lower_bound(in.begin(), in.end(), from);
  const bool same =
      found != in.end() && found->server == from.server && found->client == from.client;
  return same ? found->time_ns : kUnknownNs;
}

std::vector<IpAddress> addresses_in(const DnsTransaction& d) {
  if (d.outcome != DnsOutcome::answered && d.outcome != DnsOutcome::response_only) return {};
  return decode_addresses(d.response);
}

namespace {

/// When the client opened its first connection to an address of the lookup; unknown when it did
/// not.
TimeNs went_on_at(const Draft& draft, const Transactions<DnsTransaction>& all,
                  const std::vector<IpAddress>& hosts, Openings& openings) {
  TimeNs earliest = kUnknownNs;
  for (const TypeState& type : draft.types) {
    if (type.final_by == Dataset::kNone) continue;
    for (const IpAddress& ip : addresses_in(all[type.final_by])) {
      const TimeNs t = openings.first_after(ip, hosts, type.final_ns);
      if (known(t) && (!known(earliest) || t < earliest)) earliest = t;
    }
  }
  return earliest;
}

/// Nothing ended the question: the client was left with the last unusable answer, if it had not
/// asked again after it.
void release_without_final(Draft& draft, const Transactions<DnsTransaction>& all) {
  TimeNs last_query_ns = kUnknownNs;
  std::size_t last = Dataset::kNone;
  for (const std::size_t i : draft.asked) {
    last_query_ns = std::max(last_query_ns, all[i].last_query_ns);
    if (!known(all[i].response_ns)) continue;
    if (last == Dataset::kNone || all[i].response_ns > all[last].response_ns) last = i;
  }
  if (last == Dataset::kNone || all[last].response_ns < last_query_ns) return;
  draft.released_by = last;
  draft.end_ns = all[last].response_ns;
  draft.outcome = all[last].outcome;
}

}  // namespace

/// With A and AAAA asked together the client waits for both, unless it was seen to go on after one.
void release(Draft& draft, const Transactions<DnsTransaction>& all,
             const std::vector<IpAddress>& hosts, Openings& openings) {
  // Only with answers to more than one type can it matter when the client went on.
  const TimeNs went_on_ns =
      draft.types.size() < 2 ? kUnknownNs : went_on_at(draft, all, hosts, openings);
  const bool addresses = std::any_of(draft.types.begin(), draft.types.end(), [](const auto& type) {
    return known(type.final_ns) && (type.qtype == dns_type::a || type.qtype == dns_type::aaaa);
  });
  const TypeState* last = nullptr;
  const TypeState* first = nullptr;
  for (const TypeState& type : draft.types) {
    if (!known(type.final_ns)) continue;
    if (addresses && type.qtype != dns_type::a && type.qtype != dns_type::aaaa) continue;
    if (first == nullptr || type.final_ns < first->final_ns) first = &type;
    if (known(went_on_ns) && type.final_ns > went_on_ns) continue;
    if (last == nullptr || type.final_ns > last->final_ns) last = &type;
  }
  if (last == nullptr) last = first;
  if (last == nullptr) return release_without_final(draft, all);

  draft.released_by = last->final_by;
  draft.end_ns = last->final_ns;
  draft.outcome = all[last->final_by].outcome;
  for (const TypeState& type : draft.types) {
    const bool answered = type.final_by != Dataset::kNone && type.final_ns <= draft.end_ns &&
                          all[type.final_by].outcome == DnsOutcome::answered;
    if (answered) draft.outcome = DnsOutcome::answered;
  }
}

}  // namespace wirelag
