// Where the wait goes: stacked bars of the median and the slow end, by service.
#include <fmt/format.h>

#include "../format.hpp"
#include "../waits.hpp"
#include "figure.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr double kBar = 30;          ///< pixels
constexpr double kWidePage = 900;    ///< of a figure on a wide page, in pixels
constexpr double kNarrowPage = 330;  ///< on a phone
constexpr double kLetter = 7.5;

/// "show" where the text fits in so much of the bar: on any page, on a wide one only, or nowhere.
std::string_view fits(double share, std::size_t letters) {
  const double needs = kLetter * static_cast<double>(letters) + 8;
  if (share * kNarrowPage >= needs) return "label";
  return share * kWidePage >= needs ? "label wide" : "";
}

std::string words(const Breakdown& b, DurationNs wait_ns) {
  std::string text;
  for (std::size_t c = 0; c < kCategories; ++c) {
    if (b[c] == 0) continue;
    text +=
        fmt::format("{}{} {} ({:.0f} %)", text.empty() ? "" : ", ", name(static_cast<Category>(c)),
                    rounded(b[c]), 100 * static_cast<double>(b[c]) / static_cast<double>(wait_ns));
  }
  return text.empty() ? "no time" : text;
}

void bar(Writer& w, std::string_view label, const Breakdown& b, DurationNs wait_ns,
         DurationNs scale_ns) {
  const auto row = w.element("div", {{"class", "bar"}});
  {
    const auto title = w.element("p");
    w.leaf("b", rounded(wait_ns));
    w.text(" ");
    w.text(label);
  }
  const auto svg = figure(w, kBar, fmt::format("{}: {}", label, words(b, wait_ns)));
  const double scale = static_cast<double>(scale_ns);
  double x = 0;
  for (std::size_t i = 0; i < kCategories; ++i) {
    if (b[i] == 0) continue;
    const auto category = static_cast<Category>(i);
    const double part = static_cast<double>(b[i]);
    w.lone("rect", {{"class", "seg " + colour(category)},
                    {"x", percent(x, scale)},
                    {"width", percent(part, scale)},
                    {"height", pixels(kBar)}});
    const std::string text =
        fmt::format("{} {:.0f} %", name(category), 100 * part / static_cast<double>(wait_ns));
    const std::string_view shown = fits(part / scale, text.size());
    if (!shown.empty()) {
      w.leaf("text", text,
             {{"class", fmt::format("{} on-{}", shown, colour(category))},
              {"x", percent(x + part / 2, scale)},
              {"y", pixels(kBar / 2 + 4.5)}});
    }
    x += part;
  }
}

void scope(Writer& w, const WaitScope& s, std::string_view title) {
  const auto box = w.element("div", {{"class", "scope"}});
  w.leaf("h3", fmt::format("{}: {}", title, count(s.visits, "visit")));
  if (s.visits == 1) {
    bar(w, "in all", s.at_p50, s.p50_ns, s.p50_ns);
    return;
  }
  bar(w, "at the median", s.at_p50, s.p50_ns, s.p95_ns);
  bar(w, s.visits < kEnoughForP95 ? "the longest" : "at p95: one in twenty waits longer", s.at_p95,
      s.p95_ns, s.p95_ns);
}

void table(Writer& w, const WaitScope& all) {
  Table t(w, "Where the time goes, mean per visit",
          {{"category"}, {"what it is"}, {"ms", true}, {"share", true}, {"ms, parallel", true}});
  const auto n = static_cast<DurationNs>(all.seen);
  for (std::size_t c = 0; c < kCategories; ++c) {
    const DurationNs serial = all.total[static_cast<std::size_t>(Form::serial)][c];
    const DurationNs parallel = all.total[static_cast<std::size_t>(Form::parallel)][c];
    if (serial == 0 && parallel == 0) continue;
    const double part =
        all.wait_ns > 0 ? static_cast<double>(serial) / static_cast<double>(all.wait_ns) : 0;
    const auto category = static_cast<Category>(c);
    t.row({std::string(name(category)), std::string(meaning(category)), ms_number(serial / n),
           fmt::format("{:.0f} %", 100 * part), ms_number(parallel / n)});
  }
}

}  // namespace

void where_it_goes(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "wait"}});
  w.leaf("h2", "Where the wait goes");
  const WaitScope& all = r.waits.all;
  if (all.visits == 0) {
    w.leaf("p", r.visits.stored.empty()
                    ? "No visit: no connection whose beginning or requests were seen."
                    : "How long the visits waited is not known: no end was captured.");
    return;
  }
  legend(w, all.total[static_cast<std::size_t>(Form::serial)]);
  const std::string only = r.visits.stored[r.waits.typical.front().visit].service;
  scope(w, all, !r.waits.services.empty() ? "All visits" : only.empty() ? "All visits" : only);
  for (const WaitScope& s : r.waits.services) {
    scope(w, s, s.name.empty() ? "Service without a name" : s.name);
  }
  and_more(w, r.waits.services_left_out, "service");
  table(w, all);
  w.leaf("p",
         "ms: each request waited for the answer complete before it. ms, parallel: it waited only "
         "for the page that names it. Which is true is not on the wire, so every saving below is "
         "an interval that holds both.",
         {{"class", "note"}});
  for (const std::string& limit : wait_limits(r.waits)) {
    w.leaf("p", limit, {{"class", "note"}});
  }
}

}  // namespace wirelag::report::html
