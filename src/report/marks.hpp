// What changed at the marks that the operator set. Private to report; pure.
#pragma once

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// One for each of `capture.marks`, in order of time: the visits that asked something between the mark
/// before and this one against those between this one and the next. What goes on across a mark, or across
/// the capture's end, is left out. `visits` were found in `data`.
[[nodiscard]] std::vector<MarkedChange> changes_at(const CaptureBlock& capture,
                                                   const Visits& visits, const Dataset& data);

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

}  // namespace wirelag::report
