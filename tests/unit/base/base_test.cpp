// Lists that count what they leave out, tables' memory, sums of durations.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/chunked_list.hpp>
#include <wirelag/base/ip.hpp>
#include <wirelag/base/table_memory.hpp>
#include <wirelag/base/types.hpp>
#include <wirelag/base/views.hpp>

namespace wirelag {
namespace {

TEST(ChunkedList, items_stay_where_they_are_over_many_chunks) {
  struct Large {
    std::uint64_t number;
    std::array<std::uint8_t, (1U << 20) + 1> rest;
  };
  auto item = std::make_unique<Large>();
  ChunkedList<Large> list;
  EXPECT_TRUE(list.empty());
  std::vector<const Large*> places;
  for (std::uint64_t i = 0; i < 40; ++i) {
    item->number = i;
    places.push_back(&list.push_back(*item));
  }
  ASSERT_EQ(list.size(), 40U);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(&list[i], places[i]);
    EXPECT_EQ(list[i].number, i);
  }
  EXPECT_EQ(list.end() - list.begin(), 40);
  EXPECT_EQ((list.begin() + 39)->number, 39U);
  EXPECT_EQ(list.back().number, 39U);
}

TEST(ListView, shows_a_list_and_says_what_it_does_not_show) {
  BoundedList<std::uint32_t, 3> list;
  for (const std::uint32_t n : {7U, 8U, 9U, 10U}) list.push(n);
  const ListView<std::uint32_t> view = list;
  EXPECT_EQ(bytes_shown(view), 12U);
  EXPECT_EQ(view.left_out(), 1U);
  const ListView<std::uint32_t> within = shown_within(view, 11);  // two items and a part
  EXPECT_EQ(within.size(), 2U);
  EXPECT_EQ(within.left_out(), 2U);
  const std::array<std::uint32_t, 3> copy = {7, 8, 9};
  const ListView<std::uint32_t> moved = shown_at(view, copy.data());
  EXPECT_EQ(moved.data(), copy.data());
  EXPECT_EQ(moved.left_out(), 1U);
}

TEST(BoundedList, append_keeps_order_and_counts_what_either_left_out) {
  BoundedList<int, 2> other;
  for (int i = 2; i < 6; ++i) other.push(i);  // 4 and 5 are left out
  BoundedList<int, 2> list;
  list.push(1);
  list.append(other);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0], 1);
  EXPECT_EQ(list[1], 2);
  EXPECT_EQ(list.left_out(), 3U);  // 3, 4 and 5
}

TEST(BoundedList, the_count_of_what_is_left_out_stops_at_the_largest_number) {
  BoundedList<int, 1> list;
  list.push(1);
  list.leave_out(UINT32_MAX);
  list.leave_out(7);
  EXPECT_EQ(list.left_out(), UINT32_MAX - 1);
}

TEST(TableMemory, is_zero_and_writable_to_its_last_byte) {
  constexpr std::size_t kBytes = (std::size_t{5} << 20) + 3;
  const TableMemory memory(kBytes);
  auto* bytes = static_cast<std::uint8_t*>(memory.get());
  for (const std::size_t at : {std::size_t{0}, kBytes / 2, kBytes - 1}) {
    EXPECT_EQ(bytes[at], 0);
    bytes[at] = 1;
  }
}

TEST(TableMemory, more_than_there_is_address_space_throws) {
  EXPECT_THROW(TableMemory(std::size_t{1} << 60), std::bad_alloc);
}

TEST(TableMemory, what_is_discarded_reads_as_zeros_and_nothing_beside_it) {
  // GIVEN a table that is written from its first byte to its last
  constexpr std::size_t kBytes = TableMemory::kSmallStart + 2 * TableMemory::kHugePage + 1000;
  TableMemory memory(kBytes);
  auto* const bytes = static_cast<unsigned char*>(memory.get());
  std::fill(bytes, bytes + kBytes, 0xa5);
  // WHEN all but the last byte of the second huge page is not needed any more
  constexpr std::size_t kSecond = TableMemory::kSmallStart + TableMemory::kHugePage;
  memory.discard(0, kSecond + TableMemory::kHugePage - 1);
  // THEN what is whole huge pages is gone
  const auto count = [&](std::size_t from, std::size_t to, int value) {
    return static_cast<std::size_t>(std::count(bytes + from, bytes + to, value));
  };
  EXPECT_EQ(count(TableMemory::kSmallStart, kSecond, 0), TableMemory::kHugePage);
  EXPECT_EQ(count(0, TableMemory::kSmallStart, 0xa5), TableMemory::kSmallStart);
  EXPECT_EQ(count(kSecond, kBytes, 0xa5), kBytes - kSecond);
  // and can be used again
  bytes[kSecond - 1] = 7;
  EXPECT_EQ(bytes[kSecond - 1], 7);
}

TEST(Durations, their_sum_stops_at_the_longest_one) {
  constexpr DurationNs kLongest = std::numeric_limits<DurationNs>::max();
  EXPECT_EQ(plus_ns(1, 2), 3);
  EXPECT_EQ(plus_ns(kLongest, 1), kLongest);
  EXPECT_EQ(plus_ns(kLongest, kLongest), kLongest);
}

TEST(IpAddress, order_is_that_of_the_bytes_on_the_wire) {
  const auto address = [](const char* text) {
    IpAddress ip;
    EXPECT_TRUE(parse_ip(text, ip));
    return ip;
  };
  EXPECT_LT(address("9.255.255.255"), address("10.0.0.0"));
  EXPECT_LT(address("10.0.0.255"), address("10.0.1.0"));
  EXPECT_LT(address("2001:db8::ff"), address("2001:db8::100"));
  EXPECT_LT(address("255.255.255.255"),
            address("2001:db8::"));  // mapped addresses begin with zeros
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1"));
}

}  // namespace
}  // namespace wirelag
