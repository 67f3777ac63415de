// Which answer released the client of a lookup.
//
//   A  ------answer                     no connection in between: both were waited for
//   AAAA ------------answer   SYN
//
//   A  ------answer   SYN               the client went on with the first
//   AAAA ---------------------answer
//
//   A  ------answer                     it went on right behind the HTTPS record: that was waited for
//   HTTPS -----------answer SYN
//
//   A  ------NXDOMAIN         A ------NXDOMAIN      one type has no answer: both are asked again,
//   AAAA                      AAAA                  and what was answered before released nobody
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

[[nodiscard]] bool has_address(const TypeState& type) {
  return type.qtype == dns_type::a || type.qtype == dns_type::aaaa;
}

/// Of the answers that `wanted` takes: the last that the client had when it went on, or when it has not the last of
/// all; the first when it had none.
struct Answers {
  const TypeState* first = nullptr;
  const TypeState* last = nullptr;
};
template <class Wanted>
Answers answers_until(TimeNs went_on_ns, const Draft& draft, Wanted&& wanted) {
  Answers found;
  for (const TypeState& type : draft.types) {
    if (!known(type.final_ns) || !wanted(type)) continue;
    if (found.first == nullptr || type.final_ns < found.first->final_ns) found.first = &type;
    if (known(went_on_ns) && type.final_ns > went_on_ns) continue;
    if (found.last == nullptr || type.final_ns > found.last->final_ns) found.last = &type;
  }
  return found;
}

/// Whether the client waited for its HTTPS record too. Some do, some do not, and nothing says which: it is taken for
/// who does only when it went on right behind that answer, and sooner behind it than that came behind the addresses.
[[nodiscard]] bool waited_for(const TypeState& https, const TypeState& address, TimeNs went_on_ns) {
  constexpr DurationNs kRightBehind = 10 * kMillisecondNs;
  if (!known(went_on_ns) || https.final_ns > went_on_ns) return false;
  const DurationNs gap = went_on_ns - https.final_ns;
  return gap <= kRightBehind && gap < https.final_ns - address.final_ns;
}

/// Whether a type that had no answer was asked for again together with the question at `at` of the draft.
[[nodiscard]] bool asked_beside(const Draft& draft, std::size_t at,
                                const Transactions<DnsTransaction>& all,
                                const LookupLimits& limits) {
  constexpr std::size_t kNear = 8;  // questions before and behind: as many as there are types
  const DnsTransaction& d = all[draft.asked[at]];
  const std::size_t end = std::min(draft.asked.size(), at + kNear + 1);
  for (std::size_t near = at - std::min(at, kNear); near < end; ++near) {
    const DnsTransaction& other = all[draft.asked[near]];
    if (other.qtype == d.qtype || !known(other.first_query_ns)) continue;
    if (std::abs(other.first_query_ns - d.first_query_ns) > limits.other_type_ns) continue;
    const bool lacking =
        std::any_of(draft.types.begin(), draft.types.end(), [&](const TypeState& type) {
          return type.qtype == other.qtype &&
                 type.pending_at(std::min(d.first_query_ns, other.first_query_ns));
        });
    if (lacking) return true;
  }
  return false;
}

/// Who asks again for what it has, together with a type that does not come, has not gone on with it: the latest such
/// answer before it went on is the one that counts. Whether there was one.
bool take_later_answers(Draft& draft, const Transactions<DnsTransaction>& all, TimeNs went_on_ns,
                        const LookupLimits& limits) {
  if (draft.asked.size() == draft.types.size()) return false;
  const std::vector<TypeState> first(draft.types.begin(), draft.types.end());
  bool taken = false;
  for (std::size_t at = 0; at < draft.asked.size(); ++at) {
    const DnsTransaction& d = all[draft.asked[at]];
    if (!known(d.response_ns) || !is_final(d.outcome)) continue;
    if (known(went_on_ns) && d.response_ns > went_on_ns) continue;
    for (std::size_t t = 0; t < first.size(); ++t) {
      TypeState& type = draft.types[t];
      if (type.qtype != d.qtype || first[t].pending_at(d.first_query_ns)) continue;
      if (d.response_ns <= type.final_ns || !asked_beside(draft, at, all, limits)) continue;
      type.final_ns = d.response_ns;
      type.final_by = draft.asked[at];
      taken = true;
    }
  }
  return taken;
}

/// The type whose answer released the client; null when there is none.
const TypeState* releasing(const Draft& draft, TimeNs went_on_ns) {
  const auto any = [](const TypeState&) { return true; };
  const auto is_https = [](const TypeState& type) { return type.qtype == dns_type::https; };
  const Answers addresses = answers_until(went_on_ns, draft, has_address);
  if (addresses.first == nullptr) {
    const Answers all = answers_until(went_on_ns, draft, any);
    return all.last != nullptr ? all.last : all.first;
  }
  const TypeState* https = answers_until(went_on_ns, draft, is_https).last;
  if (addresses.last == nullptr) return https != nullptr ? https : addresses.first;  // by a hint
  const bool later = https != nullptr && waited_for(*https, *addresses.last, went_on_ns);
  return later ? https : addresses.last;
}

}  // namespace

/// With A and AAAA asked together the client waits for both, unless it was seen to go on after one.
void release(Draft& draft, const Transactions<DnsTransaction>& all,
             const std::vector<IpAddress>& hosts, Openings& openings, const LookupLimits& limits) {
  // Only with answers to more than one type can it matter when the client went on.
  TimeNs went_on_ns = kUnknownNs;
  if (draft.types.size() > 1) {
    went_on_ns = went_on_at(draft, all, hosts, openings);
    if (take_later_answers(draft, all, went_on_ns, limits)) {
      went_on_ns = went_on_at(draft, all, hosts, openings);
    }
  }
  const TypeState* last = releasing(draft, went_on_ns);
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
