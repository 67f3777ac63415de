// The pieces of the JSON report: one function per kind of item, each a self-contained JSON value.
// render_json() puts them on one line each, so that two reports can be compared line by line and a
// large report is never held as a tree. Schema: docs/report-json.md.
//
// Conventions: *_ns are integers; null = not seen or not measurable, never 0; frame number 0 (live
// traffic) is null; text from the wire goes through utf8().
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

using Json = nlohmann::ordered_json;

// json_common.cpp
[[nodiscard]] Json ns_or_null(std::int64_t ns);
[[nodiscard]] Json frame_or_null(FrameNumber frame);
[[nodiscard]] Json span_or_null(FrameSpan span);
[[nodiscard]] Json text_or_null(std::string_view wire);
[[nodiscard]] Json endpoint(const Endpoint& endpoint);
/// Connection id, null for Dataset::kNone.
[[nodiscard]] Json connection_id(std::size_t index);
template <class List>
[[nodiscard]] Json frame_numbers(const List& list) {
  Json out = Json::array();
  for (const FrameNumber f : list) {
    if (f != 0) out.push_back(f);
  }
  return out;
}

/// Where the items of the dataset stand in the JSON lists. Responses without a request have a list
/// of their own, so HTTP indexes differ from Dataset::http().
class HttpIndex {
 public:
  explicit HttpIndex(const Report& report);
  /// Index in http.transactions; Dataset::kNone for a response without a request.
  [[nodiscard]] std::size_t of(std::size_t dataset_index) const { return position_[dataset_index]; }

 private:
  std::vector<std::size_t> position_;
};

// json_summary.cpp
[[nodiscard]] Json capture_json(const Report& report);
[[nodiscard]] Json accounting_json(const Report& report);
[[nodiscard]] Json visibility_json(const Report& report);
[[nodiscard]] Json counters_json(const Report& report);
[[nodiscard]] Json finding_json(const Finding& finding);
[[nodiscard]] Json verdict_json(const Verdict& verdict);

// json_transactions.cpp
[[nodiscard]] Json dns_json(const Report& report, const DnsTransaction& transaction);
[[nodiscard]] Json lookup_json(const Lookup& lookup);
[[nodiscard]] Json http_json(const Report& report, const HttpTransaction& transaction);
[[nodiscard]] Json tls_json(const Report& report, const TlsHandshake& handshake);
[[nodiscard]] Json database_json(const Report& report, const DatabaseTransaction& transaction);

// json_visits.cpp
[[nodiscard]] Json visit_json(const Report& report, std::size_t index, const HttpIndex& http);

// json_waits.cpp
[[nodiscard]] Json breakdown_json(const Breakdown& breakdown);
[[nodiscard]] Json marked_json(const MarkedChange& c);
[[nodiscard]] Json ledger_json(const LedgerRow& row);
[[nodiscard]] Json wait_scope_json(const WaitScope& scope);
[[nodiscard]] Json unended_json(const Unended& unended);
[[nodiscard]] Json typical_json(const TypicalVisit& typical);
[[nodiscard]] Json load_json(const ServerLoad& load);
[[nodiscard]] Json server_json(const ServerUse& server);

// json_tcp.cpp
[[nodiscard]] Json connection_json(const Report& report, std::size_t index, const HttpIndex& http);

}  // namespace wirelag::report
