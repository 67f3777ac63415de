#include <algorithm>

#include <wirelag/control/opening.hpp>

namespace wirelag {

bool opening_contradicts(const Connection& c) {
  if (c.state == ConnectionState::complete) {
    return c.handshake_ambiguous && !known(c.connect_time_ns);
  }
  if (c.state != ConnectionState::synack_no_ack) return false;
  TimeNs asked_ns = kUnknownNs;
  for (const HandshakeSegment& s : c.handshake()) {
    const std::uint8_t opening = s.flags & (tcp_flag::syn | tcp_flag::ack);
    if (s.direction == Direction::c2s && opening == tcp_flag::syn) {
      asked_ns = std::max(asked_ns, s.time_ns);
    } else if (s.direction == Direction::s2c && opening == (tcp_flag::syn | tcp_flag::ack)) {
      return !known(asked_ns) || s.time_ns < asked_ns;
    }
  }
  return false;
}

}  // namespace wirelag
