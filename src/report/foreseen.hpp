// What the rules would have said before a mark, so that it can be held against what came after. Nothing that
// was captured behind the mark goes into it. Private to report; pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <wirelag/advise/rule.hpp>

namespace wirelag::report {

/// One rule's findings of that time: by how much they would have changed the median wait of a service's visits.
struct Foreseen {
  struct Saving {
    DurationNs low_ns = 0;
    DurationNs high_ns = 0;  ///< above 0
  };
  std::string rule;
  std::map<std::string, Saving>
      by_service;  ///< by Visit::service; those whose median it would have changed
};

/// From the part of the data between the two instants (part.hpp); highest-ranked rule first. A connection that lived
/// on and has no opening in the capture says nothing of round trips then, so rules that need them foresee nothing.
/// Takes as long, and as much memory for that time, as a report of that part.
[[nodiscard]] std::vector<Foreseen> foresee(const Dataset& data, TimeNs from_ns, TimeNs to_ns,
                                            const Thresholds& thresholds);

}  // namespace wirelag::report
