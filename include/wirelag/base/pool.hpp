// A fixed number of objects, handed out by index. All memory is taken at construction; take() and
// give() are a few instructions and never allocate. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wirelag {

template <class T>
class Pool {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  explicit Pool(std::size_t capacity) : items_(capacity), next_(capacity) {
    for (std::size_t i = 0; i < capacity; ++i) next_[i] = static_cast<Index>(i + 1);
    if (capacity > 0) next_[capacity - 1] = kNone;
    free_ = capacity > 0 ? 0 : kNone;
  }

  /// Index of an object in its initial state, kNone when the pool is used up.
  [[nodiscard]] Index take() {
    const Index i = free_;
    if (i == kNone) return kNone;
    free_ = next_[i];
    ++in_use_;
    items_[i] = T{};
    return i;
  }
  void give(Index i) {
    next_[i] = free_;
    free_ = i;
    --in_use_;
  }

  [[nodiscard]] T& operator[](Index i) { return items_[i]; }
  [[nodiscard]] const T& operator[](Index i) const { return items_[i]; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t capacity() const { return items_.size(); }

 private:
  std::vector<T> items_;
  std::vector<Index> next_;
  Index free_ = kNone;
  std::size_t in_use_ = 0;
};

}  // namespace wirelag
