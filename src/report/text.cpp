// The report for a person in a terminal: how far the link could be seen, then the four answers.
#include "text.hpp"

#include <fmt/format.h>

#include "format.hpp"
#include "table.hpp"
#include "visibility.hpp"

namespace wirelag {
namespace report {
namespace {

constexpr std::size_t kLabel = 14;                ///< column where the text beside a label begins
constexpr DurationNs kLongNs = 7200 * kSecondNs;  ///< from here on seconds are hard to read

void not_analysed(std::string& out, const Report& report) {
  for (const std::string& reason : not_analysed_reasons(report)) {
    paragraph(out, "", reason, kLabel);
  }
}

void limits_of_sight(std::string& out, const Report& report) {
  for (const std::string& limit : sight_limits(report)) paragraph(out, "", limit, kLabel);
}

void other_counters(std::string& out, const Report& report) {
  for (const std::string& note : counter_notes(report)) paragraph(out, "", note, kLabel);
}

}  // namespace

void text_headline(std::string& out, const Report& report) {
  const CaptureBlock& c = report.capture;
  std::string links;
  for (const std::string& link : c.link_types) links += ", " + safe(link);
  heading(out, "wirelag report: " + safe(c.name), '=');
  paragraph(out, "capture", fmt::format("{} ({}{})", safe(c.name), safe(c.format), links), kLabel);
  paragraph(out, "packets", packets(report), kLabel);
  not_analysed(out, report);
  paragraph(out, "begins", utc(c.first_time_ns), kLabel);
  const DurationNs lasts_ns = elapsed_ns(c.first_time_ns, c.last_time_ns);
  const bool long_one = known(lasts_ns) && lasts_ns >= kLongNs;
  paragraph(out, "lasts",
            duration(lasts_ns) + (long_one ? " (" + rounded(lasts_ns) + ")" : std::string()),
            kLabel);
  paragraph(out, "holds", contents(report), kLabel);
  if (!c.cut_short.empty()) {
    paragraph(out, "cut short", safe(c.cut_short) + "; everything up to there is in this report",
              kLabel);
  }
  paragraph(out, "visibility", sight(report), kLabel);
  limits_of_sight(out, report);
  other_counters(out, report);
  text_wait_headline(out, report, kLabel);
}

}  // namespace report

std::string render_text(const Report& r, const TextOptions& options) {
  std::string out;
  report::text_headline(out, r);
  out += '\n';
  report::text_dns(out, r, options);
  out += '\n';
  report::text_tcp(out, r, options);
  out += '\n';
  report::text_database(out, r, options);
  report::text_explain(out, r, options);
  out += '\n';
  report::text_findings(out, r, options);
  return out;
}

}  // namespace wirelag
