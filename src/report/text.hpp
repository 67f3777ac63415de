// The parts of the text report, in the order a person reads them. Each appends whole lines of at
// most kWidth ASCII characters. Shared rule for large captures: the rows that matter most are shown
// (failed first, then slowest), as many as TextOptions::max_rows, and a line says how many are not.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

#include "choose.hpp"

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
/// Nothing where the operator set no mark.
void text_marks(std::string& out, const Report& report);
void text_findings(std::string& out, const Report& report, const TextOptions& options);

}  // namespace wirelag::report
