#include "simulate.hpp"

#include <algorithm>
#include <optional>

namespace wirelag {
namespace {

/// What edits take from the gap before a node.
struct GapCut {
  DurationNs round_ns = 0;
  DurationNs stall_ns = 0;
  DurationNs client_ns = 0;

  [[nodiscard]] DurationNs lag_ns(const VisitEdge& e) const {
    const DurationNs client = e.lag_ns - e.round_ns - e.stall_ns;
    return e.lag_ns - std::min(round_ns, e.round_ns) - std::min(stall_ns, e.stall_ns) -
           std::min(client_ns, client);
  }
};

/// A node's durations while edits are made.
struct Edited {
  std::array<VisitPart, 11> parts;
  std::size_t count = 0;
  GapCut gap;

  explicit Edited(const VisitNode& n) {
    for (const VisitPart& p : n.parts) parts[count++] = p;
  }
  [[nodiscard]] std::span<const VisitPart> left() const { return {parts.data(), count}; }

  /// The last part of the category first: a response's flights before its request's round trip.
  void shorten(Category category, DurationNs by) {
    for (std::size_t i = count; i-- > 0 && by != 0;) {
      if (parts[i].category != category) continue;
      const DurationNs cut = std::min(by, parts[i].duration_ns);
      parts[i].duration_ns -= cut;
      by -= cut;
    }
    if (by < 0 && count < parts.size()) parts[count++] = {category, -by};
    if (by <= 0) return;
    if (category == Category::rounds) gap.round_ns += by;
    if (category == Category::stall) gap.stall_ns += by;
    if (category == Category::client) gap.client_ns += by;
  }
};

/// What the edits leave of node `i`; nothing where none is of it.
std::optional<Edited> edited(const VisitNode& n, std::uint32_t i, std::span<const Edit> edits,
                             Bound bound, bool& unqueued) {
  std::optional<Edited> out;
  for (const Edit& e : edits) {
    if (e.node != i) continue;
    const DurationNs by = bound == Bound::low ? e.low_ns : e.high_ns;
    if (e.what == Edit::What::unqueue) unqueued |= by != 0;
    if (e.what != Edit::What::shorten) continue;
    if (!out) out.emplace(n);
    out->shorten(e.category, by);
  }
  return out;
}

/// From the start on.
template <class Parts>
void add_parts(Run::Times& times, const Parts& parts, std::size_t before_answer) {
  times.answer_ns = times.end_ns = times.start_ns;
  std::size_t passed = 0;
  for (const VisitPart& p : parts) {
    times.end_ns += p.duration_ns;
    if (++passed == before_answer) times.answer_ns = times.end_ns;
  }
  if (before_answer == 0) times.answer_ns = times.end_ns;
}

/// Than the last one so far. Of several that the capture's end cut off: whose answer was due later.
bool ends_later(const Visit& visit, const Run& run, std::uint32_t i) {
  const TimeNs end_ns = run.nodes[i].end_ns;
  const TimeNs last_end_ns = run.nodes[run.last].end_ns;
  if (end_ns != last_end_ns) return end_ns > last_end_ns;
  return visit.nodes[i].unseen_ns > visit.nodes[run.last].unseen_ns;
}

/// How long behind the capture's end the answer that is due last was still out, at least.
DurationNs beyond_end_ns(const Visit& visit) {
  const TimeNs seen_until_ns = visit.start_ns + visit.wait_ns;
  TimeNs due_ns = seen_until_ns;
  for (const VisitNode& n : visit.nodes) {
    if (n.waited_for) due_ns = std::max(due_ns, n.end_ns + n.unseen_ns);
  }
  return due_ns - seen_until_ns;
}

/// Of a run until the answer, the wait up to the moment at which the visit was seen last. What is left then of a
/// round trip that was cut off is no shorter with a change: it is waited for, as far as anybody was seen to wait.
DurationNs wait_seen_ns(const Visit& visit, const Run& run, DurationNs beyond_ns) {
  if (run.last == UINT32_MAX) return run.wait_ns;
  const DurationNs left_ns = visit.nodes[run.last].unseen_ns;
  return std::max(run.wait_ns - beyond_ns, std::min(visit.wait_ns, left_ns));
}

}  // namespace

Run simulate(const Visit& visit, Form form, std::span<const Edit> edits, Bound bound) {
  Run run;
  simulate(visit, form, edits, bound, run);
  return run;
}

void simulate(const Visit& visit, Form form, std::span<const Edit> edits, Bound bound, Run& run,
              Until until) {
  run.nodes.assign(visit.nodes.size(), {});
  run.last = UINT32_MAX;
  run.wait_ns = 0;
  const std::vector<VisitEdge>& edges = visit.edges_of(form);
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < visit.nodes.size(); ++i) {
    const VisitNode& n = visit.nodes[i];
    Run::Times& times = run.nodes[i];
    bool unqueued = false;
    std::optional<Edited> work;
    if (!edits.empty()) work = edited(n, i, edits, bound, unqueued);
    const GapCut gap = work ? work->gap : GapCut{};
    const std::size_t first = next;
    while (next < edges.size() && edges[next].to == i) ++next;
    bool other_edge = false;
    for (std::size_t k = first; k < next; ++k) other_edge |= edges[k].kind != EdgeKind::queue;
    for (std::size_t k = first; k < next; ++k) {
      const VisitEdge& e = edges[k];
      if (unqueued && other_edge && e.kind == EdgeKind::queue) continue;
      const Run::Times& from = run.nodes[e.from];
      const TimeNs at = (e.at_first_byte ? from.answer_ns : from.end_ns) + gap.lag_ns(e);
      if (times.held_by != UINT32_MAX && at <= times.start_ns) continue;
      times.start_ns = at;
      times.held_by = static_cast<std::uint32_t>(k);
    }
    if (times.held_by == UINT32_MAX) times.start_ns = n.start_ns;
    if (work) {
      add_parts(times, work->left(), n.parts_before_answer);
    } else {
      add_parts(times, n.parts, n.parts_before_answer);
    }
    if (until == Until::answer) times.end_ns += n.unseen_ns;
    if (!n.waited_for) continue;
    if (run.last == UINT32_MAX || ends_later(visit, run, i)) run.last = i;
  }
  if (run.last != UINT32_MAX) run.wait_ns = run.nodes[run.last].end_ns - visit.start_ns;
}

