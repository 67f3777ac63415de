// The marks that the operator set: their numbers stand in the heat maps, this is what they mean.
#include "../marks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../format.hpp"
#include "../words.hpp"
#include "sections.hpp"

namespace wirelag::report::html {

namespace {

/// Closes its table before anything else is said.
void table_of(Writer& w, const MarkedChange& change, const std::string& title) {
  Table t(w, title,
          {{"service"},
           {"visits before", true},
           {"median before, ms", true},
           {"visits after", true},
           {"median after, ms", true},
           {"median changed by ms", true},
           {"is that chance?"},
           {"predicted before it, for the median after"},
           {"not answered, or with an error"}});
  for (const MarkedChange::Service& s : change.services) {
    const std::string predicted = fmt::format("{}", fmt::join(mark_predictions(s), "; "));
    const std::string failures = mark_failures(s);
    t.row({clip_middle(utf8(s.name), 60), std::to_string(s.before.visits),
           ms_number(s.before.p50_ns), std::to_string(s.after.visits), ms_number(s.after.p50_ns),
           mark_difference(s), mark_verdict(s), predicted.empty() ? std::string(kNone) : predicted,
           failures.empty() ? "none" : failures});
  }
}

}  // namespace

void marked_changes(Writer& w, const Report& r) {
  if (r.changes.empty()) return;
  w.leaf("h3", "Marked changes", {{"id", "marks"}});
  for (std::size_t i = 0; i < r.changes.size(); ++i) {
    const MarkedChange& change = r.changes[i];
    if (change.services.empty()) {
      const std::string alone = mark_alone(r, i);
      if (!alone.empty()) w.leaf("p", fmt::format("{}. {}.", i + 1, alone));
      continue;
    }
    table_of(w, change, fmt::format("{}. {}", i + 1, mark_title(r, change.mark)));
    const std::string nothing = mark_predicted_nothing(change);
    if (!nothing.empty()) w.leaf("p", nothing, {{"class", "note"}});
  }
  const std::string alone = marks_alone(r);
  if (!alone.empty()) w.leaf("p", alone, {{"class", "note"}});
  for (const LedgerRow& row : r.ledger) w.leaf("p", "So far " + ledger_words(row) + ".");
  const std::string hint = mark_hint(r);
  if (!hint.empty()) w.leaf("p", hint, {{"class", "note"}});
  const std::string sample = mark_sample(r);
  if (!sample.empty()) w.leaf("p", sample, {{"class", "note"}});
  w.leaf("p",
         "Before: visits that asked something since the mark before it. After: up to the next one. "
         "Those that went on across a mark are left out; the medians are of what was answered. No "
         "verdict where a larger share than before was not answered, or with an error. Beyond "
         "chance: the medians' 95 % intervals lie "
         "apart. What was predicted is of before the mark alone. What else changed meanwhile, and "
         "whether the same was asked, is not on the wire.",
         {{"class", "note"}});
}

}  // namespace wirelag::report::html
