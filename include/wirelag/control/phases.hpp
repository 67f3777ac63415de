// Where a connection's time went: its life, first packet to last, cut into phases. The intervals are
// in order, touch each other and cover the life exactly, so their sum is its duration, whatever was
// lost, hidden or overlapping (docs/metrics.md, "A connection's life").
//
//   SYN     ACK  ClientHello   Finished    request     response            FIN
//    |connect|idle|     tls     | idle |request|wait|transfer|  close_tail  |
//
// Control thread; pure functions of a sealed Dataset.
#pragma once

#include <array>
#include <vector>

#include <wirelag/control/correlate.hpp>

namespace wirelag {

/// One line per phase: symbol, meaning.
#define WIRELAG_PHASES(X)                                                                        \
  X(connect, "first SYN to the ACK that completes the handshake, or as long as it was tried")    \
  X(tls, "ClientHello to the last handshake flight seen")                                        \
  X(request, "the client sends a request")                                                       \
  X(server_wait,                                                                                 \
    "the request is with the server, no byte of the response yet; or the server, which speaks "  \
    "first, has not yet")                                                                        \
  X(transfer, "the response is on its way, first to last byte")                                  \
  X(client_idle, "nothing is asked: the client's turn")                                          \
  X(payload, "bytes flow whose messages cannot be told apart: encrypted or of another protocol") \
  X(untracked, "messages should be visible but are not: bytes or a direction were not captured") \
  X(close_tail, "last byte that matters to the last packet")

enum class Phase : std::uint8_t {
#define X(symbol, meaning) symbol,
  WIRELAG_PHASES(X)
#undef X
};
inline constexpr std::size_t kPhases = 0
#define X(symbol, meaning) +1
    WIRELAG_PHASES(X)
#undef X
    ;
[[nodiscard]] std::string_view name(Phase p);

/// From `from_ns` on, before `to_ns`. Never empty.
struct PhaseInterval {
  Phase phase = Phase::untracked;
  TimeNs from_ns = 0;
  TimeNs to_ns = 0;
  std::size_t http =
      Dataset::kNone;  ///< index into Dataset::http(): whose request, wait or transfer
  std::size_t dns = Dataset::kNone;       ///< index into Dataset::dns(): likewise, DNS over TCP
  std::size_t database = Dataset::kNone;  ///< index into Dataset::database(): likewise
  [[nodiscard]] DurationNs duration_ns() const { return to_ns - from_ns; }
  bool operator==(const PhaseInterval&) const = default;
};

struct ConnectionPhases {
  std::vector<PhaseInterval> intervals;
  /// Sum per phase; kUnknownNs for a phase that was not seen, 0 for one that took no time. The known
  /// ones add up to last packet - first packet.
  std::array<DurationNs, kPhases> total_ns{};
  [[nodiscard]] DurationNs total(Phase p) const { return total_ns[static_cast<std::size_t>(p)]; }
};

/// Without intervals, all totals unknown, when the clock stepped back between first and last packet.
/// `channel` is one of correlate(data).channels.
[[nodiscard]] ConnectionPhases phases_of(const Dataset& data, const Channel& channel);

}  // namespace wirelag
