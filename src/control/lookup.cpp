// DNS transactions to lookups, in four steps:
//
//   1 stubs        which questions a stub asked for another question            (stub.cpp)
//   2 grouping     the remaining ones of one client and name, swept in order: a question joins the
//                  lookup before it while that one has no answer, or when it asks for another
//                  record type right beside it
//   3 release      the answer after which the client went on                     (release.cpp)
//   4 search list  NXDOMAIN for name.suffix, then the shorter name: one lookup    (search_list.cpp)
//
// What belongs together is decided by LookupLimits (control/limits.hpp).
#include <algorithm>
#include <tuple>

#include "draft.hpp"

namespace wirelag {
namespace {

/// Record types in one lookup; whoever asks for more is not waiting for an address.
constexpr std::size_t kMaxTypes = 8;

TypeState* state_of(Draft& draft, std::uint16_t qtype) {
  for (TypeState& t : draft.types) {
    if (t.qtype == qtype) return &t;
  }
  return nullptr;
}

bool joins(Draft& draft, const DnsTransaction& d, const LookupLimits& limits) {
  const TimeNs t = d.first_query_ns;
  if (!known(t) || !known(draft.start_ns) || t - draft.start_ns > limits.longest_ns) return false;
  const bool new_type = state_of(draft, d.qtype) == nullptr;
  if (new_type && draft.types.size() == kMaxTypes) return false;

  TimeNs last_event_ns = draft.start_ns;
  for (const TypeState& type : draft.types) {
    if (type.retried_at(t, limits)) return true;
    last_event_ns = std::max(last_event_ns, type.last_query_ns);
    if (!type.pending_at(t)) last_event_ns = std::max(last_event_ns, type.final_ns);
  }
  return new_type && t - last_event_ns <= limits.other_type_ns;
}

void add(Draft& draft, std::size_t index, const DnsTransaction& d) {
  draft.asked.push_back(index);
  if (draft.asked.size() == 1) draft.start_ns = d.first_query_ns;
  TypeState* type = state_of(draft, d.qtype);
  if (type == nullptr) {
    draft.types.push_back({.qtype = d.qtype});
    type = &draft.types.back();
  }
  type->last_query_ns = std::max(type->last_query_ns, d.last_query_ns);
  if (!known(d.response_ns)) return;
  if (!is_final(d.outcome) && d.outcome != DnsOutcome::response_only) {
    type->unusable_ns = std::max(type->unusable_ns, d.response_ns);
  } else if (!known(type->final_ns) || d.response_ns < type->final_ns) {
    type->final_ns = d.response_ns;
    type->final_by = index;
  }
}

/// Step 2. Responses without a query stand alone: nobody knows when their wait began.
std::vector<Draft> group(const Transactions<DnsTransaction>& all,
                         const std::vector<std::size_t>& parents, const LookupLimits& limits) {
  struct Question {
    IpAddress client;
    std::string_view name;
    std::size_t index;
    auto operator<=>(const Question&) const = default;
  };
  std::vector<Question> asked;
  asked.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (parents[i] == Dataset::kNone) asked.push_back({all[i].client.ip, all[i].qname, i});
  }
  std::sort(asked.begin(), asked.end());

