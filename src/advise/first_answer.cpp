// Seen are the first and the last byte of either side, the number of the client's segments, and whether anything
// was sent again. Where that shows that the client asked once, what the server sent after its first byte was the
// answer, a goodbye (close_notify), a resend or a keep-alive:
//
//   client  hello  finished  request                           goodbye
//   server        hello              first byte ...... last byte      goodbye
//
// The last byte is the answer's where the client says goodbye at once behind it, as that shows that it waited for
// no more; or where so many bytes take that long by themselves and nothing was sent again: then the end is wrong
// by what they take at most. Elsewhere the answer's first byte is all that is known.
#include "first_answer.hpp"

#include <algorithm>

namespace wirelag {
namespace {

/// A server's own goodbye comes when its patience ends: 5 s (Apache's KeepAliveTimeout, Node.js) or more, or sooner
/// where it is set so.
constexpr DurationNs kGoodbyeAfterNs = 5 * kSecondNs;
/// That either side takes to answer a goodbye, or to go on sending.
constexpr DurationNs kProgramNs = 10 * kMillisecondNs;

/// How long so many bytes take at most where nothing holds them up: the flights of slow start (RFC 6928), and
/// one after another at 100 Mbit/s.
DurationNs arriving_at_most_ns(std::uint64_t bytes, DurationNs rtt_ns) {
  constexpr std::uint64_t kSegmentBytes = 1448;
  constexpr DurationNs kSegmentNs = 116 * kMicrosecondNs;
  const std::uint64_t segments = bytes / kSegmentBytes + 1;
  DurationNs flights = 1;
  for (std::uint64_t sent = 10, flight = 10; sent < segments; sent += flight) {
    flight *= 2;
    ++flights;
  }
  return flights * rtt_ns + static_cast<DurationNs>(segments) * kSegmentNs;
}

/// The server sent bytes that were no news: resends and keep-alives, of which any may be its last.
bool repeats_itself(const HalfConnection& down) {
  if (down.impaired.empty()) return false;
  using R = RetransmissionClass;
  const auto& times = down.impairment().retransmissions;
  constexpr R kWithBytes[] = {R::rto,          R::fast,       R::tail_probe,       R::spurious,
                              R::unclassified, R::keep_alive, R::zero_window_probe};
  return std::any_of(std::begin(kWithBytes), std::end(kWithBytes),
                     [&](R r) { return times[static_cast<std::size_t>(r)] > 0; });
}

/// Whether all the server sent from `from_ns` to `to_ns` can have been one answer on its way.
bool arrives_without_a_pause(const Connection& c, TimeNs from_ns, TimeNs to_ns) {
  if (!known(c.handshake_rtt_ns) || repeats_itself(c.half.s2c)) return false;
  return to_ns - from_ns <=
         arriving_at_most_ns(c.half.s2c.payload_bytes, c.handshake_rtt_ns) + kProgramNs;
}

/// The client said its last word when it had the server's, and before either side closed: not because the
/// server did.
bool client_leaves_at_once(const Connection& c) {
  const TimeNs goodbye_ns = c.half.c2s.last_payload_ns;
  if (!known(c.rtt_probe_client_ns)) return false;
  if (known(c.close_time_ns) && c.close_time_ns < goodbye_ns) return false;
  return goodbye_ns - c.half.s2c.last_payload_ns <= c.rtt_probe_client_ns * 3 / 2 + kProgramNs;
}

/// The client's goodbye, when it was at the client, where the server's follows it: kUnknownNs where it may be a
/// second request. One that is answered within a round trip and closed behind looks the same, so the bytes before
/// must take that long by themselves.
TimeNs goodbye_before_the_servers_ns(const Connection& c, TimeNs first_ns) {
  if (!known(c.handshake_rtt_ns) || !known(c.rtt_probe_client_ns)) return kUnknownNs;
  if (c.close == CloseKind::open) return kUnknownNs;
  const TimeNs sent_ns = c.half.c2s.last_payload_ns;
  const TimeNs goodbye_ns = sent_ns - c.rtt_probe_client_ns;
  const bool answered =
      c.half.s2c.last_payload_ns - sent_ns <= c.handshake_rtt_ns * 3 / 2 + kProgramNs;
  return answered && arrives_without_a_pause(c, first_ns, goodbye_ns) ? goodbye_ns : kUnknownNs;
}

/// Segments of a client that asks once and says no more; 0 = not known.
std::uint64_t segments_to_ask_once(const Connection& c, const TlsHandshake* tls) {
  if (tls == nullptr) return 1;
  if (tls->client != c.client || !known(tls->client_finished_ns)) return 0;
  return tls->client_finished_ns == tls->first_client_data_ns ? 2 : 3;
}

}  // namespace

TimeNs first_answer_end_ns(const Connection& c, const TlsHandshake* tls) {
  const HalfConnection& up = c.half.c2s;
  const TimeNs first_ns = tls != nullptr ? tls->first_server_data_ns : c.half.s2c.first_payload_ns;
  const TimeNs last_ns = c.half.s2c.last_payload_ns;
  if (!known(first_ns) || !known(last_ns) || last_ns <= first_ns) return first_ns;
  if (c.one_sided || c.untimed || last_ns - first_ns >= kGoodbyeAfterNs) return first_ns;
  const std::uint64_t once = segments_to_ask_once(c, tls);
  if (once == 0 || up.payload_packets < once || up.payload_packets > once + 1) return first_ns;
  if (up.last_payload_ns <= first_ns) {  // it said no more
    return arrives_without_a_pause(c, first_ns, last_ns) ? last_ns : first_ns;
  }
  if (up.payload_packets == once) return first_ns;
  if (up.last_payload_ns >= last_ns) {  // its goodbye was the last word
    const bool whole = client_leaves_at_once(c) || arrives_without_a_pause(c, first_ns, last_ns);
    return whole ? last_ns : first_ns;
  }
  const TimeNs goodbye_ns = goodbye_before_the_servers_ns(c, first_ns);
  return known(goodbye_ns) ? std::max(first_ns, goodbye_ns) : first_ns;
}

}  // namespace wirelag
