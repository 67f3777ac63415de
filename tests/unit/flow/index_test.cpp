// The flow index against a reference, under insertions and removals in every order.
#include <map>
#include <random>

#include <gtest/gtest.h>

#include <wirelag/flow/index.hpp>
#include <wirelag/flow/key.hpp>

namespace wirelag {
namespace {

/// `distinct_hashes` few: lines overflow into each other and around the end.
void compare_with_a_map(std::uint32_t capacity, std::uint32_t distinct_hashes) {
  FlowIndex index(capacity);
  std::map<std::uint32_t, std::uint32_t> hash_of;  // record -> hash
  std::mt19937 random(distinct_hashes + capacity);
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t record = random() % capacity;
    const std::uint32_t other = random() % capacity;
    const auto known = hash_of.find(record);
    if (known == hash_of.end()) {
      const std::uint32_t hash =
          static_cast<std::uint32_t>(random()) % distinct_hashes + 0xfffffff0U;
      for (std::uint32_t old; (old = index.in_the_way(hash)) != FlowIndex::kNone;) {
        index.erase(hash_of.at(old), old);
        hash_of.erase(old);
      }
      index.insert(hash, record);
      hash_of[record] = hash;
    } else if (step % 4 == 0 && !hash_of.contains(other)) {
      index.replace(known->second, record, other);
      hash_of[other] = known->second;
      hash_of.erase(record);
    } else {
      index.erase(known->second, record);
      hash_of.erase(known);
    }
    const std::uint32_t probe = random() % capacity;
    const auto expected = hash_of.find(probe);
    const std::uint32_t hash = expected == hash_of.end() ? 0xfffffff0U : expected->second;
    const std::uint32_t found = index.find(hash, [&](std::uint32_t r) { return r == probe; });
    ASSERT_EQ(found, expected == hash_of.end() ? FlowIndex::kNone : probe);
  }
}

TEST(FlowIndex, AgreesWithAMapUnderRandomInsertionAndRemoval) {
  for (const std::uint32_t capacity : {1U, 5U, 17U, 500U}) {
    for (const std::uint32_t distinct_hashes : {1U, 7U, 64U, 100'000U}) {
      SCOPED_TRACE(std::to_string(capacity) +
                   " records, hashes: " + std::to_string(distinct_hashes));
      compare_with_a_map(capacity, distinct_hashes);
    }
  }
}

TEST(FlowIndex, FindsEveryRecordWhenFull) {
  constexpr std::uint32_t kCapacity = 1024;
  FlowIndex index(kCapacity);
  for (std::uint32_t r = 0; r < kCapacity; ++r) index.insert(r * 2654435761U, r);
  for (std::uint32_t r = 0; r < kCapacity; ++r) {
    EXPECT_EQ(index.find(r * 2654435761U, [&](std::uint32_t i) { return i == r; }), r);
  }
}

TEST(FlowIndex, TellsTheProbableRecordAlsoWhereItWasDisplaced) {
  constexpr std::uint32_t kCapacity = 1024, kSlots = 2 * kCapacity,
                          kOfALine = FlowIndex::kLineSlots;
  FlowIndex index(kCapacity);
  // GIVEN hashes that all point at one cache line, one more than it has slots
  for (std::uint32_t r = 0; r <= kOfALine; ++r) index.insert(5 + r * kSlots, r);
  for (std::uint32_t r = 0; r < kOfALine; ++r) EXPECT_EQ(index.candidate(5 + r * kSlots), r);
  EXPECT_EQ(index.candidate(5 + kOfALine * kSlots), FlowIndex::kNone) << "looks no further";
  // AND one that is not there, and hash 0, which empty slots have too
  EXPECT_EQ(index.candidate(100), FlowIndex::kNone);
  EXPECT_EQ(index.candidate(0), FlowIndex::kNone);
}

TEST(FlowKey, IsTheSameForBothDirections) {
  Endpoint a, b;
  ASSERT_TRUE(parse_ip("10.0.0.1", a.ip));
  ASSERT_TRUE(parse_ip("10.0.0.2", b.ip));
  a.port = 40000;
  b.port = 80;
  EXPECT_EQ(FlowKey::of(a, b), FlowKey::of(b, a));
  Endpoint other_port = a;
  other_port.port = 40001;
  EXPECT_FALSE(FlowKey::of(a, b) == FlowKey::of(other_port, b));
}

}  // namespace
}  // namespace wirelag
