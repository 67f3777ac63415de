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

}  // namespace
}  // namespace wirelag
