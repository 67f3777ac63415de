// Counts every transaction of a worker into its current Summary, passes it on, and hands full
// summaries to the control core without a lock.
//
//   worker thread                                         control thread
//   current --publish(now)--> [filled] ----take()---->    merge into MergedSummary
//      ^                                                      |
//      +------------------- [spare, cleared] <----------------+  (the Taken goes out of scope)
//
// There are two summaries. While the control core has not given the other one back, publish()
// leaves things as they are and the interval grows: nothing is lost, nothing waits.
//
// The connect time of a connection is counted as soon as its handshake is known (on_handshake) or
// at its end, never twice. A new connection has no name yet, so its handshake waits up to
// kNamingWaitNs of packet time for the HTTP request or TLS hello that tells its service, and goes
// to the server's row after that. When too many wait, the oldest stop waiting; when a handshake
// finds no place to be remembered, it is counted at the connection's end.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <wirelag/summary/summary.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

class Summariser : public TransactionSink {
 public:
  static constexpr DurationNs kNamingWaitNs = kSecondNs;

  /// `accounting` and `counters` are the worker's running totals (summary_rows_full is added
  /// here); they and `next` outlive this object.
  /// `live_handshakes` (rounded up to a power of two) is how many open connections can have their
  /// handshake counted before they end; 0 when on_handshake() is never called.
  Summariser(const SummaryLimits& limits, const Accounting& accounting, Counters& counters,
             TransactionSink& next, std::size_t live_handshakes);

  // ------------------------------------------------------------------------------ worker thread

  /// Start of the first interval: the first packet's time.
  void begin(TimeNs now);
  /// Counts the transaction, then hands it to `next`.
  void emit(TransactionRef transaction) override;
  /// A handshake has just been completed; the connection goes on.
  void on_handshake(const Connection& connection);
  /// Round trips of a connection that goes on: counted at once, under the name it has by now.
  void on_round_trip(const DataRoundTrip& sample);
  /// Interval's end. False when the control core still has the other summary: the interval goes on.
  /// When the worker has stopped for good, its control thread may call this.
  bool publish(TimeNs now);

  // ----------------------------------------------------------------------------- control thread

  struct GiveBack {
    Summariser* owner = nullptr;
    void operator()(Summary* summary) const;
  };
  /// Clears the summary and gives it back to the worker at its end.
  using Taken = std::unique_ptr<Summary, GiveBack>;
  /// The summary published last, null when there is none that was not taken yet.
  [[nodiscard]] Taken take();

 private:
  /// A connection whose handshake was announced and that has not ended.
  struct Opened {
    ConnectionKey key = 0;
    TimeNs established_ns = kUnknownNs;
    DurationNs connect_ns = kUnknownNs;
    DurationNs rtt_probe_server_ns = kUnknownNs;
    Endpoint server;
    bool counted = false;
  };

  void count(const Connection& c);
  void count(const DnsTransaction& d);
  void count(const HttpTransaction& h);
  void count(const TlsHandshake& t);
  void count(const DatabaseTransaction& t);

  [[nodiscard]] Opened* opened(ConnectionKey key);
  void count_handshake(Opened& o, ServiceId service);
  void name_handshake(ConnectionKey key, ServiceId service);
  void settle_waiting(TimeNs now, std::size_t at_most);
  void settle_oldest();
  void close_books(Summary& summary, TimeNs now);

  const Accounting& accounting_;
  Counters& counters_;
  TransactionSink& next_;
  Accounting accounting_before_;  ///< totals at the last publish()
  Counters counters_before_;

  std::vector<Opened> opened_;          ///< by the low bits of the key, a serial number
  std::vector<ConnectionKey> waiting_;  ///< ring, oldest first
  std::uint64_t waiting_first_ = 0;
  std::uint64_t waiting_end_ = 0;

  std::unique_ptr<Summary> first_;
  std::unique_ptr<Summary> second_;
  Summary* current_;
  alignas(64) std::atomic<Summary*> filled_{nullptr};  ///< worker: gives, control: takes
  std::atomic<Summary*> spare_{nullptr};               ///< control: gives, worker: takes
};

}  // namespace wirelag
