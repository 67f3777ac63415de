#include "finding_words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr DurationNs kHourNs = 3600 * kSecondNs;

/// Rules that the capture lacks something for.
std::ptrdiff_t count_unseen(const Advice& advice) {
  return std::count_if(advice.not_judged.begin(), advice.not_judged.end(),
                       [](const Verdict& v) { return v.outcome == Outcome::not_visible; });
}

}  // namespace

std::string interval(const Interval& saving) {
  const std::string low = rounded(saving.low_ns);
  const std::string high = rounded(saving.high_ns);
  if (low == high) return high;
  const auto unit = [](const std::string& s) { return s.substr(s.find(' ')); };
  if (unit(low) != unit(high)) return low + " .. " + high;
  return low.substr(0, low.find(' ')) + " .. " + high;
}

std::string saving(const Finding& f) {
  if (f.capacity_only) return "saves load, not time";
  if (f.saving.low_ns == f.saving.high_ns) return "saves " + duration(f.saving.low_ns);
  return fmt::format("saves {} .. {}", ms_number(f.saving.low_ns), duration(f.saving.high_ns));
}

std::string confidence_word(const Finding& f) {
  return f.confidence == "A"   ? "A: seen directly, often enough"
         : f.confidence == "B" ? "B: good, with a reservation"
                               : "C: a first hint";
}

std::string confidence_sentence(const Finding& f) {
  std::string text = confidence_word(f);
  std::string_view separator = ", because ";
  for (const std::string& reason : f.why_not_higher) {
    text += separator;
    text += reason;
    separator = "; ";
  }
  return text;
}

std::string whom_and_where(const Finding& f) {
  const auto said = [&f](std::string_view what) {
    return !what.empty() && f.title.find(what) != std::string::npos;
  };
  std::string_view where = f.scope;  // "tcp/192.0.2.1:80", "db/192.0.2.1:5432 select ..."
  if (const std::size_t space = where.find(' '); space != std::string_view::npos) {
    if (said(where.substr(space + 1))) where = where.substr(0, space);
  }
  if (said(where.substr(where.find('/') + 1))) return affected(f);
  return fmt::format("{}, {}", affected(f), where);
}

std::string in_all(const Report& r, const Finding& f) {
  const std::string least = fmt::format("{:.3f}", f.least_user_seconds_per_hour);
  const std::string most = fmt::format("{:.3f}", f.most_user_seconds_per_hour);
  const std::string saved = least == most ? most : least + " .. " + most;
  TimeNs from_ns = r.capture.first_time_ns, to_ns = r.capture.last_time_ns;
  std::string_view what = "this capture";
  if (f.done && f.done->time_ns > from_ns && f.done->time_ns < to_ns) {
    const bool since = f.done->since == DoneAlready::Since::seen;
    what = since ? "this capture since the mark" : "this capture before the mark";
    (since ? from_ns : to_ns) = f.done->time_ns;
  }
  const DurationNs seen_ns = elapsed_ns(from_ns, to_ns);
  if (known(seen_ns) && seen_ns < kHourNs) {
    return fmt::format(
        "{} s less waiting for all users together in the {} of {} (it is shorter than an hour: "
        "not extrapolated)",
        saved, rounded(seen_ns), what);
  }
  return fmt::format("{} s less waiting for all users together per hour", saved);
}

bool nobody_could_judge(const Advice& advice) {
  return advice.findings.empty() && advice.fine.empty() && count_unseen(advice) > 0;
}

std::string nothing_to_do(const Advice& advice, bool in_vain) {
  const auto unseen = count_unseen(advice);
  if (nobody_could_judge(advice)) {
    if (in_vain) return kFailedFirst;
    return fmt::format(
        "not known: no rule could judge this capture (the end lists {}, with what each lacks)",
        count(static_cast<std::size_t>(unseen), "rule"));
  }
  std::string text = in_vain ? std::string(kFailedFirst) + " Beside it" : "nothing:";
  text += " no rule found a change that would make a user wait less";
  if (!advice.done.empty()) {
    text += fmt::format(", but for what is marked as done already ({}: part 4)",
                        count(advice.done.size(), "finding"));
  }
  if (unseen > 0) {
    text += fmt::format("; {} of {} rules could not judge this capture (listed at the end)", unseen,
                        unseen + static_cast<std::ptrdiff_t>(advice.fine.size()));
  }
  return text;
}

std::vector<VerdictList> verdict_lists(const Advice& advice) {
  VerdictList unseen{"Could not judge, because the capture lacks what it takes", {}};
  VerdictList elsewhere{"Does not apply to this capture", {}};
  for (const Verdict& v : advice.not_judged) {
    (v.outcome == Outcome::not_applicable ? elsewhere : unseen).verdicts.push_back(v);
  }
  std::vector<VerdictList> lists{
      std::move(unseen), std::move(elsewhere), {"Looked at and fine", advice.fine}};
  std::erase_if(lists, [](const VerdictList& l) { return l.verdicts.empty(); });
  return lists;
}

std::string verdict_words(const Verdict& v) {
  return v.looked_at.empty() ? v.reason : fmt::format("{} (looked at: {})", v.reason, v.looked_at);
}

std::string affected(const Finding& f) {
  const double percent = 100 * f.affected_share;
  const bool hardly_any = f.affected_actions > 0 && percent < 1;
  return fmt::format("{} ({} % of {})",
                     count(f.affected_actions, f.capacity_only ? "action" : "visit"),
                     hardly_any ? "under 1" : fmt::format("{:.0f}", percent),
                     f.capacity_only                             ? "those it looked at"
                     : !f.done                                   ? "all"
                     : f.done->since == DoneAlready::Since::seen ? "those since the mark"
                                                                 : "those before the mark");
}

std::string cost_before(const Finding& f) {
  const std::string whom = affected(f);
  if (f.capacity_only) return fmt::format("load in {}", whom);
  return fmt::format("it cost {} {} each", whom, interval(f.saving));
}

std::string in_one_line(std::string_view snippet) {
  std::string line;
  for (const char c : snippet) {
    if (c == '\n') line += ' ';
    if (c != '\n' && (c != ' ' || !line.ends_with(' '))) line += c;
  }
  return line;
}

std::string evidence_line(const Report& r, const Evidence& e) {
  std::string text = safe(e.what);
  if (e.connection != Dataset::kNone)
    text += fmt::format(" (#{})", Dataset::connection_id(e.connection));
  const std::string numbers = frames(e.frames);
  if (numbers != kNone) text += ": frames " + numbers;
  if (known(e.time_ns)) text += fmt::format(", at {} ms", at_ms(r, e.time_ns));
  if (known(e.duration_ns)) text += fmt::format(", took {}", duration(e.duration_ns));
  return text;
}

}  // namespace wirelag::report
