// Seen are the first and the last byte of either side, the number of the client's segments, and whether anything
// was sent again; a server's goodbye behind the client's is no byte of these. Where that shows that the client asked
// once, what the server sent after its first byte was the answer, a goodbye (close_notify), a resend or a keep-alive:
//
//   client  hello  finished  request                           goodbye
//   server        hello              first byte ...... last byte      (goodbye)
//
// The last byte is the answer's where the client leaves at once behind it, as that shows that it waited for
// no more; or where so many bytes take that long by themselves and nothing was sent again: then the end is wrong
// by what they take at most. A client that said more asked more, or spoke HTTP/2 (settings, windows): then it waited
// all the time where so many bytes take that long. Elsewhere the answer's first byte is all that is known.
#include "first_answer.hpp"

#include <algorithm>
#include <cmath>

namespace wirelag {
namespace {

/// A server's own goodbye comes when its patience ends: 5 s (Apache's KeepAliveTimeout, Node.js) or more, or sooner
/// where it is set so. No answer is so long unless its bytes are many: slower than 1 Mbit/s is none.
DurationNs goodbye_after_ns(std::uint64_t bytes) {
  constexpr DurationNs kPatienceNs = 5 * kSecondNs;
  constexpr DurationNs kByteNs = 8 * kMicrosecondNs;
  constexpr std::uint64_t kMany = 1'000'000'000;
  return kPatienceNs + static_cast<DurationNs>(std::min(bytes, kMany)) * kByteNs;
}
/// That either side takes to answer a goodbye, or to go on sending.
constexpr DurationNs kProgramNs = 10 * kMillisecondNs;

/// Classes of segments that were sent again because they were missed, or seemed to be.
constexpr RetransmissionClass kResent[] = {
    RetransmissionClass::rto, RetransmissionClass::fast, RetransmissionClass::tail_probe,
    RetransmissionClass::spurious, RetransmissionClass::unclassified};

std::uint64_t resent(const Impairment& of) {
  std::uint64_t n = 0;
  for (const RetransmissionClass r : kResent) {
    n += of.retransmissions[static_cast<std::size_t>(r)];
  }
  return n;
}

/// The server sent bytes that were no news: resends and keep-alives, of which any may be its last.
bool repeats_itself(const HalfConnection& down) {
  const auto times = [&down](RetransmissionClass r) {
    return down.impairment().retransmissions[static_cast<std::size_t>(r)];
  };
  return resent(down.impairment()) + times(RetransmissionClass::keep_alive) +
             times(RetransmissionClass::zero_window_probe) >
         0;
}

/// How long so many bytes take at most where only losses hold them up: the flights of slow start (RFC 6928), and
/// one after another at 100 Mbit/s. With losses: the time lost to them, and flights that grow by a segment each
/// from half of what was lost of (RFC 5681), which are most when the losses lie evenly.
DurationNs arriving_at_most_ns(const HalfConnection& down, DurationNs rtt_ns) {
  constexpr std::uint64_t kSegmentBytes = 1448;
  constexpr DurationNs kSegmentNs = 116 * kMicrosecondNs;
  const std::uint64_t segments = down.payload_bytes / kSegmentBytes + 1;
  DurationNs flights = 1;
  for (std::uint64_t sent = 10, flight = 10; sent < segments; sent += flight) {
    flight *= 2;
    ++flights;
  }
  if (const std::uint64_t losses = resent(down.impairment()); losses > 0) {
    const double many = 2.0 / 3 * static_cast<double>(losses + 1) * static_cast<double>(segments);
    flights += static_cast<DurationNs>(std::sqrt(many));
  }
  return flights * rtt_ns + static_cast<DurationNs>(segments) * kSegmentNs +
         down.impairment().time_lost_ns;
}

/// Whether all the server sent from `from_ns` to `to_ns` can have been on its way all that time, `rounds` apart.
bool arrives_without_a_pause(const Connection& c, TimeNs from_ns, TimeNs to_ns,
                             DurationNs rounds = 0) {
  if (!known(c.handshake_rtt_ns)) return false;
  const DurationNs apart_ns = rounds * c.handshake_rtt_ns;
  return to_ns - from_ns <=
         arriving_at_most_ns(c.half.s2c, c.handshake_rtt_ns) + apart_ns + kProgramNs;
}

/// The client said its last word when it had the server's, and before either side closed: not because the
/// server did. Or it said no more, and reset the connection.
bool client_leaves_at_once(const Connection& c) {
  const TimeNs heard_ns = c.half.s2c.last_payload_ns;
  const bool says_so = c.half.c2s.last_payload_ns >= heard_ns;
  if (!says_so && (c.close != CloseKind::rst || !known(c.close_time_ns))) return false;
  const TimeNs goodbye_ns = says_so ? c.half.c2s.last_payload_ns : c.close_time_ns;
  if (!known(c.rtt_probe_client_ns) || goodbye_ns < heard_ns) return false;
  if (known(c.close_time_ns) && c.close_time_ns < goodbye_ns) return false;
  return goodbye_ns - heard_ns <= c.rtt_probe_client_ns * 3 / 2 + kProgramNs;
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
  const bool sure = !repeats_itself(c.half.s2c);
  return answered && sure && arrives_without_a_pause(c, first_ns, goodbye_ns) ? goodbye_ns
                                                                              : kUnknownNs;
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
  const HalfConnection& down = c.half.s2c;
  const TimeNs first_ns = tls != nullptr ? tls->first_server_data_ns : down.first_payload_ns;
  const TimeNs last_ns = down.last_payload_ns;
  // Where the server spoke first (HTTP/2's settings) the client asks behind that, and waits a round trip.
  const TimeNs asked_ns = tls != nullptr ? std::max(first_ns, tls->first_client_data_ns) : first_ns;
  const DurationNs settings = asked_ns > first_ns ? 1 : 0;
  if (!known(first_ns) || !known(last_ns) || last_ns <= first_ns) return first_ns;
  if (c.one_sided || c.untimed) return first_ns;
  if (last_ns - first_ns >= goodbye_after_ns(down.payload_bytes)) return first_ns;
  const std::uint64_t once = segments_to_ask_once(c, tls);
  if (once == 0 || up.payload_packets < once) return first_ns;
  const bool leaves = client_leaves_at_once(c);
  const bool last_is_news = leaves || !repeats_itself(down);
  const bool said_more =
      up.payload_packets > once + 1 ||
      (up.payload_packets > once && up.last_payload_ns > asked_ns && up.last_payload_ns < last_ns);
  if (!said_more) {
    const bool whole =
        leaves || (last_is_news && arrives_without_a_pause(c, asked_ns, last_ns, settings));
    // Its one more segment was part of the request, or its goodbye.
    const bool asked_once = up.last_payload_ns <= asked_ns || up.payload_packets > once;
    return whole && asked_once ? last_ns : first_ns;
  }
  if (up.payload_packets == once + 1) {
    const TimeNs goodbye_ns = goodbye_before_the_servers_ns(c, first_ns);
    if (known(goodbye_ns)) return std::max(first_ns, goodbye_ns);
  }
  constexpr DurationNs kRounds = 1;  // settings before the answer
  return last_is_news && arrives_without_a_pause(c, first_ns, last_ns, kRounds) ? last_ns
                                                                                : first_ns;
}

}  // namespace wirelag
