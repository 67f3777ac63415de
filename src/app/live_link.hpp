// The cores of a live link: one lcore per worker, and one dispatcher lcore when frames have to change
// cores.
//
//   port queue i --> worker i -- plain TCP and UDP: processed at once
//                             -- fragments, tunnels ... --> hand-over ring i --> dispatcher
//   port without symmetric sharding (all its queues) ----------------------> dispatcher
//   dispatcher --> frame ring of the flow's worker --> worker i
//
// The control core talks to the lcores through the atomics of Orders alone.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <wirelag/ingest/dpdk/port.hpp>
#include <wirelag/summary/summariser.hpp>

#include "worker_group.hpp"

namespace wirelag::app {

class LiveLink {
 public:
  /// `sharded[i]`: ports[i] keeps a flow's directions on one queue, queue q belongs to worker q.
  /// `own_cpus`: every lcore has a CPU to itself.
  LiveLink(WorkerGroup& group, std::vector<Port>& ports, std::vector<bool> sharded, bool own_cpus,
           const Config& config);

  /// False with one worker: every queue is its own.
  [[nodiscard]] bool needs_dispatcher() const { return group_.size() > 1; }

  // ------------------------------------------------------------------- lcores, until stop()
  void run_worker(std::size_t i);
  void run_dispatcher();

  // ------------------------------------------------------------------- control core
  /// The cores publish their summaries; they are fetched with collect().
  void end_interval(TimeNs now) { orders_.interval_end_ns.store(now, std::memory_order_release); }
  /// Merges what has been published. Returns how many summaries that were.
  std::size_t collect(MergedSummary& into);
  /// Frames that worker `i` has counted, up to the last summary collected.
  [[nodiscard]] std::uint64_t frames_of(std::size_t i) const { return frames_[i]; }
  /// How many summaries one end_interval() gives.
  [[nodiscard]] std::size_t summarisers() const {
    return group_.size() + (needs_dispatcher() ? 1 : 0);
  }
  /// Workers emit their open connections into the transaction rings, a few per turn; over when
  /// snapshot_done().
  void request_snapshot() { orders_.snapshots.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool snapshot_done() const;
  /// The cores read what their ports still hold, publish and return.
  void stop() { orders_.stop.store(true, std::memory_order_release); }

 private:
  struct Orders {
    std::atomic<bool> stop{false};
    std::atomic<TimeNs> interval_end_ns{kUnknownNs};
    std::atomic<std::uint32_t> snapshots{0};
  };
  /// What one worker lcore keeps between turns.
  struct alignas(64) WorkerCore {
    explicit WorkerCore(std::size_t ring_bytes) : handover(ring_bytes) {}
    SpscRing handover;  ///< to the dispatcher
    std::atomic<bool> handover_closed{false};
    std::atomic<std::uint32_t> snapshots{0};  ///< done so far
    TimeNs interval_end_ns = kUnknownNs;      ///< last one published
    TimeNs latest_frame_ns = kUnknownNs;      ///< as of link_time_ns()
    std::int64_t latest_steady_ns = 0;        ///< when it was first seen
    unsigned idle_turns = 0;
    unsigned turns = 0;
  };

  std::size_t poll_queues(std::size_t i);
  /// `bursts`: one of each port, each in order of time.
  void take_in_order(std::size_t i, std::span<std::span<const Frame>> bursts);
  void take(std::size_t i, std::span<const Frame> frames);
  void keep_house(std::size_t i, bool idle);
  [[nodiscard]] TimeNs link_time_ns(std::size_t i);
  std::size_t poll_unsharded();
  std::size_t poll_handovers();
  /// An lcore, after each turn: gives its CPU away while there is nothing to do.
  void rest_when_idle(bool idle, unsigned& idle_turns) const;

  /// Swallows what the dispatcher's summariser passes on: it has no transactions.
  struct NoTransactions : TransactionSink {
    void emit(TransactionRef) override {}
  };

  WorkerGroup& group_;
  std::vector<Port>& ports_;
  std::vector<bool> sharded_;
  bool own_cpus_;
  Orders orders_;
  std::vector<std::unique_ptr<WorkerCore>> cores_;
  std::vector<FrameReader> handover_readers_;  ///< dispatcher
  NoTransactions no_transactions_;
  Summariser dispatcher_summary_;
  std::vector<std::uint64_t> frames_;  ///< control core: received, by worker
};

}  // namespace wirelag::app
