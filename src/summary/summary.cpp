#include <algorithm>
#include <bit>
#include <type_traits>

#include <wirelag/base/hash.hpp>
#include <wirelag/summary/summary.hpp>

namespace wirelag {
namespace {

std::uint64_t hash(const ServiceKey& key, std::uint64_t seed) {
  constexpr std::uint64_t kOne = 0x9e3779b97f4a7c15ULL, kOther = 0xd6e8feb86659fd93ULL;
  const std::uint64_t kind_and_numbers = static_cast<std::uint64_t>(key.kind) << 32 |
                                         std::uint64_t{key.service} << 16 | key.endpoint.port;
  const std::uint64_t other_seed = std::rotl(seed, 32) ^ kOther;
  const std::uint64_t address =
      fold64(key.endpoint.ip.high() ^ seed ^ kOne, key.endpoint.ip.low() ^ other_seed);
  return fold64(address ^ kind_and_numbers, other_seed);
}

/// The row of ServiceKey::Kind::other included.
std::size_t all_rows(const SummaryLimits& limits) {
  return 1 + std::size_t{limits.services} + limits.servers;
}

TimeNs earlier(TimeNs a, TimeNs b) {
  if (!known(a)) return b;
  return known(b) ? std::min(a, b) : a;
}

}  // namespace

Summary::Summary(const SummaryLimits& limits)
    : limits_(limits),
      memory_(all_rows(limits) * sizeof(Row)),
      rows_(static_cast<Row*>(memory_.get())),
      index_(std::bit_ceil(2 * all_rows(limits))) {
  static_assert(std::is_trivially_copyable_v<Row>);
}

ServiceSummary& Summary::row(const ServiceKey& key, bool answered) {
  if (latest_ < used_ && rows_[latest_].key == key) return rows_[latest_].numbers;
  Row* own = row_if_room(key, answered);
  if (own == nullptr) {
    ++without_row;
    own = row_if_room(ServiceKey{}, true);
  }
  latest_ = static_cast<std::size_t>(own - rows_);
  return own->numbers;
}

ServiceSummary& Summary::row_of_sample(const ServiceKey& key) {
  Row* const own = row_if_room(key, true);
  return own != nullptr ? own->numbers : row_if_room(ServiceKey{}, true)->numbers;
}

/// Null without room, which ServiceKey::Kind::other always has.
Summary::Row* Summary::row_if_room(const ServiceKey& key, bool answered) {
  const std::size_t slot = slot_of(key);
  if (index_[slot] != 0) return &rows_[index_[slot] - 1];
  if (!has_room(key, answered)) return nullptr;

  if (key.kind == ServiceKey::Kind::service) {
    ++services_used_;
  } else if (key.kind != ServiceKey::Kind::other) {
    ++servers_used_;
  }
  Row& row = rows_[used_++];
  row.key = key;
  index_[slot] = static_cast<std::uint32_t>(used_);
  return &row;
}

std::size_t Summary::slot_of(const ServiceKey& key) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t slot = hash(key, limits_.hash_seed) & mask;
  while (index_[slot] != 0 && rows_[index_[slot] - 1].key != key) slot = (slot + 1) & mask;
  return slot;
}

bool Summary::has_room(const ServiceKey& key, bool answered) const {
  if (key.kind == ServiceKey::Kind::other) return true;
  if (key.kind == ServiceKey::Kind::service) return services_used_ < limits_.services;
  return servers_used_ < (answered ? limits_.servers : limits_.servers / 2);
}

void Summary::clear() {
  std::fill_n(rows_, used_, Row{});
  std::fill(index_.begin(), index_.end(), 0U);
  used_ = 0;
  services_used_ = servers_used_ = 0;
  start_time_ns = end_time_ns = kUnknownNs;
  accounting = {};
  counters = {};
  without_row = 0;
}

void MergedSummary::merge(const Summary& summary) {
  merge_interval(summary.start_time_ns, summary.end_time_ns);
  accounting.merge(summary.accounting);
  counters.merge(summary.counters);
  for (const Summary::Row& row : summary.rows()) rows[row.key].merge(row.numbers);
}

void MergedSummary::merge(const MergedSummary& other) {
  merge_interval(other.start_time_ns, other.end_time_ns);
  accounting.merge(other.accounting);
  counters.merge(other.counters);
  for (const auto& [key, numbers] : other.rows) rows[key].merge(numbers);
}

void MergedSummary::merge_interval(TimeNs start_ns, TimeNs end_ns) {
  start_time_ns = earlier(start_time_ns, start_ns);
  // kUnknownNs is the smallest value there is, so the later of the two is the known one.
  end_time_ns = std::max(end_time_ns, end_ns);
}

ServiceSummary MergedSummary::total() const {
  ServiceSummary sum;
  for (const auto& [key, numbers] : rows) sum.merge(numbers);
  return sum;
}

}  // namespace wirelag
