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

enum class Outcome : std::uint8_t { nothing_asked, unanswered, error, answered };

bool is_error(const VisitNode& n, const Dataset& data) {
  constexpr std::uint16_t kServerError = 500;
  if (n.item == Dataset::kNone) return false;
  if (n.kind == VisitNode::Kind::query) return data.database()[n.item].error;
  return data.http()[n.item].status >= kServerError;
}

/// Of a visit that only opened connections nobody saw a page; one that could not even do that waited in
/// vain. What was not answered whole has no wait that could be held against another.
Outcome outcome_of(const Visit& v, const Dataset& data) {
  bool asked = false, whole = true, error = false;
  bool opened = false, refused = false, no_tls = false;
  for (const VisitNode& n : v.nodes) {
    switch (n.kind) {
      case VisitNode::Kind::dns: break;
      case VisitNode::Kind::connect: (n.ended ? opened : refused) = true; break;
      case VisitNode::Kind::tls: no_tls |= !n.ended; break;
      case VisitNode::Kind::request:
      case VisitNode::Kind::query:
        asked = true;
        whole &= n.ended;
        error |= is_error(n, data);
        break;
    }
  }
  if (!asked) return no_tls || (refused && !opened) ? Outcome::unanswered : Outcome::nothing_asked;
  if (!whole || v.flags.incomplete || v.flags.end_unseen) return Outcome::unanswered;
  return error ? Outcome::error : Outcome::answered;
}

struct Judged {
  const Visit* visit;
  Outcome outcome;
  TimeNs end_ns;
};

/// Those that asked something and were over when the capture ended. An unanswered one may have gone on for
/// longer than is known: for a second, or it could just as well have been answered behind a mark.
std::vector<Judged> judged(const CaptureBlock& capture, const Visits& visits, const Dataset& data) {
  constexpr DurationNs kUnansweredFor = kSecondNs;
  std::vector<Judged> all;
  for (const Visit& v : visits.stored) {
    const Outcome outcome = outcome_of(v, data);
    if (outcome == Outcome::nothing_asked) continue;
    const bool answered = outcome != Outcome::unanswered;
    const TimeNs end_ns = v.start_ns + (answered ? v.wait_ns : std::max(v.wait_ns, kUnansweredFor));
    if (known(capture.last_time_ns) && end_ns > capture.last_time_ns) continue;
    all.push_back({&v, outcome, end_ns});
  }
  return all;
}

/// How many visits of equal weight a sample is worth (Kish's effective size).
double worth(double sum, double squares) { return squares > 0 ? sum * sum / squares : 0; }

/// The largest rank r such that the median lies between the r-th smallest and the r-th largest of `n` with
/// 95 % or more: less than r of them are below it with 2.5 % or less (binomial). 0: there is none below six.
std::size_t low_rank(std::size_t n) {
  constexpr double kTail = 0.025;
  double log_p = -static_cast<double>(n) * std::log(2.0);  // that exactly `rank` are below it
  double below = std::exp(log_p);
  std::size_t rank = 0;
  while (below <= kTail && rank < n) {
    log_p += std::log(static_cast<double>(n - rank)) - std::log(static_cast<double>(rank + 1));
    below += std::exp(log_p);
    ++rank;
  }
  return rank;
}

std::size_t rounded_sum(double weights) { return static_cast<std::size_t>(std::llround(weights)); }

/// The visits on one side of a mark.
struct Side {
  std::vector<Wait> waits;  ///< of those that were answered, sorted
  // What they stand for in the capture: sums of weights.
  double visits = 0;
  double squares = 0;  ///< of the weights
  double unanswered = 0;
  double errors = 0;

  void add(const Judged& j) {
    const double weight = j.visit->weight;
    visits += weight;
    squares += weight * weight;
    if (j.outcome == Outcome::unanswered) {
      unanswered += weight;
      return;
    }
    if (j.outcome == Outcome::error) errors += weight;
    waits.push_back({j.visit->wait_ns, j.visit->weight});
  }
  [[nodiscard]] MarkedChange::Side summary() const {
    MarkedChange::Side s;
    s.visits = rounded_sum(visits);
    s.unanswered = rounded_sum(unanswered);
    s.errors = rounded_sum(errors);
    if (waits.empty()) return s;
    s.p50_ns = quantile(waits, 0.5);
    s.p95_ns = quantile(waits, 0.95);
    return s;
  }
  /// Between which the median of all visits lies, not of these alone: by rank, 95 % or more. Too few:
  /// unknown.
  [[nodiscard]] std::pair<DurationNs, DurationNs> median_between() const {
    double sum = 0, of_squares = 0;
    for (const Wait& w : waits) {
      sum += w.weight;
      of_squares += w.weight * w.weight;
    }
    constexpr double kRoundOff = 1e-6;
    const auto n = static_cast<std::size_t>(worth(sum, of_squares) + kRoundOff);
    const std::size_t rank = low_rank(n);
    if (rank == 0) return {kUnknownNs, kUnknownNs};
    const double low = (static_cast<double>(rank) - 0.5) / static_cast<double>(n);
    return {quantile(waits, low), quantile(waits, 1 - low)};
  }
};

