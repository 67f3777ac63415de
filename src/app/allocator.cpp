// The control core's memory: a report over many transactions is made of millions of small pieces. jemalloc
// hands them out of huge pages, which saves page faults and TLB misses (docs/decisions/
// 2026-11-27-the-control-core-allocates-from-huge-pages.md). MALLOC_CONF overrides this. Data path:
// TableMemory.
#include "allocator.hpp"

#include <jemalloc/jemalloc.h>
#include <string>

#include <fmt/format.h>

#pragma weak mallctl  // sanitizers bring an allocator of their own

/// Read by jemalloc before main(): jemalloc(3), "TUNING". One arena: only one thread allocates. What is freed goes
/// back to the system while a large report is made, and not at once, which would cost time.
// NOLINTNEXTLINE(misc-use-internal-linkage)
const char* malloc_conf = "thp:always,narenas:1,dirty_decay_ms:200";

namespace wirelag::app {

void give_back_freed_memory() {
  if (mallctl == nullptr) return;
  const std::string purge = fmt::format("arena.{}.purge", MALLCTL_ARENAS_ALL);
  (void)mallctl(purge.c_str(), nullptr, nullptr, nullptr, 0);
}

}  // namespace wirelag::app
