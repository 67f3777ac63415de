// One core's whole world: frames in, transactions and summaries out. Shares nothing with the other
// workers but the compiled signatures, which nobody writes.
//
//   process(frames):  decode all -> prefetch flows -> track one by one
//
// Pure C++: no EAL, no clock, no lock, no allocation after construction. Time comes with the
// frames; whoever runs the loop calls tick() now and then, a replay tick_replay().
#pragma once

#include <memory>
#include <span>

#include <wirelag/base/counters.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/decode/decoder.hpp>
#include <wirelag/ingest/frame.hpp>
#include <wirelag/summary/summariser.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

struct WorkerLimits {
  DecodeLimits decode;
  TcpLimits tcp;
  DnsLimits dns;
  HttpLimits http;
  TlsLimits tls;
  DatabaseLimits database;
  SummaryLimits summary;

  /// Of every table keyed by what a sender chooses: random when somebody may try to make hashes
  /// collide (live). Workers of one run may have different ones; results do not depend on them.
  void seed_hashes(std::uint64_t seed) {
    decode.hash_seed = dns.hash_seed = summary.hash_seed = seed;
  }
};

class Worker {
 public:
  /// Frames looked at together: decoded first, then tracked.
  static constexpr std::size_t kBurst = 32;
  /// How far a capture's clock may step back, or frames be out of order, without results that depend
  /// on housekeeping, once there are so many connections that a replay needs any.
  static constexpr DurationNs kClockStepNs = 30 * kSecondNs;

  /// `index` makes connection keys unique across workers. `sink` gets every transaction and must
  /// outlive the worker. `live`: it counts what it sees into summaries, too.
  Worker(std::uint16_t index, const WorkerLimits& limits,
         std::shared_ptr<const Signatures> signatures, TransactionSink& sink, bool live);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Any number of frames; they may die when it returns.
  void process(std::span<const Frame> frames);
  /// A frame that was received for this worker and could not be handed on: NotAnalysed::ring_full.
  void count_ring_full();
  /// Transactions that its sink could not pass on: Counter::transactions_shed.
  void count_shed(std::uint64_t transactions);
  /// Bounded housekeeping: what is over at `now` leaves its table before its room is needed. Results
  /// do not depend on it as long as no later frame was captured before `now`, save that, in tables
  /// that fill, what comes late for a connection that both sides have closed is counted apart.
  void tick(TimeNs now);
  /// The same for a replay, whose frames tell the time: no frame since the last call was captured before
  /// it, and one whose time is far in the future does not move it. Less kClockStepNs for the frames to
  /// come, save for connections that both sides have closed. Does nothing while every table has room (at
  /// most roomy_connections()): without housekeeping, no step of the clock can make a difference.
  void tick_replay();
  /// With at most so many live connections, what they hold fills no table of one entry for each by
  /// more than half.
  [[nodiscard]] static std::uint32_t roomy_connections(const WorkerLimits& limits);
  /// Emits a few of the open connections, as they are, to `into` (a report on a live link); the
  /// first call begins with `from` 0. Returns the next call's `from`, 0 after the last.
  std::size_t snapshot(TransactionSink& into, std::size_t from);
  /// Emits everything unfinished. Nothing may be processed afterwards.
  /// `end`: packet time at which the capture or the run is over, when other workers may have seen
  /// later frames than this one.
  void finish(TimeNs end = kUnknownNs);

  /// The latest frame's time, unknown before the first.
  [[nodiscard]] TimeNs now() const;
  [[nodiscard]] const Accounting& accounting() const;
  [[nodiscard]] const Counters& counters() const;
  /// For publish() on the worker's thread and take() on the control thread.
  /// Of a live worker.
  [[nodiscard]] Summariser& summariser();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
