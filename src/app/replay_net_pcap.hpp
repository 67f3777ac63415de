// Replay through DPDK's pcap driver: the poll loop that a live port uses, with several workers also its
// dispatcher and rings, without a NIC, root or huge pages. Times are rounded to what the driver keeps.
#pragma once

#include <wirelag/base/result.hpp>
#include <wirelag/config/config.hpp>

#include "capture_run.hpp"

namespace wirelag::app {

/// One worker: the main lcore polls, analyses and is the control core. More: an lcore that polls and dispatches, one
/// per worker, and the main lcore as control core.
[[nodiscard]] Result<CaptureRun> replay_net_pcap(const std::string& path, std::size_t workers,
                                                 const Config& config,
                                                 std::shared_ptr<const Signatures> signatures);

}  // namespace wirelag::app
