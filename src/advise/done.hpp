// Changes that the operator made already: what is found is told apart into what was so before and what still is.
// Private to advise; pure.
//
//   visits   #1*   #2*   #3  |mark|  #4   #5*          * the finding's edits
//   still there: only #5 is advice                     gone: #1 and #2 are told of, none is advice
#pragma once

#include <wirelag/advise/rule.hpp>

namespace wirelag {

/// Sets Finding::done where the finding's rule is among `made`, and leaves it the edits of the side that it is about.
/// One that is still there tells of what was captured since, where that could be judged alone.
void set_done(Finding& finding, const std::vector<ChangeMade>& made, const RuleInput& input);

/// Whether it is worth saying to somebody who did what was said before.
[[nodiscard]] bool recommended(const Finding& finding);

/// How many visits there were that it could have been about.
[[nodiscard]] std::uint64_t visits_of(const Finding& finding, const Visits& visits);
/// How long that was.
[[nodiscard]] DurationNs span_of(const Finding& finding, const RuleInput& input);

}  // namespace wirelag
