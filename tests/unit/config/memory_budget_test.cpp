#include <gtest/gtest.h>

#include <wirelag/config/memory_budget.hpp>

namespace wirelag {
namespace {

TEST(MemoryBudget, adds_up) {
  Config config;
  config.appliance.workers = 4;
  const MemoryBudget budget = memory_budget(config);
  std::uint64_t per_worker = 0;
  std::uint64_t shared = 0;
  for (const MemoryItem& item : budget.items) {
    EXPECT_GT(item.bytes(), 0U) << item.what;
    (item.per_worker ? per_worker : shared) += item.bytes();
  }
  EXPECT_EQ(budget.bytes_per_worker, per_worker);
  EXPECT_EQ(budget.bytes_total, 4 * per_worker + shared);
}

TEST(MemoryBudget, follows_the_limits) {
  Config config;
  const std::uint64_t before = memory_budget(config).bytes_per_worker;
  config.worker.http.header_buffers += 1000;
  EXPECT_EQ(memory_budget(config).bytes_per_worker,
            before + 1000 * std::uint64_t{config.worker.http.header_bytes});
}

TEST(MemoryBudget, of_the_largest_configuration_does_not_wrap) {
  Config config;
  config.appliance.workers = 128;
  config.worker.tcp.connections = 64U << 20;
  config.worker.http.header_buffers = 1U << 20;
  config.worker.http.header_bytes = 1U << 20;
  EXPECT_GT(memory_budget(config).bytes_total, std::uint64_t{128} << 40);
}

}  // namespace
}  // namespace wirelag
