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

/// What a finding is about: the servers of what its edits change. Lookups have none.
class Subject {
 public:
  Subject(const Finding& f, const RuleInput& input) : input_(input) {
    for (const Edit& e : f.edits) {
      servers_.insert(server_of(input.visits.stored[e.visit].nodes[e.node]));
    }
  }

  /// Whether something of the visit on that side of the mark is about it; where there is no edit, anything.
  [[nodiscard]] bool is_in(const Visit& v, bool since, TimeNs mark_ns) const {
    return std::any_of(v.nodes.begin(), v.nodes.end(), [&](const VisitNode& n) {
      return (n.start_ns >= mark_ns) == since &&
             (servers_.empty() || servers_.contains(server_of(n)));
    });
  }

 private:
  [[nodiscard]] Endpoint server_of(const VisitNode& n) const {
    return n.connection == Dataset::kNone ? Endpoint{}
                                          : input_.data.connections()[n.connection].server;
  }

  const RuleInput& input_;
  std::set<Endpoint> servers_;
};

std::uint64_t count(const Subject& subject, bool since, TimeNs mark_ns, const Visits& visits) {
  double n = 0;
  for (const Visit& v : visits.stored) n += subject.is_in(v, since, mark_ns) ? v.weight : 0;
  return static_cast<std::uint64_t>(std::llround(n));
}

/// Visits that the edits change.
std::uint64_t count(const std::vector<Edit>& edits, const Visits& visits) {
  std::set<std::uint32_t> edited;
  for (const Edit& e : edits) edited.insert(e.visit);
  double n = 0;
  for (const std::uint32_t v : edited) n += visits.stored[v].weight;
  return static_cast<std::uint64_t>(std::llround(n));
}

/// Whether as few visits since would hardly all be without it by chance, if each had it as often as one before.
bool enough_since(const DoneAlready& d) {
  constexpr double kByChance = 0.05;
  if (d.visits_since == 0) return false;
  if (d.visits_before == 0 || d.affected_before == 0) return true;  // not of single visits
  const double share =
      std::min(1.0, static_cast<double>(d.affected_before) / static_cast<double>(d.visits_before));
  return std::pow(1 - share, static_cast<double>(d.visits_since)) <= kByChance;
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

/// Edits are no surer than the rule was of what was captured since.
void lower_edits(std::vector<Edit>& edits, const std::vector<Edit>& since) {
  double low = 0, high = 0;
  for (const Edit& e : since) {
    low += static_cast<double>(e.low_ns);
    high += static_cast<double>(e.high_ns);
  }
  if (high <= 0) return;
  for (Edit& e : edits) {
    const auto low_ns = static_cast<DurationNs>(static_cast<double>(e.high_ns) * low / high);
    e.low_ns = std::min(e.low_ns, low_ns);
  }
}

/// All that the rule says is of what was captured since; where it would help is as of the whole.
void tell_of(Finding& f, const Finding& still) {
  Finding told = still;
  told.edits = std::move(f.edits);
  told.lookups = std::move(f.lookups);
  told.unplaced = f.unplaced;
  told.why_not_higher =
      std::move(f.why_not_higher);  // what else lowers it is worked out from the edits
  lower_edits(told.edits, still.edits);
  f = std::move(told);
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
  const Subject subject(f, input);
  DoneAlready done{mark_ns,
                   made->what,
                   Since::not_captured,
                   count(subject, false, mark_ns, input.visits),
                   count(subject, true, mark_ns, input.visits),
                   count(before, input.visits),
                   count(after, input.visits)};
  if (seen) {
    done.since = Since::seen;
  } else if (made->judged && enough_since(done)) {
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
