// Runs the rules and ranks what they found.
//
// Ranking: user-seconds saved per hour; findings that save load but no time come last. Savings do
// not add: each finding charges the stalls it removes to its name, best finding first, and what is
// charged already counts no more (after_higher_ranked_ns).
#include <algorithm>
#include <map>

#include <wirelag/advise/rule.hpp>

namespace wirelag {
namespace {

bool ranks_above(const Finding& a, const Finding& b) {
  if (a.capacity_only != b.capacity_only) return b.capacity_only;
  if (a.user_seconds_per_hour != b.user_seconds_per_hour) {
    return a.user_seconds_per_hour > b.user_seconds_per_hour;
  }
  const DurationNs width_a = a.saving.high_ns - a.saving.low_ns;
  const DurationNs width_b = b.saving.high_ns - b.saving.low_ns;
  if (width_a != width_b) return width_a < width_b;
  if (a.affected_actions != b.affected_actions) return a.affected_actions > b.affected_actions;
  return std::tie(a.rule, a.scope) < std::tie(b.rule, b.scope);
}

/// Which spans of each client's time have been promised.
class Ledger {
 public:
  /// How much of the stall was free until now; from now on it is taken.
  DurationNs charge(const ChargedTime& stall) {
    TimeNs from = stall.from_ns;
    TimeNs to = from + stall.duration_ns;
    DurationNs free = stall.duration_ns;
    auto& spans = taken_[stall.client_ip];
    auto at = spans.upper_bound(from);
    if (at != spans.begin() && std::prev(at)->second > from) --at;
    while (at != spans.end() && at->first < to) {
      free -= std::min(to, at->second) - std::max(stall.from_ns, at->first);
      to = std::max(to, at->second);
      from = std::min(from, at->first);
      at = spans.erase(at);
    }
    if (to > from) spans.emplace(from, to);
    return free;
  }

 private:
  std::map<IpAddress, std::map<TimeNs, TimeNs>> taken_;  ///< disjoint [from, to)
};

void set_marginal_savings(std::vector<Finding>& ranked) {
  Ledger ledger;
  for (Finding& finding : ranked) {
    DurationNs all = 0;
    DurationNs free = 0;
    for (const ChargedTime& stall : finding.charged) {
      all += stall.duration_ns;
      free += ledger.charge(stall);
    }
    const double share = all > 0 ? static_cast<double>(free) / static_cast<double>(all) : 1.0;
    finding.after_higher_ranked_ns =
        static_cast<DurationNs>(static_cast<double>(finding.saving.mid_ns) * share);
  }
}

}  // namespace

Advice advise(const RuleInput& input) {
  Advice advice;
  for (const Rule& rule : all_rules()) {
    RuleResult result = rule.judge(input);
    switch (result.outcome) {
      case Outcome::fires:
        for (Finding& finding : result.findings) advice.findings.push_back(std::move(finding));
        break;
      case Outcome::fine:
        advice.fine.push_back({std::string(rule.id), std::string(rule.title_when_fine)});
        break;
      case Outcome::not_applicable:
      case Outcome::not_visible:
        advice.not_judged.push_back({std::string(rule.id), std::move(result.note)});
        break;
    }
  }
  std::sort(advice.findings.begin(), advice.findings.end(), ranks_above);
  set_marginal_savings(advice.findings);
  return advice;
}

}  // namespace wirelag
