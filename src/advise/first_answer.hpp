// When the answer to the first thing that a connection asked was there, where neither can be read. Seen are the
// first and the last byte of either side and the number of the client's segments. Where that shows that the
// client asked once, all that the server sent after its first byte was the answer:
//
//   client  hello  finished  request                                     goodbye (close_notify)
//   server        hello              first byte .................last byte
//
// Elsewhere the answer's first byte is all that is known. Private to advise; pure.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// A server's own goodbye comes when its patience ends: 5 s (Apache's KeepAliveTimeout, Node.js) or more. Bytes
/// that come sooner are the answer's.
inline constexpr DurationNs kGoodbyeAfterNs = 5 * kSecondNs;

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
  if (up.payload_packets < to_ask_once) return first_ns;
  const bool said_no_more = up.payload_packets <= to_ask_once && up.last_payload_ns <= first_ns;
  const bool said_goodbye = up.payload_packets <= to_ask_once + 1 && up.last_payload_ns >= last_ns;
  return said_no_more || said_goodbye ? last_ns : first_ns;
}

}  // namespace wirelag
