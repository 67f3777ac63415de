#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/base/age_list.hpp>

namespace wirelag {
namespace {

struct Item {
  std::uint32_t older = 7;
  std::uint32_t newer = 7;
};
using Items = std::array<Item, 4>;
using List = AgeList<&Item::older, &Item::newer>;

std::vector<std::uint32_t> both_ways(const List& list, const Items& items) {
  std::vector<std::uint32_t> by_age;
  std::uint32_t last = List::kNone;
  for (std::uint32_t at = list.oldest(); at != List::kNone; at = items[at].newer) {
    EXPECT_EQ(items[at].older, last);
    by_age.push_back(last = at);
  }
  return by_age;
}

TEST(AgeList, KeepsTheOrderWhereverOneIsTakenOut) {
  for (std::uint32_t out = 0; out < 4; ++out) {
    Items items;
    List list;
    std::vector<std::uint32_t> expected;
    for (std::uint32_t at = 0; at < 4; ++at) {
      list.add_newest(items, at);
      if (at != out) expected.push_back(at);
    }
    list.remove(items, out);
    EXPECT_EQ(both_ways(list, items), expected);
    list.add_newest(items, out);
    expected.push_back(out);
    EXPECT_EQ(both_ways(list, items), expected);
  }
}

TEST(AgeList, OneMayBeMadeTheOldest) {
  Items items;
  List list;
  list.add_oldest(items, 2);
  list.add_newest(items, 1);
  list.add_oldest(items, 3);
  EXPECT_EQ(both_ways(list, items), (std::vector<std::uint32_t>{3, 2, 1}));
  for (const std::uint32_t at : {2U, 1U, 3U}) list.remove(items, at);
  EXPECT_EQ(list.oldest(), List::kNone);
  list.add_newest(items, 0);
  EXPECT_EQ(both_ways(list, items), (std::vector<std::uint32_t>{0}));
}

}  // namespace
}  // namespace wirelag
