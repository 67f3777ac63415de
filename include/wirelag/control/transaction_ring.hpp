// Transactions on their way from a worker to the control core: one SpscRing per worker.
//
//   trackers -> TransactionWriter::emit() -> SpscRing -> TransactionReader::drain() -> Dataset
//
// A record is the kind (its index in TransactionKinds), the transaction's own bytes, and the bytes
// of each of its views() in order. Nothing here knows a particular kind.
#pragma once

#include <wirelag/base/counters.hpp>
#include <wirelag/base/spsc_ring.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

/// A worker's end. One thread; no allocation.
class TransactionWriter : public TransactionSink {
 public:
  /// The ring and the counters must outlive the writer. WhenFull::wait gives the core to others
  /// until there is room; WhenFull::drop counts Counter::transactions_shed.
  TransactionWriter(SpscRing& ring, WhenFull policy, Counters& counters)
      : ring_(ring), policy_(policy), counters_(counters) {}

  /// A transaction larger than any record keeps its numbers and loses the end of its last texts.
  void emit(TransactionRef transaction) override;
  /// From now on WhenFull::wait: input has ended, there is time.
  void wait_when_full() { policy_ = WhenFull::wait; }

 private:
  SpscRing& ring_;
  WhenFull policy_;
  Counters& counters_;
};

/// The control core's end. One thread.
class TransactionReader {
 public:
  explicit TransactionReader(SpscRing& ring) : ring_(ring) {}

  /// Emits up to `at_most` transactions into `into` and returns how many; 0 = none now. Their views
  /// point into the ring and die when the sink's emit() returns, as everywhere.
  std::size_t drain(TransactionSink& into, std::size_t at_most);

 private:
  SpscRing& ring_;
};

}  // namespace wirelag
