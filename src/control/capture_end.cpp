#include <wirelag/control/capture_end.hpp>

namespace wirelag {
namespace {

/// No answer can come any more. After the client's FIN alone one can (RFC 9293 section 3.6).
bool is_over(const Connection& c) {
  const bool waits = c.close == CloseKind::open || c.close == CloseKind::fin_client;
  return !waits || c.end == ConnectionEnd::port_reused;
}

}  // namespace

TimeNs watched_until_ns(const Dataset& data, const Connection& c) {
  return is_over(c) ? c.last_time_ns : data.ended_ns();
}

}  // namespace wirelag
