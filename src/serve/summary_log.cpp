#include <algorithm>

#include <wirelag/serve/summary_log.hpp>

namespace wirelag {
namespace {

/// Fewer than 2^63 of anything; a difference below zero (accounting.hpp) shows as a negative
/// number.
std::int64_t as_signed(std::uint64_t n) { return static_cast<std::int64_t>(n); }

void add_accounting(LogLine& line, const Accounting& accounting) {
  line.number("received", as_signed(accounting.received));
  line.number("analysed", as_signed(accounting.analysed));
  for (std::size_t i = 0; i < accounting.not_analysed.size(); ++i) {
    if (accounting.not_analysed[i] == 0) continue;
    const auto reason = static_cast<NotAnalysed>(i + 1);
    line.number("not_analysed." + std::string(name(reason)), as_signed(accounting.not_analysed[i]));
  }
}

void add_counters(LogLine& line, const Counters& counters) {
  for (std::size_t i = 0; i < counters.values.size(); ++i) {
    if (counters.values[i] == 0) continue;
    line.number(info(static_cast<Counter>(i)).symbol, as_signed(counters.values[i]));
  }
}

/// The group a count belongs to: its key's first word, TCP when it has no protocol in front.
std::string_view group_of(std::string_view symbol) {
  for (const std::string_view protocol : {"http_", "dns_", "tls_", "database_"}) {
    if (symbol.starts_with(protocol)) return protocol;
  }
  return "tcp_";
}

bool group_is_empty(const ServiceSummary& s, std::string_view group) {
  for (std::size_t i = 0; i < s.counts.size(); ++i) {
    if (s.counts[i] != 0 && group_of(kServiceCounts[i].symbol) == group) return false;
  }
  return true;
}

void add_numbers(LogLine& line, const ServiceSummary& s) {
  for (std::size_t i = 0; i < s.counts.size(); ++i) {
    const std::string_view symbol = kServiceCounts[i].symbol;
    if (!group_is_empty(s, group_of(symbol))) line.number(symbol, as_signed(s.counts[i]));
  }
  for (std::size_t i = 0; i < s.durations.size(); ++i) {
    const Histogram& h = s.durations[i];
    if (h.count() == 0) continue;
    const std::string symbol(kServiceDurations[i].symbol);
    line.number(symbol + "_n", as_signed(h.count()));
    line.duration(symbol + "_p50", h.quantile_ns(0.50));
    line.duration(symbol + "_p95", h.quantile_ns(0.95));
    line.duration(symbol + "_p99", h.quantile_ns(0.99));
    line.duration(symbol + "_max", h.max_ns());
  }
}

/// How many transactions and live handshakes a row stands for.
std::uint64_t weight(const ServiceSummary& s) {
  using enum ServiceCount;
  return std::max(s.of(connections), s.of(ServiceDuration::connect).count()) + s.of(http_requests) +
         s.of(dns_queries) + s.of(tls_handshakes) + s.of(database_requests);
}

LogLine appliance_line(const MergedSummary& interval, TimeNs now, const SummaryLogOptions& options,
                       const ExtraNumbers& extra) {
  LogLine line(now, "appliance");
  line.text("name", options.appliance);
  const DurationNs length_ns = elapsed_ns(interval.start_time_ns, interval.end_time_ns);
  if (known(length_ns)) line.number("interval_ms", length_ns / kMillisecondNs);
  add_accounting(line, interval.accounting);
  add_counters(line, interval.counters);
  line.number("services", as_signed(interval.rows.size()));
  add_numbers(line, interval.total());
  for (const auto& [key, value] : extra) line.number(key, value);
  return line;
}

LogLine finding_line(const Finding& finding, TimeNs now) {
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
  for (const Evidence& evidence : finding.evidence) {
    if (!known(evidence.time_ns)) continue;
    first_ns = known(first_ns) ? std::min(first_ns, evidence.time_ns) : evidence.time_ns;
    last_ns = std::max(last_ns, evidence.time_ns);
  }
  LogLine line(now, "finding");
  line.text("rule", finding.rule).text("scope", finding.scope);
  line.number("n", as_signed(finding.affected_actions));
  line.range("save", finding.saving.low_ns, finding.saving.high_ns);
  line.real("user_s_h", finding.user_seconds_per_hour, 3);
  line.text("conf", finding.confidence);
  if (finding.capacity_only) line.text("capacity", finding.capacity);
  if (known(first_ns)) line.text("first", rfc3339(first_ns)).text("last", rfc3339(last_ns));
  line.text("title", finding.title);
  return line;
}

}  // namespace

std::vector<LogLine> summary_lines(const MergedSummary& interval, TimeNs now,
                                   const SummaryLogOptions& options, const ExtraNumbers& extra) {
  std::vector<LogLine> lines = {appliance_line(interval, now, options, extra)};

  std::vector<const std::pair<const ServiceKey, ServiceSummary>*> rows;
  for (const auto& row : interval.rows) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
    return weight(a->second) > weight(b->second);
  });
  const std::size_t shown = std::min(rows.size(), options.max_lines);
  for (std::size_t i = 0; i < shown; ++i) {
    LogLine& line = lines.emplace_back(now, "service");
    line.text("scope", rows[i]->first.text(options.service_names));
    add_numbers(line, rows[i]->second);
  }
  if (shown < rows.size()) {
    lines.emplace_back(now, "more").number("services", as_signed(rows.size() - shown));
  }
  return lines;
}

std::vector<LogLine> finding_lines(const std::vector<Finding>& findings, TimeNs now,
                                   const SummaryLogOptions& options) {
  std::vector<LogLine> lines;
  const std::size_t shown = std::min(findings.size(), options.max_lines);
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(finding_line(findings[i], now));
  if (shown < findings.size()) {
    lines.emplace_back(now, "more").number("findings", as_signed(findings.size() - shown));
  }
  return lines;
}

SummaryLog::SummaryLog(std::optional<LogFile> text, std::optional<LogFile> json)
    : text_(std::move(text)), json_(std::move(json)) {}

void SummaryLog::write(const std::vector<LogLine>& lines) {
  std::string text;
  std::string json;
  for (const LogLine& line : lines) {
    if (text_) text += line.as_text();
    if (json_) json += line.as_json();
  }
  if (text_) text_->write(text);
  if (json_) json_->write(json);
}

void SummaryLog::reopen() {
  if (text_) text_->reopen();
  if (json_) json_->reopen();
}

}  // namespace wirelag
