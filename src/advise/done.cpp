#include "done.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace wirelag {
namespace {

using Since = DoneAlready::Since;

bool since(const Visit& v, TimeNs mark_ns) { return v.start_ns >= mark_ns; }

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
    if (since(v, mark_ns) && (services.empty() || services.contains(v.service))) n += v.weight;
  }
  return static_cast<std::uint64_t>(std::llround(n));
}

/// The finding of what was captured since that is the same; null when there is none.
const Finding* again(const Finding& f, const ChangeMade& made) {
  const auto at = std::find_if(made.still.begin(), made.still.end(),
                               [&f](const Finding& s) { return s.scope == f.scope; });
  return at == made.still.end() ? nullptr : &*at;
}

/// Judged anew, the rule found it again, and not only of what went on across the mark; or there was none before.
bool seen_since(const Finding& f, const ChangeMade& made, const Visits& visits) {
  if (made.before_all) return true;
  const auto edits_since = std::count_if(f.edits.begin(), f.edits.end(), [&](const Edit& e) {
    return since(visits.stored[e.visit], made.time_ns);
  });
  if (edits_since == std::ssize(f.edits) && edits_since > 0) return true;
  return again(f, made) != nullptr && (f.edits.empty() || edits_since > 0);
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

void set_done(Finding& f, const std::vector<ChangeMade>& all, const Visits& visits) {
  const auto made =
      std::find_if(all.begin(), all.end(), [&f](const ChangeMade& m) { return m.rule == f.rule; });
  if (made == all.end()) return;
  DoneAlready done{made->time_ns, made->what, Since::not_captured,
                   count_since(f, made->time_ns, visits)};
  const bool seen = seen_since(f, *made, visits);
  if (seen) {
    done.since = Since::seen;
  } else if (made->judged && done.visits_since > 0) {
    done.since = Since::not_seen;
  }
  std::erase_if(
      f.edits, [&](const Edit& e) { return since(visits.stored[e.visit], made->time_ns) != seen; });
  if (const Finding* still = again(f, *made); seen && still != nullptr) tell_of(f, *still);
  f.done = std::move(done);
}

bool recommended(const Finding& f) { return !f.done || f.done->since == Since::seen; }

std::uint64_t visits_of(const Finding& f, const Visits& visits) {
  if (!f.done) return visits.seen;
  double n = 0;
  for (const Visit& v : visits.stored) {
    if (since(v, f.done->time_ns) == recommended(f)) n += v.weight;
  }
  return static_cast<std::uint64_t>(std::llround(n));
}

DurationNs span_of(const Finding& f, const RuleInput& input) {
  if (!f.done) return input.data.span_ns();
  TimeNs from_ns = INT64_MAX;
  TimeNs to_ns = INT64_MIN;
  for (const Visit& v : input.visits.stored) {
    if (since(v, f.done->time_ns) != recommended(f)) continue;
    from_ns = std::min(from_ns, v.start_ns);
    to_ns = std::max(to_ns, v.start_ns + v.wait_ns);
  }
  return from_ns > to_ns ? 0 : to_ns - from_ns;
}

}  // namespace wirelag
