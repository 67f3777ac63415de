#include "marks.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "around_mark.hpp"
#include "foreseen.hpp"
#include "named.hpp"

namespace wirelag::report {
namespace {

using Held = MarkedChange::Prediction::Held;

/// A prediction that the median before leaves open by more than it saves would always hold; one is not held where the
/// median after it may as well be unchanged.
Held held(const MarkedChange::Prediction& p, const MarkedChange::Service& s) {
  if (!p.named || s.more_unanswered || s.more_errors) return Held::not_asked;
  if (!known(s.before.p50_low_ns) || !known(s.after.p50_low_ns)) return Held::too_few;
  if (s.before.p50_high_ns - s.before.p50_low_ns >= p.saving_ns) return Held::too_few;
  if (s.after.p50_high_ns < p.low_ns) return Held::faster;
  if (s.after.p50_low_ns > p.high_ns) return Held::slower;
  const bool says_faster = p.high_ns < s.before.p50_low_ns;
  return says_faster && s.after.p50_high_ns >= s.before.p50_low_ns ? Held::too_few : Held::yes;
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
  const std::vector<JudgedVisit> all = judged_visits(capture, visits, data);
  std::vector<MarkedChange> out;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    Between between;
    if (i > 0) between.from = marks[i - 1].time_ns;
    if (i + 1 < marks.size()) between.to = marks[i + 1].time_ns;
    MarkedChange& change = out.emplace_back(
        MarkedChange{marks[i], services_around(marks[i].time_ns, between, all), {}});
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
