// The opening exchange: which SYN was answered, which SYN-ACK was acknowledged, and the five times
// of docs/metrics.md. A half that could belong to either of two copies is not reported (Karn),
// unless the timestamps option tells the copies apart (RFC 7323 section 4.1).
#pragma once

#include "flow_state.hpp"

namespace wirelag::tcp {

/// Notes a segment that may belong to the opening. Call for every segment with SYN or RST, and for
/// every segment of the client until the handshake is complete.
void note_opening(TcpFlow& flow, FlowDetail& detail, SideIndex sender, const Packet& packet);

/// The four parts of the connect time; unknown where the exchange does not tell (Karn).
struct OpeningTimes {
  DurationNs syn_wait_ns = kUnknownNs;
  DurationNs rtt_probe_server_ns = kUnknownNs;
  DurationNs synack_wait_ns = kUnknownNs;
  DurationNs rtt_probe_client_ns = kUnknownNs;
  bool ambiguous = false;  ///< an answer may belong to either of two copies
};
[[nodiscard]] OpeningTimes opening_times(const TcpFlow& flow, const Opening& opening);

/// Fills the handshake members of `out`.
void describe_opening(const TcpFlow& flow, const FlowDetail& detail, Connection& out);

}  // namespace wirelag::tcp
