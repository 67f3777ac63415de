// The report for a person in a terminal: how far the link could be seen, then the four answers.
#include "text.hpp"

#include <fmt/format.h>

#include "format.hpp"
#include "table.hpp"
#include "visibility.hpp"

namespace wirelag {
namespace report {
namespace {

constexpr std::size_t kLabel = 14;  ///< column where the text beside a label begins

std::string packets(const Report& report, const Visibility& v) {
  const Accounting& a = report.accounting;
  if (a.received == 0) return "none";
  if (v.not_analysed == 0) return fmt::format("{}, all analysed", a.received);
  return fmt::format("{} = {} analysed + {} not analysed", a.received, a.analysed, v.not_analysed);
}

void not_analysed(std::string& out, const Report& report) {
  for (std::size_t i = 0; i < kNotAnalysedReasons; ++i) {
    const std::uint64_t n = report.accounting.not_analysed[i];
    if (n == 0) continue;
    const auto reason = static_cast<NotAnalysed>(i + 1);
    paragraph(out, "", fmt::format("{} {} ({})", n, name(reason), meaning(reason)), kLabel);
  }
}

std::string contents(const Report& report) {
  std::string text =
      fmt::format("{} ({}), {}, {}", count(report.correlation.lookups.size(), "DNS lookup"),
                  count(report.data.dns().size(), "transaction"),
                  count(report.data.connections().size(), "TCP connection"),
                  count(report.data.http().size(), "HTTP request"));
  text += ", " + count(report.data.tls().size(), "TLS handshake");
  if (report.data.database().empty()) return text;
  return text + ", " + count(report.data.database().size(), "database request");
}

void limits_of_sight(std::string& out, const Report& report, const Visibility& v) {
  const auto line = [&](std::uint64_t n, std::string_view what) {
    if (n > 0) paragraph(out, "", fmt::format("{} {}", n, what), kLabel);
  };
  line(v.one_sided, fmt::format("one-sided connections of {}: only one direction was captured, so "
                                "times between the two are missing",
                                v.connections));
  line(v.midstream, fmt::format("midstream connections of {}: open before the capture began, so "
                                "their handshake is missing",
                                v.connections));
  line(v.missing_bytes,
       fmt::format("missing bytes on {}: packets were lost before the capture point",
                   count(v.connections_with_holes, "connection")));
  line(v.duplicate_frames, "duplicate frames: the capture delivered the same packet twice");
  line(v.snaplen_cut, "snaplen cuts: frames captured shorter than they were on the wire");
  line(v.clock_steps_back, "clock steps back: durations across them are not reported");
  line(v.frames_without_time,
       "frames that the file gives no time: taken to be as old as the frame before");
  for (const auto& [link_type, frames] : report.capture.link_types_unsupported) {
    line(frames, fmt::format("frames of link type {}, which is not understood: what they carry is "
                             "not in this report",
                             safe(link_type)));
  }
  line(v.port_drops,
       "frames lost in the port before they could be read: everything below is affected");
  if (v.client_share < 1.0) {
    paragraph(out, "",
              fmt::format("a sample: the transactions of {:.1f} % of the clients; the counts below "
                          "are of these",
                          v.client_share * 100),
              kLabel);
  }
  line(v.evicted, "connections given up: the flow table was full");
  line(v.transactions_lost, "transactions lost on the way to the report: detail is missing");
}

/// Counters that tell the operator something and are not among the lines above.
void other_counters(std::string& out, const Report& report) {
  static constexpr Counter kSaidAlready[] = {
      Counter::snaplen_cut, Counter::clock_steps_back, Counter::mirror_duplicates,
      Counter::tcp_evicted, Counter::tcp_gaps,         Counter::transactions_shed};
  for (std::size_t i = 0; i < report.counters.values.size(); ++i) {
    const auto counter = static_cast<Counter>(i);
    const CounterInfo& about = info(counter);
    const bool said = std::find(std::begin(kSaidAlready), std::end(kSaidAlready), counter) !=
                      std::end(kSaidAlready);
    if (said || about.nonzero.empty() || report.counters.of(counter) == 0) continue;
    paragraph(out, "",
              fmt::format("{} {} ({} {}): {}", report.counters.of(counter), about.symbol,
                          about.unit, about.what, about.nonzero),
              kLabel);
  }
}

}  // namespace

std::string at_ms(const Report& report, TimeNs time_ns) {
  if (!known(time_ns) || !known(report.capture.first_time_ns)) return std::string(kNone);
  return ms_number(time_ns - report.capture.first_time_ns);
}

void text_headline(std::string& out, const Report& report) {
  const CaptureBlock& c = report.capture;
  const Visibility v = visibility(report);
  std::string links;
  for (const std::string& link : c.link_types) links += ", " + safe(link);
  heading(out, "wirelag report: " + safe(c.name), '=');
  paragraph(out, "capture", fmt::format("{} ({}{})", safe(c.name), safe(c.format), links), kLabel);
  paragraph(out, "packets", packets(report, v), kLabel);
  not_analysed(out, report);
  paragraph(out, "begins", utc(c.first_time_ns), kLabel);
  paragraph(out, "lasts", duration(elapsed_ns(c.first_time_ns, c.last_time_ns)), kLabel);
  paragraph(out, "holds", contents(report), kLabel);
  if (!c.cut_short.empty()) {
    paragraph(out, "cut short", safe(c.cut_short) + "; everything up to there is in this report",
              kLabel);
  }
  paragraph(out, "visibility",
            report.accounting.analysed == 0 ? "nothing to judge: no frame could be analysed"
            : v.clear() ? "clear: both directions and the beginning of every connection, no byte "
                          "missing, no duplicate, no cut, no clock step"
                        : "limited, and every number below depends on it:",
            kLabel);
  limits_of_sight(out, report, v);
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
