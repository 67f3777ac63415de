// What the end of the capture cuts off. Nobody saw what came after it, so nothing may be said to have waited beyond it.
//
// Control thread; pure functions over a sealed Dataset.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// How long who waits on the connection was seen to wait: to its end, else to the capture's. Unknown where that is.
[[nodiscard]] TimeNs watched_until_ns(const Dataset& data, const Connection& connection);

}  // namespace wirelag
