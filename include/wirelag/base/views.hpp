// What a record shows of memory that is not its own: texts (std::string_view), bytes and lists. Who keeps
// or sends the record moves that memory as well: the same few steps for every kind of view.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/cursor.hpp>

namespace wirelag {

/// What a BoundedList holds, and how much more it has seen. Items are trivially copyable.
template <class T>
class ListView {
 public:
  using value_type = T;

  ListView() = default;
  template <std::size_t N>
  ListView(const BoundedList<T, N>& list)  // NOLINT(google-explicit-constructor): shows it
      : items_(list.begin()),
        size_(static_cast<std::uint32_t>(list.size())),
        left_out_(list.left_out()) {}
  /// `size` items, and `left_out` that are not there.
  ListView(const T* items, std::size_t size, std::uint32_t left_out = 0)
      : items_(items), size_(static_cast<std::uint32_t>(size)), left_out_(left_out) {}

  [[nodiscard]] const T* data() const { return items_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint32_t left_out() const { return left_out_; }
  [[nodiscard]] const T* begin() const { return items_; }
  [[nodiscard]] const T* end() const { return items_ + size_; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return items_[i]; }
  [[nodiscard]] const T& front() const { return items_[0]; }
  [[nodiscard]] const T& back() const { return items_[size_ - 1]; }

 private:
  const T* items_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t left_out_ = 0;
};

template <class View>
using ItemOf = std::remove_cv_t<typename View::value_type>;

template <class View>
[[nodiscard]] std::size_t bytes_shown(const View& view) {
  return view.size() * sizeof(ItemOf<View>);
}

/// The same view of a copy at `at`, which is aligned for its items.
template <class View>
[[nodiscard]] View shown_at(const View& view, const void* at) {
  return View(static_cast<const ItemOf<View>*>(at), view.size());
}
template <class T>
[[nodiscard]] ListView<T> shown_at(const ListView<T>& view, const void* at) {
  return {static_cast<const T*>(at), view.size(), view.left_out()};
}

/// The view without the items that would reach beyond so many bytes.
template <class View>
[[nodiscard]] View shown_within(const View& view, std::size_t bytes) {
  return View(view.data(), std::min(view.size(), bytes / sizeof(ItemOf<View>)));
}
template <class T>
[[nodiscard]] ListView<T> shown_within(const ListView<T>& view, std::size_t bytes) {
  const std::size_t size = std::min(view.size(), bytes / sizeof(T));
  return {view.data(), size, view.left_out() + static_cast<std::uint32_t>(view.size() - size)};
}

}  // namespace wirelag
