#include "made.hpp"

#include <algorithm>
#include <map>

#include "named.hpp"
#include "part.hpp"

namespace wirelag::report {
namespace {

/// By rule.
using LatestMarks = std::map<std::string_view, const Mark*>;

LatestMarks latest_marks(const std::vector<Mark>& marks) {
  LatestMarks latest;
  for (const Rule& rule : all_rules()) {
    for (const Mark& mark : marks) {
      if (!names(mark, rule.id)) continue;
      const Mark*& last = latest.try_emplace(rule.id, &mark).first->second;
      if (mark.time_ns >= last->time_ns) last = &mark;
    }
  }
  return latest;
}

/// Which of the whole's connections it is: kNone when it is none of them.
std::size_t index_of(const Connection& c, const Dataset& whole) {
  const auto& all = whole.connections();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Connection& other = all[i];
    if (other.first_frame == c.first_frame && other.start_time_ns == c.start_time_ns &&
        other.client == c.client && other.server == c.server) {
      return i;
    }
  }
  return Dataset::kNone;
}

/// What the rules say of what was captured since, with evidence as of the whole.
Advice advice_since(const Dataset& data, TimeNs from_ns, const Thresholds& thresholds) {
  Dataset part = part_of(data, from_ns, INT64_MAX);
  part.seal(thresholds.lookups, data.ended_ns());
  const Correlation correlation = correlate(part, thresholds.lookups);
  const Visits visits = find_visits(part, correlation, thresholds.visits);
  Advice advice = advise(RuleInput{part, correlation, visits, thresholds});
  for (Finding& f : advice.findings) {
    for (Evidence& e : f.evidence) {
      if (e.connection == Dataset::kNone) continue;
      e.connection = index_of(part.connections()[e.connection], data);
    }
  }
  return advice;
}

void judge(ChangeMade& made, const Advice& since) {
  for (const Finding& f : since.findings) {
    if (f.rule == made.rule) made.still.push_back(f);
  }
  made.judged = std::none_of(since.not_judged.begin(), since.not_judged.end(),
                             [&made](const Verdict& v) { return v.rule == made.rule; });
}

}  // namespace

std::vector<ChangeMade> changes_made(const CaptureBlock& capture, const Dataset& data,
                                     const Thresholds& thresholds) {
  std::vector<ChangeMade> all;
  std::map<TimeNs, Advice> since;  // marks of one instant are judged once
  for (const auto& [rule, mark] : latest_marks(capture.marks)) {
    ChangeMade made{std::string(rule), mark->time_ns, mark->what, {}, false, false};
    made.before_all = !known(capture.first_time_ns) || made.time_ns <= capture.first_time_ns;
    if (!made.before_all && made.time_ns <= capture.last_time_ns) {
      auto [at, first] = since.try_emplace(made.time_ns);
      if (first) at->second = advice_since(data, made.time_ns, thresholds);
      judge(made, at->second);
    }
    all.push_back(std::move(made));
  }
  return all;
}

}  // namespace wirelag::report
