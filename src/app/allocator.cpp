// The control core's memory: a report over many transactions is made of millions of small pieces. jemalloc
// hands them out of huge pages, which saves page faults and TLB misses (docs/decisions/
// 2026-11-27-the-control-core-allocates-from-huge-pages.md). MALLOC_CONF overrides this. Data path:
// TableMemory.
#include <jemalloc/jemalloc.h>

/// Read by jemalloc before main(): jemalloc(3), "TUNING". One arena: only one thread allocates.
const char* malloc_conf = "thp:always,narenas:1";  // NOLINT(misc-use-internal-linkage)
