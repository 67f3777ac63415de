// Which questions a stub resolver asked on behalf of which other question:
//
//   application --P--> stub          P is open from its first query to its response
//                      stub --T--> upstream          T begins while P is open: P is T's parent
//
// A stub is a resolver at a loopback address (its upstream questions leave from an address of the
// capture host), or one whose own address asks for the same name. Questions of one name are swept
// in order; only the last few open ones are looked at, so a flood for one name stays cheap. Names that
// no stub was asked for are left out from the start: on most links, all of them.
#include <algorithm>

#include "lookup.hpp"

namespace wirelag {
namespace {

/// Open questions for one name that are considered as parents, the latest first.
constexpr std::size_t kMaxOpenParents = 64;

bool is_question(const DnsTransaction& d) { return known(d.first_query_ns); }

TimeNs closes_at(const DnsTransaction& parent, DurationNs patience_ns) {
  return known(parent.response_ns) ? parent.response_ns : parent.last_query_ns + patience_ns;
}

bool causes(const DnsTransaction& parent, const DnsTransaction& child, DurationNs patience_ns) {
  if (child.resolver.ip == parent.resolver.ip) return false;  // a question to the stub, not from it
  if (child.first_query_ns < parent.first_query_ns) return false;
  if (child.first_query_ns > closes_at(parent, patience_ns)) return false;
  if (child.client.ip == parent.resolver.ip) return true;
  return parent.resolver.ip.is_loopback() && !child.client.ip.is_loopback();
}

/// The open question that most likely caused `child`: the latest one of the same type, else of any.
std::size_t parent_of(const DnsTransaction& child, const std::vector<std::size_t>& open,
                      const Transactions<DnsTransaction>& all, DurationNs patience_ns) {
  std::size_t of_any_type = Dataset::kNone;
  for (auto at = open.rbegin(); at != open.rend(); ++at) {
    if (!causes(all[*at], child, patience_ns)) continue;
    if (all[*at].qtype == child.qtype) return *at;
    if (of_any_type == Dataset::kNone) of_any_type = *at;
  }
  return of_any_type;
}

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}
template <class T>
bool contains(const std::vector<T>& sorted, const T& value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

/// Whether a resolver may be a stub: it is at a loopback address, or asks itself.
class PossibleStubs {
 public:
  explicit PossibleStubs(const Transactions<DnsTransaction>& all) {
    std::vector<IpAddress> resolvers;
    for (const DnsTransaction& d : all) add(resolvers, d.resolver.ip);
    sort_unique(resolvers);
    for (const DnsTransaction& d : all) {
      if (contains(resolvers, d.client.ip)) add(stubs_, d.client.ip);
    }
    sort_unique(stubs_);
  }
  [[nodiscard]] bool asked(const DnsTransaction& d) const {
    return d.resolver.ip.is_loopback() || contains(stubs_, d.resolver.ip);
  }

 private:
  static void add(std::vector<IpAddress>& to, const IpAddress& ip) {
    if (to.empty() || to.back() != ip) to.push_back(ip);
  }

  std::vector<IpAddress> stubs_;
};

/// Questions whose name a possible stub was asked for, by name, then in order.
std::vector<std::size_t> candidates(const Transactions<DnsTransaction>& all,
                                    const PossibleStubs& stubs) {
  std::vector<std::string_view> names;
  for (const DnsTransaction& d : all) {
    if (is_question(d) && stubs.asked(d)) names.push_back(d.qname);
  }
  sort_unique(names);
  std::vector<std::size_t> by_name;
  if (names.empty()) return by_name;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_question(all[i]) && contains(names, all[i].qname.text())) by_name.push_back(i);
  }
  std::stable_sort(by_name.begin(), by_name.end(),
                   [&](std::size_t a, std::size_t b) { return all[a].qname < all[b].qname; });
  return by_name;
}

}  // namespace

std::vector<std::size_t> find_stub_parents(const Transactions<DnsTransaction>& all,
                                           DurationNs patience_ns) {
  std::vector<std::size_t> parents(all.size(), Dataset::kNone);
  const PossibleStubs stubs(all);
  const std::vector<std::size_t> by_name = candidates(all, stubs);

  std::vector<std::size_t> open;  // questions of the current name to something that may be a stub
  for (std::size_t n = 0; n < by_name.size(); ++n) {
    const DnsTransaction& d = all[by_name[n]];
    if (n > 0 && all[by_name[n - 1]].qname != d.qname) open.clear();

    std::erase_if(open,
                  [&](std::size_t p) { return closes_at(all[p], patience_ns) < d.first_query_ns; });
    parents[by_name[n]] = parent_of(d, open, all, patience_ns);

    if (!stubs.asked(d)) continue;
    if (open.size() == kMaxOpenParents) open.erase(open.begin());
    open.push_back(by_name[n]);
  }
  return parents;
}

}  // namespace wirelag
