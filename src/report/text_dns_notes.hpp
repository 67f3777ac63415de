// A DNS transaction in a table's words, and a lookup in sentences.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// "A", "-" when the message had no readable question.
[[nodiscard]] std::string question_type(const DnsTransaction& transaction);
/// "NOERROR", "NODATA" (RFC 2308), "TRUNCATED", "no answer" ...
[[nodiscard]] std::string result(const DnsTransaction& transaction);
/// "1,5 / 7": the query and its copies, then the response.
[[nodiscard]] std::string query_and_answer_frames(const DnsTransaction& transaction);

/// What is remarkable about a lookup, a sentence each: names tried before, the stub, answers that
/// came too late, queries sent again, time in which the client did not ask. Safe to print.
[[nodiscard]] std::vector<std::string> lookup_notes(const Report& report, const Lookup& lookup);

}  // namespace wirelag::report
