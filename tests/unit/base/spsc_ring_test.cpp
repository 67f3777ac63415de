#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/base/spsc_ring.hpp>

namespace wirelag {
namespace {

bool put(SpscRing& ring, std::string_view text) {
  std::uint8_t* room = ring.reserve(text.size());
  if (room == nullptr) return false;
  std::memcpy(room, text.data(), text.size());
  ring.commit();
  return true;
}

std::string take(SpscRing& ring) { return std::string(as_text(ring.next())); }

TEST(SpscRing, capacity_is_rounded_up_to_a_power_of_two) {
  EXPECT_EQ(SpscRing(1).capacity_bytes(), 64U);
  EXPECT_EQ(SpscRing(1000).capacity_bytes(), 1024U);
  EXPECT_EQ(SpscRing(1024).capacity_bytes(), 1024U);
  EXPECT_EQ(SpscRing(1024).largest_record(), 504U);
}

TEST(SpscRing, hands_records_out_in_order_and_once) {
  SpscRing ring(256);
  ASSERT_TRUE(put(ring, "SYN"));
  ASSERT_TRUE(put(ring, "SYN-ACK"));
  EXPECT_EQ(take(ring), "SYN");
  ASSERT_TRUE(put(ring, "ACK"));
  EXPECT_EQ(take(ring), "SYN-ACK");
  EXPECT_EQ(take(ring), "ACK");
  EXPECT_EQ(take(ring), "");
}

TEST(SpscRing, a_reserved_record_is_invisible_until_committed) {
  SpscRing ring(256);
  std::uint8_t* room = ring.reserve(3);
  ASSERT_NE(room, nullptr);
  EXPECT_TRUE(ring.next().empty());
  std::memcpy(room, "abc", 3);
  ring.commit();
  EXPECT_EQ(take(ring), "abc");
}

TEST(SpscRing, records_are_aligned_for_a_struct) {
  SpscRing ring(1024);
  for (const std::size_t n : {1, 7, 8, 9, 13}) {
    std::uint8_t* room = ring.reserve(n);
    ASSERT_NE(room, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(room) % 8, 0U);
    ring.commit();
    EXPECT_EQ(ring.next().size(), n);
  }
}

TEST(SpscRing, refuses_what_can_never_fit_even_when_told_to_wait) {
  SpscRing ring(256);
  EXPECT_EQ(ring.reserve(0), nullptr);
  EXPECT_EQ(ring.reserve(ring.largest_record() + 1), nullptr);
  EXPECT_EQ(ring.reserve(ring.largest_record() + 1, WhenFull::wait), nullptr);
  EXPECT_EQ(ring.reserve(0, WhenFull::wait), nullptr);
}

TEST(SpscRing, full_until_the_consumer_releases_and_not_when_it_only_takes) {
  SpscRing ring(64);  // four records of 8 bytes with their headers
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(put(ring, "12345678"));
  EXPECT_EQ(ring.used_bytes(), 64U);
  EXPECT_FALSE(put(ring, "x"));

  EXPECT_EQ(take(ring), "12345678");
  EXPECT_FALSE(put(ring, "x")) << "the record taken may still be in use";
  ring.release();
  EXPECT_TRUE(put(ring, "x"));
  EXPECT_FALSE(put(ring, "x"));
}

TEST(SpscRing, the_largest_record_fits_an_empty_ring_wherever_it_stands) {
  for (std::size_t before = 0; before <= 128; before += 8) {
    SpscRing ring(128);
    for (std::size_t at = 0; at < before; at += 16) {
      ASSERT_TRUE(put(ring, "12345678"));
      (void)ring.next();
      ring.release();
    }
    ASSERT_TRUE(put(ring, std::string(ring.largest_record(), 'z'))) << before;
    EXPECT_EQ(take(ring).size(), ring.largest_record());
  }
}

TEST(SpscRing, records_taken_before_release_stay_intact_while_the_producer_goes_on) {
  SpscRing ring(256);
  ASSERT_TRUE(put(ring, "first"));
  const Bytes first = ring.next();
  while (put(ring, "other text")) {
  }
  EXPECT_EQ(as_text(first), "first");
}

// Against a deque as the model: any interleaving of put, take and release, with sizes from 1 byte
// to the largest record, so that every way of reaching the end of the buffer occurs.
TEST(SpscRing, behaves_like_a_queue_under_random_use) {
  std::mt19937 random(42);
  SpscRing ring(512);
  std::deque<std::string> expected;
  std::size_t serial = 0;
  for (int step = 0; step < 200'000; ++step) {
    switch (random() % 4) {
      case 0:
      case 1: {
        const std::size_t n = 1 + random() % (random() % 8 ? 40 : ring.largest_record());
        const std::string text(n, static_cast<char>('a' + serial++ % 26));
        if (put(ring, text)) expected.push_back(text);
        break;
      }
      case 2: {
        const Bytes got = ring.next();
        ASSERT_EQ(got.empty(), expected.empty());
        if (got.empty()) break;
        ASSERT_EQ(as_text(got), expected.front());
        expected.pop_front();
        break;
      }
      default: ring.release();
    }
  }
}

TEST(SpscRing, two_threads_lose_and_reorder_nothing) {
  constexpr std::uint32_t kRecords = 300'000;
  SpscRing ring(4096);

  std::thread producer([&ring] {
    std::mt19937 random(7);
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      const std::size_t n = 4 + random() % (i % 100 == 0 ? ring.largest_record() - 4 : 60);
      std::uint8_t* room = ring.reserve(n, WhenFull::wait);
      std::memset(room, static_cast<int>(i & 0xff), n);
      std::memcpy(room, &i, sizeof i);
      ring.commit();
    }
  });

  std::mt19937 same(7);
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < kRecords;) {
    const Bytes got = ring.next();
    if (got.empty()) {
      ring.release();
      std::this_thread::yield();
      continue;
    }
    const std::size_t n = 4 + same() % (i % 100 == 0 ? ring.largest_record() - 4 : 60);
    std::uint32_t serial = 0;
    std::memcpy(&serial, got.data(), std::min<std::size_t>(4, got.size()));
    const std::uint8_t filler = static_cast<std::uint8_t>(i & 0xff);
    wrong += got.size() != n || serial != i || (n > 4 && got[n - 1] != filler);
    if (++i % 16 == 0) ring.release();
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(ring.next().empty());
}

}  // namespace
}  // namespace wirelag
