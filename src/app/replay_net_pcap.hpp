// Replay through DPDK's pcap driver: the poll loop, the dispatcher and the rings that a live port
// uses, without a NIC, root or huge pages. Times are rounded to what the driver keeps.
#pragma once

#include <wirelag/base/result.hpp>
#include <wirelag/config/config.hpp>

#include "capture_run.hpp"

namespace wirelag::app {

[[nodiscard]] Result<CaptureRun> replay_net_pcap(const std::string& path, std::size_t workers,
                                                 const Config& config,
                                                 std::shared_ptr<const Signatures> signatures);

}  // namespace wirelag::app
