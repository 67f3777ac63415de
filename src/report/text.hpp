// The parts of the text report, in the order a person reads them. Each appends whole lines of at
// most kWidth ASCII characters. Shared rule for large captures: the rows that matter most are shown
// (failed first, then slowest), as many as TextOptions::max_rows, and a line says how many are not.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

void text_headline(std::string& out, const Report& report);
void text_dns(std::string& out, const Report& report, const TextOptions& options);
void text_tcp(std::string& out, const Report& report, const TextOptions& options);
/// Nothing when no database was seen.
void text_database(std::string& out, const Report& report, const TextOptions& options);
void text_explain(std::string& out, const Report& report, const TextOptions& options);
/// Nothing without a visit. `column`: where the text beside a label begins.
void text_wait_headline(std::string& out, const Report& report, std::size_t column);
void text_wait(std::string& out, const Report& report);
void text_findings(std::string& out, const Report& report, const TextOptions& options);

/// Milliseconds since the first packet of the capture, as a table cell.
[[nodiscard]] std::string at_ms(const Report& report, TimeNs time_ns);

/// The `max_rows` items of 0..n-1 that come first by `matters_more(a, b)`, in ascending order
/// again. 0 = all of them.
template <class Compare>
[[nodiscard]] std::vector<std::size_t> choose(std::size_t n, std::size_t max_rows,
                                              Compare matters_more) {
  std::vector<std::size_t> chosen(n);
  for (std::size_t i = 0; i < n; ++i) chosen[i] = i;
  if (max_rows == 0 || n <= max_rows) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), matters_more);
  chosen.resize(max_rows);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace wirelag::report
