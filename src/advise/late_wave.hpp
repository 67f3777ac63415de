// Waves of late connections: those a client opened together, in the middle of a visit, to a server
// it was in contact with already. Handshakes of one wave run side by side, so they cost one round
// trip together. Used by the rule http-late-connection.
#pragma once

#include <wirelag/advise/rule.hpp>

#include "visit.hpp"

namespace wirelag {

struct LateWave {
  Endpoint server;
  std::vector<std::size_t> connections;     ///< in order of SYN
  std::vector<std::size_t> waited;          ///< of these: the first request went out right after
  std::vector<std::size_t> spare;           ///< of these: no request within speculative_after_ns
  std::size_t elsewhere = Dataset::kNone;   ///< request that left on a connection that became free
  std::size_t opened_for = Dataset::kNone;  ///< the connection that request would have used
  DurationNs low_ns = 0;                    ///< what ready connections surely would have saved
  DurationNs high_ns = 0;                   ///< what they plausibly would have saved
};

/// One visit's waves to one server, in order. `connections`: those of the visit to that server and
/// name (other names at one address are other servers to a client).
[[nodiscard]] std::vector<LateWave> find_late_waves(const RuleInput& input, const Visit& visit,
                                                    const std::vector<std::size_t>& connections);

/// A handshake seen whole, from both sides, on a connection that speaks HTTP or TLS or nothing yet.
[[nodiscard]] bool judgeable(const Connection& c);

/// When everything that has to come before the first request was done: the TCP handshake and, if it
/// was begun at once, the TLS handshake. Unknown otherwise.
[[nodiscard]] TimeNs ready_ns(const RuleInput& input, std::size_t connection);

/// When the connection was first asked for something; unknown when it was not.
[[nodiscard]] TimeNs first_request_ns(const RuleInput& input, std::size_t connection);

}  // namespace wirelag
