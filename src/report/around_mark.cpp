#include "around_mark.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <wirelag/advise/weighted.hpp>

namespace wirelag::report {
namespace {

constexpr std::size_t kServices = 8;

/// How many visits of equal weight a sample is worth (Kish's effective size).
double worth(double sum, double squares) { return squares > 0 ? sum * sum / squares : 0; }

/// The largest rank r such that the median lies between the r-th smallest and the r-th largest of `n` with
/// 95 % or more: less than r of them are below it with 2.5 % or less (binomial). 0: there is none below six.
std::size_t low_rank(std::size_t n) {
  constexpr double kTail = 0.025;
  double log_p = -static_cast<double>(n) * std::log(2.0);  // that exactly `rank` are below it
  double below = std::exp(log_p);
  std::size_t rank = 0;
  while (below <= kTail && rank < n) {
    log_p += std::log(static_cast<double>(n - rank)) - std::log(static_cast<double>(rank + 1));
    below += std::exp(log_p);
    ++rank;
  }
  return rank;
}

std::size_t rounded_sum(double weights) { return static_cast<std::size_t>(std::llround(weights)); }

/// The visits on one side of a mark.
struct Side {
  std::vector<Weighted> waits;  ///< of those that were answered, sorted
  // What they stand for in the capture: sums of weights.
  double visits = 0;
  double squares = 0;  ///< of the weights
  double unanswered = 0;
  double errors = 0;

  void add(const JudgedVisit& j) {
    const double weight = j.visit->weight;
    visits += weight;
    squares += weight * weight;
    if (j.outcome == VisitOutcome::unanswered) {
      unanswered += weight;
      return;
    }
    if (j.outcome == VisitOutcome::error) errors += weight;
    waits.push_back({j.visit->wait_ns, j.visit->weight});
  }
  [[nodiscard]] MarkedChange::Side summary() const {
    MarkedChange::Side s;
    s.visits = rounded_sum(visits);
    s.unanswered = rounded_sum(unanswered);
    s.errors = rounded_sum(errors);
    if (waits.empty()) return s;
    s.p50_ns = quantile_of_sorted(waits, 0.5);
    s.p95_ns = quantile_of_sorted(waits, 0.95);
    std::tie(s.p50_low_ns, s.p50_high_ns) = median_between();
    return s;
  }
  /// Between which the median of all visits lies, not of these alone: by rank, 95 % or more. Too few:
  /// unknown.
  [[nodiscard]] std::pair<DurationNs, DurationNs> median_between() const {
    double sum = 0, of_squares = 0;
    for (const Weighted& w : waits) {
      sum += w.weight;
      of_squares += w.weight * w.weight;
    }
    constexpr double kRoundOff = 1e-6;
    const auto n = static_cast<std::size_t>(worth(sum, of_squares) + kRoundOff);
    const std::size_t rank = low_rank(n);
    if (rank == 0) return {kUnknownNs, kUnknownNs};
    const double low = (static_cast<double>(rank) - 0.5) / static_cast<double>(n);
    return {quantile_of_sorted(waits, low), quantile_of_sorted(waits, 1 - low)};
  }
};

struct Sides {
  Side before, after;

  [[nodiscard]] MarkedChange::Service compared(std::string name) {
    std::sort(before.waits.begin(), before.waits.end());
    std::sort(after.waits.begin(), after.waits.end());
    MarkedChange::Service s;
    s.name = std::move(name);
    s.before = before.summary();
    s.after = after.summary();
    s.more_unanswered = rose(&Side::unanswered);
    s.more_errors = rose(&Side::errors);
    if (s.more_unanswered || s.more_errors) return s;  // who failed fast did not wait less
    s.beyond_chance =
        known(s.before.p50_low_ns) && known(s.after.p50_low_ns) &&
        (s.before.p50_high_ns < s.after.p50_low_ns || s.after.p50_high_ns < s.before.p50_low_ns);
    return s;
  }
  [[nodiscard]] double visits() const { return before.visits + after.visits; }

 private:
  /// Whether the share of `part` rose by more than its standard error.
  [[nodiscard]] bool rose(double Side::*part) const {
    if (before.visits == 0 || after.visits == 0) return false;
    const double both = (before.*part + after.*part) / (before.visits + after.visits);
    const double of_one = both * (1 - both);
    const double error = std::sqrt(of_one / worth(before.visits, before.squares) +
                                   of_one / worth(after.visits, after.squares));
    return after.*part / after.visits - before.*part / before.visits > error;
  }
};

}  // namespace

std::vector<JudgedVisit> judged_visits(const CaptureBlock& capture, const Visits& visits,
                                       const Dataset& data) {
  constexpr DurationNs kUnansweredFor = kSecondNs;
  std::vector<JudgedVisit> all;
  for (const Visit& v : visits.stored) {
    const VisitOutcome outcome = outcome_of(v, data);
    if (outcome == VisitOutcome::nothing_asked || outcome == VisitOutcome::unfinished) continue;
    const bool answered = outcome != VisitOutcome::unanswered;
    const TimeNs end_ns = v.start_ns + (answered ? v.wait_ns : std::max(v.wait_ns, kUnansweredFor));
    if (known(capture.last_time_ns) && end_ns > capture.last_time_ns) continue;
    all.push_back({&v, outcome, end_ns});
  }
  return all;
}

std::vector<MarkedChange::Service> services_around(TimeNs mark_ns, const Between& between,
                                                   const std::vector<JudgedVisit>& all) {
  std::map<std::string, Sides> by_service;
  for (const JudgedVisit& j : all) {
    const TimeNs start_ns = j.visit->start_ns;
    const bool before = start_ns >= between.from && j.end_ns <= mark_ns;
    const bool after = start_ns >= mark_ns && j.end_ns <= between.to;
    if (!before && !after) continue;  // also what began before the mark and ended behind it
    Sides& sides = by_service[j.visit->service];
    (before ? sides.before : sides.after).add(j);
  }
  std::vector<std::pair<std::string, Sides>> most(by_service.begin(), by_service.end());
  std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) {
    return a.second.visits() > b.second.visits();
  });
  if (most.size() > kServices) most.resize(kServices);
  std::vector<MarkedChange::Service> services;
  for (auto& [name, both] : most) services.push_back(both.compared(name));
  return services;
}

}  // namespace wirelag::report
