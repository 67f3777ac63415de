// Runs the rules and ranks what they found.
//
// What a finding saves: every visit it edits is simulated with and without the edits, in both forms
// (simulate.hpp). Per affected action: the median over the visits that get shorter, low and high
// widened to the central 95 % of 200 resamples, and by what round trips vary. Ranking: user-seconds per hour; findings that save
// load but no time come last. Savings do not add: each is worked out again with those above it done.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include <wirelag/advise/rule.hpp>

#include "estimate.hpp"
#include "round_trips.hpp"
#include "simulate.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kResamples = 200;
constexpr std::size_t kMaxResampled = 2000;

using EditsByVisit = std::map<std::uint32_t, std::vector<Edit>>;

EditsByVisit by_visit(const std::vector<Edit>& edits) {
  EditsByVisit grouped;
  for (const Edit& e : edits) grouped[e.visit].push_back(e);
  return grouped;
}

// ----------------------------------------------------------------------------------- precedence

struct Precedence {
  std::string_view owner;
  std::string_view muted;
};
constexpr Precedence kPrecedence[] = {
#define X(owner, muted) {owner, muted},
#include "precedence.def"
#undef X
};

using Place = std::tuple<std::uint32_t, std::uint32_t, Edit::What, Category>;
Place place(const Edit& e) { return {e.visit, e.node, e.what, e.category}; }

/// Takes from the muted findings the edits that their owners make as well.
void settle_ownership(std::vector<Finding>& findings, std::vector<Verdict>& fine) {
  for (const Precedence& p : kPrecedence) {
    std::vector<Place> owned;
    for (const Finding& f : findings) {
      if (f.rule != p.owner) continue;
      for (const Edit& e : f.edits) owned.push_back(place(e));
    }
    if (owned.empty()) continue;
    std::sort(owned.begin(), owned.end());
    for (Finding& f : findings) {
      if (f.rule != p.muted || f.edits.empty()) continue;
      std::erase_if(f.edits, [&](const Edit& e) {
        return std::binary_search(owned.begin(), owned.end(), place(e));
      });
      if (!f.edits.empty()) continue;
      fine.push_back(
          {f.rule, fmt::format("{}; counted under {}", f.fault, p.owner), Outcome::fine, f.scope});
      f.rule.clear();
    }
  }
  std::erase_if(findings, [](const Finding& f) { return f.rule.empty(); });
}

// --------------------------------------------------------------------------------------- saving

DurationNs median(std::vector<Weighted> values) { return quantile(values, 0.5); }

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

/// What varies of a visit's saving because round trips do. A saved round trip is counted as short as
/// the path's shortest one; it lasts that much longer on average. And the visit that is compared with
/// has other ones on its path: as the jitter is one-sided, its mean is about its standard deviation.
struct Jitter {
  DurationNs saved_ns = 0;  ///< more than the shortest round trips would save
  double variance_ns2 = 0;  ///< of the difference of two such visits
};

/// What the finding saves by itself, for whom.
class Saving {
 public:
  Saving(Finding& finding, const RuleInput& input, const RoundTrips& round_trips)
      : finding_(finding), input_(input), round_trips_(round_trips) {}