struct Sides {
  Side before, after;

  [[nodiscard]] MarkedChange::Service compared(std::string name) {
    std::sort(before.waits.begin(), before.waits.end());
    std::sort(after.waits.begin(), after.waits.end());
    MarkedChange::Service s{std::move(name), before.summary(), after.summary()};
    s.more_unanswered = rose(&Side::unanswered);
    s.more_errors = rose(&Side::errors);
    if (s.more_unanswered || s.more_errors) return s;  // who failed fast did not wait less
    const auto [a_low, a_high] = before.median_between();
    const auto [b_low, b_high] = after.median_between();
    s.beyond_chance = known(a_low) && known(b_low) && (a_high < b_low || b_high < a_low);
    return s;
  }
  [[nodiscard]] double visits() const { return before.visits + after.visits; }

 private:
  /// Whether the share of `part` rose by more than its standard error.
  [[nodiscard]] bool rose(double Side::*part) const {
    if (before.visits == 0 || after.visits == 0) return false;
    const double both = (before.*part + after.*part) / (before.visits + after.visits);
    const double of_one = both * (1 - both);
    const double error = std::sqrt(of_one / worth(before.visits, before.squares) +
                                   of_one / worth(after.visits, after.squares));
    return after.*part / after.visits - before.*part / before.visits > error;
  }
};

}  // namespace

std::vector<MarkedChange> changes_at(const CaptureBlock& capture, const Visits& visits,
                                     const Dataset& data) {
  std::vector<Mark> marks = capture.marks;
  if (marks.empty()) return {};
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time_ns < b.time_ns; });
  const std::vector<Judged> all = judged(capture, visits, data);
  std::vector<MarkedChange> out;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const TimeNs from_ns = i > 0 ? marks[i - 1].time_ns : 0;
    const TimeNs to_ns = i + 1 < marks.size() ? marks[i + 1].time_ns : INT64_MAX;
    std::map<std::string, Sides> by_service;
    for (const Judged& j : all) {
      const TimeNs start_ns = j.visit->start_ns;
      const bool before = start_ns >= from_ns && j.end_ns <= marks[i].time_ns;
      const bool after = start_ns >= marks[i].time_ns && j.end_ns <= to_ns;
      if (!before && !after) continue;  // also what began before the mark and ended behind it
      Sides& sides = by_service[j.visit->service];
      (before ? sides.before : sides.after).add(j);
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

namespace {

/// The operator's own words, in the letters of any language: only what would move a cursor is escaped.
std::string printable(std::string_view what) {
  std::string out;
  for (const char c : utf8(what)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    const bool c1 = !out.empty() && out.back() == '\xc2' && static_cast<unsigned char>(c) < 0xa0 &&
                    static_cast<unsigned char>(c) >= 0x80;  // U+0080 to U+009F
    if (c1) out.pop_back();
    if (control || c1) {
      out += fmt::format("{}\\x{:02x}", c1 ? "\\xc2" : "", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string mark_title(const Report& r, const Mark& mark) {
  const TimeNs first = r.capture.first_time_ns;
  const TimeNs last = r.capture.last_time_ns;
  const std::string where = !known(first) || !known(last) ? "nothing was captured"
                            : mark.time_ns < first        ? "before the capture begins"
                            : mark.time_ns > last
                                ? "after the capture ends"
                                : at_ms(r, mark.time_ns) + " ms after the capture begins";
  return fmt::format("{}, {}: {}", utc(mark.time_ns), where, printable(mark.what));
}

std::string mark_sample(const Report& r) {
  if (!r.visits.sampled()) return {};
  return fmt::format("Of {} visits {} were looked into; the numbers are what these stand for.",
                     r.visits.seen, r.visits.stored.size());
}

std::string mark_difference(const MarkedChange::Service& s) {
  if (!known(s.before.p50_ns) || !known(s.after.p50_ns)) return std::string(kNone);
  const DurationNs changed_ns = s.after.p50_ns - s.before.p50_ns;
  return (changed_ns > 0 ? "+" : "") + ms_number(changed_ns);
}

std::string mark_verdict(const MarkedChange::Service& s) {
  if (s.before.visits == 0) return "no visit before it";
  if (s.after.visits == 0) return "no visit after it";
  if (s.more_unanswered) return "more not answered";
  if (s.more_errors) return "more errors";
  if (!known(s.before.p50_ns) || !known(s.after.p50_ns)) return "too few answered";
  return s.beyond_chance ? "beyond chance" : "may be chance";
}

std::string mark_failures(const MarkedChange::Service& s) {
  const auto of = [&](std::string_view what, std::size_t before, std::size_t after) {
    if (before == 0 && after == 0) return std::string();
    return fmt::format("{}: {} of {} before, {} of {} after", what, before, s.before.visits, after,
                       s.after.visits);
  };
  const std::string unanswered = of("not answered", s.before.unanswered, s.after.unanswered);
  const std::string errors = of("with an error", s.before.errors, s.after.errors);
  return unanswered + (unanswered.empty() || errors.empty() ? "" : "; ") + errors;
}

}  // namespace wirelag::report
