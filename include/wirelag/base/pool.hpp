// A fixed number of objects, handed out by index. The address space is taken at construction; memory
// is touched only when an object is first handed out, so a generous capacity costs nothing until it
// is needed. take() and give() are a few instructions and never allocate. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <wirelag/base/table_memory.hpp>

namespace wirelag {

template <class T>
class Pool {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  explicit Pool(std::size_t capacity)
      : capacity_(capacity),
        memory_(capacity * sizeof(T)),
        next_memory_(capacity * sizeof(Index)),
        items_(static_cast<T*>(memory_.get())),
        next_(static_cast<Index*>(next_memory_.get())) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Index of an object in its initial state, kNone when the pool is used up.
  [[nodiscard]] Index take() {
    Index i = free_;
    if (i != kNone) {
      free_ = next_[i];
    } else if (touched_ < capacity_) {
      i = static_cast<Index>(touched_++);
    } else {
      return kNone;
    }
    ++in_use_;
    make(i);
    return i;
  }
  void give(Index i) {
    next_[i] = free_;
    free_ = i;
    --in_use_;
  }

  /// None of the objects [from, to) is in use: their memory goes back to the system until they are.
  void discard(std::size_t from, std::size_t to) {
    memory_.discard(from * sizeof(T), to * sizeof(T));
  }

  [[nodiscard]] T& operator[](Index i) { return items_[i]; }
  [[nodiscard]] const T& operator[](Index i) const { return items_[i]; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Objects below this index have been handed out at least once.
  [[nodiscard]] std::size_t touched() const { return touched_; }

 private:
  /// T::kInitial is for a large T: it is copied more quickly than made member by member.
  void make(Index i) {
    if constexpr (requires { T::kInitial; }) {
      new (&items_[i]) T(T::kInitial);
    } else {
      new (&items_[i]) T{};
    }
  }

  std::size_t capacity_;
  TableMemory memory_;
  TableMemory next_memory_;
  T* items_;
  Index* next_;  ///< of a free object: the next free one
  Index free_ = kNone;
  std::size_t touched_ = 0;
  std::size_t in_use_ = 0;
};

}  // namespace wirelag
