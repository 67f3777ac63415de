#include "marks.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kServices = 8;  ///< those with the most visits

struct Wait {
  DurationNs wait_ns = 0;
  double weight = 1;
  bool operator<(const Wait& other) const { return wait_ns < other.wait_ns; }
};

/// The smallest wait that at least the share `q` does not exceed. `sorted` is not empty.
DurationNs quantile(const std::vector<Wait>& sorted, double q) {
  double total = 0;
  for (const Wait& w : sorted) total += w.weight;
  double passed = 0;
  for (const Wait& w : sorted) {
    passed += w.weight;
    if (passed >= q * total) return w.wait_ns;
  }
  return sorted.back().wait_ns;
}

/// The waits on one side of a mark, sorted.
struct Side {
  std::vector<Wait> waits;

  [[nodiscard]] MarkedChange::Side summary() const {
    MarkedChange::Side s;
    s.visits = waits.size();
    if (waits.empty()) return s;
    s.p50_ns = quantile(waits, 0.5);
    s.p95_ns = quantile(waits, 0.95);
    return s;
  }
  /// Between which the median of all visits lies, not of these alone: 95 % by rank. Too few: unknown.
  [[nodiscard]] std::pair<DurationNs, DurationNs> median_between() const {
    const double half =
        0.98 / std::sqrt(static_cast<double>(std::max<std::size_t>(waits.size(), 1)));
    if (half >= 0.5) return {kUnknownNs, kUnknownNs};
    return {quantile(waits, 0.5 - half), quantile(waits, 0.5 + half)};
  }
};

/// Whether something was asked: of a visit that only opened connections nobody saw a page.
bool asks(const Visit& v) {
  return std::any_of(v.nodes.begin(), v.nodes.end(), [](const VisitNode& n) {
    return n.kind == VisitNode::Kind::request || n.kind == VisitNode::Kind::query;
  });
}

struct Sides {
  Side before, after;

  [[nodiscard]] MarkedChange::Service compared(std::string name) {
    std::sort(before.waits.begin(), before.waits.end());
    std::sort(after.waits.begin(), after.waits.end());
    MarkedChange::Service s{std::move(name), before.summary(), after.summary(), false};
    const auto [a_low, a_high] = before.median_between();
    const auto [b_low, b_high] = after.median_between();
    s.beyond_chance = known(a_low) && known(b_low) && (a_high < b_low || b_high < a_low);
    return s;
  }
  [[nodiscard]] std::size_t visits() const { return before.waits.size() + after.waits.size(); }
};

}  // namespace

std::vector<MarkedChange> changes_at(std::vector<Mark> marks, const Visits& visits) {
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time_ns < b.time_ns; });
  std::vector<MarkedChange> out;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const TimeNs from_ns = i > 0 ? marks[i - 1].time_ns : 0;
    const TimeNs to_ns = i + 1 < marks.size() ? marks[i + 1].time_ns : INT64_MAX;
    std::map<std::string, Sides> by_service;
    for (const Visit& v : visits.stored) {
      if (v.flags.end_unseen || !asks(v)) continue;
      const TimeNs end_ns = v.start_ns + v.wait_ns;
      const bool before = v.start_ns >= from_ns && end_ns <= marks[i].time_ns;
      const bool after = v.start_ns >= marks[i].time_ns && end_ns <= to_ns;
      if (!before && !after) continue;  // also what began before the mark and ended behind it
      Sides& sides = by_service[v.service];
      (before ? sides.before : sides.after).waits.push_back({v.wait_ns, v.weight});
    }
    std::vector<std::pair<std::string, Sides>> most(by_service.begin(), by_service.end());
    std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) {
      return a.second.visits() > b.second.visits();
    });
    if (most.size() > kServices) most.resize(kServices);
    MarkedChange& change = out.emplace_back(MarkedChange{marks[i], {}});
    for (auto& [name, sides] : most) change.services.push_back(sides.compared(name));
  }
  return out;
}

std::string mark_title(const Report& r, const Mark& mark) {
  const TimeNs first = r.capture.first_time_ns;
  const TimeNs last = r.capture.last_time_ns;
  const std::string where = !known(first) || !known(last) ? "nothing was captured"
                            : mark.time_ns < first        ? "before the capture begins"
                            : mark.time_ns > last
                                ? "after the capture ends"
                                : at_ms(r, mark.time_ns) + " ms after the capture begins";
  return fmt::format("{}, {}: {}", utc(mark.time_ns), where, safe(mark.what));
}

std::string mark_difference(const MarkedChange::Service& s) {
  if (!known(s.before.p50_ns) || !known(s.after.p50_ns)) return std::string(kNone);
  const DurationNs changed_ns = s.after.p50_ns - s.before.p50_ns;
  return (changed_ns > 0 ? "+" : "") + ms_number(changed_ns);
}

std::string mark_verdict(const MarkedChange::Service& s) {
  if (s.before.visits == 0) return "no visit before it";
  if (s.after.visits == 0) return "no visit after it";
  return s.beyond_chance ? "beyond chance" : "may be chance";
}

}  // namespace wirelag::report
