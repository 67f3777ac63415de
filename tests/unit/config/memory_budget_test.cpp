#include <fstream>
#include <unistd.h>

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

struct NoSink : TransactionSink {
  void emit(TransactionRef) override {}
};

/// Address space, from the heap or not: tables take theirs from the kernel.
double allocated_bytes() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

TEST(MemoryBudget, is_what_a_worker_takes) {
#ifdef WIRELAG_SANITIZED
  GTEST_SKIP() << "the sanitizer's allocator keeps no books";
#endif
  // GIVEN limits of an eighth of the defaults, for a quick test
  Config config;
  WorkerLimits& w = config.worker;
  for (std::uint32_t* limit :
       {&w.tcp.connections, &w.tcp.reorder_segments, &w.dns.pending_queries, &w.dns.tcp_streams,
        &w.http.connections, &w.http.open_requests, &w.http.header_buffers, &w.tls.connections,
        &w.tls.hello_buffers, &w.database.connections, &w.database.open_requests,
        &w.database.statements, &w.summary.servers}) {
    *limit /= 8;
  }
  const auto signatures = Signatures::compile({}).value();
  NoSink sink;
  const double before = allocated_bytes();
  const Worker worker(0, w, signatures, sink, /*live=*/true);
  const double taken = allocated_bytes() - before;
  // THEN the budget without the two rings, which are not the worker's own, is right within a tenth
  const auto rings = static_cast<double>(config.rings.frame_bytes + config.rings.transaction_bytes);
  const double budget = static_cast<double>(memory_budget(config).bytes_per_worker) - rings;
  EXPECT_NEAR(budget / taken, 1.0, 0.1) << budget << " budgeted, " << taken << " taken";
}

TEST(MemoryBudget, counts_what_pending_queries_take) {
#ifdef WIRELAG_SANITIZED
  GTEST_SKIP() << "the sanitizer's allocator keeps no books";
#endif
  // GIVEN two workers of which one has room for so many queries more
  constexpr std::uint32_t kMore = 1U
                                  << 20;  // beside which what huge pages are aligned by is little
  Config config;
  config.worker.dns.pending_queries = 1U << 10;
  Config larger = config;
  larger.worker.dns.pending_queries = (1U << 10) + kMore;
  const auto signatures = Signatures::compile({}).value();
  NoSink sink;
  const auto taken_by = [&](const Config& c) {
    const double before = allocated_bytes();
    const Worker worker(0, c.worker, signatures, sink, /*live=*/true);
    return allocated_bytes() - before;
  };
  const double taken = taken_by(larger) - taken_by(config);
  // THEN the budget has them within a twentieth, and a query without an answer is 96 bytes of it
  const auto budget = static_cast<double>(memory_budget(larger).bytes_per_worker -
                                          memory_budget(config).bytes_per_worker);
  EXPECT_NEAR(budget / taken, 1.0, 0.05) << budget << " budgeted, " << taken << " taken";
  for (const MemoryItem& item : memory_budget(config).items) {
    if (item.what != std::string_view("pending DNS queries")) continue;
    EXPECT_EQ(item.bytes_each, 96U);
  }
}

}  // namespace
}  // namespace wirelag
