// A visit: one client's burst of activity, the unit in which a user waits. It begins after a second
// of silence and ends before the next one; what lasts longer than 30 s is cut there. Control
// thread; pure function.
#pragma once

#include <vector>

#include <wirelag/control/dataset.hpp>

namespace wirelag {

inline constexpr TimeNs kNeverAnswered = INT64_MAX;

struct Visit {
  IpAddress client_ip;
  TimeNs start_ns = 0;
  std::vector<std::size_t> connections;  ///< begun in it, in order; index into connections()
  std::vector<std::size_t> requests;     ///< begun in it, in order of time; index into http()
  /// Beside requests: when it and all before it had their answers, kNeverAnswered once one has
  /// none.
  std::vector<TimeNs> answered_ns;
};

/// In order of client and time. Midstream connections begin no visit; their requests do.
[[nodiscard]] std::vector<Visit> find_visits(const Dataset& data);

}  // namespace wirelag
