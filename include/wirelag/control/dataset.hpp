// All transactions of a run or of a report window, owned, sorted and numbered. The control core's
// memory: filled from the workers' transaction rings, read by correlation, rules and renderers.
//
// Control thread only. Indexes and connection ids are stable after seal().
#pragma once

#include <memory>

#include <wirelag/base/chunked_list.hpp>
#include <wirelag/control/limits.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

struct DatasetLimits {
  std::size_t max_per_kind =
      SIZE_MAX;  ///< live mode: those that came first are dropped and counted
};

/// All of one kind, by index.
template <class T>
using Transactions = ChunkedList<T>;

/// The client went on as if it had been answered, but no packet of the server was captured.
[[nodiscard]] bool server_not_captured(const Connection& connection);

class Dataset : public TransactionSink {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit Dataset(DatasetLimits limits = {});
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset() override;

  /// Copies the transaction and its texts. After seal(): counted as dropped.
  void emit(TransactionRef transaction) override;

  /// Sorts every kind by first frame (live: by time, then endpoints); connections' keys become numbers.
  /// The order does not depend on which worker emitted what, or when: only transactions of one
  /// connection that share frames, times and types keep the order in which its worker emitted them.
  /// A DNS query whose answer cannot have been captured is not_visible from here on (docs/metrics.md).
  /// `ended_ns`: the last frame's time, whatever it was of; unknown where nobody can say.
  void seal(const LookupLimits& limits = {}, TimeNs ended_ns = kUnknownNs);

  [[nodiscard]] const Transactions<Connection>& connections() const;
  [[nodiscard]] const Transactions<DnsTransaction>& dns() const;
  [[nodiscard]] const Transactions<HttpTransaction>& http() const;
  [[nodiscard]] const Transactions<TlsHandshake>& tls() const;
  [[nodiscard]] const Transactions<DatabaseTransaction>& database() const;

  /// Index into connections() of a sealed transaction's connection, kNone when that was not emitted.
  [[nodiscard]] std::size_t connection_index(ConnectionKey key) const;
  /// The id in reports: index + 1.
  [[nodiscard]] static std::size_t connection_id(std::size_t index) { return index + 1; }

  /// From the first to the last instant that a connection or DNS transaction tells of. After seal().
  [[nodiscard]] DurationNs span_ns() const;
  /// When the capture ended, as seal() was told: never before the last of these instants.
  [[nodiscard]] TimeNs ended_ns() const;

  /// Transactions dropped because of max_per_kind or because they came after seal().
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
