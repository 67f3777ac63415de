#include "saving.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "done.hpp"
#include "estimate.hpp"
#include "simulate.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kResamples = 200;
constexpr std::size_t kMaxResampled = 2000;

DurationNs median(std::vector<Weighted> values) { return quantile(values, 0.5); }

/// What the edits of a visit can take from: the nodes, and of the gaps before them what does not come out of the nodes.
DurationNs touched_ns(const Visit& visit, const std::vector<Edit>& edits) {
  std::vector<std::uint32_t> nodes;
  DurationNs sum_ns = 0;
  for (const Edit& e : edits) {
    if (e.what != Edit::What::shorten) return visit.wait_ns;
    const VisitNode& n = visit.nodes[e.node];
    DurationNs left_ns = e.high_ns;
    for (const VisitPart& p : n.parts) left_ns -= p.category == e.category ? p.duration_ns : 0;
    sum_ns = plus_ns(sum_ns, std::max<DurationNs>(0, left_ns));
    if (std::find(nodes.begin(), nodes.end(), e.node) != nodes.end()) continue;
    nodes.push_back(e.node);
    sum_ns = plus_ns(sum_ns, n.end_ns - n.start_ns);
  }
  return std::min(sum_ns, visit.wait_ns);
}

/// What goes may take longer another time, by no more than a tenth as a rule.
DurationNs varies_by_ns(DurationNs took_ns) { return took_ns / 10; }

/// Nobody saves more than he waits for what goes.
DurationNs most_saved_ns(const Visit& visit, const std::vector<Edit>& edits) {
  const DurationNs touched = touched_ns(visit, edits);
  return std::min(touched + varies_by_ns(touched), visit.wait_ns);
}

/// One of them by chance, in proportion to their weights.
class Chance {
 public:
  explicit Chance(const std::vector<Weighted>& values)
      : values_(values), random_(static_cast<std::mt19937::result_type>(values.size())) {
    double passed = 0;
    for (const Weighted& v : values) {
      uneven_ |= v.weight != values.front().weight;
      passed += v.weight;
      up_to_.push_back(passed);
    }
  }
  DurationNs operator()() {
    const auto r = random_();
    if (!uneven_) return values_[r % values_.size()].value_ns;
    const double at = up_to_.back() * (static_cast<double>(r) / std::mt19937::max());
    const auto found = std::lower_bound(up_to_.begin(), up_to_.end(), at);
    return values_[std::min<std::size_t>(static_cast<std::size_t>(found - up_to_.begin()),
                                         values_.size() - 1)]
        .value_ns;
  }

 private:
  const std::vector<Weighted>& values_;
  std::mt19937 random_;
  std::vector<double> up_to_;
  bool uneven_ = false;
};

/// The median and where it may as well be: the `q` quantile of the medians of resamples.
DurationNs resampled(const std::vector<Weighted>& values, double q) {
  const std::size_t n = std::min(values.size(), kMaxResampled);
  Chance chance(values);
  std::vector<DurationNs> medians;
  std::vector<DurationNs> sample(n);
  for (std::size_t r = 0; r < kResamples; ++r) {
    for (DurationNs& value : sample) value = chance();
    medians.push_back(quantile(sample, 0.5));
  }
  return quantile(medians, q);
}

}  // namespace

EditsByVisit by_visit(const std::vector<Edit>& edits) {
  EditsByVisit grouped;
  for (const Edit& e : edits) grouped[e.visit].push_back(e);
  return grouped;
}

void Saving::work_out() {
  for (const auto& [visit, edits] : by_visit(finding_.edits)) {
    const Visit& v = input_.visits.stored[visit];
    const SavedTime saved = saved_time(v, {}, edits);
    if (saved.high_ns <= 0) continue;
    low_.push_back({saved.low_ns, v.weight});
    high_.push_back({saved.high_ns, v.weight});
    waits_.push_back({v.wait_ns, v.weight});
    most_.push_back(std::max(saved.high_ns, most_saved_ns(v, edits)));
    const Jitter jitter = jitter_of(v, edits);
    jitter_saved_.push_back({jitter.saved_ns, v.weight});
    jitter_variance_ += jitter.variance_ns2;
    note(v.flags);
  }
  double affected = 0;
  for (const Weighted& w : low_) affected += w.weight;
  finding_.affected_actions = static_cast<std::uint64_t>(std::llround(affected));
  if (low_.empty()) return;
  Interval& s = finding_.saving;
  s.low_ns = low_.size() > 1 ? std::min(median(low_), resampled(low_, 0.025)) : low_[0].value_ns;
  s.high_ns =
      high_.size() > 1 ? std::max(median(high_), resampled(high_, 0.975)) : high_[0].value_ns;
  s.mid_ns = (median(low_) + median(high_)) / 2;
  most_ns_ = s.high_ns;
  widen();
  add_up();
}

