// A list that grows without moving what it holds: chunks of TableMemory, so that a large one has huge
// pages and a small one takes little. Items are trivially copyable; they never go but all at once.
//
// Not thread-safe. Memory that cannot be had throws std::bad_alloc: for the control core.
#pragma once

#include <cstddef>
#include <iterator>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include <wirelag/base/table_memory.hpp>

namespace wirelag {

template <class T>
class ChunkedList {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;

  /// Random access; valid while the list lives, whatever is added.
  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    Iterator(const ChunkedList* list, std::size_t at)
        : list_(list), at_(static_cast<difference_type>(at)) {}
    reference operator*() const { return (*list_)[static_cast<std::size_t>(at_)]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type n) {
      at_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    friend Iterator operator+(Iterator i, difference_type n) { return i += n; }
    friend Iterator operator+(difference_type n, Iterator i) { return i += n; }
    friend Iterator operator-(Iterator i, difference_type n) { return i -= n; }
    friend difference_type operator-(Iterator a, Iterator b) { return a.at_ - b.at_; }
    friend bool operator==(Iterator a, Iterator b) { return a.at_ == b.at_; }
    friend auto operator<=>(Iterator a, Iterator b) { return a.at_ <=> b.at_; }

   private:
    const ChunkedList* list_ = nullptr;
    difference_type at_ = 0;
  };

  /// The item is copied to the end; returns the copy.
  T& push_back(const T& item) {
    if (size_ == chunks_.size() * kItems) chunks_.emplace_back(kChunkBytes);
    return *new (place(size_++)) T(item);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T& operator[](std::size_t i) { return *place(i); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return *place(i); }
  [[nodiscard]] const T& front() const { return *place(0); }
  [[nodiscard]] const T& back() const { return *place(size_ - 1); }
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, size_}; }

 private:
  /// Whole huge pages but for the beginning.
  static constexpr std::size_t kChunkBytes = TableMemory::kSmallStart + 8 * TableMemory::kHugePage;
  static constexpr std::size_t kItems = kChunkBytes / sizeof(T);

  [[nodiscard]] T* place(std::size_t i) const {
    return static_cast<T*>(chunks_[i / kItems].get()) + i % kItems;
  }

  std::vector<TableMemory> chunks_;
  std::size_t size_ = 0;
};

}  // namespace wirelag
