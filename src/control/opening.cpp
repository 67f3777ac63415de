#include <algorithm>

#include <wirelag/control/capture_end.hpp>
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

bool still_opening(const Dataset& data, const Connection& c) {
  if (unfinished(data, c)) return true;
  const bool open = c.end == ConnectionEnd::capture_end && c.close == CloseKind::open;
  if (!open || c.state != ConnectionState::syn_unanswered || server_not_captured(c)) return false;
  // The timer doubles (RFC 6298 section 5.5): the next runs as long as all before it together and the first again.
  const DurationNs timer_ns = elapsed_ns(c.start_time_ns, c.last_time_ns) + kFirstSynTimeoutNs;
  const DurationNs waited_ns = elapsed_ns(c.last_time_ns, data.ended_ns());
  return known(waited_ns) && waited_ns < timer_ns;
}

}  // namespace wirelag
