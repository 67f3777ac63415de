// What was captured between two instants, as if the capture had ended at the later one. Private to report; pure.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag::report {

/// The transactions that began at `from_ns` or later and were over at `to_ns`, not sealed. Connections: also those
/// that lived on across either; of one that lived on across `to_ns` only its opening is known, and which directions
/// of it were captured: its shortest round trips, what they vary, and resends are of its whole life.
/// Copies them: takes as much memory as they do.
[[nodiscard]] Dataset part_of(const Dataset& whole, TimeNs from_ns, TimeNs to_ns);

}  // namespace wirelag::report
