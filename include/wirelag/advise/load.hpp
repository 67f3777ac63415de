// How busy a server was and how long its answers took, window by window, from the requests that can
// be read. Rule srv-saturation-knee judges it; the report draws it.
//
//   X  Xmax  ____________      knee: N* = R0 * Xmax           R0: R when there is little to do
//           /                  beyond it R = N / Xmax         Xmax: the most answers per second
//          /  N*
//
// Only where who asks while N* are in flight waits longer than who asks before is anything beyond the knee.
//
// Control thread; pure.
#pragma once

#include <vector>

#include <wirelag/advise/rule.hpp>

namespace wirelag {

/// Answers that ended within the window, and what was open in it.
struct LoadWindow {
  TimeNs start_ns = 0;
  double in_flight = 0;               ///< N: the time that requests were open / the window
  double per_second = 0;              ///< X
  double response_ns = 0;             ///< R: mean of the answers
  bool beyond = false;                ///< the knee: more in flight than N*, and answers that slow
  std::vector<std::size_t> requests;  ///< answered in it: indexes into Dataset::http()
};

/// A server's windows in order of time; those with too few answers to say anything are left out.
struct ServerLoad {
  Endpoint server;
  double r0_ns = 0;
  double x_max = 0;   ///< answers per second
  double n_star = 0;  ///< requests in flight
  std::vector<LoadWindow> windows;
  [[nodiscard]] std::size_t beyond() const;
};

/// In order of server. `data` is sealed.
[[nodiscard]] std::vector<ServerLoad> server_loads(const Dataset& data,
                                                   const Thresholds& thresholds);

}  // namespace wirelag
