#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <wirelag/control/transaction_ring.hpp>

namespace wirelag {
namespace {

/// Precedes the transaction; a whole 8 bytes, so that what follows keeps its alignment.
struct RecordHeader {
  std::uint64_t kind = 0;
};

/// Shortens the views that would reach beyond `room` bytes and returns how many bytes they have.
template <class Transaction>
std::size_t fit_views(Transaction& transaction, std::size_t room) {
  std::size_t used = 0;
  const auto fit = [&](auto& view) {
    view = shown_within(view, room - used);
    used += bytes_shown(view);
  };
  std::apply([&fit](auto&... view) { (fit(view), ...); }, transaction.views());
  return used;
}

template <class Transaction>
bool write(SpscRing& ring, WhenFull policy, std::size_t kind, const Transaction& transaction) {
  constexpr std::size_t kFixed = sizeof(RecordHeader) + sizeof(Transaction);
  if (kFixed > ring.largest_record()) return false;
  Transaction copy = transaction;
  const std::size_t shown = fit_views(copy, ring.largest_record() - kFixed);

  std::uint8_t* at = ring.reserve(kFixed + shown, policy);
  if (at == nullptr) return false;
  const auto put = [&at](const void* from, std::size_t n) {
    if (n > 0) std::memcpy(at, from, n);
    at += n;
  };
  const RecordHeader header{kind};
  put(&header, sizeof header);
  put(&copy, sizeof copy);
  std::apply([&put](const auto&... view) { (put(view.data(), bytes_shown(view)), ...); },
             copy.views());
  ring.commit();
  return true;
}

template <std::size_t Kind>
void read(const std::uint8_t* at, TransactionSink& into) {
  std::tuple_element_t<Kind, TransactionKinds> transaction;
  std::memcpy(&transaction, at, sizeof transaction);
  at += sizeof transaction;
  // The lengths came with the transaction; what is shown lies behind it in the same order.
  const auto place = [&at](auto& view) {
    view = shown_at(view, at);
    at += bytes_shown(view);
  };
  std::apply([&place](auto&... view) { (place(view), ...); }, transaction.views());
  into.emit(&transaction);
}

using ReadRecord = void (*)(const std::uint8_t*, TransactionSink&);

template <std::size_t... Kind>
constexpr std::array<ReadRecord, sizeof...(Kind)> read_table(std::index_sequence<Kind...>) {
  return {&read<Kind>...};
}

constexpr auto kReadKind =
    read_table(std::make_index_sequence<std::tuple_size_v<TransactionKinds>>());

}  // namespace

void TransactionWriter::emit(TransactionRef transaction) {
  const bool written = std::visit(
      [&](const auto* value) { return write(ring_, policy_, transaction.index(), *value); },
      transaction);
  if (!written) counters_.add(Counter::transactions_shed);
}

std::size_t TransactionReader::drain(TransactionSink& into, std::size_t at_most) {
  std::size_t count = 0;
  for (; count < at_most; ++count) {
    const Bytes record = ring_.next();
    if (record.empty()) break;
    RecordHeader header;
    std::memcpy(&header, record.data(), sizeof header);
    kReadKind[header.kind](record.data() + sizeof header, into);
  }
  ring_.release();
  return count;
}

}  // namespace wirelag
