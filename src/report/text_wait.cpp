// Where the wait goes: the visits' time by category, in both forms of their graphs.
#include <cmath>

#include <fmt/format.h>

#include "format.hpp"
#include "table.hpp"
#include "text.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kBar = 40;  ///< characters for all of the wait

struct Waits {
  std::array<Breakdown, 2> total{};  ///< by Form
  std::vector<DurationNs> waits;     ///< sorted
  DurationNs wait = 0;
  VisitFlags flags;
};

Waits waits_of(const Visits& visits) {
  Waits w;
  for (const Visit& v : visits.stored) {
    for (const Form form : kForms) {
      const Breakdown b = critical_path(v, form).breakdown;
      Breakdown& total = w.total[static_cast<std::size_t>(form)];
      for (std::size_t c = 0; c < kCategories; ++c) total[c] = plus_ns(total[c], b[c]);
    }
    w.waits.push_back(v.wait_ns);
    w.wait = plus_ns(w.wait, v.wait_ns);
    w.flags.incomplete |= v.flags.incomplete;
    w.flags.think_has_rtt |= v.flags.think_has_rtt;
    w.flags.transfer_unsplit |= v.flags.transfer_unsplit;
    w.flags.encrypted |= v.flags.encrypted;
    w.flags.shared_address |= v.flags.shared_address;
    w.flags.cut |= v.flags.cut;
  }
  std::sort(w.waits.begin(), w.waits.end());
  return w;
}

DurationNs at_quantile(const std::vector<DurationNs>& sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

double part_of(DurationNs part, DurationNs whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string headline(const Visits& visits, const Waits& w) {
  std::string text = count(visits.seen, "visit");
  if (visits.seen > visits.stored.size()) {
    text += fmt::format(" ({} of them looked into)", visits.stored.size());
  }
  if (w.waits.size() == 1) return text + ", which waited " + duration(w.wait);
  return text + fmt::format(", which waited {} at the median and {} at p95",
                            duration(at_quantile(w.waits, 0.5)),
                            duration(at_quantile(w.waits, 0.95)));
}

void limits(std::string& out, const VisitFlags& f) {
  const auto say = [&out](bool flag, std::string_view text) {
    if (flag) paragraph(out, "", text, 2);
  };
  say(f.incomplete,
      "Some requests were not answered within the capture: the wait is at least this.");
  say(f.think_has_rtt,
      "No round trip to some servers was seen: it is inside think, which is an upper bound there.");
  say(f.transfer_unsplit,
      "How some answers travelled was not measured: their time is in bandwidth as a whole.");
  say(f.encrypted, "Encrypted: only the first exchange of such a connection is seen.");
  say(f.shared_address, "More than one user may be behind some client addresses.");
  say(f.cut, "The largest visits are cut (visits.max_nodes).");
}

}  // namespace

void text_wait_headline(std::string& out, const Report& r, std::size_t column) {
  if (r.visits.stored.empty()) return;
  const Waits w = waits_of(r.visits);
  paragraph(out, "users waited", headline(r.visits, w), column);
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < kCategories; ++c) order.push_back(c);
  const Breakdown& serial = w.total[static_cast<std::size_t>(Form::serial)];
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return serial[a] > serial[b]; });
  std::string text;
  for (const std::size_t c : order) {
    if (serial[c] == 0) continue;
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name(static_cast<Category>(c)),
                        100 * part_of(serial[c], w.wait));
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
  const Waits w = waits_of(r.visits);
  paragraph(out, "", headline(r.visits, w) + ". Where that time goes, per visit:", 0);
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
    const double part = part_of(serial, w.wait);
    table.row({std::string(name(static_cast<Category>(c))), ms_number(serial / n),
               fmt::format("{:.0f} %", 100 * part), ms_number(parallel / n),
               std::string(static_cast<std::size_t>(std::lround(part * kBar)), '=')});
  }
  table.print(out);
  paragraph(out, "",
            "ms: each request waited for the answer complete before it; parallel ms: only for the "
            "page that names it. Which is true is not on the wire, so savings are given for both.",
            2);
  limits(out, w.flags);
}

}  // namespace wirelag::report
