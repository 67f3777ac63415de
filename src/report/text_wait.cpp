// Where the wait goes: the visits' time by category, in both forms of their graphs.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "waits.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kBar = 40;  ///< characters for all of the wait

double part_of(DurationNs part, DurationNs whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

void text_wait_headline(std::string& out, const Report& r, std::size_t column) {
  if (r.visits.stored.empty()) return;
  const WaitScope& w = r.waits.all;
  paragraph(out, "users waited", how_long(r), column);
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < kCategories; ++c) order.push_back(c);
  const Breakdown& serial = w.total[static_cast<std::size_t>(Form::serial)];
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return serial[a] > serial[b]; });
  std::string text;
  for (const std::size_t c : order) {
    if (serial[c] == 0) continue;
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name(static_cast<Category>(c)),
                        100 * part_of(serial[c], w.wait_ns));
  }
  if (!text.empty()) paragraph(out, "", "for: " + text, column);
  for (const Finding& f : r.advice.findings) {
    if (f.capacity_only) break;
    paragraph(out, "do first",
              fmt::format("{}: saves {} .. {} per visit it affects (part 4)", safe(f.title),
                          ms_number(f.saving.low_ns), duration(f.saving.high_ns)),
              column);
    break;
  }
}

void text_wait(std::string& out, const Report& r) {
  if (r.visits.stored.empty()) {
    out += "No visit: no connection whose beginning or requests were seen.\n";
    return;
  }
  const WaitScope& w = r.waits.all;
  paragraph(out, "", how_long(r) + ". Where that time goes, per visit:", 0);
  const auto n = static_cast<DurationNs>(r.visits.stored.size());
  Table table({{"category"},
               {"ms", Align::right},
               {"share", Align::right},
               {"parallel ms", Align::right},
               {"", Align::left, Shrink::end, 8}},
              2);
  for (std::size_t c = 0; c < kCategories; ++c) {
    const DurationNs serial = w.total[static_cast<std::size_t>(Form::serial)][c];
    const DurationNs parallel = w.total[static_cast<std::size_t>(Form::parallel)][c];
    if (serial == 0 && parallel == 0) continue;
    const double part = std::clamp(part_of(serial, w.wait_ns), 0.0, 1.0);
    table.row({std::string(name(static_cast<Category>(c))), ms_number(serial / n),
               fmt::format("{:.0f} %", 100 * part), ms_number(parallel / n),
               std::string(static_cast<std::size_t>(std::lround(part * kBar)), '=')});
  }
  table.print(out);
  paragraph(out, "",
            "ms: each request waited for the answer complete before it; parallel ms: only for the "
            "page that names it. Which is true is not on the wire, so savings are given for both.",
            2);
  for (const std::string& limit : wait_limits(r.waits.flags)) paragraph(out, "", limit, 2);
}

}  // namespace wirelag::report
