#include <algorithm>
#include <iterator>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/control/opening.hpp>

namespace wirelag {
namespace {

/// Whether the server speaks first. TLS itself begins with the client: behind a greeting it was switched on later. Of
/// what is not read the port tells, as assigned by IANA: FTP, SSH, SMTP, POP3, NNTP, IMAP, submission, MySQL, VNC.
[[nodiscard]] bool may_greet(const Connection& c) {
  constexpr std::uint16_t kPorts[] = {21, 22, 25, 110, 119, 143, 587, 3306, 5900};
  if (c.protocol == Protocol::mysql || c.protocol == Protocol::tls) return true;
  return c.protocol == Protocol::unknown &&
         std::find(std::begin(kPorts), std::end(kPorts), c.server.port) != std::end(kPorts);
}

}  // namespace

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

TimeNs greeting_ns(const Connection& c) {
  constexpr DurationNs kAnsweredNs = 1 * kSecondNs;
  if (!may_greet(c)) return kUnknownNs;
  const TimeNs served_ns = c.half.s2c.first_payload_ns;
  const TimeNs asked_ns = c.half.c2s.first_payload_ns;
  if (!known(c.established_time_ns) || served_ns < c.established_time_ns) return kUnknownNs;
  // Else it was pushed, or said to a client that had left.
  const bool answered = served_ns < asked_ns && asked_ns - served_ns <= kAnsweredNs;
  return answered ? served_ns : kUnknownNs;
}

}  // namespace wirelag
