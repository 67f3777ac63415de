// What came after the marks that the operator set, beside what was before.
#include <fmt/format.h>

#include "format.hpp"
#include "marks.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {

void text_marks(std::string& out, const Report& r) {
  if (r.changes.empty()) return;
  out +=
      "\nMarked changes: visits that asked something, before and after each (up to the next "
      "mark)\n";
  for (std::size_t i = 0; i < r.changes.size(); ++i) {
    const MarkedChange& change = r.changes[i];
    if (change.services.empty()) {
      const std::string alone = mark_alone(r, i);
      if (!alone.empty()) paragraph(out, "mark", alone, 9, 2);
      continue;
    }
    paragraph(out, "mark", mark_title(r, change.mark), 9, 2);
    Table table({{"service", Align::left, Shrink::middle, 14},
                 {"before", Align::right},
                 {"p50 ms", Align::right},
                 {"after", Align::right},
                 {"p50 ms", Align::right},
                 {"p50 changed by ms", Align::right},
                 {"", Align::left}},
                2);
    for (const MarkedChange::Service& s : change.services) {
      table.row({safe(s.name), std::to_string(s.before.visits), ms_number(s.before.p50_ns),
                 std::to_string(s.after.visits), ms_number(s.after.p50_ns), mark_difference(s),
                 mark_verdict(s)});
    }
    table.print(out);
    for (const MarkedChange::Service& s : change.services) {
      const std::string failures = mark_failures(s);
      if (!failures.empty()) paragraph(out, "", safe(s.name) + ", " + failures, 4);
      for (const std::string& prediction : mark_predictions(s)) {
        paragraph(out, "", safe(s.name) + ", median: " + prediction, 4);
      }
    }
    const std::string nothing = mark_predicted_nothing(change);
    if (!nothing.empty()) paragraph(out, "", nothing, 4);
  }
  const std::string alone = marks_alone(r);
  if (!alone.empty()) paragraph(out, "", alone, 2);
  for (const LedgerRow& row : r.ledger) paragraph(out, "so far", ledger_words(row), 9, 2);
  const std::string hint = mark_hint(r);
  if (!hint.empty()) paragraph(out, "", hint, 2);
  const std::string sample = mark_sample(r);
  if (!sample.empty()) paragraph(out, "", sample, 2);
  paragraph(
      out, "",
      "What went on across a mark is left out; the medians are of what was answered. No verdict "
      "where a larger share than before was not answered, or with an error. Beyond chance: the "
      "medians' 95 % intervals "
      "lie apart. What was predicted is of before the mark alone, for the median after it. What "
      "else changed meanwhile, and whether the same was asked, is not on the "
      "wire.",
      2);
}

}  // namespace wirelag::report