  std::vector<Draft> drafts;
  drafts.reserve(asked.size());
  const Question* before = nullptr;
  for (const Question& q : asked) {
    const bool same_name =
        before != nullptr && before->client == q.client && before->name == q.name;
    before = &q;
    const DnsTransaction& d = all[q.index];
    if (!same_name || !joins(drafts.back(), d, limits)) drafts.emplace_back();
    add(drafts.back(), q.index, d);
  }
  return drafts;
}

void add_addresses(Draft& draft, const Transactions<DnsTransaction>& all) {
  for (const std::size_t i : draft.asked) {
    for (const IpAddress& ip : addresses_in(all[i])) {
      const auto& seen = draft.addresses;
      if (std::find(seen.begin(), seen.end(), ip) == seen.end()) draft.addresses.push_back(ip);
    }
  }
}

// ----------------------------------------------------------------------------------- the results

AnswerRole answer_of_asked(const DnsTransaction& d, std::size_t index, const Draft& draft,
                           const DnsTransaction& released) {
  if (index == draft.released_by) return AnswerRole::released;
  if (d.outcome == DnsOutcome::not_visible) return AnswerRole::not_visible;
  if (!known(d.response_ns)) return AnswerRole::unanswered;
  if (d.response_ns > draft.end_ns) return AnswerRole::spare;
  // A second answer to the very question that released the client changed nothing.
  const bool again = d.qtype == released.qtype && d.qname == released.qname && is_final(d.outcome);
  return again ? AnswerRole::spare : AnswerRole::contributed;
}

/// A stub passes the first upstream answer of a kind on: that one won.
bool could_win(const DnsTransaction& upstream, const DnsTransaction& asked) {
  if (!known(upstream.response_ns) || !known(asked.response_ns)) return false;
  if (upstream.response_ns > asked.response_ns) return false;
  return upstream.outcome == asked.outcome ||
         (asked.outcome == DnsOutcome::truncated && upstream.outcome == DnsOutcome::answered);
}

/// The questions a stub sent for one question, with their roles.
void add_forwarded(Lookup& lookup, const std::vector<std::size_t>& upstream,
                   const DnsTransaction& asked, const Transactions<DnsTransaction>& all) {
  std::size_t winner = Dataset::kNone;
  for (const std::size_t i : upstream) {
    if (!could_win(all[i], asked)) continue;
    if (winner == Dataset::kNone || all[i].response_ns < all[winner].response_ns) winner = i;
  }
  const TimeNs decided_ns = winner != Dataset::kNone ? all[winner].response_ns : asked.response_ns;
  for (const std::size_t i : upstream) {
    AnswerRole role = AnswerRole::spare;
    if (i == winner) {
      role = AnswerRole::won;
    } else if (all[i].outcome == DnsOutcome::not_visible) {
      role = AnswerRole::not_visible;
    } else if (!known(all[i].response_ns)) {
      role = AnswerRole::unanswered;
    } else if (known(decided_ns) && all[i].response_ns <= decided_ns) {
      role = AnswerRole::contributed;
    }
    lookup.members.push_back({i, LookupRole::forwarded, role});
  }
}

/// Questions by the question they were asked for.
class Upstream {
 public:
  explicit Upstream(const std::vector<std::size_t>& parents) {
    for (std::size_t i = 0; i < parents.size(); ++i) {
      if (parents[i] != Dataset::kNone) links_.push_back({parents[i], i});
    }
    std::sort(links_.begin(), links_.end());
  }

  [[nodiscard]] std::vector<std::size_t> of(std::size_t parent) const {
    std::vector<std::size_t> children;
    for (auto at = std::lower_bound(links_.begin(), links_.end(), Link{parent, 0});
         at != links_.end() && at->first == parent; ++at) {
      children.push_back(at->second);
    }
    return children;
  }