  void work_out() {
    for (const auto& [visit, edits] : by_visit(finding_.edits)) {
      const Visit& v = input_.visits.stored[visit];
      const SavedTime saved = saved_time(v, {}, edits);
      if (saved.high_ns <= 0) continue;
      low_.push_back({saved.low_ns, v.weight});
      high_.push_back({saved.high_ns, v.weight});
      waits_.push_back({v.wait_ns, v.weight});
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
    double total_ns = 0;
    for (std::size_t i = 0; i < low_.size(); ++i) {
      total_ns +=
          low_[i].weight * static_cast<double>(std::midpoint(low_[i].value_ns, high_[i].value_ns));
    }
    finding_.user_seconds_per_hour = per_hour(total_ns / kSecondNs, input_.data);
  }

  void set_confidence() {
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

  /// High, before it is widened.
  [[nodiscard]] DurationNs most_ns() const { return most_ns_; }

  [[nodiscard]] bool worth_it() const {
    const auto& gate = input_.thresholds.gate;
    if (low_.empty() || most_ns_ < gate.min_effect_ns) return false;
    return static_cast<double>(most_ns_) >=
           gate.min_effect_share * static_cast<double>(median(waits_));
  }

 private:
  [[nodiscard]] DurationNs jitter_of(const VisitNode& n) const {
    return n.connection == Dataset::kNone ? round_trips_.typical_jitter_ns()
                                          : round_trips_.jitter_ns(n.connection);
  }

  [[nodiscard]] Jitter jitter_of(const Visit& visit, const std::vector<Edit>& edits) const {
    Jitter jitter;
    for (const Edit& e : edits) {
      const bool counted_as_shortest = e.category == Category::connect ||
                                       e.category == Category::tls ||
                                       e.category == Category::rounds;
      if (!counted_as_shortest || e.high_ns <= 0) continue;
      jitter.saved_ns += jitter_of(visit.nodes[e.node]);
    }
    for (const PathStep& step : critical_path(visit, Form::serial).steps) {
      const auto each = static_cast<double>(jitter_of(visit.nodes[step.node]));
      jitter.variance_ns2 += 2 * each * each;
    }
    return jitter;
  }

  /// By what the round trips of the capture vary, for as many visits as it has: the central 95 % of the
  /// difference of two medians. What is sure stays above 0 only as far as it is beyond that.
  void widen() {
    constexpr double kCentral95 = 1.96;
    constexpr double kMedianToMean = 1.2533;  // standard error of a median, of a mean; normal
    const auto n = static_cast<double>(low_.size());
    const double deviation = std::sqrt(jitter_variance_ / n);
    const auto spread_ns =
        static_cast<DurationNs>(kCentral95 * kMedianToMean * deviation / std::sqrt(n));
    const DurationNs saved_ns = median(jitter_saved_);
    Interval& s = finding_.saving;
    finding_.jitter_ns = spread_ns + saved_ns / 2;
    s.low_ns = std::max<DurationNs>(0, s.low_ns - spread_ns);
    // Nobody saves more than the wait itself.
    const DurationNs wait_ns =
        std::max_element(waits_.begin(), waits_.end(), [](const Weighted& a, const Weighted& b) {
          return a.value_ns < b.value_ns;
        })->value_ns;
    s.high_ns = std::max(s.high_ns, std::min(s.high_ns + saved_ns + spread_ns, wait_ns));
    s.mid_ns = std::min(s.mid_ns + saved_ns / 2, s.high_ns);
  }

  void note(const VisitFlags& flags) {
    missing_.one_sided |= flags.one_sided;
    missing_.midstream |= flags.midstream;
    missing_.encrypted |= flags.encrypted;
  }
  void lower(const char* reason) { finding_.why_not_higher.emplace_back(reason); }

  Finding& finding_;
  const RuleInput& input_;
  std::vector<Weighted> low_;  ///< of every visit that gets shorter
  std::vector<Weighted> high_;
  std::vector<Weighted> waits_;
  std::vector<Weighted> jitter_saved_;
  double jitter_variance_ = 0;
  DurationNs most_ns_ = 0;  ///< high, before it is widened
  const RoundTrips& round_trips_;
  VisitFlags missing_;
};

/// Visits are compared with all visits, what frees load with what the rule looked at.
void set_share(Finding& f, const Visits& visits) {
  const std::uint64_t of = f.capacity_only ? f.looked_at : visits.seen;
  f.affected_share =
      of == 0 ? 0
              : std::min(1.0, static_cast<double>(f.affected_actions) / static_cast<double>(of));
}

/// Connections that were open before the capture began. There are few: findings are many.
class OpenedUnseen {
 public:
  explicit OpenedUnseen(const Dataset& data) {
    for (const Connection& c : data.connections()) {
      if (c.state == ConnectionState::midstream || c.state == ConnectionState::no_syn_seen) {
        ways_.push_back({c.client.ip, c.server.ip});
      }
    }
    std::sort(ways_.begin(), ways_.end());
    ways_.erase(std::unique(ways_.begin(), ways_.end()), ways_.end());
  }

  [[nodiscard]] bool any() const { return !ways_.empty(); }
  /// Whether one may have waited for one of the lookups: one of their client to an address of their answers.
  /// Of a lookup on the capture host itself any client may be that.
  [[nodiscard]] bool any_after(const std::vector<std::size_t>& lookups,
                               const RuleInput& input) const {
    if (!any()) return false;
    std::vector<Way> asked;
    for (const std::size_t i : lookups) {
      const Lookup& l = input.correlation.lookups[i];
      if (l.addresses_left_out > 0) return true;
      const IpAddress& client = l.client_ip.is_loopback() ? kAnyClient : l.client_ip;
      for (const IpAddress& server : l.addresses) asked.push_back({client, server});
    }
    std::sort(asked.begin(), asked.end());
    const auto of = [&](const Way& way) {
      return std::binary_search(asked.begin(), asked.end(), way);
    };
    return std::any_of(ways_.begin(), ways_.end(), [&](const Way& way) {
      return of(way) || of({kAnyClient, way.server});
    });
  }

 private:
  static constexpr IpAddress kAnyClient{};
  struct Way {
    IpAddress client;
    IpAddress server;
    auto operator<=>(const Way&) const = default;
  };

  std::vector<Way> ways_;
};

/// Whether somebody may have waited for what the finding is about and no visit shows it: a lookup, say, of a
/// connection whose opening was not captured, or segments lost of what cannot be read. Of a sample, the visits
/// with an edit stand for those left out.
bool waiting_not_captured(const Finding& f, const RuleInput& input, const OpenedUnseen& unseen) {
  if (input.visits.stored.empty()) return true;
  if (f.edits.empty()) return f.unplaced > 0 || unseen.any_after(f.lookups, input);
  return f.unplaced > 0 && !input.visits.sampled();
}

/// False when it saves no time worth a finding, and no load either.
bool judge_saving(Finding& f, const RuleInput& input, const OpenedUnseen& unseen, Advice& advice) {
  if (f.capacity_only) {
    set_confidence(f, input.thresholds, f.affected_actions, "action", {});
    set_share(f, input.visits);
    return true;
  }
  const auto edited = f.affected_actions;
  Saving saving(f, input, *input.visits.round_trips);
  saving.work_out();
  const bool worth_it = saving.worth_it();
  if (!worth_it && !f.keep_for_capacity && waiting_not_captured(f, input, unseen)) {
    advice.not_judged.push_back({f.rule,
                                 fmt::format("{}; who waited for {} was not captured", f.fault,
                                             f.edits.empty() ? "it" : "some of it"),
                                 Outcome::not_visible,
                                 {}});
    return false;
  }
  if (!worth_it && !f.keep_for_capacity) {
    advice.fine.push_back({f.rule,
                           fmt::format("{}; saves {}: {}", f.fault,
                                       saving.most_ns() == 0 ? "0 ms" : in_ms(saving.most_ns()),
                                       saving.most_ns() == 0 ? "nobody waited for it alone"
                                                             : "too little to be worth a change"),
                           Outcome::fine, f.scope});
    return false;
  }
  if (worth_it) {
    saving.set_confidence();
  } else {
    f.capacity_only = true;
    f.saving = {};
    f.jitter_ns = 0;
    f.user_seconds_per_hour = 0;
    f.affected_actions = edited;
    set_confidence(f, input.thresholds, edited, "action", {});
  }
  set_share(f, input.visits);
  return true;
}

// -------------------------------------------------------------------------------------- ranking

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

/// Makes one finding's edits after the other.
void set_marginal_savings(std::vector<Finding>& ranked, const Visits& visits) {
  EditsByVisit done;
  for (Finding& f : ranked) {
    if (f.capacity_only) continue;
    double alone = 0;
    double marginal = 0;
    for (const auto& [visit, edits] : by_visit(f.edits)) {
      std::vector<Edit>& before = done[visit];
      std::vector<Edit> both = before;
      both.insert(both.end(), edits.begin(), edits.end());
      const SavedTime by_itself = saved_time(visits.stored[visit], {}, edits);
      const SavedTime on_top =
          before.empty() ? by_itself : saved_time(visits.stored[visit], before, both);
      const double weight = visits.stored[visit].weight;
      alone += weight * static_cast<double>(std::midpoint(by_itself.low_ns, by_itself.high_ns));
      marginal += weight * static_cast<double>(std::midpoint(on_top.low_ns, on_top.high_ns));
      before = std::move(both);
    }
    const double share = alone > 0 ? marginal / alone : 0;
    f.after_higher_ranked_ns =
        marginal == alone
            ? f.saving.mid_ns
            : static_cast<DurationNs>(static_cast<double>(f.saving.mid_ns) * std::min(share, 1.0));
  }
}

}  // namespace

std::vector<WaitAfter> waits_after(const Visits& visits, std::uint32_t visit,
                                   const Advice& advice) {
  std::vector<WaitAfter> waits;
  std::vector<Edit> done;
  WaitRange before{visits.stored[visit].wait_ns, visits.stored[visit].wait_ns};
  for (std::size_t i = 0; i < advice.findings.size(); ++i) {
    const Finding& f = advice.findings[i];
    if (f.capacity_only) continue;
    const std::size_t made = done.size();
    std::copy_if(f.edits.begin(), f.edits.end(), std::back_inserter(done),
                 [visit](const Edit& e) { return e.visit == visit; });
    if (done.size() == made) continue;
    const WaitRange after = wait_range(visits.stored[visit], done);
    if (after.least_ns == before.least_ns && after.most_ns == before.most_ns) continue;
    waits.push_back({i, after.least_ns, after.most_ns});
    before = after;
  }
  return waits;
}

std::vector<WaitAfter> waits_with(const Visits& visits, const Advice& advice,
                                  std::string_view rule) {
  std::vector<WaitAfter> waits;
  for (const Visit& v : visits.stored) waits.push_back({0, v.wait_ns, v.wait_ns});
  std::vector<Edit> all;
  for (const Finding& f : advice.findings) {
    if (f.rule == rule && !f.capacity_only) all.insert(all.end(), f.edits.begin(), f.edits.end());
  }
  for (const auto& [visit, edits] : by_visit(all)) {
    const WaitRange range = wait_range(visits.stored[visit], edits);
    waits[visit] = {0, range.least_ns, range.most_ns};
  }
  return waits;
}

Advice advise(const RuleInput& input) {
  Advice advice;
  std::vector<Finding> found;
  for (const Rule& rule : all_rules()) {
    RuleResult result = rule.judge(input);
    switch (result.outcome) {
      case Outcome::fires:
        for (Finding& f : result.findings) {
          f.rule = rule.id;
          found.push_back(std::move(f));
        }
        break;
      case Outcome::fine:
        advice.fine.push_back({std::string(rule.id), std::string(rule.title_when_fine),
                               result.outcome, std::move(result.note)});
        break;
      case Outcome::not_applicable:
      case Outcome::not_visible:
        advice.not_judged.push_back(
            {std::string(rule.id), std::move(result.note), result.outcome, {}});
        break;
    }
  }
  settle_ownership(found, advice.fine);
  const OpenedUnseen unseen(input.data);
  for (Finding& f : found) {
    if (judge_saving(f, input, unseen, advice)) advice.findings.push_back(std::move(f));
  }
  std::sort(advice.findings.begin(), advice.findings.end(), ranks_above);
  set_marginal_savings(advice.findings, input.visits);
  return advice;
}

}  // namespace wirelag
