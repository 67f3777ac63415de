// What is said of marks, in words: the same in every rendering.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "format.hpp"
#include "letters.hpp"
#include "marks.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

/// The operator's own words, in the letters of any language: what would move a cursor, or cannot be seen, is
/// escaped. At most kMostLetters.
std::string printable(std::string_view what) {
  constexpr std::size_t kMostLetters = 200;
  const std::string all = utf8(what);
  std::string out;
  std::size_t letters = 0;
  for (std::size_t at = 0; at < all.size(); ++letters) {
    const std::string_view letter = std::string_view(all).substr(at, sequence_length(all[at]));
    at += letter.size();
    if (letters >= kMostLetters) continue;
    const std::uint32_t c = code_point(letter);
    if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else if (deceptive(c)) {
      out += fmt::format("\\u{{{:04x}}}", c);
    } else {
      out += letter;
    }
  }
  if (letters > kMostLetters)
    out += fmt::format(" ... (cut: {} of {} letters)", kMostLetters, letters);
  return out;
}

/// To the second: "2018-04-11 04:13:20 UTC".
std::string when(TimeNs time_ns) {
  const std::string exact = utc(time_ns);
  const std::size_t point = exact.find('.');
  return point == std::string::npos ? exact : exact.substr(0, point) + " UTC";
}

/// The latest mark with a median on both sides of it, and the service there that most visits are of.
struct Compared {
  const MarkedChange* change = nullptr;
  const MarkedChange::Service* service = nullptr;
};
Compared latest_compared(const Report& r) {
  Compared latest;
  for (const MarkedChange& change : r.changes) {
    for (const MarkedChange::Service& s : change.services) {
      if (!known(s.before.p50_ns) || !known(s.after.p50_ns)) continue;
      latest = {&change, &s};
      break;
    }
  }
  return latest;
}

std::string compared_words(const Report& r) {
  const Compared latest = latest_compared(r);
  if (latest.change == nullptr) return ", none with answered visits before and after it";
  const MarkedChange::Service& s = *latest.service;
  std::string text =
      fmt::format("{} \"{}\" ({}): {} waited {} at the median before, {} after ({})",
                  r.changes.size() == 1 ? "," : "; the latest with visits on both sides is",
                  printable(latest.change->mark.what), when(latest.change->mark.time_ns),
                  utf8(s.name), rounded(s.before.p50_ns), rounded(s.after.p50_ns), mark_verdict(s));
  if (latest.change->services.size() > 1) {
    text += fmt::format(", {}", count(latest.change->services.size() - 1, "more service"));
  }
  return text;
}

}  // namespace

std::string marks_summary(const Report& r) {
  if (r.changes.empty()) return {};
  std::string text = count(r.changes.size(), "marked change") + compared_words(r);
  std::size_t held = 0, predictions = 0;
  for (const LedgerRow& row : r.ledger) {
    held += row.held;
    predictions += row.predictions;
  }
  if (predictions > 0)
    text += fmt::format("; {} of {} held", held, count(predictions, "prediction"));
  const auto still =
      static_cast<std::size_t>(std::count_if(r.advice.findings.begin(), r.advice.findings.end(),
                                             [](const Finding& f) { return f.done.has_value(); }));
  if (still > 0)
    text += fmt::format("; marked as done and still seen: {}", count(still, "finding"));
  const auto gone = static_cast<std::size_t>(std::count_if(
      r.advice.done.begin(), r.advice.done.end(),
      [](const Finding& f) { return f.done->since == DoneAlready::Since::not_seen; }));
  if (gone > 0) text += fmt::format("; not seen any more: {}", count(gone, "finding"));
  const std::size_t unsure = r.advice.done.size() - gone;
  if (unsure > 0) {
    text += fmt::format("; marked as done, and nothing captured tells whether it is gone: {}",
                        count(unsure, "finding"));
  }
  return text;
}