 private:
  using Link = std::pair<std::size_t, std::size_t>;
  std::vector<Link> links_;
};

void add_host(std::vector<IpAddress>& hosts, const IpAddress& ip) {
  if (ip.is_loopback() || std::find(hosts.begin(), hosts.end(), ip) != hosts.end()) return;
  hosts.push_back(ip);
}

/// hosts_of(), before there is a lookup.
std::vector<IpAddress> hosts_of(const Draft& draft, const Upstream& upstream,
                                const Transactions<DnsTransaction>& all) {
  std::vector<IpAddress> hosts;
  for (const std::size_t i : draft.asked) {
    add_host(hosts, all[i].client.ip);
    if (!all[i].resolver.ip.is_loopback()) continue;
    for (const std::size_t child : upstream.of(i)) add_host(hosts, all[child].client.ip);
  }
  return hosts;
}

Lookup finish(const Draft& draft, const std::vector<std::size_t>& asked, const Upstream& upstream,
              const Transactions<DnsTransaction>& all) {
  const DnsTransaction& question = all[draft.asked.front()];
  Lookup lookup;
  lookup.client_ip = question.client.ip;
  lookup.qname = question.qname;
  lookup.outcome = draft.outcome;
  const bool silent = draft.outcome == DnsOutcome::unanswered;
  for (const std::size_t i : draft.asked) {
    if (silent && all[i].outcome == DnsOutcome::not_visible) lookup.outcome = all[i].outcome;
  }
  lookup.released_by = draft.released_by;
  lookup.addresses = draft.addresses;
  lookup.start_time_ns = all[asked.front()].first_query_ns;
  lookup.end_time_ns = draft.end_ns;
  const bool untimed =
      std::any_of(asked.begin(), asked.end(), [&](std::size_t i) { return all[i].untimed; });
  lookup.wait_ns = untimed ? kUnknownNs : elapsed_ns(lookup.start_time_ns, lookup.end_time_ns);

  const DnsTransaction nobody;
  const DnsTransaction& released =
      draft.released_by != Dataset::kNone ? all[draft.released_by] : nobody;
  lookup.last_frame = released.response_frame;
  for (const std::size_t i : asked) {
    auto& types = lookup.qtypes;
    if (std::find(types.begin(), types.end(), all[i].qtype) == types.end()) {
      types.push_back(all[i].qtype);
    }
    lookup.members.push_back({i, LookupRole::asked, answer_of_asked(all[i], i, draft, released)});
  }
  // Stubs may ask stubs: members are appended while the list is walked.
  for (std::size_t n = 0; n < lookup.members.size(); ++n) {
    const std::size_t parent = lookup.members[n].transaction;
    add_forwarded(lookup, upstream.of(parent), all[parent], all);
  }
  std::sort(lookup.members.begin(), lookup.members.end(),
            [](const auto& a, const auto& b) { return a.transaction < b.transaction; });
  const DnsTransaction& first = all[lookup.members.front().transaction];
  lookup.first_frame = first.query_frames.empty() ? first.response_frame : first.query_frames[0];
  return lookup;
}

/// A step of a search list and the lookup that it led to; both are drafts.
struct Step {
  std::size_t lookup;
  std::size_t step;
  auto operator<=>(const Step&) const = default;
};

std::vector<Step> steps_of(const std::vector<Draft>& drafts) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    std::size_t root = i;
    while (drafts[root].merged_into != Dataset::kNone) root = drafts[root].merged_into;
    if (root != i) steps.push_back({root, i});
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

/// The questions of a lookup and its steps, ascending.
std::vector<std::size_t> asked_in(std::size_t lookup, const std::vector<Draft>& drafts,
                                  const std::vector<Step>& steps) {
  std::vector<std::size_t> asked = drafts[lookup].asked;
  for (auto at = std::lower_bound(steps.begin(), steps.end(), Step{lookup, 0});
       at != steps.end() && at->lookup == lookup; ++at) {
    const std::vector<std::size_t>& more = drafts[at->step].asked;
    asked.insert(asked.end(), more.begin(), more.end());
  }
  std::sort(asked.begin(), asked.end());
  return asked;
}

}  // namespace

std::vector<IpAddress> hosts_of(const Lookup& lookup, const Transactions<DnsTransaction>& all) {
  std::vector<IpAddress> hosts;
  add_host(hosts, lookup.client_ip);
  if (!lookup.client_ip.is_loopback()) return hosts;
  for (const LookupMember& member : lookup.members) {
    add_host(hosts, all[member.transaction].client.ip);
  }
  return hosts;
}

std::vector<Lookup> find_lookups(const Dataset& data, const LookupLimits& limits) {
  const Transactions<DnsTransaction>& all = data.dns();
  const std::vector<std::size_t> parents = find_stub_parents(all, limits.stub_patience_ns);
  const Upstream upstream(parents);

  std::vector<Draft> drafts = group(all, parents, limits);
  const Openings openings(data.connections());
  for (Draft& draft : drafts) {
    release(draft, all, hosts_of(draft, upstream, all), openings);
    add_addresses(draft, all);
  }
  join_search_lists(drafts, all, limits);

  const std::vector<Step> steps = steps_of(drafts);
  std::vector<Lookup> lookups;
  std::vector<std::pair<std::size_t, std::size_t>> order;  // first transaction, index into lookups
  lookups.reserve(drafts.size());
  order.reserve(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (drafts[i].merged_into != Dataset::kNone) continue;
    lookups.push_back(finish(drafts[i], asked_in(i, drafts, steps), upstream, all));
    order.emplace_back(lookups.back().members.front().transaction, order.size());
  }
  std::sort(order.begin(), order.end());
  std::vector<Lookup> sorted;
  sorted.reserve(lookups.size());
  for (const auto& [first, index] : order) sorted.push_back(std::move(lookups[index]));
  return sorted;
}

}  // namespace wirelag
