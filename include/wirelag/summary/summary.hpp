// The numbers of one worker over one interval, in memory taken at construction; and the sum of many
// of them on the control core.
//
// Summary: one thread at a time (summariser.hpp hands it over). No allocation after construction.
// MergedSummary: control thread; may allocate. Its merge is associative and commutative: the order
// and the grouping in which workers and intervals are added make no difference.
#pragma once

#include <map>
#include <span>
#include <vector>

#include <wirelag/base/counters.hpp>
#include <wirelag/base/table_memory.hpp>
#include <wirelag/decode/accounting.hpp>
#include <wirelag/summary/service.hpp>

namespace wirelag {

/// Rows of an interval. A row takes sizeof(Summary::Row) bytes, two summaries per worker.
struct SummaryLimits {
  std::uint32_t services = 64;  ///< [[service]] names; they never compete with servers for a row
  std::uint32_t servers = 512;  ///< servers and resolvers that no rule names
  std::uint64_t hash_seed = 0;  ///< base/hash.hpp
};

class Summary {
 public:
  struct Row {
    ServiceKey key;
    ServiceSummary numbers;
  };

  explicit Summary(const SummaryLimits& limits);
  Summary(const Summary&) = delete;
  Summary& operator=(const Summary&) = delete;

  TimeNs start_time_ns = kUnknownNs;  ///< packet time
  TimeNs end_time_ns = kUnknownNs;
  /// Since the interval before, modulo 2^64: a fragment that is counted as incomplete in one
  /// interval and analysed in the next takes one away from the first reason and adds it to the
  /// other.
  Accounting accounting;
  Counters counters;
  std::uint64_t without_row = 0;  ///< times that row() had no room

  /// The row of `key`, made when there is room. A server that gave no sign of life (`answered`
  /// false) gets a new row only while half of them are free, so that a scan cannot crowd out the
  /// living. Without room: the row of ServiceKey::Kind::other.
  [[nodiscard]] ServiceSummary& row(const ServiceKey& key, bool answered);
  /// The same for one sample of many: that it found no room is not counted.
  [[nodiscard]] ServiceSummary& row_of_sample(const ServiceKey& key);

  /// Rows in use, in order of first use.
  [[nodiscard]] std::span<const Row> rows() const { return {rows_, used_}; }
  void clear();

 private:
  [[nodiscard]] Row* row_if_room(const ServiceKey& key, bool answered);
  [[nodiscard]] std::size_t slot_of(const ServiceKey& key) const;
  [[nodiscard]] bool has_room(const ServiceKey& key, bool answered) const;

  SummaryLimits limits_;
  TableMemory memory_;
  Row* rows_;  ///< in `memory_`; those not in use are zeros, as ServiceSummary{}
  std::vector<std::uint32_t> index_;  ///< open addressing: row number + 1, 0 = free
  std::size_t used_ = 0;
  std::size_t latest_ = 0;  ///< the row asked for last: a flood's next one, too
  std::uint32_t services_used_ = 0;
  std::uint32_t servers_used_ = 0;
};

struct MergedSummary {
  TimeNs start_time_ns = kUnknownNs;  ///< the earliest
  TimeNs end_time_ns = kUnknownNs;    ///< the latest
  Accounting accounting;
  Counters counters;
  std::map<ServiceKey, ServiceSummary> rows;

  void merge(const Summary& summary);
  void merge(const MergedSummary& other);
  /// All rows added up.
  [[nodiscard]] ServiceSummary total() const;

 private:
  void merge_interval(TimeNs start_ns, TimeNs end_ns);
};

}  // namespace wirelag
