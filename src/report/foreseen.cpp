#include "foreseen.hpp"

#include <algorithm>

#include <wirelag/advise/weighted.hpp>

#include "part.hpp"
#include "visit_outcome.hpp"

namespace wirelag::report {
namespace {

/// The waits of a service's visits: as they were, and with the findings' changes made.
struct ServiceWaits {
  std::vector<Weighted> was, least, most;
};

DurationNs jitter_of(const Advice& advice, std::string_view rule) {
  DurationNs jitter_ns = 0;
  for (const Finding& f : advice.findings) {
    if (f.rule == rule) jitter_ns = std::max(jitter_ns, f.jitter_ns);
  }
  return jitter_ns;
}

Foreseen of_rule(const std::string& rule, const Visits& visits, const std::vector<bool>& counts,
                 const Advice& advice) {
  const std::vector<WaitAfter> after = waits_with(visits, advice, rule);
  std::map<std::string, ServiceWaits> by_service;
  for (std::size_t i = 0; i < visits.stored.size(); ++i) {
    if (!counts[i]) continue;
    const Visit& v = visits.stored[i];
    ServiceWaits& waits = by_service[v.service];
    waits.was.push_back({v.wait_ns, v.weight});
    waits.least.push_back({after[i].least_ns, v.weight});
    waits.most.push_back({after[i].most_ns, v.weight});
  }
  const DurationNs jitter_ns = jitter_of(advice, rule);
  Foreseen foreseen{rule, {}};
  for (auto& [service, waits] : by_service) {
    const DurationNs was_ns = quantile(waits.was, 0.5);
    const DurationNs low_ns = was_ns - quantile(waits.most, 0.5);
    const DurationNs high_ns = was_ns - quantile(waits.least, 0.5);
    if (high_ns <= 0) continue;
    foreseen.by_service[service] = {std::max<DurationNs>(0, low_ns - jitter_ns),
                                    std::min(was_ns, high_ns + jitter_ns)};
  }
  return foreseen;
}

}  // namespace

std::vector<Foreseen> foresee(const Dataset& data, TimeNs from_ns, TimeNs to_ns,
                              const Thresholds& thresholds) {
  Dataset part = part_of(data, from_ns, to_ns);
  part.seal(thresholds.lookups, std::min(to_ns, data.ended_ns()));
  const Correlation correlation = correlate(part, thresholds.lookups);
  const Visits visits = find_visits(part, correlation, thresholds.visits);
  const Advice advice = advise(RuleInput{part, correlation, visits, thresholds});
  std::vector<bool> counts;
  for (const Visit& v : visits.stored) {
    const VisitOutcome outcome = outcome_of(v, part);
    counts.push_back((outcome == VisitOutcome::answered || outcome == VisitOutcome::error) &&
                     v.start_ns + v.wait_ns <= to_ns);
  }
  std::vector<Foreseen> by_rule;
  for (const Finding& f : advice.findings) {
    const bool again = std::any_of(by_rule.begin(), by_rule.end(),
                                   [&f](const Foreseen& other) { return other.rule == f.rule; });
    if (again || f.capacity_only) continue;
    by_rule.push_back(of_rule(f.rule, visits, counts, advice));
  }
  return by_rule;
}

}  // namespace wirelag::report
