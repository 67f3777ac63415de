// Runs the rules and ranks what they found.
//
// What a finding saves by itself: saving.hpp. Ranking: user-seconds per hour; findings that save load but no time
// come last. Savings do not add: each is worked out again with those above it done.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <wirelag/advise/rule.hpp>

#include "done.hpp"
#include "estimate.hpp"
#include "saving.hpp"
#include "simulate.hpp"

namespace wirelag {
namespace {

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

/// Visits are compared with all visits that the finding is of, what frees load with what the rule looked at.
void set_share(Finding& f, const Visits& visits) {
  const std::uint64_t of = f.capacity_only ? f.looked_at : visits_of(f, visits);
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
  Saving saving(f, input);
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
    f.user_seconds_per_hour = f.least_user_seconds_per_hour = f.most_user_seconds_per_hour = 0;
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

Advice advise(const RuleInput& input, const std::vector<ChangeMade>& made) {
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
    set_done(f, made, input);
    if (!judge_saving(f, input, unseen, advice)) continue;
    (recommended(f) ? advice.findings : advice.done).push_back(std::move(f));
  }
  std::sort(advice.findings.begin(), advice.findings.end(), ranks_above);
  std::sort(advice.done.begin(), advice.done.end(), ranks_above);
  set_marginal_savings(advice.findings, input.visits);
  return advice;
}

}  // namespace wirelag
