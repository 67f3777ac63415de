// Where the wait goes: the visits' time by category, in both forms of their graphs.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "failures.hpp"
#include "finding_words.hpp"
#include "format.hpp"
#include "marks.hpp"
#include "table.hpp"
#include "text.hpp"
#include "waits.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kBar = 20;   ///< characters for all of the wait
constexpr double kSmallest = 0.5;  ///< per cent that the headline names

double part_of(DurationNs part, DurationNs whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// How the changes that were made came out, and the finding that saves most, with the change itself and how sure
/// it is.
void do_first(std::string& out, const Report& r, std::size_t column) {
  const std::string marks = marks_summary(r);
  if (!marks.empty()) paragraph(out, "marks", marks, column);
  const std::vector<Finding>& all = r.advice.findings;
  if (all.empty() || all.front().capacity_only) {
    paragraph(out, "do first", nothing_to_do(r.advice, failures(r).in_vain), column);
    return;
  }
  const Finding& f = all.front();
  paragraph(out, "do first",
            fmt::format("{}: {} per visit it affects, {}", safe(f.title), saving(f),
                        safe(whom_and_where(f))),
            column);
  if (f.done) paragraph(out, "", done_words(*f.done), column);
  if (!f.change.empty()) {
    const Change& c = f.change.front();
    paragraph(out, "how", fmt::format("{}: {}", safe(c.label), safe(in_one_line(c.snippet))),
              column);
  }
  paragraph(out, "how sure", safe(confidence_sentence(f)), column);
  paragraph(out, "",
            all.size() == 1 ? "its evidence: part 4"
                            : fmt::format("its evidence, and {} more: part 4",
                                          count(all.size() - 1, "finding")),
            column);
}

}  // namespace

void text_wait_headline(std::string& out, const Report& r, std::size_t column) {
  std::string_view label = "failed";
  const Failures failed = failures(r);
  for (const std::string& what : failed.said) {
    paragraph(out, std::exchange(label, ""), safe(what), column);
  }
  if (r.visits.stored.empty()) {
    const std::string lookups = lookups_waited(r);
    paragraph(out, "users waited",
              "cannot be told: no new connection and no request was seen" +
                  (lookups.empty() ? "" : "; " + lookups),
              column);
    if (failed.in_vain) paragraph(out, "do first", kFailedFirst, column);
    return;
  }
  const WaitScope& w = r.waits.all;
  paragraph(out, "users waited", how_long(r), column);
  if (w.visits == 0) return do_first(out, r, column);
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < kCategories; ++c) order.push_back(c);
  const Breakdown& serial = w.total[static_cast<std::size_t>(Form::serial)];
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return serial[a] > serial[b]; });
  std::string text;
  for (const std::size_t c : order) {
    const double percent = 100 * part_of(serial[c], w.wait_ns);
    if (percent < kSmallest) continue;
    text += fmt::format("{}{:.0f} % {}", text.empty() ? "" : "; ", percent,
                        plain(static_cast<Category>(c), r.waits));
  }
  if (!text.empty()) paragraph(out, "of that", text, column);
  if (r.waits.rounds_unsure) {
    paragraph(out, "", "no handshake was captured that would tell round trips from work", column);
  }
  do_first(out, r, column);
}

void text_wait(std::string& out, const Report& r) {
  if (r.visits.stored.empty()) {
    out += "No visit: no connection whose beginning or requests were seen.\n";
    return;
  }
  const WaitScope& w = r.waits.all;
  if (w.visits == 0) return paragraph(out, "", how_long(r) + ".", 0);
  paragraph(
      out, "",
      how_long(r) + ". Where that time goes" + (w.visits == 1 ? ":" : ", on average per visit:"),
      0);
  const auto n = static_cast<DurationNs>(w.seen);
  Table table({{"category"},
               {"ms", Align::right},
               {"share", Align::right},
               {"parallel ms", Align::right},
               {"what it is"},
               {"", Align::left, Shrink::end, 8}},
              2);
  for (std::size_t c = 0; c < kCategories; ++c) {
    const DurationNs serial = w.total[static_cast<std::size_t>(Form::serial)][c];
    const DurationNs parallel = w.total[static_cast<std::size_t>(Form::parallel)][c];
    if (serial == 0 && parallel == 0) continue;
    const double part = std::clamp(part_of(serial, w.wait_ns), 0.0, 1.0);
    table.row({std::string(name(static_cast<Category>(c))), ms_number(serial / n),
               fmt::format("{:.0f} %", 100 * part), ms_number(parallel / n),
               std::string(plain(static_cast<Category>(c), r.waits)),
               std::string(static_cast<std::size_t>(std::lround(part * kBar)), '=')});
  }
  table.print(out);
  paragraph(out, "",
            "A visit: what one client address looked up, opened and asked, until a second of "
            "silence; of databases: a burst of queries. ms: each request waited for the answer "
            "complete before it; parallel ms: only "
            "for the "
            "page that names it. Which is true is not on the wire, so savings are given for both.",
            2);
  for (const std::string& limit : wait_limits(r.waits)) paragraph(out, "", limit, 2);
}

}  // namespace wirelag::report
