// The first screen: the answer in one sentence, what to do first, and how much was seen.
#include <algorithm>

#include <fmt/format.h>

#include "../failures.hpp"
#include "../finding_words.hpp"
#include "../format.hpp"
#include "../marks.hpp"
#include "../visibility.hpp"
#include "../waits.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr std::size_t kFirstSteps = 3;
constexpr double kWorthNaming = 0.15;  ///< share of the wait from which a second category is named

/// Categories by their share, largest first.
std::vector<std::size_t> by_share(const Breakdown& b) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < kCategories; ++c) order.push_back(c);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t c) { return b[a] > b[c]; });
  return order;
}

std::string where(const Report& r) {
  const WaitScope& all = r.waits.all;
  const Breakdown& b = all.total[static_cast<std::size_t>(Form::serial)];
  std::string text;
  for (const std::size_t c : by_share(b)) {
    const double share = static_cast<double>(b[c]) / static_cast<double>(all.wait_ns);
    if (!text.empty() && share < kWorthNaming) break;
    text += fmt::format("{}{:.0f} % {} {}", text.empty() ? "" : ", ", 100 * share,
                        text.empty() ? "of it goes to" : "to",
                        plain(static_cast<Category>(c), r.waits));
  }
  return text;
}

std::string who(const Report& r) {
  const WaitScope& all = r.waits.all;
  if (all.visits == 0) {
    return count(r.visits.seen, "visit") +
           ": how long users waited is not known, no end was captured";
  }
  if (all.visits == 1) {
    const std::string& service = r.visits.stored[r.waits.typical.front().visit].service;
    return fmt::format("One visit{} waited {}{}{}", service.empty() ? "" : " to " + service,
                       r.waits.flags.incomplete ? "at least " : "", rounded(all.wait_ns),
                       left_out(all));
  }
  return fmt::format("{} waited {} at the median and {}{}", count(all.seen, "visit"),
                     rounded(all.p50_ns), slow_end(all, rounded(all.p95_ns)), left_out(all));
}

/// A number and its unit, and both ends of an interval, stay on one line: "79.5 .. 108 ms" with no-break
/// spaces.
std::string kept_together(std::string_view text) {
  constexpr std::string_view kNoBreakSpace = "\u00a0";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const bool unit = rest.starts_with(" ms") || rest.starts_with(" s ") || rest.starts_with(" %");
    const bool number = !out.empty() && out.back() >= '0' && out.back() <= '9';
    const bool interval = rest.starts_with(" .. ") || text.substr(0, i + 1).ends_with(" .. ");
    if ((unit && number) || interval) {
      out += kNoBreakSpace;
    } else {
      out += text[i];
    }
  }
  return out;
}

void sentence(Writer& w, const Report& r) {
  if (r.visits.stored.empty()) {
    w.leaf("h1",
           r.accounting.analysed == 0
               ? "Nothing to judge: no frame of this capture could be analysed."
               : "No user's wait can be told from this capture: it shows no new connection and "
                 "no request.");
    const std::string lookups = lookups_waited(r);
    if (!lookups.empty()) w.leaf("p", kept_together(lookups + "."), {{"class", "lead"}});
    return;
  }
  const std::string wait = who(r);
  w.leaf("h1", kept_together(r.waits.all.wait_ns > 0 ? wait + ": " + where(r) + "." : wait + "."));
}

const Finding* first_that_saves(const Report& r) {
  const auto& all = r.advice.findings;
  return all.empty() || all.front().capacity_only ? nullptr : &all.front();
}

void first_step(Writer& w, const Finding& f, std::size_t rank) {
  const auto item = w.element("li");
  w.leaf("a", f.title, {{"href", fmt::format("#finding-{}", rank)}});
  {
    const auto saves = w.element("p");
    w.leaf("b", f.capacity_only ? "saves load, not time"
                                : "saves " + interval(f.saving) + " per visit it affects");
    w.text(": " + whom_and_where(f));
    w.leaf("span", "confidence " + confidence_word(f),
           {{"class", "chip"}, {"title", confidence_sentence(f)}});
  }
  if (f.done) w.leaf("p", "It is " + done_words(*f.done) + ".", {{"class", "warning"}});
  if (f.change.empty()) return;
  const Change& c = f.change.front();
  const auto how = w.element("p", {{"class", "how"}});
  w.text(c.label + ": ");
  w.leaf("code", in_one_line(c.snippet));
  if (!c.effort.empty()) w.leaf("span", "effort: " + c.effort, {{"class", "chip"}});
}

