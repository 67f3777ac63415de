#include "database_words.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include <wirelag/advise/statement.hpp>
#include <wirelag/control/capture_end.hpp>

#include "format.hpp"
#include "waits.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

bool in_vain(const Dataset& data, const DatabaseTransaction& t) {
  return t.unanswered() && !unfinished(data, t);
}

DurationNs quantile(const std::vector<DurationNs>& sorted, double q) {
  if (sorted.empty()) return kUnknownNs;
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(sorted.size()) + 0.999999);
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

std::string shape_of(const DatabaseTransaction& t) {
  const auto same = [](char a, char b) { return std::toupper(a) == std::toupper(b); };
  const std::string_view begin = t.fingerprint.text().substr(0, t.operation.size());
  if (t.name_only) return called(t);
  const bool said =
      std::equal(begin.begin(), begin.end(), t.operation.begin(), t.operation.end(), same);
  // COM_QUERY says no more than that its text follows.
  if (said || (t.operation == "COM_QUERY" && !t.fingerprint.empty()))
    return std::string(t.fingerprint);
  return fmt::format("{}{}{}", t.operation.text(), t.fingerprint.empty() ? "" : " ",
                     t.fingerprint.text());
}

std::string ms_or_none(DurationNs ns) { return known(ns) ? ms_number(ns) : std::string(kNone); }

std::vector<StatementRow> statement_rows(const Dataset& data) {
  using Key = std::tuple<Endpoint, Protocol, std::string>;
  std::map<Key, std::pair<StatementRow, std::vector<DurationNs>>> by_key;
  for (const DatabaseTransaction& t : data.database()) {
    auto& [row, waits_ns] = by_key[{t.server, t.protocol, shape_of(t)}];
    ++row.requests;
    row.errors += t.error ? 1 : 0;
    row.unanswered += in_vain(data, t) ? 1 : 0;
    if (!t.waits_by_design && known(t.server_wait_ns())) waits_ns.push_back(t.server_wait_ns());
  }
  std::vector<StatementRow> rows;
  for (auto& [key, seen] : by_key) {
    auto& [row, waits_ns] = seen;
    std::tie(row.server, row.protocol, row.statement) = key;
    std::sort(waits_ns.begin(), waits_ns.end());
    row.p50_ns = quantile(waits_ns, 0.5);
    if (waits_ns.size() >= kEnoughForP95) row.p95_ns = quantile(waits_ns, 0.95);
    if (!waits_ns.empty()) row.longest_ns = waits_ns.back();
    for (const DurationNs wait : waits_ns) {
      row.sum_ns = known(row.sum_ns) ? plus_ns(row.sum_ns, wait) : wait;
    }
    rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const StatementRow& a, const StatementRow& b) {
    return (known(a.sum_ns) ? a.sum_ns : 0) > (known(b.sum_ns) ? b.sum_ns : 0);
  });
  return rows;
}

std::string_view missing_response(const Dataset& data, const DatabaseTransaction& t) {
  const bool cut = known(t.response_first_ns) && !t.response_complete;
  if (!cut && t.resynchronised && t.response_frames.first == 0) return "response not known";
  if (!t.unanswered() && !cut) return "";
  if (unfinished(data, t)) return kCaptureEnded;
  return cut ? "response cut" : "no response";
}

std::string note(const Dataset& data, const DatabaseTransaction& t) {
  std::string text;
  const auto add = [&text](std::string_view what) {
    if (!text.empty()) text += ", ";
    text += what;
  };
  if (t.error) add(t.error_code.empty() ? "error" : "error " + safe(t.error_code));
  if (const std::string_view missing = missing_response(data, t); !missing.empty()) add(missing);
  if (t.waits_by_design) add("waits by design");
  if (t.pipelined) add(fmt::format("pipelined, {} in flight", t.depth));
  if (t.statements > 1) add(fmt::format("{} statements", t.statements));
  return text.empty() ? std::string(kNone) : text;
}

bool costs_more(const Dataset& data, const DatabaseTransaction& a, const DatabaseTransaction& b) {
  const auto failed = [&data](const DatabaseTransaction& t) { return t.error || in_vain(data, t); };
  if (failed(a) != failed(b)) return failed(a);
  if (a.waits_by_design != b.waits_by_design) return b.waits_by_design;
  return a.server_wait_ns() > b.server_wait_ns();
}

}  // namespace wirelag::report
