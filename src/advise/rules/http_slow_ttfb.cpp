// http-slow-ttfb: the server thinks too long before it answers. Judged per server, method and URL
// template (numbers and ids become *), on the server's own time: what is left of the wait for the
// first byte when the round trip is taken off. Measured: 10 ms of service time, seen as 10.42 ms at
// the client and 10.31 ms at the server.
//
// How fast it could be is not on the wire: between the time its own fastest answers take (p10, from
// ten answers on) and the target. Event streams are open on purpose and are left out.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../nodes.hpp"
#include "../round_trips.hpp"
#include "../undivided.hpp"
#include "../url_template.hpp"

namespace wirelag {
namespace {

struct Answer {
  std::size_t http = 0;
  DurationNs think_ns = 0;
  NodePlace place;
};

struct Template {
  std::vector<Answer> answers;
  DurationNs p50_ns = 0;
  DurationNs p95_ns = 0;
  DurationNs total_ns = 0;
};

/// By its method: nginx's proxy_cache_methods, and RFC 9110 section 9.2.3 but for POST, whose answers hardly ever may.
bool may_be_cached(std::string_view name) {
  return name.starts_with("GET ") || name.starts_with("HEAD ");
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input), limits_(input.thresholds.http_slow_ttfb) {}

  RuleResult run() {
    if (input_.data.http().empty()) {
      return {Outcome::not_applicable, {}, "no HTTP/1 request that can be read in the capture"};
    }
    collect();
    if (servers_.empty()) {
      return {Outcome::not_visible, {}, "no response times: no request with its answer"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [server, templates] : servers_) {
      std::vector<std::pair<std::string, const Template*>> slow;
      for (auto& [name, t] : templates) {
        if (fires(t)) slow.emplace_back(name, &t);
      }
      std::sort(slow.begin(), slow.end(), [](const auto& a, const auto& b) {
        return std::tie(b.second->total_ns, a.first) < std::tie(a.second->total_ns, b.first);
      });
      if (slow.size() > limits_.max_per_server) slow.resize(limits_.max_per_server);
      for (const auto& [name, t] : slow) result.findings.push_back(finding_for(server, name, *t));
    }
    if (!result.findings.empty()) return result;
    const Undivided undivided = long_waits();
    return undivided.any() ? undivided.not_visible() : fine(servers_);
  }

 private:
  void collect() {
    const std::vector<Visit>& visits = input_.visits.stored;
    for (std::uint32_t v = 0; v < visits.size(); ++v) {
      for (std::uint32_t n = 0; n < visits[v].nodes.size(); ++n) {
        const VisitNode& node = visits[v].nodes[n];
        if (node.kind != VisitNode::Kind::request || node.item == Dataset::kNone) continue;
        const HttpTransaction& h = input_.data.http()[node.item];
        if (!known(h.server_wait_ns()) || h.content_type.text().starts_with("text/event-stream"))
          continue;
        DurationNs think = 0;
        for (const VisitPart& p : node.parts) {
          if (p.category == Category::think) think += p.duration_ns;
        }
        Template& t = servers_[h.server][std::string(h.method) + " " + url_template(h.target)];
        t.answers.push_back({node.item, think, {v, n}});
        t.total_ns = plus_ns(t.total_ns, think);
      }
    }
  }

  [[nodiscard]] bool way_known(const Answer& a) const {
    const VisitNode& n = input_.visits.stored[a.place.visit].nodes[a.place.node];
    return input_.visits.round_trips->way_known(n.connection);
  }

  /// Where the rule would fire if the server had worked for all of a wait whose way is not known.
  [[nodiscard]] Undivided long_waits() const {
    Undivided undivided;
    for (const auto& [server, templates] : servers_) {
      for (const auto& [name, t] : templates) {
        if (std::ranges::all_of(t.answers, [this](const Answer& a) { return way_known(a); }))
          continue;
        Template at_most = t;
        Undivided unknown;
        for (Answer& a : at_most.answers) {
          if (way_known(a)) continue;
          const HttpTransaction& h = input_.data.http()[a.http];
          a.think_ns = h.server_wait_ns();
          unknown.add(h.client.ip, h.server, a.think_ns);
        }
        if (unknown.any() && fires(at_most)) undivided.add(unknown);
      }
    }
    return undivided;
  }

  [[nodiscard]] std::vector<Weighted> thinks(const Template& t) const {
    std::vector<Weighted> all;
    for (const Answer& a : t.answers) {
      all.push_back({a.think_ns, input_.visits.stored[a.place.visit].weight});
    }
    return all;
  }

  /// Slow, and a good part of what its visits wait for.
  [[nodiscard]] bool fires(Template& t) const {
    std::vector<Weighted> all = thinks(t);
    t.p50_ns = quantile(all, 0.5);
    t.p95_ns = quantile(all, 0.95);
    if (t.p50_ns <= limits_.p50_ns && t.p95_ns <= limits_.p95_ns) return false;
    double think = 0;
    double wait = 0;
    const Visit* counted = nullptr;
    for (const Answer& a : t.answers) {  // in the order of their visits
      if (a.think_ns <= limits_.target_ns) continue;
      const Visit& visit = input_.visits.stored[a.place.visit];
      think += visit.weight * static_cast<double>(a.think_ns);
      if (&visit != counted) wait += visit.weight * static_cast<double>(visit.wait_ns);
      counted = &visit;
    }
    return wait > 0 && think >= limits_.min_share * wait;
  }

  Finding finding_for(const Endpoint& server, const std::string& name, const Template& t) const {
    Finding f;
    f.title = fmt::format("Make {} answer sooner: {}", server.text(), name);
    f.fault = fmt::format("the server works {} on {} at the median ({})", in_ms(t.p50_ns), name,
                          slow_end(t.answers.size(), t.p95_ns));
    f.why =
        fmt::format("Over {}, {}. {}", count_of(t.answers.size(), "request"), f.fault, own_time(t));
    f.families = {Family::algorithms, Family::database};
    f.scope = tcp_scope(server) + " " + name;
    f.looked_at = t.answers.size();
    f.threshold = fmt::format(
        "the server's own time above {} at the median or {} at p95, and {:.0f} % or more of the "
        "wait (rule.http-slow-ttfb; Lighthouse's server-response-time fails at 600 ms)",
        in_ms(limits_.p50_ns), in_ms(limits_.p95_ns), 100 * limits_.min_share);
    std::vector<Weighted> all = thinks(t);
    const DurationNs fast = all.size() >= limits_.min_for_p10
                                ? std::max(limits_.target_ns, quantile(all, 0.1))
                                : kUnknownNs;
    bool bound = false;
    for (const Answer& a : t.answers) {
      if (a.think_ns <= limits_.target_ns) continue;
      const DurationNs low = known(fast) ? std::max<DurationNs>(0, a.think_ns - fast) : 0;
      f.edits.push_back(shorten(a.place, Category::think, low, a.think_ns));
      bound |= input_.visits.stored[a.place.visit].flags.think_has_rtt;
    }
    if (bound) {
      f.why_not_higher.emplace_back(
          "no round trip of the server's side was seen: its time is an upper bound");
    }
    add_evidence(f, t);
    f.change = {{"application",
                 "trace where the time of this URL goes: queries, calls to others, locks",
                 "code change", ""}};
    if (may_be_cached(name)) {
      f.families.push_back(Family::caching);
      f.change.insert(
          f.change.begin(),
          {"nginx",
           "proxy_cache_path /var/cache/nginx keys_zone=micro:10m;\nproxy_cache micro;\n"
           "proxy_cache_valid 200 1s;",
           "reload",
           "answers may be a second old: only for what is the same for every user; the first line "
           "belongs into http { }"});
    }
    f.verify = "capture again: the server's own time for this URL, median and p95";
    return f;
  }

  [[nodiscard]] std::string_view own_time(const Template& t) const {
    bool known_way = true;
    bool seen = true;
    for (const Answer& a : t.answers) {
      known_way &= way_known(a);
      seen &= !input_.visits.stored[a.place.visit].flags.think_has_rtt;
    }
    return about_own_time(known_way, seen);
  }

  void add_evidence(Finding& f, const Template& t) const {
    std::vector<const Answer*> slowest;
    for (const Answer& a : t.answers) slowest.push_back(&a);
    const std::size_t n = std::min(kExamples, slowest.size());
    std::partial_sort(slowest.begin(), slowest.begin() + static_cast<std::ptrdiff_t>(n),
                      slowest.end(), [](const Answer* a, const Answer* b) {
                        return std::pair(b->think_ns, a->http) < std::pair(a->think_ns, b->http);
                      });
    for (std::size_t k = 0; k < n; ++k) {
      const HttpTransaction& h = input_.data.http()[slowest[k]->http];
      Evidence e{fmt::format("{} {} of {}: the server's own time", h.method.text(), h.target.text(),
                             h.client.text()),
                 input_.data.connection_index(h.connection),
                 {h.request_frames.last, h.response_frames.first},
                 h.request_last_ns,
                 slowest[k]->think_ns};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::http_slow_ttfb)& limits_;
  std::map<Endpoint, std::map<std::string, Template>> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule http_slow_ttfb;
constinit const Rule http_slow_ttfb{
    "http-slow-ttfb",
    "No kind of request waits for the server's own work for long and a good part of its visit",
    &judge};
}  // namespace rules

}  // namespace wirelag
