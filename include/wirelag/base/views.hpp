// What a record shows of memory that is not its own: texts, bytes and lists. Who keeps or sends the record moves
// that memory as well: the same few steps for every kind of view. Hundreds of thousands of records are kept,
// so a view is small: place and size lie in eight bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <span>
#include <string_view>
#include <type_traits>

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/cursor.hpp>

namespace wirelag {

/// Items that lie behind each other, as many as Size counts. An address of the program has 48 bits on every machine
/// that wirelag runs on (x86-64 and Arm give out higher ones only to who asks for them), which leaves 16 for a size.
/// Aligned like the numbers beside it in a record, or less.
template <class T, class Size>
class PackedSpan {
 public:
  using value_type = T;
  using const_iterator = const T*;
  static constexpr std::size_t kMost = std::numeric_limits<Size>::max();

  constexpr PackedSpan() = default;
  /// What is beyond kMost is not shown: who makes records has nothing so long.
  PackedSpan(const T* items, std::size_t size) {
    const auto place = reinterpret_cast<std::uintptr_t>(items);
    low_ = static_cast<std::uint32_t>(place);
    high_ = static_cast<std::uint16_t>(place >> 32);
    size_ = static_cast<Size>(std::min(size, kMost));
  }
  PackedSpan(std::span<const T> items)  // NOLINT(google-explicit-constructor): shows it
      : PackedSpan(items.data(), items.size()) {}
  operator std::span<const T>() const {  // NOLINT(google-explicit-constructor): shows the same
    return {data(), size()};
  }

  [[nodiscard]] const T* data() const {
    return reinterpret_cast<const T*>(std::uintptr_t{high_} << 32 | low_);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size_; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data()[i]; }
  [[nodiscard]] const T& front() const { return data()[0]; }
  [[nodiscard]] const T& back() const { return data()[size_ - 1]; }

 private:
  std::uint32_t low_ = 0;  ///< of the place
  std::uint16_t high_ = 0;
  Size size_ = 0;
};

/// 65535 items at most, in eight bytes.
template <class T>
using ShortSpan = PackedSpan<T, std::uint16_t>;
/// As many as a capture has frames, in twelve.
template <class T>
using LongSpan = PackedSpan<T, std::uint32_t>;

/// A text of at most 65535 bytes.
class ShortText : public ShortSpan<char> {
 public:
  using PackedSpan::PackedSpan;
  template <class S>
  requires std::is_convertible_v<const S&, std::string_view> ShortText(
      const S& text)  // NOLINT(google-explicit-constructor): shows it
      : ShortText(std::string_view(text).data(), std::string_view(text).size()) {}

  [[nodiscard]] std::string_view text() const { return {data(), size()}; }
  operator std::string_view() const { return text(); }  // NOLINT(google-explicit-constructor)

  template <class S>
  requires std::is_convertible_v<const S&, std::string_view>
  friend bool operator==(ShortText a, const S& b) { return a.text() == std::string_view(b); }
  friend auto operator<=>(ShortText a, ShortText b) { return a.text() <=> b.text(); }
  friend std::ostream& operator<<(std::ostream& out, ShortText t) { return out << t.text(); }
};

/// What a BoundedList holds, and how much more it has seen. Items are trivially copyable.
template <class T>
class ListView : public ShortSpan<T> {
 public:
  ListView() = default;
  template <std::size_t N>
  ListView(const BoundedList<T, N>& list)  // NOLINT(google-explicit-constructor): shows it
      : ListView(list.begin(), list.size(), list.left_out()) {}
  /// `size` items, and `left_out` that are not there.
  ListView(const T* items, std::size_t size, std::uint32_t left_out = 0)
      : ShortSpan<T>(items, size), left_out_(left_out) {}

  [[nodiscard]] std::uint32_t left_out() const { return left_out_; }
  [[nodiscard]] std::uint64_t seen() const { return this->size() + std::uint64_t{left_out_}; }

 private:
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
