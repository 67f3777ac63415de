// dns-slow-resolver: the resolver's answer time is the user's wait. Judged per resolver that clients
// wait for, over the lookups it released; a lookup that had to be asked again is
// dns-timeout-retry's.
//
// What another resolver would do is known where the same client asked another one: then the saving
// is the difference to that one's median. Else it is between nothing and all of it, which a cache beside
// the client saves.
// Only what a connection waited for is saved: the simulation sees to that.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Resolver {
  std::vector<std::size_t> lookups;  ///< released by it, asked once
  std::vector<DurationNs> latencies_ns;
  DurationNs p50_ns = 0;
  DurationNs p95_ns = 0;
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.dns_slow_resolver),
        nodes_(input.visits, VisitNode::Kind::dns) {}

  RuleResult run() {
    const std::vector<Lookup>& lookups = input_.correlation.lookups;
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      const Lookup& l = lookups[i];
      if (l.released_by == Dataset::kNone || !known(l.wait_ns)) continue;
      const DnsTransaction& d = input_.data.dns()[l.released_by];
      if (!known(d.latency_ns()) || d.last_query_ns - l.start_time_ns > d.latency_ns()) continue;
      if (d.resent() > 0) continue;
      Resolver& r = resolvers_[d.resolver.ip];
      r.lookups.push_back(i);
      r.latencies_ns.push_back(d.latency_ns());
    }
    if (lookups.empty()) return {Outcome::not_applicable, {}, "no DNS in the capture"};
    if (resolvers_.empty()) {
      return {Outcome::not_visible, {}, "no lookup waited for one question and its answer alone"};
    }
    for (auto& [ip, r] : resolvers_) {
      r.p50_ns = quantile(r.latencies_ns, 0.5);
      r.p95_ns = quantile(r.latencies_ns, 0.95);
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [ip, r] : resolvers_) {
      const IpAddress* best = faster_than(ip, r);
      if (r.p50_ns > limits_.p50_ns || r.p95_ns > limits_.p95_ns || best != nullptr) {
        result.findings.push_back(finding_for(ip, r, best));
      }
    }
    return result.findings.empty() ? fine(resolvers_) : result;
  }

 private:
  /// The resolver that answered the same clients so many times faster; null when there is none.
  [[nodiscard]] const IpAddress* faster_than(const IpAddress& slow, const Resolver& r) const {
    const IpAddress* best = nullptr;
    DurationNs best_ns =
        static_cast<DurationNs>(static_cast<double>(r.p50_ns) / limits_.faster_factor);
    for (const auto& [ip, other] : resolvers_) {
      if (ip == slow || other.p50_ns > best_ns || !same_names(r, other)) continue;
      if (r.p50_ns - other.p50_ns < input_.thresholds.gate.min_effect_ns) continue;
      best = &ip;
      best_ns = other.p50_ns;
    }
    return best;
  }

  [[nodiscard]] bool same_names(const Resolver& a, const Resolver& b) const {
    std::vector<std::string_view> names;
    for (const std::size_t i : a.lookups) names.emplace_back(input_.correlation.lookups[i].qname);
    std::sort(names.begin(), names.end());
    return std::any_of(b.lookups.begin(), b.lookups.end(), [&](std::size_t i) {
      return std::binary_search(names.begin(), names.end(),
                                std::string_view(input_.correlation.lookups[i].qname));
    });
  }

  Finding finding_for(const IpAddress& ip, const Resolver& r, const IpAddress* best) const {
    Finding f;
    f.title = "Answer DNS faster than " + ip.text() + " does";
    f.fault = fmt::format("{} took {} to answer at the median ({})", ip.text(), in_ms(r.p50_ns),
                          slow_end(r.lookups.size(), r.p95_ns));
    f.why = fmt::format("{} over {}. A client that knows no address can do nothing but wait.",
                        f.fault, count_of(r.lookups.size(), "lookup"));
    f.families = {Family::caching, Family::network};
    f.scope = "dns/" + ip.text();
    f.lookups = r.lookups;
    f.looked_at = r.lookups.size();
    f.threshold = fmt::format(
        "median above {}, p95 above {}, or another resolver {:.1f} times faster for the same names "
        "(rule.dns-slow-resolver; from resolvers 3 and 26 ms away)",
        in_ms(limits_.p50_ns), in_ms(limits_.p95_ns), limits_.faster_factor);
    const DurationNs best_ns = best != nullptr ? resolvers_.at(*best).p50_ns : kUnknownNs;
    for (const std::size_t i : r.lookups) {
      const Lookup& l = input_.correlation.lookups[i];
      const DurationNs latency = input_.data.dns()[l.released_by].latency_ns();
      const DurationNs target = known(best_ns) ? best_ns : 0;
      const DurationNs high = std::max<DurationNs>(0, latency - target);
      if (const NodePlace* at = nodes_.find(i); at != nullptr && high > 0) {
        f.edits.push_back(shorten(*at, Category::dns, known(best_ns) ? high : 0, high));
      }
    }
    add_evidence(f, r);
    if (best != nullptr) {
      f.what_if.push_back({"only " + best->text(), best_ns, best_ns - r.p50_ns});
      f.change.push_back(
          {"resolv.conf", "nameserver " + best->text(), "config line",
           "with one server left an outage of it is an outage of DNS; where NetworkManager or "
           "systemd-resolved writes the file, set it there"});
    }
    f.change.push_back(
        {"unbound", "server:\n  prefetch: yes\n  fast-server-permil: 900", "reload",
         "a little more traffic to the upstream servers; a reload empties the cache"});
    f.change.push_back(
        {"dnsmasq", "cache-size=1000", "restart", "none: SIGHUP does not read dnsmasq.conf again"});
    f.verify = "capture again: the median answer time of the resolver that clients ask";
    return f;
  }

  /// The slowest ones.
  void add_evidence(Finding& f, const Resolver& r) const {
    const auto latency = [this](std::size_t i) {
      return input_.data.dns()[input_.correlation.lookups[i].released_by].latency_ns();
    };
    std::vector<std::size_t> slowest = r.lookups;
    const std::size_t n = std::min(kExamples, slowest.size());
    std::partial_sort(slowest.begin(), slowest.begin() + static_cast<std::ptrdiff_t>(n),
                      slowest.end(), [&](std::size_t a, std::size_t b) {
                        return std::pair(latency(b), a) < std::pair(latency(a), b);
                      });
    for (std::size_t k = 0; k < n; ++k) {
      const Lookup& l = input_.correlation.lookups[slowest[k]];
      const DnsTransaction& d = input_.data.dns()[l.released_by];
      Evidence e{std::string(l.qname) + " asked by " + d.client.ip.text(),
                 Dataset::kNone,
                 {},
                 d.first_query_ns,
                 d.latency_ns()};
      if (!d.query_frames.empty()) e.frames.push_back(d.query_frames.front());
      if (d.response_frame != 0) e.frames.push_back(d.response_frame);
      f.evidence.push_back(std::move(e));
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::dns_slow_resolver)& limits_;
  NodeIndex nodes_;
  std::map<IpAddress, Resolver> resolvers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule dns_slow_resolver;
constinit const Rule dns_slow_resolver{"dns-slow-resolver", "Resolvers answer quickly", &judge};
}  // namespace rules

}  // namespace wirelag
