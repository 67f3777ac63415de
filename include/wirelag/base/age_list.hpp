// The items of a table by age: a list that is linked through the items themselves, by number, so that it takes no
// memory of its own and each step is a few instructions. An item is in one list at a time. One thread.
#pragma once

#include <cstdint>

namespace wirelag {

/// `older` and `newer` are the members of an item that hold its neighbours' numbers. `items` is the table:
/// whatever has items by number.
template <auto older, auto newer>
class AgeList {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  /// kNone when it is empty.
  [[nodiscard]] Index oldest() const { return oldest_; }

  template <class Items>
  void add_newest(Items& items, Index at) {
    items[at].*older = newest_;
    items[at].*newer = kNone;
    (newest_ == kNone ? oldest_ : items[newest_].*newer) = at;
    newest_ = at;
  }
  template <class Items>
  void add_oldest(Items& items, Index at) {
    items[at].*newer = oldest_;
    items[at].*older = kNone;
    (oldest_ == kNone ? newest_ : items[oldest_].*older) = at;
    oldest_ = at;
  }
  template <class Items>
  void remove(Items& items, Index at) {
    const Index before = items[at].*older, behind = items[at].*newer;
    (before == kNone ? oldest_ : items[before].*newer) = behind;
    (behind == kNone ? newest_ : items[behind].*older) = before;
  }

 private:
  Index oldest_ = kNone;
  Index newest_ = kNone;
};

}  // namespace wirelag
