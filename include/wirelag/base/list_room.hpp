// Many short lists in one allocation, one after the other. What is known from the start is how many items
// all of them have at most; which list has how many shows while they are filled. Nothing moves, so a list is
// shown by a view (a span, or a smaller one), which stays valid while the room lives, wherever that is moved to.
//
//   room   [a a a|b|c c ...reserved...]      c, the last one, may grow
#pragma once

#include <cassert>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace wirelag {

template <class T>
class ListRoom {
 public:
  ListRoom() = default;
  explicit ListRoom(std::size_t most_items) { items_.reserve(most_items); }
  ListRoom(ListRoom&&) noexcept = default;
  ListRoom& operator=(ListRoom&&) noexcept = default;

  /// Adds to `list`, which is empty or was the last one that something was added to. std::length_error
  /// when the room is full: growing would leave every view behind.
  template <class View>
  void append(View& list, const T& item) {
    if (items_.size() == items_.capacity())
      throw std::length_error("more items than room for lists");
    assert(list.empty() || list.data() + list.size() == items_.data() + items_.size());
    items_.push_back(item);
    list = View(items_.data() + items_.size() - 1 - list.size(), list.size() + 1);
  }
  /// Items of all lists.
  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  std::vector<T> items_;
};

}  // namespace wirelag
