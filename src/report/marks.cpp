#include "marks.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include <wirelag/advise/weighted.hpp>

#include "foreseen.hpp"
#include "visit_outcome.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kServices = 8;  ///< those with the most visits

struct Judged {
  const Visit* visit;
  VisitOutcome outcome;
  TimeNs end_ns;
};

/// Those that asked something and were over when the capture ended. An unanswered one may have gone on for
/// longer than is known: for a second, or it could just as well have been answered behind a mark.
std::vector<Judged> judged(const CaptureBlock& capture, const Visits& visits, const Dataset& data) {
  constexpr DurationNs kUnansweredFor = kSecondNs;
  std::vector<Judged> all;
  for (const Visit& v : visits.stored) {
    const VisitOutcome outcome = outcome_of(v, data);
    if (outcome == VisitOutcome::nothing_asked) continue;
    const bool answered = outcome != VisitOutcome::unanswered;
    const TimeNs end_ns = v.start_ns + (answered ? v.wait_ns : std::max(v.wait_ns, kUnansweredFor));
    if (known(capture.last_time_ns) && end_ns > capture.last_time_ns) continue;
    all.push_back({&v, outcome, end_ns});
  }
  return all;
}

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

  void add(const Judged& j) {
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

/// Whether one of the mark's words is the rule's name, in capitals or not.
bool names(const Mark& mark, std::string_view rule) {
  const auto of_a_name = [](char c) {
    return c == '-' || c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  std::string what = mark.what;
  std::transform(what.begin(), what.end(), what.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::size_t at = what.find(rule); at != std::string::npos; at = what.find(rule, at + 1)) {
    const std::size_t end = at + rule.size();
    const bool begins = at == 0 || !of_a_name(what[at - 1]);
    if (begins && (end == what.size() || !of_a_name(what[end]))) return true;
  }
  return false;
}

bool names_any(const Mark& mark) {
  const auto& rules = all_rules();
  return std::any_of(rules.begin(), rules.end(),
                     [&mark](const Rule& rule) { return names(mark, rule.id); });
}

using Held = MarkedChange::Prediction::Held;

/// A prediction that the median before leaves open by more than it saves would always hold.
Held held(const MarkedChange::Prediction& p, const MarkedChange::Service& s) {
  if (!p.named || s.more_unanswered || s.more_errors) return Held::not_asked;
  if (!known(s.before.p50_low_ns) || !known(s.after.p50_low_ns)) return Held::too_few;
  if (s.before.p50_high_ns - s.before.p50_low_ns >= p.saving_ns) return Held::too_few;
  if (s.after.p50_high_ns < p.low_ns) return Held::faster;
  return s.after.p50_low_ns > p.high_ns ? Held::slower : Held::yes;
}

MarkedChange::Prediction prediction(const std::string& rule, const Foreseen::Saving& saving,
                                    const MarkedChange::Side& before) {
  const bool sure = known(before.p50_low_ns);
  MarkedChange::Prediction p;
  p.rule = rule;
  p.saving_ns = std::midpoint(saving.low_ns, saving.high_ns);
  p.low_ns = (sure ? before.p50_low_ns : before.p50_ns) - saving.high_ns;
  p.high_ns = (sure ? before.p50_high_ns : before.p50_ns) - saving.low_ns;
  p.low_ns = std::max<DurationNs>(0, p.low_ns);
  p.high_ns = std::max<DurationNs>(0, p.high_ns);
  return p;
}

/// The rules that the mark names, or the highest-ranked ones.
void add_predictions(MarkedChange::Service& s, const Mark& mark,
                     const std::vector<Foreseen>& foreseen) {
  constexpr std::size_t kUnnamed = 3;
  const bool any_named = names_any(mark);
  for (const Foreseen& f : foreseen) {
    const auto saving = f.by_service.find(s.name);
    if (saving == f.by_service.end() || !known(s.before.p50_ns)) continue;
    MarkedChange::Prediction p = prediction(f.rule, saving->second, s.before);
    p.named = names(mark, f.rule);
    if (any_named ? !p.named : s.predicted.size() == kUnnamed) continue;
    p.held = held(p, s);
    s.predicted.push_back(std::move(p));
  }
}

/// The rules that the mark names and of which no service has a prediction.
std::vector<std::string> without_prediction(const MarkedChange& change) {
  std::vector<std::string> rules;
  for (const Rule& rule : all_rules()) {
    const auto predicted = [&rule](const MarkedChange::Service& s) {
      return std::any_of(s.predicted.begin(), s.predicted.end(),
                         [&rule](const auto& p) { return p.rule == rule.id; });
    };
    if (!names(change.mark, rule.id)) continue;
    if (std::none_of(change.services.begin(), change.services.end(), predicted))
      rules.emplace_back(rule.id);
  }
  return rules;
}

/// In order of time. What was done at one instant is one change: nothing lies between.
std::vector<Mark> in_order(std::vector<Mark> marks) {
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time_ns < b.time_ns; });
  std::vector<Mark> out;
  for (Mark& mark : marks) {
    if (!out.empty() && out.back().time_ns == mark.time_ns) {
      out.back().what += "; " + mark.what;
    } else {
      out.push_back(std::move(mark));
    }
  }
  return out;
}

