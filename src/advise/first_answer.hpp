// When the answer to the first thing that a connection asked was there, where neither can be read. Seen are the
// first and the last byte of either side and the number of the client's segments. Where that shows that the
// client asked once, all that the server sent after its first byte was the answer, but for a goodbye (close_notify):
//
//   client  hello  finished  request                           goodbye
//   server        hello              first byte ...... last byte      goodbye
//
// A second request that is answered within a round trip and closed behind looks like the two goodbyes. So that
// is taken for one only where the bytes before it take that long by themselves: then the end is wrong by a round
// trip and some at most. Elsewhere the answer's first byte is all that is known. Private to advise; pure.
#pragma once

#include <algorithm>

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// A server's own goodbye comes when its patience ends: 5 s (Apache's KeepAliveTimeout, Node.js) or more. Bytes
/// that come sooner are the answer's.
inline constexpr DurationNs kGoodbyeAfterNs = 5 * kSecondNs;

/// How long so many bytes take at most where nothing holds them up: the flights of slow start (RFC 6928), and
/// one after another at 100 Mbit/s.
[[nodiscard]] inline DurationNs arriving_at_most_ns(std::uint64_t bytes, DurationNs rtt_ns) {
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

/// `tls`: the connection's handshake, null when it has none. kUnknownNs without any answer.
[[nodiscard]] inline TimeNs first_answer_end_ns(const Connection& c, const TlsHandshake* tls) {
  const HalfConnection& up = c.half.c2s;
  const HalfConnection& down = c.half.s2c;
  const TimeNs first_ns = tls != nullptr ? tls->first_server_data_ns : down.first_payload_ns;
  const TimeNs last_ns = down.last_payload_ns;
  if (!known(first_ns) || !known(last_ns) || last_ns <= first_ns) return first_ns;
  if (c.one_sided || c.untimed || last_ns - first_ns >= kGoodbyeAfterNs) return first_ns;
  std::uint64_t to_ask_once = 1;
  if (tls != nullptr) {
    if (tls->client != c.client || !known(tls->client_finished_ns)) return first_ns;
    to_ask_once += tls->client_finished_ns == tls->first_client_data_ns ? 1 : 2;
  }
  if (up.payload_packets < to_ask_once || up.payload_packets > to_ask_once + 1) return first_ns;
  if (up.last_payload_ns <= first_ns) return last_ns;  // it said no more
  if (up.payload_packets == to_ask_once) return first_ns;
  if (up.last_payload_ns >= last_ns) return last_ns;  // its goodbye was the last word
  if (!known(c.handshake_rtt_ns) || !known(c.rtt_probe_client_ns) || c.close == CloseKind::open) {
    return first_ns;
  }
  constexpr DurationNs kProgramNs =
      10 * kMillisecondNs;  // that either side takes to answer a goodbye
  const TimeNs goodbye_ns = up.last_payload_ns - c.rtt_probe_client_ns;
  const bool answered = last_ns - up.last_payload_ns <= c.handshake_rtt_ns * 3 / 2 + kProgramNs;
  const DurationNs at_most_ns =
      arriving_at_most_ns(down.payload_bytes, c.handshake_rtt_ns) + kProgramNs;
  const bool at_once = goodbye_ns - first_ns <= at_most_ns;
  return answered && at_once ? std::max(first_ns, goodbye_ns) : first_ns;
}

}  // namespace wirelag
