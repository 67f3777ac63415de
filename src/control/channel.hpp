// The second half of correlate(): what each connection carried and why it was opened. Control
// thread; pure functions.
#pragma once

#include <wirelag/control/correlate.hpp>

namespace wirelag {

/// One channel per connection, in the order of Dataset::connections().
[[nodiscard]] std::vector<Channel> describe_channels(const Dataset& data,
                                                     const std::vector<Lookup>& lookups);

}  // namespace wirelag
