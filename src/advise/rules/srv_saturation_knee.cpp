// srv-saturation-knee: beyond some number of requests in flight a server does not answer more of them,
// only later. Measured per server in windows of a second: X answers per second, N requests in flight
// on average (the time they were open / the window), R the mean time of an answer (load.hpp).
//
// Measured: 4 workers of 10 ms each, 1 to 24 requests in flight: Xmax 396/s, R 10.2 -> 59.9 ms; knee
// at 4.1, and N / Xmax = 60.6 ms at 24.
//
// Saving: low is what half again the capacity would leave of R if as many stayed in flight, because
// everyone who is answered asks again at once; high is all of the queue, because nobody asks more often
// than now and twice the capacity is more than that. Clients are in between: those of the lab, with
// twice the workers, 122.8 -> 61.3 ms. One server may have several kinds of requests; so both are
// inferred.
#include <algorithm>

#include <fmt/format.h>

#include <wirelag/advise/load.hpp>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.srv_saturation_knee),
        nodes_(input.visits, VisitNode::Kind::request) {}

  RuleResult run() {
    if (input_.data.http().empty()) {
      return {Outcome::not_applicable, {}, "no HTTP/1 request that can be read in the capture"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    std::string looked_at;
    for (const ServerLoad& load : server_loads(input_.data, input_.thresholds)) {
      if (load.windows.size() <= limits_.min_windows) continue;
      looked_at += (looked_at.empty() ? "" : ", ") + load.server.text();
      if (load.beyond() >= limits_.min_windows) result.findings.push_back(finding_for(load));
    }
    if (looked_at.empty()) {
      return {Outcome::not_visible,
              {},
              fmt::format("no server answered {} or more requests in more than {} windows of {}",
                          limits_.min_completions, limits_.min_windows, in_ms(limits_.window_ns))};
    }
    if (!result.findings.empty()) return result;
    return {Outcome::fine, {}, std::move(looked_at)};
  }

 private:
  Finding finding_for(const ServerLoad& load) const {
    Finding f;
    f.title = "Give " + load.server.text() + " more capacity, or less to do per request";
    f.fault =
        fmt::format("{} of {} with more than the {:.1f} requests in flight that it has room for",
                    count_of(load.beyond(), "window"), in_ms(limits_.window_ns), load.n_star);
    f.families = {Family::concurrency};
    f.scope = tcp_scope(load.server);
    double worst_n = 0;
    double worst_r = 0;
    for (const LoadWindow& w : load.windows) {
      if (!w.beyond) continue;
      f.looked_at += w.requests.size();
      worst_n = std::max(worst_n, w.in_flight);
      worst_r = std::max(worst_r, w.response_ns);
      add(f, w, load);
    }
    f.why = fmt::format(
        "{} answers at most {:.0f} requests per second. With little to do an answer takes {}, with "
        "{:.1f} in flight {}: more in flight only wait longer.",
        load.server.text(), load.x_max, in_ms(static_cast<DurationNs>(load.r0_ns)), worst_n,
        in_ms(static_cast<DurationNs>(worst_r)));
    f.capacity = fmt::format(
        "room now for {:.1f} requests in flight at {:.0f}/s; twice the capacity makes it {:.1f}",
        load.n_star, load.x_max, 2 * load.n_star);
    f.keep_for_capacity = true;
    f.threshold = fmt::format(
        "more in flight than fit (shortest mean time of an answer x most answers per second), and "
        "answers {:.1f} times slower than with little to do, in {} or more windows of {} "
        "(rule.srv-saturation-knee; from 4 workers under 1 to 24 clients)",
        limits_.response_factor, limits_.min_windows, in_ms(limits_.window_ns));
    f.why_not_higher.emplace_back("CPU, locks and pools look alike from outside");
    add_evidence(f, load);
    f.change = {
        {"nginx", "worker_processes auto;", "reload", "more memory"},
        {"application", "more workers or threads, a larger database pool", "config line",
         "the next limit is the database's"},
        {"nginx", "limit_conn_zone $server_name zone=all:1m;\nlimit_conn all 200;", "reload",
         "turns requests away when it is full (503), so that the others stay fast; the first "
         "line belongs into http { }"}};
    f.verify = "capture at the same load: an answer takes hardly longer than with little to do";
    return f;
  }

  void add(Finding& f, const LoadWindow& w, const ServerLoad& load) const {
    const double left =
        std::max(load.r0_ns, w.in_flight / (limits_.more_capacity * load.x_max) * kSecondNs);
    const auto low = static_cast<DurationNs>(std::max(0.0, w.response_ns - left));
    const auto high = static_cast<DurationNs>(std::max(0.0, w.response_ns - load.r0_ns));
    for (const std::size_t i : w.requests) {
      shorten(f, nodes_.find(i), Category::think, low, high);
    }
  }

  void add_evidence(Finding& f, const ServerLoad& load) const {
    std::vector<const LoadWindow*> worst;
    for (const LoadWindow& w : load.windows) {
      if (w.beyond) worst.push_back(&w);
    }
    std::stable_sort(worst.begin(), worst.end(), [](const LoadWindow* a, const LoadWindow* b) {
      return a->response_ns > b->response_ns;
    });
    for (std::size_t k = 0; k < std::min(kExamples, worst.size()); ++k) {
      const LoadWindow& w = *worst[k];
      const HttpTransaction& h = input_.data.http()[w.requests.front()];
      Evidence e{fmt::format("{:.1f} in flight, {:.0f} answers/s, mean", w.in_flight, w.per_second),
                 input_.data.connection_index(h.connection),
                 {h.request_frames.first},
                 w.start_ns,
                 static_cast<DurationNs>(w.response_ns)};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::srv_saturation_knee)& limits_;
  NodeIndex nodes_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule srv_saturation_knee;
constinit const Rule srv_saturation_knee{
    "srv-saturation-knee", "No server was seen beyond the load where answers become slow", &judge};
}  // namespace rules

}  // namespace wirelag
