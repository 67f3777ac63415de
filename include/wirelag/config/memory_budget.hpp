// How much memory a configuration makes the program take at start: what the limits imply, table by
// table. An estimate from the sizes of the records; allocators and libraries come on top.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <wirelag/config/config.hpp>

namespace wirelag {

struct MemoryItem {
  std::string_view what;  ///< "TCP connections"
  std::string_view key;   ///< the key that sets it: "tcp.connections"
  std::uint64_t count = 0;
  std::uint64_t bytes_each = 0;
  bool per_worker = true;  ///< else once

  [[nodiscard]] std::uint64_t bytes() const { return count * bytes_each; }
};

struct MemoryBudget {
  std::vector<MemoryItem> items;
  std::uint64_t bytes_per_worker = 0;
  std::uint64_t bytes_shared = 0;
  std::uint64_t bytes_total =
      0;  ///< all workers and what they share; DPDK's memory is eal.memory_mb
};

[[nodiscard]] MemoryBudget memory_budget(const Config& config);

}  // namespace wirelag
