#include "done.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "saving.hpp"

namespace wirelag {
namespace {

using Since = DoneAlready::Since;

/// What began at the mark or later, of a visit that went on across it too.
bool since(const Edit& e, TimeNs mark_ns, const Visits& visits) {
  return visits.stored[e.visit].nodes[e.node].start_ns >= mark_ns;
}

/// Whether some of the visit began on that side of the mark.
bool is_of(const Visit& v, bool since, TimeNs mark_ns) {
  return std::any_of(v.nodes.begin(), v.nodes.end(),
                     [&](const VisitNode& n) { return (n.start_ns >= mark_ns) == since; });
}

/// Services of the visits with an edit.
std::set<std::string_view> services_of(const Finding& f, const Visits& visits) {
  std::set<std::string_view> services;
  for (const Edit& e : f.edits) services.insert(visits.stored[e.visit].service);
  return services;
}

std::uint64_t count_since(const Finding& f, TimeNs mark_ns, const Visits& visits) {
  const std::set<std::string_view> services = services_of(f, visits);
  double n = 0;
  for (const Visit& v : visits.stored) {
    if (is_of(v, true, mark_ns) && (services.empty() || services.contains(v.service)))
      n += v.weight;
  }
  return static_cast<std::uint64_t>(std::llround(n));
}

/// The finding of what was captured since that is the same; null when there is none.
const Finding* again(const Finding& f, const ChangeMade& made) {
  const auto at = std::find_if(made.still.begin(), made.still.end(),
                               [&f](const Finding& s) { return s.scope == f.scope; });
  return at == made.still.end() ? nullptr : &*at;
}

/// What the finding saves per visit with these edits alone; 0 where that is not worth it.
DurationNs saved_ns(const Finding& f, const std::vector<Edit>& edits, const RuleInput& input) {
  if (edits.empty()) return 0;
  Finding part = f;
  part.edits = edits;
  Saving saving(part, input);
  saving.work_out();
  return saving.worth_it() ? part.saving.mid_ns : 0;
}

/// Whether visits since the mark still have at least half of it.
bool as_before(const Finding& f, const std::vector<Edit>& before, const std::vector<Edit>& after,
               const RuleInput& input) {
  const DurationNs since_ns = saved_ns(f, after, input);
  return since_ns > 0 && since_ns >= saved_ns(f, before, input) / 2;
}

/// Only that of its side, if there is any.
void keep_evidence(Finding& f, bool of_after, TimeNs mark_ns) {
  std::vector<Evidence> kept;
  std::copy_if(
      f.evidence.begin(), f.evidence.end(), std::back_inserter(kept),
      [&](const Evidence& e) { return !known(e.time_ns) || (e.time_ns >= mark_ns) == of_after; });
  if (!kept.empty()) f.evidence = std::move(kept);
}

/// What is said of it: of what was captured since.
void tell_of(Finding& f, const Finding& still) {
  f.fault = still.fault;
  f.why = still.why;
  f.evidence = still.evidence;
  f.what_if = still.what_if;
  f.capacity = still.capacity;
  f.looked_at = still.looked_at;
  f.affected_actions = still.affected_actions;
}

}  // namespace

/// It is still there where the rule finds it in what was captured since alone. A rule that goes by what is usual may
/// find nothing there; then it is still there where it costs as much as before.
void set_done(Finding& f, const std::vector<ChangeMade>& all, const RuleInput& input) {
  const auto made =
      std::find_if(all.begin(), all.end(), [&f](const ChangeMade& m) { return m.rule == f.rule; });
  if (made == all.end()) return;
  const TimeNs mark_ns = made->time_ns;
  std::vector<Edit> before, after;
  for (const Edit& e : f.edits) (since(e, mark_ns, input.visits) ? after : before).push_back(e);
  const Finding* still = again(f, *made);
  const bool found_again = still != nullptr && (f.edits.empty() || !after.empty());
  const bool seen = made->before_all || found_again || as_before(f, before, after, input);
  DoneAlready done{mark_ns, made->what, Since::not_captured, count_since(f, mark_ns, input.visits)};
  if (seen) {
    done.since = Since::seen;
  } else if (made->judged && done.visits_since > 0) {
    done.since = Since::not_seen;
  }
  f.edits = seen ? std::move(after) : std::move(before);
  keep_evidence(f, seen, mark_ns);
  if (seen && still != nullptr) tell_of(f, *still);
  f.done = std::move(done);
}

bool recommended(const Finding& f) { return !f.done || f.done->since == Since::seen; }

std::uint64_t visits_of(const Finding& f, const Visits& visits) {
  if (!f.done) return visits.seen;
  double n = 0;
  for (const Visit& v : visits.stored) {
    if (is_of(v, recommended(f), f.done->time_ns)) n += v.weight;
  }
  return static_cast<std::uint64_t>(std::llround(n));
}

DurationNs span_of(const Finding& f, const RuleInput& input) {
  if (!f.done) return input.data.span_ns();
  TimeNs from_ns = INT64_MAX;
  TimeNs to_ns = INT64_MIN;
  for (const Visit& v : input.visits.stored) {
    for (const VisitNode& n : v.nodes) {
      if ((n.start_ns >= f.done->time_ns) != recommended(f)) continue;
      from_ns = std::min(from_ns, n.start_ns);
      to_ns = std::max(to_ns, n.end_ns);
    }
  }
  return from_ns > to_ns ? 0 : to_ns - from_ns;
}

}  // namespace wirelag
