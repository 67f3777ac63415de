// A DNS transaction in a table's words, and a lookup in sentences.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// "A", "-" when the message had no readable question.
[[nodiscard]] std::string question_type(const DnsTransaction& transaction);
/// "NOERROR", "NODATA" (RFC 2308), "TRUNCATED", "no answer", "capture ended" ...
/// What came of a question of the lookup.
[[nodiscard]] std::string result(const Report& report, const Lookup& lookup,
                                 const DnsTransaction& transaction);
/// Of what has a response.
[[nodiscard]] std::string result(const DnsTransaction& transaction);
/// "1,5 / 7": the query and its copies, then the response.
[[nodiscard]] std::string query_and_answer_frames(const DnsTransaction& transaction);

/// Lookups whose question was captured, in order of first frame.
[[nodiscard]] std::vector<const Lookup*> asked_lookups(const Report& report);
/// "2 lookups in 5 transactions: 1 answered, 1 unanswered; 1 response without a captured question."
[[nodiscard]] std::string dns_totals(const Report& report, const std::vector<const Lookup*>& asked);
/// Without the answer that was wanted; not one that was unfinished when the capture ended.
[[nodiscard]] bool failed(const Report& report, const Lookup& lookup);
/// Unanswered and failed first, then by what the user waited.
[[nodiscard]] bool costs_more(const Report& report, const Lookup& a, const Lookup& b);
/// "A,AAAA"
[[nodiscard]] std::string types(const Lookup& lookup);
/// What the answer to one of its transactions did: "released the user", "won", "too late +23.107 ms".
[[nodiscard]] std::string part_played(const Report& report, const Lookup& lookup,
                                      const LookupMember& member);
/// "waited 3.749 ms, answered", "still waiting when the capture ended 8.2 s later, unanswered", "unfinished: still
/// waiting when the capture ended 0.2 s later".
[[nodiscard]] std::string how_it_went(const Report& report, const Lookup& lookup);
/// First address and how many more, else the last record, else the outcome.
[[nodiscard]] std::string short_result(const Report& report, const Lookup& lookup);

/// What is remarkable about a lookup, a sentence each: names tried before, the stub, answers that
/// came too late, queries sent again, time in which the client did not ask. Safe to print.
[[nodiscard]] std::vector<std::string> lookup_notes(const Report& report, const Lookup& lookup);

}  // namespace wirelag::report