std::string done_words(const DoneAlready& d) {
  const std::string marked =
      fmt::format("marked as done at {} (\"{}\")", when(d.time_ns), printable(d.what));
  const auto of = [](std::uint64_t n, std::uint64_t all) {
    return fmt::format("{} of {}", n, count(all, "visit"));
  };
  switch (d.since) {
    case DoneAlready::Since::seen:
      if (d.affected_since == 0 || d.affected_before == 0) return marked + ", still seen after it";
      return fmt::format("{}, still seen after it: in {}, before it in {}", marked,
                         of(d.affected_since, d.visits_since),
                         of(d.affected_before, d.visits_before));
    case DoneAlready::Since::not_seen:
      return fmt::format("{}, not seen after it in {}", marked, count(d.visits_since, "visit"));
    case DoneAlready::Since::not_captured: break;
  }
  if (d.visits_since == 0) return marked + "; no visit after it that could show it is captured";
  return fmt::format("{}; what came after it ({}) is too little to tell whether it is gone", marked,
                     count(d.visits_since, "visit"));
}

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

std::vector<std::string> mark_predictions(const MarkedChange::Service& s) {
  using Held = MarkedChange::Prediction::Held;
  std::vector<std::string> out;
  for (const MarkedChange::Prediction& p : s.predicted) {
    std::string text =
        fmt::format("{} predicted {} .. {} ms", p.rule, ms_number(p.low_ns), ms_number(p.high_ns));
    if (p.named) text += fmt::format("; measured {} ms: ", ms_number(s.after.p50_ns));
    switch (p.held) {
      case Held::not_asked: text += p.named ? "no verdict" : ""; break;
      case Held::too_few: text += "too few visits, or too different ones, to tell"; break;
      case Held::yes: text += "as predicted"; break;
      case Held::faster: text += "faster than predicted"; break;
      case Held::slower: text += "slower than predicted"; break;
    }
    out.push_back(std::move(text));
  }
  return out;
}

std::string mark_predicted_nothing(const MarkedChange& change) {
  std::string rules;
  for (const std::string& rule : change.predicted_nothing)
    rules += (rules.empty() ? "" : ", ") + rule;
  if (rules.empty()) return rules;
  return fmt::format(
      "Named, but nothing was predicted before the mark for the median of any service here: {}.",
      rules);
}

std::string ledger_words(const LedgerRow& row) {
  return fmt::format("{}: {} of {} held; of the saving that was predicted {:.0f} % was measured{}",
                     row.rule, row.held, count(row.predictions, "prediction"),
                     std::round(100 * row.saved_share) + 0.0,
                     row.predictions > 1 ? " at the median" : "");
}

std::string mark_alone(const Report& r, std::size_t change) {
  constexpr std::size_t kSaid = 8;
  const auto said = [&r](const MarkedChange& c) {
    const TimeNs at = c.mark.time_ns;
    return c.services.empty() && known(r.capture.first_time_ns) && known(r.capture.last_time_ns) &&
           at >= r.capture.first_time_ns && at <= r.capture.last_time_ns;
  };
  const auto before = std::count_if(r.changes.begin(),
                                    r.changes.begin() + static_cast<std::ptrdiff_t>(change), said);
  if (!said(r.changes[change]) || static_cast<std::size_t>(before) >= kSaid) return {};
  return mark_title(r, r.changes[change].mark) +
         ": no whole visit from the mark before it to the next one";
}

std::string marks_alone(const Report& r) {
  std::size_t alone = 0;
  const Mark* latest = nullptr;
  for (std::size_t i = 0; i < r.changes.size(); ++i) {
    if (!r.changes[i].services.empty() || !mark_alone(r, i).empty()) continue;
    ++alone;
    latest = &r.changes[i].mark;
  }
  if (latest == nullptr) return {};
  return fmt::format("{} without a visit around {}. {}: {}.", count(alone, "mark"),
                     alone == 1 ? "it" : "them", alone == 1 ? "It is" : "The latest",
                     mark_title(r, *latest));
}

std::string mark_hint(const Report& r) {
  for (const MarkedChange& change : r.changes) {
    for (const MarkedChange::Service& s : change.services) {
      for (const MarkedChange::Prediction& p : s.predicted) {
        if (p.named) continue;
        return fmt::format(
            "A prediction is held against what was measured when the mark's words name its rule: "
            "\"... {}\".",
            p.rule);
      }
    }
  }
  return {};
}

}  // namespace wirelag::report
