// The second half of correlate(): what each connection carried and why it was opened. Control
// thread; pure functions.
#pragma once

#include <wirelag/control/correlate.hpp>

namespace wirelag {

/// Fills in the channels, one per connection, in the order of Dataset::connections(), and their tasks. The
/// lookups are there.
void describe_channels(const Dataset& data, Correlation& correlation, const LookupLimits& limits);

}  // namespace wirelag
