#include <span>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/base/list_room.hpp>

namespace wirelag {
namespace {

using testing::ElementsAre;

TEST(ListRoom, ListsLieBehindEachOtherAndStayWhereTheyAre) {
  ListRoom<int> room(5);
  std::span<int> first;
  std::span<const int> second;
  std::span<const int> none;
  room.append(first, 1);
  room.append(first, 2);
  room.append(second, 3);
  first[0] = 7;
  room.append(second, 4);
  room.append(second, 5);
  const ListRoom<int> moved = std::move(room);
  EXPECT_THAT(first, ElementsAre(7, 2));
  EXPECT_THAT(second, ElementsAre(3, 4, 5));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(first.data() + 2, second.data());
  EXPECT_EQ(moved.size(), 5U);
}

TEST(ListRoom, AFullOneTakesNothingMore) {
  ListRoom<int> room(2);
  std::span<int> list;
  room.append(list, 1);
  room.append(list, 2);
  EXPECT_THROW(room.append(list, 3), std::length_error);
  EXPECT_THAT(list, ElementsAre(1, 2));
  EXPECT_EQ(room.size(), 2U);
  ListRoom<int> none;
  std::span<int> nothing;
  EXPECT_THROW(none.append(nothing, 1), std::length_error);
}

}  // namespace
}  // namespace wirelag
