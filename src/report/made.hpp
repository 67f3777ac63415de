// What the operator's marks say was done about a rule, and whether the rule still fires on what was captured since.
// Private to report; pure.
#pragma once

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// One for every rule that a mark names: the latest such mark. What was captured since is judged once more for each
/// of these marks that lies within the capture: takes as long, and as much memory for that time, as a report of it.
[[nodiscard]] std::vector<ChangeMade> changes_made(const CaptureBlock& capture, const Dataset& data,
                                                   const Thresholds& thresholds);

}  // namespace wirelag::report
