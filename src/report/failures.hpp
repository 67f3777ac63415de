// What did not work. It costs users more than any wait, and no rule about time speaks of it, so the first
// screen says it.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

struct Failures {
  /// "2 of 3 DNS lookups: 1 of a name that does not exist, 1 not answered"; of connections, HTTP requests
  /// and requests to databases likewise. Empty: nothing failed of what was captured. What was unfinished when
  /// the capture ended did not. Holds text from the wire.
  std::vector<std::string> said;
  /// Somebody waited for nothing: refused, not answered, or failed by the server. Not where all got an answer, if
  /// not the wanted one (no such name or page, an error in a statement), or gave up what was answered.
  bool in_vain = false;
};
[[nodiscard]] Failures failures(const Report& report);

/// "3 DNS lookups waited 0.385 ms at the median and 0.449 ms at most"; empty when none was answered.
[[nodiscard]] std::string lookups_waited(const Report& report);

}  // namespace wirelag::report
