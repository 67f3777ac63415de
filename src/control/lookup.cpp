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

#include <wirelag/track/dns/message.hpp>

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

/// To the last draft.
void add(Drafts& drafts, SmallIndex index, const DnsTransaction& d) {
  Draft& draft = drafts.all.back();
  if (draft.asked.empty()) draft.start_ns = d.first_query_ns;
  drafts.asked.append(draft.asked, index);
  TypeState* type = state_of(draft, d.qtype);
  if (type == nullptr) {
    drafts.types.append(draft.types, TypeState{});
    type = &draft.types.back();
    type->qtype = d.qtype;
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
Drafts group(const Transactions<DnsTransaction>& all, const std::vector<std::size_t>& parents,
             const LookupLimits& limits) {
  struct Question {
    IpAddress client;
    std::string_view name;
    SmallIndex index;
    auto operator<=>(const Question&) const = default;
  };
  std::vector<Question> asked;
  asked.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (parents[i] == Dataset::kNone) asked.push_back({all[i].client.ip, all[i].qname, i});
  }
  std::sort(asked.begin(), asked.end());

  Drafts drafts{{}, ListRoom<SmallIndex>(asked.size()), ListRoom<TypeState>(asked.size()), {}};
  drafts.all.reserve(asked.size());
  const Question* before = nullptr;
  for (const Question& q : asked) {
    const bool same_name =
        before != nullptr && before->client == q.client && before->name == q.name;
    before = &q;
    const DnsTransaction& d = all[q.index];
    if (!same_name || !joins(drafts.all.back(), d, limits)) drafts.all.emplace_back();
    add(drafts, q.index, d);
  }
  return drafts;
}

/// An address takes no less of a response than this: its record's name, type, class, TTL, length, itself.
constexpr std::size_t kLeastAddressRecord = 1 + 2 + 2 + 4 + 2 + 4;
/// One of the hints in an HTTPS record.
constexpr std::size_t kLeastHint = 4;

/// Each address once, where it came first. Sorted, not looked up one by one: answers choose how many there are.
class Distinct {
 public:
  void add(const IpAddress& ip) { found_.push_back({ip, found_.size()}); }

  /// Forgets them.
  std::vector<IpAddress> take() {
    std::sort(found_.begin(), found_.end());
    const auto same = [](const Found& a, const Found& b) { return a.ip == b.ip; };
    found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
    std::sort(found_.begin(), found_.end(),
              [](const Found& a, const Found& b) { return a.place < b.place; });
    std::vector<IpAddress> in_order;
    for (const Found& f : found_) in_order.push_back(f.ip);
    found_.clear();
    return in_order;
  }

 private:
  struct Found {
    IpAddress ip;
    std::size_t place;
    auto operator<=>(const Found&) const = default;
  };
  std::vector<Found> found_;
};

void add_addresses(Drafts& drafts, const Transactions<DnsTransaction>& all) {
  std::size_t most = 0;
  for (const DnsTransaction& d : all) {
    most += d.response.size() / (d.qtype == dns_type::https ? kLeastHint : kLeastAddressRecord);
  }
  drafts.addresses = ListRoom<IpAddress>(std::min(most, drafts.all.size() * Lookup::kMaxAddresses));
  Distinct distinct;
  for (Draft& draft : drafts.all) {
    for (const std::size_t i : draft.asked) {
      for (const IpAddress& ip : addresses_in(all[i])) distinct.add(ip);
    }
    const std::vector<IpAddress> found = distinct.take();
    const std::size_t kept = std::min(found.size(), Lookup::kMaxAddresses);
    for (std::size_t i = 0; i < kept; ++i) drafts.addresses.append(draft.addresses, found[i]);
    draft.addresses_left_out = static_cast<std::uint32_t>(found.size() - kept);
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

/// A question that a stub asked for another one.
struct Forwarded {
  SmallIndex parent;
  SmallIndex question;
  auto operator<=>(const Forwarded&) const = default;
};

/// The questions a stub sent for one question, with their roles.
void add_forwarded(std::vector<LookupMember>& members, std::span<const Forwarded> upstream,
                   const DnsTransaction& asked, const Transactions<DnsTransaction>& all) {
  std::size_t winner = Dataset::kNone;
  for (const auto& [parent, i] : upstream) {
    if (!could_win(all[i], asked)) continue;
    if (winner == Dataset::kNone || all[i].response_ns < all[winner].response_ns) winner = i;
  }
  const TimeNs decided_ns = winner != Dataset::kNone ? all[winner].response_ns : asked.response_ns;
  for (const auto& [parent, i] : upstream) {
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
    members.push_back({i, LookupRole::forwarded, role});
  }
}

/// Questions by the question they were asked for.
class Upstream {
 public:
  explicit Upstream(const std::vector<std::size_t>& parents) {
    for (std::size_t i = 0; i < parents.size(); ++i) {
      if (parents[i] != Dataset::kNone) forwarded_.push_back({parents[i], i});
    }
    std::sort(forwarded_.begin(), forwarded_.end());
  }

  [[nodiscard]] std::span<const Forwarded> of(std::size_t parent) const {
    const auto from =
        std::lower_bound(forwarded_.begin(), forwarded_.end(), Forwarded{parent, std::size_t{0}});
    auto to = from;
    while (to != forwarded_.end() && to->parent == parent) ++to;
    return {from, to};
  }

 private:
  std::vector<Forwarded> forwarded_;
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
    for (const auto& [parent, child] : upstream.of(i)) add_host(hosts, all[child].client.ip);
  }
  return hosts;
}

/// A step of a search list and the lookup that it led to; both are drafts.
struct Step {
  SmallIndex lookup;
  SmallIndex step;
  auto operator<=>(const Step&) const = default;
};

std::vector<Step> steps_of(std::span<const Draft> drafts) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    std::size_t root = i;
    while (drafts[root].merged_into != Dataset::kNone) root = drafts[root].merged_into;
    if (root != i) steps.push_back({root, i});
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

/// Makes lookups of the drafts, one by one.
class Finisher {
 public:
  Finisher(const Drafts& drafts, const Upstream& upstream, const Transactions<DnsTransaction>& all)
      : drafts_(drafts.all), upstream_(upstream), all_(all), steps_(steps_of(drafts.all)) {}

  void run(Correlation& correlation) {
    const std::vector<Place> order = in_order();
    correlation.lookups.reserve(order.size());
    correlation.lookup_lists.members = ListRoom<LookupMember>(all_.size());
    correlation.lookup_lists.qtypes = ListRoom<std::uint16_t>(all_.size());
    for (const Place& place : order) {
      correlation.lookups.push_back(finish(place.draft, correlation.lookup_lists));
    }
  }

 private:
  /// Where a lookup comes: by its first question. What a stub asked for it comes after that.
  struct Place {
    SmallIndex first;
    SmallIndex draft;
    auto operator<=>(const Place&) const = default;
  };

  std::vector<Place> in_order() {
    std::vector<Place> order;
    order.reserve(drafts_.size());
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (drafts_[i].merged_into != Dataset::kNone) continue;
      find_asked(i);
      order.push_back({asked_.front(), i});
    }
    std::sort(order.begin(), order.end());
    return order;
  }

  /// The questions of a lookup and its steps, ascending.
  void find_asked(std::size_t draft) {
    asked_.assign(drafts_[draft].asked.begin(), drafts_[draft].asked.end());
    const std::size_t own = asked_.size();
    for (auto at = std::lower_bound(steps_.begin(), steps_.end(), Step{draft, std::size_t{0}});
         at != steps_.end() && at->lookup == draft; ++at) {
      const auto& more = drafts_[at->step].asked;
      asked_.insert(asked_.end(), more.begin(), more.end());
    }
    if (asked_.size() > own) std::sort(asked_.begin(), asked_.end());
  }

  Lookup finish(std::size_t index, LookupLists& lists) {
    find_asked(index);
    const Draft& draft = drafts_[index];
    const DnsTransaction& question = all_[draft.asked.front()];
    Lookup lookup;
    lookup.client_ip = question.client.ip;
    lookup.qname = question.qname;
    lookup.outcome = draft.outcome;
    const bool silent = draft.outcome == DnsOutcome::unanswered;
    for (const std::size_t i : draft.asked) {
      if (silent && all_[i].outcome == DnsOutcome::not_visible) lookup.outcome = all_[i].outcome;
    }
    lookup.released_by = draft.released_by;
    lookup.addresses = ShortSpan<IpAddress>(draft.addresses);
    lookup.addresses_left_out = draft.addresses_left_out;
    lookup.start_time_ns = all_[asked_.front()].first_query_ns;
    lookup.end_time_ns = draft.end_ns;
    const bool untimed =
        std::any_of(asked_.begin(), asked_.end(), [&](std::size_t i) { return all_[i].untimed; });
    lookup.wait_ns = untimed ? kUnknownNs : elapsed_ns(lookup.start_time_ns, lookup.end_time_ns);
    add_types(lookup, lists);
    add_members(lookup, draft, lists);
    const DnsTransaction& first = all_[lookup.members.front().transaction];
    lookup.first_frame = first.query_frames.empty() ? first.response_frame : first.query_frames[0];
    return lookup;
  }

  void add_types(Lookup& lookup, LookupLists& lists) const {
    for (const std::size_t i : asked_) {
      const auto& types = lookup.qtypes;
      if (std::find(types.begin(), types.end(), all_[i].qtype) == types.end()) {
        lists.qtypes.append(lookup.qtypes, all_[i].qtype);
      }
    }
  }

  void add_members(Lookup& lookup, const Draft& draft, LookupLists& lists) {
    static const DnsTransaction kNobody;
    const DnsTransaction& released =
        draft.released_by != Dataset::kNone ? all_[draft.released_by] : kNobody;
    lookup.last_frame = released.response_frame;
    members_.clear();
    for (const std::size_t i : asked_) {
      members_.push_back({i, LookupRole::asked, answer_of_asked(all_[i], i, draft, released)});
    }
    // Stubs may ask stubs: members are appended while the list is walked.
    for (std::size_t n = 0; n < members_.size(); ++n) {
      const std::size_t parent = members_[n].transaction;
      add_forwarded(members_, upstream_.of(parent), all_[parent], all_);
    }
    std::sort(members_.begin(), members_.end(),
              [](const auto& a, const auto& b) { return a.transaction < b.transaction; });
    for (const LookupMember& member : members_) lists.members.append(lookup.members, member);
  }

  std::span<const Draft> drafts_;
  const Upstream& upstream_;
  const Transactions<DnsTransaction>& all_;
  std::vector<Step> steps_;
  std::vector<SmallIndex> asked_;      ///< of the lookup at hand
  std::vector<LookupMember> members_;  ///< likewise
};

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

void find_lookups(const Dataset& data, Correlation& correlation, const LookupLimits& limits) {
  const Transactions<DnsTransaction>& all = data.dns();
  const std::vector<std::size_t> parents = find_stub_parents(all, limits.stub_patience_ns);
  const Upstream upstream(parents);

  Drafts drafts = group(all, parents, limits);
  Openings openings(data.connections());
  for (Draft& draft : drafts.all) {
    release(draft, all, hosts_of(draft, upstream, all), openings, limits);
  }
  add_addresses(drafts, all);
  join_search_lists(drafts.all, all, limits);
  Finisher(drafts, upstream, all).run(correlation);
  correlation.lookup_lists.addresses = std::move(drafts.addresses);
}

}  // namespace wirelag
