// Lists that count what they leave out, tables' memory, sums of durations.
#include <gtest/gtest.h>

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/ip.hpp>
#include <wirelag/base/table_memory.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag {
namespace {

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
