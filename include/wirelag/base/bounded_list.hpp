// A list with a fixed place for N items that counts what no longer fits. Trivially copyable, so a
// record that holds one can travel through a ring.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace wirelag {

template <class T, std::size_t N>
class BoundedList {
 public:
  /// False when the item did not fit; it is counted all the same.
  bool push(const T& item) {
    if (seen_ < UINT32_MAX) ++seen_;
    if (size_ == N) return false;
    items_[size_++] = item;
    return true;
  }
  /// Counts `n` items that did not fit elsewhere either.
  void leave_out(std::uint32_t n) { seen_ += std::min(n, UINT32_MAX - seen_); }
  /// The other's items after its own, those left out included.
  template <std::size_t M>
  void append(const BoundedList<T, M>& other) {
    for (const T& item : other) push(item);
    leave_out(other.left_out());
  }
  void clear() { size_ = seen_ = 0; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint32_t left_out() const { return seen_ - size_; }
  [[nodiscard]] static constexpr std::size_t capacity() { return N; }

  [[nodiscard]] const T* begin() const { return items_; }
  [[nodiscard]] const T* end() const { return items_ + size_; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return items_[i]; }
  [[nodiscard]] T& operator[](std::size_t i) { return items_[i]; }
  [[nodiscard]] const T& front() const { return items_[0]; }
  [[nodiscard]] const T& back() const { return items_[size_ - 1]; }

 private:
  T items_[N]{};
  std::uint32_t size_ = 0;
  std::uint32_t seen_ = 0;
};

}  // namespace wirelag
