// What changed at the marks that the operator set. Private to report; pure.
#pragma once

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// One for each instant of `capture.marks`, in order of time: the visits that asked something between the mark
/// before and this one against those between this one and the next. What goes on across a mark, or across
/// the capture's end, is left out. `visits` were found in `data`.
[[nodiscard]] std::vector<MarkedChange> changes_at(const CaptureBlock& capture,
                                                   const Visits& visits, const Dataset& data,
                                                   const Thresholds& thresholds);
/// What became of the predictions, by rule.
[[nodiscard]] std::vector<LedgerRow> ledger_of(const std::vector<MarkedChange>& changes);

/// "2018-04-11 04:13:20.050000000 UTC, 50.000 ms after the capture begins: http2 on"
[[nodiscard]] std::string mark_title(const Report& report, const Mark& mark);
/// That the visits are a sample, and of how many; empty when they are not.
[[nodiscard]] std::string mark_sample(const Report& report);
/// By how much the median changed, in milliseconds: "-40.000", "+3.120", "-" where there is none.
[[nodiscard]] std::string mark_difference(const MarkedChange::Service& service);
/// "beyond chance", "may be chance", what rose instead, or why there is nothing to compare.
[[nodiscard]] std::string mark_verdict(const MarkedChange::Service& service);
/// "not answered: 0 of 20 before, 3 of 25 after", likewise of errors; empty where all was well.
[[nodiscard]] std::string mark_failures(const MarkedChange::Service& service);

/// What the rules had predicted for the service, a sentence each: "http-late-connection predicted 168.000 ..
/// 182.400 ms; measured 170.200 ms: as predicted".
[[nodiscard]] std::vector<std::string> mark_predictions(const MarkedChange::Service& service);
/// That rules which the mark names had predicted nothing; empty where there are none.
[[nodiscard]] std::string mark_predicted_nothing(const MarkedChange& change);
/// "http-late-connection: 2 of 3 predictions held; of the saving predicted 97 % was measured at the median"
[[nodiscard]] std::string ledger_words(const LedgerRow& row);
/// Of a mark within the capture without a whole visit on either side, of which there is no more to say. Empty for any
/// other, and of more than the first few.
[[nodiscard]] std::string mark_alone(const Report& report, std::size_t change);
/// How many other marks have no visit around them, and which of them is the latest; empty when all have.
[[nodiscard]] std::string marks_alone(const Report& report);
/// All marks in one line: how many, how the latest one came out that has visits on both sides, how many predictions
/// held, and of how many findings that are marked as done the fault is still seen. Empty without a mark.
[[nodiscard]] std::string marks_summary(const Report& report);
/// "marked as done at 2018-04-11 04:13:20 UTC ("http2 on"); still seen after it", or what else the visits since say.
[[nodiscard]] std::string done_words(const DoneAlready& done);
/// How to have a prediction held against what is measured; empty where every prediction is, or there is none.
[[nodiscard]] std::string mark_hint(const Report& report);

}  // namespace wirelag::report