void first_steps(Writer& w, const Report& r) {
  const auto box = w.element("div", {{"class", "first"}});
  if (first_that_saves(r) == nullptr) {
    const bool in_vain = failures(r).in_vain;
    w.leaf("h2", "What to change");
    w.leaf("p",
           r.visits.stored.empty()
               ? in_vain ? "Look into what did not work: who gets no answer waits in vain."
                         : "Nothing can be recommended without a visit."
           : in_vain
               ? "Look into what did not work, first: who gets no answer waits in vain. Beside "
                 "it no change was found that would save a user time worth having."
           : nobody_could_judge(r.advice)
               ? "No rule could judge this capture. What each of them lacks is listed below."
           : r.advice.done.empty()
               ? "Nothing found that would save a user time worth having. What could not be "
                 "judged is listed below: check it before you call the site fast."
               : "Nothing found that would save a user time worth having, but for what is marked "
                 "as done already. That, and what could not be judged, is listed below.");
    if (r.advice.findings.empty()) return;
  } else {
    w.leaf("h2", "Do this first");
  }
  const auto list = w.element("ol", {{"class", "steps"}});
  // What saves load only is no first step where something saves time.
  const bool saves_time = first_that_saves(r) != nullptr;
  const std::size_t shown = std::min(kFirstSteps, r.advice.findings.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Finding& f = r.advice.findings[i];
    if (!saves_time || !f.capacity_only) first_step(w, f, i + 1);
  }
}

void tile(Writer& w, std::string_view label, std::string_view value, std::string_view note) {
  const auto box = w.element("div", {{"class", "tile"}});
  w.leaf("dt", label);
  const auto dd = w.element("dd");
  w.leaf("b", value);
  if (!note.empty()) w.leaf("span", note);
}

void tiles(Writer& w, const Report& r) {
  const auto list = w.element("dl", {{"class", "tiles"}});
  const WaitScope& all = r.waits.all;
  const bool sampled = r.visits.seen > r.visits.stored.size();
  tile(w, "visits", std::to_string(r.visits.seen),
       sampled              ? fmt::format("{} of them looked into", r.visits.stored.size())
       : all.end_unseen > 0 ? fmt::format("{} without an end", all.end_unseen)
                            : "");
  if (all.visits == 1) {
    tile(w, "wait", rounded(all.p50_ns),
         r.waits.flags.incomplete ? "at least: not all was answered" : "");
  }
  if (all.visits > 1) {
    tile(w, "wait, median", rounded(all.p50_ns), "");
    const bool few = all.visits < kEnoughForP95;
    tile(w, few ? "wait, longest" : "wait, p95", rounded(all.p95_ns),
         few ? "" : "one in twenty waited longer");
  }
  const CaptureBlock& c = r.capture;
  tile(w, "captured", rounded(elapsed_ns(c.first_time_ns, c.last_time_ns)),
       count(r.accounting.received, "packet"));
  const bool clear = r.accounting.analysed > 0 && visibility(r).clear();
  tile(w, "visibility", clear ? "clear" : "limited",
       clear ? "nothing known to be missing" : "see the end of this page");
}

void did_not_work(Writer& w, const Report& r) {
  const std::vector<std::string> all = failures(r).said;
  if (all.empty()) return;
  const auto box = w.element("div", {{"class", "failed"}});
  w.leaf("b", "Did not work");
  const auto list = w.element("ul");
  for (const std::string& what : all) w.leaf("li", what);
}

void marks(Writer& w, const Report& r) {
  const std::string summary = marks_summary(r);
  if (summary.empty()) return;
  const auto line = w.element("p", {{"class", "marks"}});
  w.text(kept_together(summary + ". "));
  w.leaf("a", "More", {{"href", "#marks"}});
}

}  // namespace

void answer(Writer& w, const Report& r) {
  const auto header = w.element("header");
  w.leaf("p", "wirelag report: " + r.capture.name, {{"class", "kicker"}});
  sentence(w, r);
  if (const Finding* f = first_that_saves(r)) {
    w.leaf("p",
           kept_together(fmt::format("What saves most: {}: {} per visit it affects.", f->title,
                                     interval(f->saving))),
           {{"class", "lead"}});
  }
  tiles(w, r);
  did_not_work(w, r);
  marks(w, r);
  first_steps(w, r);
}

}  // namespace wirelag::report::html
