// What is said of requests to databases and caches, for every rendering.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// All requests to one server that look alike.
struct StatementRow {
  Endpoint server;
  Protocol protocol = Protocol::unknown;
  std::string statement;  ///< from the wire
  std::size_t requests = 0;
  std::size_t errors = 0;
  std::size_t unanswered = 0;  ///< without those that were unfinished when the capture ended
  // Of those that do not wait by design; kUnknownNs when there is none.
  DurationNs p50_ns = kUnknownNs;
  DurationNs p95_ns = kUnknownNs;  ///< from twenty on; of fewer it would be the longest
  DurationNs longest_ns = kUnknownNs;
  DurationNs sum_ns = kUnknownNs;
};
/// Longest sum first.
[[nodiscard]] std::vector<StatementRow> statement_rows(const Dataset& data);

/// The statement, with the operation before it when it does not begin with that word: to prepare a
/// statement is another thing than to execute it. A login has its operation only.
[[nodiscard]] std::string shape_of(const DatabaseTransaction& t);
/// What its response lacks: "no response", "response not known", "response cut", "capture ended"; empty: nothing.
[[nodiscard]] std::string_view missing_response(const Dataset& data, const DatabaseTransaction& t);
[[nodiscard]] std::string note(const Dataset& data, const DatabaseTransaction& t);
[[nodiscard]] std::string ms_or_none(DurationNs ns);
/// Failed ones first, then those that waited longest.
[[nodiscard]] bool costs_more(const Dataset& data, const DatabaseTransaction& a,
                              const DatabaseTransaction& b);

}  // namespace wirelag::report
