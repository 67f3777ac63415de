// TCP connections: finds the flow of a segment, follows the handshake, the sequence space and the
// close, and hands each direction's bytes in order to the tracker of the protocol they belong to.
//
//   SYN -> a place of its own until something follows (lone_syns.cpp); then, and all others:
//   segment -> flow (index + pool) -> opening   handshake times, Karn (opening.cpp)
//                                  -> sequence  resends, holes, RTT, windows (sequence.cpp)
//                                  -> stream    bytes in order, protocol tracker (stream.cpp)
//
// A connection is emitted once: when it is closed and quiet, idle for too long, evicted, replaced
// by a new one on the same four-tuple, or when finish() is called. Timeouts are decided by the
// packet's own time when the next segment of the flow comes; tick(now) only carries out early what
// that packet would do, so results do not depend on when it runs: provided that no later packet was
// captured before `now`.
//
// One thread, no EAL, no clock, no allocation after construction.
#pragma once

#include <array>
#include <memory>

#include <wirelag/base/counters.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/decode/packet.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag {

/// Told about a connection while it goes on: for live summaries, which cannot wait for the end of a long
/// one.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;
  /// Its handshake has just been completed.
  virtual void on_handshake(const Connection& so_far) = 0;
  /// A segment has completed round trips of its data: the samples of Connection's RttStats, one by one.
  virtual void on_round_trip(const DataRoundTrip& sample) = 0;
};

class TcpTracker {
 public:
  /// Which tracker gets the bytes of which protocol; null = recognised but not followed.
  using Trackers = std::array<StreamTracker*, kProtocols>;

  /// The flow that a packet probably belongs to, and who of its two sides sent the packet.
  struct Candidate {
    std::uint32_t record = UINT32_MAX;  ///< no flow
    std::uint8_t sender = 0;            ///< 1 = the higher endpoint
  };

  /// `observer` may be null. Everything referred to must outlive the tracker.
  TcpTracker(const TcpLimits& limits, std::uint16_t worker, Classifier& classifier,
             const Trackers& trackers, TransactionSink& sink, ConnectionObserver* observer,
             Counters& counters);
  ~TcpTracker();
  TcpTracker(const TcpTracker&) = delete;
  TcpTracker& operator=(const TcpTracker&) = delete;

  /// Ahead of on_segment(), some packets apart, each reads what the one before it has asked for: where the
  /// index has the flow, the flow's record, what its bytes are followed with.
  void prefetch_slot(const Packet& packet) const;
  [[nodiscard]] Candidate prefetch_flow(const Packet& packet) const;
  void prefetch_stream(Candidate flow, const Packet& packet) const;

  /// `flow`: what prefetch_flow() said of this packet; what came in between may have made it wrong.
  /// NotAnalysed::none, or flow_table_full.
  [[nodiscard]] NotAnalysed on_segment(const Packet& packet, Candidate flow);

  /// Bounded housekeeping: ends a few connections that have been silent for too long at `now`.
  void tick(TimeNs now);
  /// Likewise those that both sides have closed, with nothing more since. To make room: what comes late
  /// counts as tcp_after_close then, and otherwise is among their segments.
  void end_closed(TimeNs now);
  /// Emits connections of the table, as they are, without ending them (a report on a live link):
  /// looks at up to `at_most` places from `from` on. Returns where to go on, 0 after the last.
  std::size_t snapshot(TransactionSink& into, std::size_t from, std::size_t at_most);
  /// Ends all connections: the capture or the run is over at packet time `end`. Those silent for too
  /// long by then are told from those that were alive, as if tick(end) had looked at all of them.
  void finish(TimeNs end = kUnknownNs);

  [[nodiscard]] std::size_t live_connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
