// The visits before a mark and those after it, held against each other service by service. Private to report; pure.
#pragma once

#include <vector>

#include <wirelag/report/report.hpp>

#include "visit_outcome.hpp"

namespace wirelag::report {

struct JudgedVisit {
  const Visit* visit;
  VisitOutcome outcome;
  TimeNs end_ns;
};
/// Those that asked something and were over when the capture ended. An unanswered one may have gone on for
/// longer than is known: for a second, or it could just as well have been answered behind a mark.
[[nodiscard]] std::vector<JudgedVisit> judged_visits(const CaptureBlock& capture,
                                                     const Visits& visits, const Dataset& data);

/// From the mark before to the mark after.
struct Between {
  TimeNs from = 0, to = INT64_MAX;
};

/// The visits around one mark by service, those with the most first, at most eight. Without what was predicted.
[[nodiscard]] std::vector<MarkedChange::Service> services_around(
    TimeNs mark_ns, const Between& between, const std::vector<JudgedVisit>& all);

}  // namespace wirelag::report
