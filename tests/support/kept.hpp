// Transactions that tests make and keep: what their views show lives until the program ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include <wirelag/track/transaction.hpp>

namespace wirelag::test {

/// Memory for `bytes`, aligned for any item of a view.
inline void* keep(std::size_t bytes) {
  static std::vector<std::unique_ptr<std::uint64_t[]>> all;
  return all.emplace_back(std::make_unique<std::uint64_t[]>(bytes / 8 + 1)).get();
}

template <class View>
[[nodiscard]] View kept_view(const View& view) {
  void* const copy = keep(bytes_shown(view));
  if (!view.empty()) std::memcpy(copy, view.data(), bytes_shown(view));
  return shown_at(view, copy);
}

/// A copy of what a sink was given.
template <class T>
[[nodiscard]] T kept(const T& transaction) {
  T copy = transaction;
  std::apply([](auto&... view) { ((view = kept_view(view)), ...); }, copy.views());
  return copy;
}

/// One item more.
template <class T>
void push(ShortSpan<T>& list, const std::type_identity_t<T>& item) {
  auto* const items = static_cast<T*>(keep((list.size() + 1) * sizeof(T)));
  std::copy(list.begin(), list.end(), items);
  items[list.size()] = item;
  list = {items, list.size() + 1};
}
template <class T>
void push(ListView<T>& list, const std::type_identity_t<T>& item) {
  auto* const items = static_cast<T*>(keep((list.size() + 1) * sizeof(T)));
  std::copy(list.begin(), list.end(), items);
  items[list.size()] = item;
  list = {items, list.size() + 1, list.left_out()};
}

/// An item to write to. The list is this one's own from here on.
template <class List>
[[nodiscard]] ItemOf<List>& item(List& list, std::size_t i) {
  list = kept_view(list);
  return const_cast<ItemOf<List>&>(list[i]);
}

/// The impairment to write to.
[[nodiscard]] inline Impairment& impair(HalfConnection& half) {
  if (half.impaired.empty()) push(half.impaired, {});
  return item(half.impaired, 0);
}

/// The stalls to write to.
template <class Exchange>
[[nodiscard]] ExchangeStalls& stalls(Exchange& exchange) {
  if (exchange.stalled.empty()) push(exchange.stalled, {});
  return item(exchange.stalled, 0);
}

}  // namespace wirelag::test
