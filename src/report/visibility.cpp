#include "visibility.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {

bool Visibility::clear() const {
  return one_sided == 0 && dns_not_visible == 0 && midstream == 0 && evicted == 0 &&
         duplicate_frames == 0 && snaplen_cut == 0 && clock_steps_back == 0 &&
         frames_without_time == 0 && link_types_unsupported == 0 && missing_bytes == 0 &&
         transactions_lost == 0 && port_drops == 0 && client_share >= 1.0;
}

Visibility visibility(const Report& report) {
  Visibility v;
  for (const Connection& c : report.data.connections()) {
    ++v.connections;
    // An attempt that nobody answered has one side by nature; it says nothing about the capture.
    const bool unanswered = c.state == ConnectionState::syn_unanswered && !server_not_captured(c);
    v.one_sided += c.one_sided && !unanswered;
    v.midstream += c.state == ConnectionState::midstream || c.state == ConnectionState::no_syn_seen;
    v.evicted += c.end == ConnectionEnd::evicted;
    const std::uint64_t missing =
        c.half.c2s.impairment().missing_bytes + c.half.s2c.impairment().missing_bytes;
    v.missing_bytes += missing;
    v.connections_with_holes += missing > 0;
  }
  for (const DnsTransaction& d : report.data.dns()) {
    v.dns_not_visible += d.outcome == DnsOutcome::not_visible;
  }
  v.duplicate_frames = report.counters.of(Counter::mirror_duplicates);
  v.snaplen_cut = report.counters.of(Counter::snaplen_cut);
  v.clock_steps_back = report.counters.of(Counter::clock_steps_back);
  v.frames_without_time = report.capture.frames_without_time;
  v.link_types_unsupported = report.accounting.of(NotAnalysed::link_type_unsupported);
  v.transactions_lost = report.counters.of(Counter::transactions_shed) + report.data.dropped() +
                        report.capture.transactions_dropped;
  v.port_drops = report.capture.port_drops;
  v.client_share = report.capture.client_share;
  for (const std::uint64_t n : report.accounting.not_analysed) v.not_analysed += n;
  return v;
}

std::string packets(const Report& report) {
  const Accounting& a = report.accounting;
  const std::uint64_t not_analysed = visibility(report).not_analysed;
  if (a.received == 0) return "none";
  if (not_analysed == 0) return fmt::format("{}, all analysed", a.received);
  return fmt::format("{} = {} analysed + {} not analysed", a.received, a.analysed, not_analysed);
}

std::vector<std::string> not_analysed_reasons(const Report& report) {
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < kNotAnalysedReasons; ++i) {
    const std::uint64_t n = report.accounting.not_analysed[i];
    if (n == 0) continue;
    const auto reason = static_cast<NotAnalysed>(i + 1);
    reasons.push_back(fmt::format("{} {} ({})", n, name(reason), meaning(reason)));
  }
  return reasons;
}

std::string contents(const Report& report) {
  const auto& http = report.data.http();
  const auto requests = static_cast<std::size_t>(std::count_if(
      http.begin(), http.end(), [](const HttpTransaction& h) { return h.request_seen; }));
  std::string text = fmt::format(
      "{} ({}), {}, {}", count(report.correlation.lookups.size(), "DNS lookup"),
      count(report.data.dns().size(), "transaction"),
      count(report.data.connections().size(), "TCP connection"), count(requests, "HTTP request"));
  if (requests < http.size()) {
    text += fmt::format(" ({} without a request)", count(http.size() - requests, "answer"));
  }
  text += ", " + count(report.data.tls().size(), "TLS handshake");
  if (report.data.database().empty()) return text;
  return text + ", " + count(report.data.database().size(), "database request");
}

std::string sight(const Report& report) {
  if (report.accounting.analysed == 0) return "nothing to judge: no frame could be analysed";
  if (visibility(report).clear()) {
    return "clear: both directions and the beginning of every connection, no byte missing, no "
           "duplicate, no cut, no clock step";
  }
  return "limited, and every number below depends on it:";
}

std::vector<std::string> sight_limits(const Report& report) {
  const Visibility v = visibility(report);
  std::vector<std::string> limits;
  const auto line = [&](std::uint64_t n, std::string_view what) {
    if (n > 0) limits.push_back(fmt::format("{} {}", n, what));
  };
  const auto counted = [&](std::uint64_t n, std::string_view one, std::string_view means) {
    if (n > 0) limits.push_back(fmt::format("{}: {}", count(n, one), means));
  };
  const std::string all = count(v.connections, "connection");
  line(v.one_sided, fmt::format("of {} one-sided: only one direction was captured, so times "
                                "between the two are missing",
                                all));
  line(
      v.dns_not_visible,
      "DNS queries of which only the client's side was captured: whether they were answered is not "
      "known");
  line(v.midstream, fmt::format("of {} midstream: open before the capture began, or its SYN "
                                "was not captured, so the handshake is missing",
                                all));
  line(v.missing_bytes, fmt::format("missing {} on {}: packets were lost before the capture point",
                                    v.missing_bytes == 1 ? "byte" : "bytes",
                                    count(v.connections_with_holes, "connection")));
  counted(v.duplicate_frames, "duplicate frame", "the capture delivered the same packet twice");
  counted(v.snaplen_cut, "snaplen cut", "frames captured shorter than they were on the wire");
  line(v.clock_steps_back, fmt::format("{} back: durations across it are not reported",
                                       v.clock_steps_back == 1 ? "clock step" : "clock steps"));
  line(v.frames_without_time,
       fmt::format("{} that the file gives no time: no duration that needs one is given",
                   v.frames_without_time == 1 ? "frame" : "frames"));
  for (const auto& [link_type, frames] : report.capture.link_types_unsupported) {
    line(frames, fmt::format("frames of link type {}, which is not understood: what they carry is "
                             "not in this report",
                             safe(link_type)));
  }
  line(v.port_drops,
       "frames lost in the port before they could be read: everything below is affected");
  if (v.client_share < 1.0) {
    limits.push_back(
        fmt::format("a sample: the transactions of {:.1f} % of the clients; the counts below are "
                    "of these",
                    v.client_share * 100));
  }
  line(v.evicted, fmt::format("{} given up: the flow table was full",
                              v.evicted == 1 ? "connection" : "connections"));
  line(v.transactions_lost, fmt::format("{} lost on the way to the report: detail is missing",
                                        v.transactions_lost == 1 ? "transaction" : "transactions"));
  return limits;
}

std::vector<std::string> counter_notes(const Report& report) {
  static constexpr Counter kSaidAlready[] = {
      Counter::snaplen_cut, Counter::clock_steps_back, Counter::mirror_duplicates,
      Counter::tcp_evicted, Counter::tcp_gaps,         Counter::transactions_shed};
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < report.counters.values.size(); ++i) {
    const auto counter = static_cast<Counter>(i);
    const CounterInfo& about = info(counter);
    const bool said = std::find(std::begin(kSaidAlready), std::end(kSaidAlready), counter) !=
                      std::end(kSaidAlready);
    if (said || about.nonzero.empty() || report.counters.of(counter) == 0) continue;
    notes.push_back(fmt::format("{} {} ({} {}): {}", report.counters.of(counter), about.symbol,
                                about.unit, about.what, about.nonzero));
  }
  return notes;
}

}  // namespace wirelag::report