/// Over all visits. What round trips vary moves every visit's low and high apart, as it does their median's.
void Saving::add_up() {
  double mid_ns = 0, least_ns = 0, most_ns = 0;
  const DurationNs jitter_saved_ns = median(jitter_saved_);
  for (std::size_t i = 0; i < low_.size(); ++i) {
    const DurationNs low_ns = low_[i].value_ns;
    const DurationNs high_ns = high_[i].value_ns;
    const DurationNs widest_ns = std::min(high_ns + jitter_saved_ns + spread_ns_, most_[i]);
    mid_ns += low_[i].weight * static_cast<double>(std::midpoint(low_ns, high_ns));
    least_ns += low_[i].weight * static_cast<double>(std::max<DurationNs>(0, low_ns - spread_ns_));
    most_ns += low_[i].weight * static_cast<double>(std::max(high_ns, widest_ns));
  }
  const DurationNs span_ns = span_of(finding_, input_);
  finding_.user_seconds_per_hour = per_hour(mid_ns / kSecondNs, span_ns);
  finding_.least_user_seconds_per_hour = per_hour(least_ns / kSecondNs, span_ns);
  finding_.most_user_seconds_per_hour = per_hour(most_ns / kSecondNs, span_ns);
}

void Saving::set_confidence() {
  double sure = 0;
  double all = 0;
  for (std::size_t i = 0; i < low_.size(); ++i) {
    sure += low_[i].weight * static_cast<double>(low_[i].value_ns);
    all += high_[i].weight * static_cast<double>(high_[i].value_ns);
  }
  const bool inferred = all > 0 && sure < input_.thresholds.confidence.min_sure_share * all;
  if (missing_.one_sided) lower("some of the connections were captured in one direction only");
  if (missing_.midstream) lower("some of the connections were open before the capture began");
  if (missing_.encrypted) lower("some of the requests are encrypted");
  if (input_.visits.sampled()) lower("a sample of the visits was simulated");
  wirelag::set_confidence(
      finding_, input_.thresholds, low_.size(), "visit",
      inferred ? "inferred: what the client waited for, and what led to what" : "");
}

bool Saving::worth_it() const {
  const auto& gate = input_.thresholds.gate;
  if (low_.empty() || most_ns_ < gate.min_effect_ns) return false;
  return static_cast<double>(most_ns_) >=
         gate.min_effect_share * static_cast<double>(median(waits_));
}

DurationNs Saving::jitter_of(const VisitNode& n) const {
  return n.connection == Dataset::kNone ? round_trips_.typical_jitter_ns()
                                        : round_trips_.jitter_ns(n.connection);
}

Jitter Saving::jitter_of(const Visit& visit, const std::vector<Edit>& edits) const {
  Jitter jitter;
  for (const Edit& e : edits) {
    const bool counted_as_shortest = e.category == Category::connect ||
                                     e.category == Category::tls || e.category == Category::rounds;
    if (!counted_as_shortest || e.high_ns <= 0) continue;
    const VisitNode& n = visit.nodes[e.node];
    const DurationNs most_ns = std::max(n.end_ns - n.start_ns, e.high_ns) + varies_by_ns(e.high_ns);
    jitter.saved_ns += std::min(jitter_of(n), most_ns - e.high_ns);
  }
  for (const PathStep& step : critical_path(visit, Form::serial).steps) {
    const auto each = static_cast<double>(jitter_of(visit.nodes[step.node]));
    jitter.variance_ns2 += 2 * each * each;
  }
  return jitter;
}

/// By what the round trips of the capture vary, for as many visits as it has: the central 95 % of the
/// difference of two medians. What is sure stays above 0 only as far as it is beyond that.
void Saving::widen() {
  constexpr double kCentral95 = 1.96;
  constexpr double kMedianToMean = 1.2533;  // standard error of a median, of a mean; normal
  const auto n = static_cast<double>(low_.size());
  const double deviation = std::sqrt(jitter_variance_ / n);
  spread_ns_ = static_cast<DurationNs>(kCentral95 * kMedianToMean * deviation / std::sqrt(n));
  const DurationNs saved_ns = median(jitter_saved_);
  Interval& s = finding_.saving;
  finding_.jitter_ns = spread_ns_ + saved_ns / 2;
  s.low_ns = std::max<DurationNs>(0, s.low_ns - spread_ns_);
  const DurationNs most_ns = *std::max_element(most_.begin(), most_.end());
  s.high_ns = std::max(s.high_ns, std::min(s.high_ns + saved_ns + spread_ns_, most_ns));
  s.mid_ns = std::min(s.mid_ns + saved_ns / 2, s.high_ns);
}

void Saving::note(const VisitFlags& flags) {
  missing_.one_sided |= flags.one_sided;
  missing_.midstream |= flags.midstream;
  missing_.encrypted |= flags.encrypted;
}
}  // namespace wirelag