WaitRange wait_range(const Visit& visit, std::span<const Edit> edits) {
  WaitRange range{INT64_MAX, 0};
  Run was;
  Run is;
  const DurationNs beyond_ns = beyond_end_ns(visit);
  for (const Form form : visit.forms()) {
    simulate(visit, form, {}, Bound::low, was, Until::answer);
    for (const Bound bound : {Bound::low, Bound::high}) {
      simulate(visit, form, edits, bound, is, Until::answer);
      const DurationNs saved_ns =
          wait_seen_ns(visit, was, beyond_ns) - wait_seen_ns(visit, is, beyond_ns);
      const DurationNs wait_ns = std::max<DurationNs>(0, visit.wait_ns - saved_ns);
      range.least_ns = std::min(range.least_ns, wait_ns);
      range.most_ns = std::max(range.most_ns, wait_ns);
    }
  }
  return range;
}

SavedTime saved_time(const Visit& visit, std::span<const Edit> before,
                     std::span<const Edit> edits) {
  SavedTime saved{INT64_MAX, 0};
  Run was;
  Run is;
  const DurationNs beyond_ns = beyond_end_ns(visit);
  for (const Form form : visit.forms()) {
    for (const Bound bound : {Bound::low, Bound::high}) {
      // Without edits either bound is the same.
      if (bound == Bound::low || !before.empty())
        simulate(visit, form, before, bound, was, Until::answer);
      simulate(visit, form, edits, bound, is, Until::answer);
      const DurationNs saved_ns =
          wait_seen_ns(visit, was, beyond_ns) - wait_seen_ns(visit, is, beyond_ns);
      saved.low_ns = std::min(saved.low_ns, saved_ns);
      saved.high_ns = std::max(saved.high_ns, was.wait_ns - is.wait_ns);
    }
  }
  saved.low_ns = std::max<DurationNs>(0, saved.low_ns);
  return saved;
}

namespace {

/// The critical path of `run` from its end back: each step to `take`.
template <class Take>
void walk_back(const Visit& visit, Form form, const Run& run, const Take& take) {
  std::uint32_t i = run.last;
  bool to_answer = false;
  while (i != UINT32_MAX) {
    const VisitNode& n = visit.nodes[i];
    PathStep step{i};
    const std::size_t parts = to_answer ? n.parts_before_answer : n.parts.size();
    for (std::size_t p = 0; p < parts; ++p) step.duration_ns += n.parts[p].duration_ns;
    const std::uint32_t held_by = run.nodes[i].held_by;
    if (held_by == UINT32_MAX) {
      step.client_ns = run.nodes[i].start_ns - visit.start_ns;
      i = UINT32_MAX;
    } else {
      const VisitEdge& e = visit.edges_of(form)[held_by];
      step.round_ns = e.round_ns;
      step.stall_ns = e.stall_ns;
      step.client_ns = e.lag_ns - e.round_ns - e.stall_ns;
      to_answer = e.at_first_byte;
      i = e.from;
    }
    take(step, n, parts);
  }
}

void charge(Breakdown& to, const PathStep& step, const VisitNode& n, std::size_t parts) {
  const auto add = [&](Category c, DurationNs d) { to[static_cast<std::size_t>(c)] += d; };
  for (std::size_t p = 0; p < parts; ++p) add(n.parts[p].category, n.parts[p].duration_ns);
  add(Category::client, step.client_ns);
  add(Category::rounds, step.round_ns);
  add(Category::stall, step.stall_ns);
}

}  // namespace

CriticalPath critical_path(const Visit& visit, Form form) {
  CriticalPath path;
  const Run run = simulate(visit, form, {}, Bound::low);
  walk_back(visit, form, run, [&](const PathStep& step, const VisitNode& n, std::size_t parts) {
    charge(path.breakdown, step, n, parts);
    path.steps.push_back(step);
  });
  std::reverse(path.steps.begin(), path.steps.end());
  return path;
}

std::array<std::vector<Breakdown>, kForms.size()> breakdowns(std::span<const Visit> visits) {
  std::array<std::vector<Breakdown>, kForms.size()> all;
  for (std::vector<Breakdown>& of_form : all) of_form.resize(visits.size());
  Run run;
  for (std::size_t v = 0; v < visits.size(); ++v) {
    for (const Form form : visits[v].forms()) {
      simulate(visits[v], form, {}, Bound::low, run);
      walk_back(visits[v], form, run,
                [&](const PathStep& step, const VisitNode& n, std::size_t parts) {
                  charge(all[static_cast<std::size_t>(form)][v], step, n, parts);
                });
    }
    if (visits[v].one_form) all[1][v] = all[0][v];
  }
  return all;
}

}  // namespace wirelag
