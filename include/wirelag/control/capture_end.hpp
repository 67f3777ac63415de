// What the end of the capture cuts off. Nobody saw what came after it, so nothing may be said to have waited beyond it.
// And what had been asked shortly before it is unfinished: neither answered nor in vain.
//
//   asked ----- first timeout ----- capture ends     in vain: its client asked again, or could have given up
//               asked ------------- capture ends     unfinished: nothing is known but that it waited
//   asked --- connection closed --- capture ends     in vain, however soon
//
// The first timeouts: of a SYN and a SYN-ACK 1 s (RFC 6298 section 2.1); of a DNS query 5 s (resolv.conf(5);
// RFC 1035 section 4.2.1: 2 to 5 s). What is asked on a connection has none that all clients share: 1 s.
//
// Control thread; pure functions over a sealed Dataset.
#pragma once

#include <wirelag/control/correlate.hpp>

namespace wirelag {

inline constexpr DurationNs kFirstSynTimeoutNs = 1 * kSecondNs;

/// How long who waits on the connection was seen to wait: to its end, else to the capture's. Unknown where that is.
[[nodiscard]] TimeNs watched_until_ns(const Dataset& data, const Connection& connection);

/// The connection was open when the capture ended, and too little time had passed since `last_ns`, when something of
/// the exchange was seen last, to say that its answer would not come.
[[nodiscard]] bool may_be_answered(const Dataset& data, const Connection& connection,
                                   TimeNs last_ns);

/// Its opening was.
[[nodiscard]] bool unfinished(const Dataset& data, const Connection& connection);
/// Also where the response had begun.
[[nodiscard]] bool unfinished(const Dataset& data, const HttpTransaction& transaction);
[[nodiscard]] bool unfinished(const Dataset& data, const DatabaseTransaction& transaction);
[[nodiscard]] bool unfinished(const Dataset& data, const TlsHandshake& handshake);
[[nodiscard]] bool unfinished(const Dataset& data, const DnsTransaction& transaction);
/// None of its questions was answered, and none asked again.
[[nodiscard]] bool unfinished(const Dataset& data, const Lookup& lookup);
/// A question of the lookup, which was not asked again either, under another id or of another resolver.
[[nodiscard]] bool unfinished(const Dataset& data, const Lookup& lookup,
                              const DnsTransaction& transaction);

}  // namespace wirelag
