// DPDK's environment abstraction layer: memory, cores (lcores) and drivers. Started once per
// process; DPDK itself does not allow a second start, not even after a failed one.
//
// Control thread only. This header shows no DPDK type: only ingest/dpdk and app may include
// rte_*.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>

namespace wirelag {

/// Arguments under which DPDK needs neither root nor hugepages nor a NIC: replay, tests, TAP and
/// af_packet ports. `lcores` threads (the main one included) share the cores this process may use,
/// which may be fewer.
[[nodiscard]] std::vector<std::string> desk_eal_arguments(std::size_t lcores,
                                                          std::size_t memory_mib);

class Eal {
 public:
  /// `arguments` without the program's name. Nothing is printed: what DPDK has to say on failure
  /// becomes the error's sentence; `verbose` lets its log through to stderr.
  static Result<Eal> start(const std::vector<std::string>& arguments, bool verbose = false);

  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&&) = delete;
  /// Waits for the lcores and hands everything back. Ports must be gone by then.
  ~Eal();

  /// Ids of the lcores beside the main one, which is the calling thread.
  [[nodiscard]] const std::vector<unsigned>& worker_lcores() const;

  /// Runs `work` on an lcore of worker_lcores() that is not running anything. It must not throw.
  Status launch(unsigned lcore, std::function<void()> work);
  /// Until everything launched has returned.
  void wait();

  /// The first thing DPDK complained about since the last call, for error sentences: the cause
  /// comes first, what followed from it later. May be empty.
  static std::string take_complaint();

 private:
  struct State;
  explicit Eal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
