// What became of a visit, where visits are held against others. Private to report; pure.
#pragma once

#include <wirelag/advise/visit.hpp>

namespace wirelag::report {

enum class VisitOutcome : std::uint8_t {
  nothing_asked,  ///< it only looked up names or opened connections
  unfinished,  ///< what lacks of it was unfinished when the capture ended: nobody knows what became of it
  unanswered,  ///< no whole answer is in the capture, or it was not let in
  error,       ///< answered, with a 5xx or a database's error among it
  answered,
};

/// Of a visit that only opened connections nobody saw a page; one that could not even do that waited in
/// vain. What was not answered whole has no wait that could be held against another.
[[nodiscard]] VisitOutcome outcome_of(const Visit& visit, const Dataset& data);

}  // namespace wirelag::report
