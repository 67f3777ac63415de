// A replay's or a live link's workers with their rings: the bridge between the core that fills the
// frame rings, the worker cores, and the control core that drains the transaction rings.
//
//   dispatcher -> frame ring i -> worker i -> transaction ring i -> control: drain()
//
// The group owns everything; who runs which loop on which core is up to the caller.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <wirelag/base/spsc_ring.hpp>
#include <wirelag/config/config.hpp>
#include <wirelag/control/transaction_ring.hpp>
#include <wirelag/dispatch/dispatcher.hpp>
#include <wirelag/summary/client_sampler.hpp>
#include <wirelag/worker/worker.hpp>

namespace wirelag::app {

class WorkerGroup {
 public:
  /// In a replay a full ring makes its producer wait and nothing is dropped; live it drops and counts.
  enum class Mode : std::uint8_t { replay, live };

  WorkerGroup(std::size_t workers, const Config& config,
              std::shared_ptr<const Signatures> signatures, Mode mode);

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] Worker& worker(std::size_t i) { return *members_[i]->worker; }
  /// Fills the frame rings; its thread is the only producer.
  [[nodiscard]] Dispatcher& dispatcher() { return *dispatcher_; }

  /// Worker core i: what its ring holds now. Returns the number of frames.
  std::size_t process_ring(std::size_t i);
  /// Worker core i, replay: the whole life of a worker.
  void run_until_closed(std::size_t i);
  /// Worker core i: processes the ring until the dispatcher has closed it and it is empty.
  void process_until_closed(std::size_t i);
  /// Worker core i: input has ended; emits everything unfinished, waiting for room in its ring.
  void finish(std::size_t i);
  /// Worker core i: its counters take over what its full transaction ring has shed.
  void count_shed(std::size_t i);
  /// Worker core i: everything was emitted and published.
  void set_done(std::size_t i);
  /// Worker core i: emits a few of its open connections, as they are, while its transaction ring is
  /// not half full. True when that was the last of them.
  bool snapshot(std::size_t i);

  /// Control core: takes what the workers have emitted. 0 = nothing now.
  std::size_t drain(TransactionSink& into);
  /// Control core: every worker has set_done().
  [[nodiscard]] bool all_done() const;
  /// Control core: takes what was waiting when it was called, and not much more.
  void drain_waiting(TransactionSink& into);
  /// Control core, replay: drains until every worker is done and every ring is empty.
  void drain_until_done(TransactionSink& into);

  /// Sum over the dispatcher and the workers. Only when they have ended.
  [[nodiscard]] Accounting accounting() const;
  [[nodiscard]] Counters counters() const;

 private:
  struct Member {
    Member(std::uint16_t index, const Config& config,
           const std::shared_ptr<const Signatures>& signatures, Mode mode);

    SpscRing frames;
    SpscRing transactions;
    Counters ring_counters;  ///< worker: wo
    TransactionWriter writer;
    ClientSampler sampler;
    TransactionReader reader;
    std::unique_ptr<Worker> worker;
    std::unique_ptr<FrameReader> frame_reader;
    std::size_t snapshot_at = 0;  ///< worker: where the next snapshot() goes on
    std::atomic<bool> done{false};
  };

  std::vector<std::unique_ptr<Member>> members_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace wirelag::app
