// How a port is brought up: found or created, asked what it can do, configured, started. Control
// thread.
#pragma once

#include <memory>
#include <string>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <wirelag/ingest/dpdk/port.hpp>

namespace wirelag {

/// A port that exists; closed (and, when created here, removed) with the object.
class PortHandle {
 public:
  PortHandle(std::uint16_t id, bool created) : id_(id), created_(created) {}
  ~PortHandle();
  PortHandle(const PortHandle&) = delete;
  PortHandle& operator=(const PortHandle&) = delete;
  [[nodiscard]] std::uint16_t id() const { return id_; }

 private:
  std::uint16_t id_;
  bool created_;
};

struct FreePool {
  void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};

/// A started port. The mbufs' pool outlives the port, which holds some of them until it is closed.
struct StartedPort {
  std::unique_ptr<rte_mempool, FreePool> pool;
  std::unique_ptr<PortHandle> handle;
  bool chained = false;    ///< frames may come in several mbufs
  bool nic_clock = false;  ///< Rx time stamps are switched on
};

/// Fills in `info` as far as the set-up decides it: everything but the source of time.
Result<StartedPort> start_port(const PortOptions& options, PortInfo& info);

}  // namespace wirelag
