// srv-saturation-knee: beyond some number of requests in flight a server does not answer more of them,
// only later. Measured per server in windows of a second: X answers per second, N requests in flight
// on average (the time they were open / the window), R the mean time of an answer.
//
//   X  Xmax  ____________      knee: N* = R0 * Xmax           R0: R when there is little to do
//           /                  beyond it R = N / Xmax         Xmax: the most answers per second
//          /  N*
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
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kExamples = 3;
constexpr std::int64_t kLongestWindows = 120;  ///< an answer that took more is left out
constexpr double kMoreCapacity = 1.5;

struct Window {
  std::size_t completions = 0;
  double busy_ns = 0;                 ///< requests in flight x time
  double response_ns = 0;             ///< sum over the completions
  std::vector<std::size_t> requests;  ///< completed in it
  [[nodiscard]] double mean_ns() const { return response_ns / static_cast<double>(completions); }
};

struct Knee {
  double r0_ns = 0;
  double x_max = 0;  ///< per second
  double n_star = 0;
  std::vector<TimeNs> beyond;  ///< windows
};

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
    collect();
    RuleResult result{Outcome::fires, {}, {}};
    bool enough = false;
    for (const auto& [endpoint, windows] : servers_) {
      const auto counted = std::count_if(windows.begin(), windows.end(), [&](const auto& w) {
        return w.second.completions >= limits_.min_completions;
      });
      if (static_cast<std::uint32_t>(counted) <= limits_.min_windows) continue;
      enough = true;
      const Knee knee = find_knee(windows);
      if (knee.beyond.size() >= limits_.min_windows) {
        result.findings.push_back(finding_for(endpoint, windows, knee));
      }
    }
    if (!enough) {
      return {Outcome::not_visible,
              {},
              fmt::format("no server answered {} or more requests in more than {} windows of {}",
                          limits_.min_completions, limits_.min_windows, in_ms(limits_.window_ns))};
    }
    if (result.findings.empty()) result.outcome = Outcome::fine;
    return result;
  }

 private:
  using Windows = std::map<std::int64_t, Window>;

  /// Windows are made by answers that end in them; then every answer adds the time it was open to
  /// those it reaches into. Whatever the clock says, no more windows than answers.
  void collect() {
    const std::vector<HttpTransaction>& http = input_.data.http();
    for (std::size_t i = 0; i < http.size(); ++i) {
      if (!counts(http[i])) continue;
      Window& last = servers_[http[i].server][window_of(http[i].response_last_ns)];
      ++last.completions;
      last.response_ns += static_cast<double>(http[i].total_ns());
      last.requests.push_back(i);
    }
    for (const HttpTransaction& h : http) {
      if (!counts(h)) continue;
      Windows& windows = servers_[h.server];
      const auto end = windows.upper_bound(window_of(h.response_last_ns));
      for (auto w = windows.lower_bound(window_of(h.request_first_ns)); w != end; ++w) {
        const TimeNs begin = w->first * limits_.window_ns;
        const TimeNs from = std::max(begin, h.request_first_ns);
        const TimeNs to = std::min(begin + limits_.window_ns, h.response_last_ns);
        w->second.busy_ns += static_cast<double>(to - from);
      }
    }
  }

  /// A long poll, or a clock that jumped, says nothing of how busy the server was.
  [[nodiscard]] bool counts(const HttpTransaction& h) const {
    const DurationNs total = h.total_ns();
    return known(total) && h.response_complete && total / limits_.window_ns < kLongestWindows;
  }

  [[nodiscard]] std::int64_t window_of(TimeNs t) const { return t / limits_.window_ns; }

  [[nodiscard]] double in_flight(const Window& w) const {
    return w.busy_ns / static_cast<double>(limits_.window_ns);
  }
  [[nodiscard]] double per_second(const Window& w) const {
    return static_cast<double>(w.completions) * kSecondNs / static_cast<double>(limits_.window_ns);
  }

  [[nodiscard]] Knee find_knee(const Windows& windows) const {
    Knee knee;
    for (const auto& [number, w] : windows) {
      if (w.completions < limits_.min_completions) continue;
      if (knee.r0_ns == 0 || w.mean_ns() < knee.r0_ns) knee.r0_ns = w.mean_ns();
      knee.x_max = std::max(knee.x_max, per_second(w));
    }
    knee.n_star = knee.r0_ns / kSecondNs * knee.x_max;
    for (const auto& [number, w] : windows) {
      if (w.completions < limits_.min_completions) continue;
      if (in_flight(w) > knee.n_star && w.mean_ns() >= limits_.response_factor * knee.r0_ns) {
        knee.beyond.push_back(number * limits_.window_ns);
      }
    }
    return knee;
  }

  Finding finding_for(const Endpoint& endpoint, const Windows& windows, const Knee& knee) const {
    Finding f;
    f.title = "Give " + endpoint.text() + " more capacity, or less to do per request";
    f.fault = fmt::format("{} beyond the knee at {:.1f} requests in flight",
                          count_of(knee.beyond.size(), "window"), knee.n_star);
    f.families = {Family::concurrency};
    f.scope = tcp_scope(endpoint);
    double worst_n = 0;
    double worst_r = 0;
    for (const TimeNs t : knee.beyond) {
      const Window& w = windows.at(t / limits_.window_ns);
      f.looked_at += w.completions;
      worst_n = std::max(worst_n, in_flight(w));
      worst_r = std::max(worst_r, w.mean_ns());
      add(f, w, knee);
    }
    f.why = fmt::format(
        "{} answers at most {:.0f} requests per second. With little to do an answer takes {}, with "
        "{:.1f} in flight {}: more in flight only wait longer.",
        endpoint.text(), knee.x_max, in_ms(static_cast<DurationNs>(knee.r0_ns)), worst_n,
        in_ms(static_cast<DurationNs>(worst_r)));
    f.capacity =
        fmt::format("knee now {:.1f} in flight at {:.0f}/s; twice the capacity moves it to {:.1f}",
                    knee.n_star, knee.x_max, 2 * knee.n_star);
    f.keep_for_capacity = true;
    f.threshold = fmt::format(
        "more in flight than R0 x Xmax and {:.1f} times R0, in {} or more windows of {} "
        "(rule.srv-saturation-knee; from 4 workers under 1 to 24 clients)",
        limits_.response_factor, limits_.min_windows, in_ms(limits_.window_ns));
    f.why_not_higher.emplace_back("CPU, locks and pools look alike from outside");
    add_evidence(f, windows, knee);
    f.change = {{"nginx", "worker_processes auto;", "reload", "more memory"},
                {"application", "more workers or threads, a larger database pool", "config line",
                 "the next limit is the database's"},
                {"nginx", "limit_conn_zone $server_name zone=all:1m;\nlimit_conn all 200;",
                 "reload", "turns requests away when it is full, so that the others stay fast"}};
    f.verify = "capture at the same load: the time of an answer stays near R0";
    return f;
  }

  void add(Finding& f, const Window& w, const Knee& knee) const {
    const double left =
        std::max(knee.r0_ns, in_flight(w) / (kMoreCapacity * knee.x_max) * kSecondNs);
    const auto low = static_cast<DurationNs>(std::max(0.0, w.mean_ns() - left));
    const auto high = static_cast<DurationNs>(std::max(0.0, w.mean_ns() - knee.r0_ns));
    for (const std::size_t i : w.requests) {
      if (const NodePlace* at = nodes_.find(i)) {
        f.edits.push_back(shorten(*at, Category::think, low, high));
      }
    }
  }

  void add_evidence(Finding& f, const Windows& windows, const Knee& knee) const {
    std::vector<TimeNs> worst = knee.beyond;
    const auto mean = [&](TimeNs t) { return windows.at(t / limits_.window_ns).mean_ns(); };
    std::stable_sort(worst.begin(), worst.end(),
                     [&](TimeNs a, TimeNs b) { return mean(a) > mean(b); });
    for (std::size_t k = 0; k < std::min(kExamples, worst.size()); ++k) {
      const Window& w = windows.at(worst[k] / limits_.window_ns);
      const HttpTransaction& h = input_.data.http()[w.requests.front()];
      Evidence e{
          fmt::format("{:.1f} in flight, {:.0f} answers/s, mean", in_flight(w), per_second(w)),
          input_.data.connection_index(h.connection),
          {h.request_frames.first},
          worst[k],
          static_cast<DurationNs>(w.mean_ns())};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::srv_saturation_knee)& limits_;
  NodeIndex nodes_;
  std::map<Endpoint, Windows> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule srv_saturation_knee;
constinit const Rule srv_saturation_knee{"srv-saturation-knee",
                                         "Answers take as long under load as without it", &judge};
}  // namespace rules

}  // namespace wirelag
