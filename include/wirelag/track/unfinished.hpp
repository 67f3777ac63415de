// What was asked so shortly before the capture or the run ended that its client would still have waited: it is
// unfinished, not in vain. The first timeouts: of a SYN and a SYN-ACK 1 s (RFC 6298 section 2.1); of a DNS query 5 s
// (resolv.conf(5); RFC 1035 section 4.2.1: 2 to 5 s). Pure functions of what is emitted at the end.
#pragma once

#include <wirelag/track/transaction.hpp>

namespace wirelag {

inline constexpr DurationNs kFirstSynTimeoutNs = 1 * kSecondNs;
inline constexpr DurationNs kFirstQueryTimeoutNs = 5 * kSecondNs;

/// When it ended, less than `timeout_ns` had passed since.
[[nodiscard]] inline bool ended_within(DurationNs timeout_ns, TimeNs since_ns, TimeNs ended_ns) {
  const DurationNs waited_ns = elapsed_ns(since_ns, ended_ns);
  return known(waited_ns) && waited_ns < timeout_ns;
}

/// The opening: nothing was sent again, and the last word of it was not old enough for that.
[[nodiscard]] inline bool opening_unfinished(const Connection& c, TimeNs ended_ns) {
  const bool still_open = c.end == ConnectionEnd::capture_end && c.close == CloseKind::open;
  const bool sent_again = c.syn_frames.size() + c.syn_frames.left_out() > 1 ||
                          c.syn_ack_frames.size() + c.syn_ack_frames.left_out() > 1;
  if (!still_open || sent_again) return false;
  switch (c.state) {
    case ConnectionState::syn_unanswered:
    case ConnectionState::syn_no_synack:
      return ended_within(kFirstSynTimeoutNs, c.start_time_ns, ended_ns);
    case ConnectionState::synack_no_ack:  // the server's timer runs from its SYN-ACK
      return ended_within(kFirstSynTimeoutNs, c.last_time_ns, ended_ns);
    default: return false;
  }
}

/// Of a question over TCP: as long as its connection was open.
[[nodiscard]] inline bool query_unfinished(const DnsTransaction& t, TimeNs ended_ns) {
  return t.outcome == DnsOutcome::unanswered && t.resent() == 0 &&
         ended_within(kFirstQueryTimeoutNs, t.first_query_ns, ended_ns);
}

}  // namespace wirelag