struct Between {
  TimeNs from = 0, to = INT64_MAX;
};

/// The visits around one mark by service, those with the most first.
std::vector<std::pair<std::string, Sides>> visits_around(TimeNs mark_ns, const Between& between,
                                                         const std::vector<Judged>& all) {
  std::map<std::string, Sides> by_service;
  for (const Judged& j : all) {
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
  return most;
}

/// The visits that were answered whole, on both sides: else there is nothing to hold a prediction against.
bool comparable(const MarkedChange& change) {
  return std::any_of(change.services.begin(), change.services.end(),
                     [](const auto& s) { return known(s.before.p50_ns) && known(s.after.p50_ns); });
}

}  // namespace

std::vector<MarkedChange> changes_at(const CaptureBlock& capture, const Visits& visits,
                                     const Dataset& data, const Thresholds& thresholds) {
  const std::vector<Mark> marks = in_order(capture.marks);
  if (marks.empty()) return {};
  const std::vector<Judged> all = judged(capture, visits, data);
  std::vector<MarkedChange> out;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    Between between;
    if (i > 0) between.from = marks[i - 1].time_ns;
    if (i + 1 < marks.size()) between.to = marks[i + 1].time_ns;
    auto services = visits_around(marks[i].time_ns, between, all);
    MarkedChange& change = out.emplace_back(MarkedChange{marks[i], {}, {}});
    for (auto& [name, sides] : services) change.services.push_back(sides.compared(name));
    if (!comparable(change)) continue;  // then it is said why, and nothing is predicted
    const std::vector<Foreseen> foreseen =
        foresee(data, between.from, marks[i].time_ns, thresholds);
    for (MarkedChange::Service& s : change.services) add_predictions(s, marks[i], foreseen);
    change.predicted_nothing = without_prediction(change);
  }
  return out;
}

std::vector<LedgerRow> ledger_of(const std::vector<MarkedChange>& changes) {
  std::map<std::string, LedgerRow> rows;
  std::map<std::string, std::vector<double>> shares;
  for (const MarkedChange& change : changes) {
    for (const MarkedChange::Service& s : change.services) {
      for (const MarkedChange::Prediction& p : s.predicted) {
        if (p.held == Held::not_asked || p.held == Held::too_few) continue;
        LedgerRow& row = rows[p.rule];
        ++row.predictions;
        row.held += p.held == Held::yes ? 1 : 0;
        shares[p.rule].push_back(static_cast<double>(s.before.p50_ns - s.after.p50_ns) /
                                 static_cast<double>(p.saving_ns));
      }
    }
  }
  std::vector<LedgerRow> out;
  for (auto& [rule, row] : rows) {
    std::vector<double>& of = shares[rule];
    std::sort(of.begin(), of.end());
    row.rule = rule;
    row.saved_share = of[(of.size() - 1) / 2];
    out.push_back(row);
  }
  return out;
}

}  // namespace wirelag::report
