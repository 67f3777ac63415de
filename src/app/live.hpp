// wirelag run: listens to the configured DPDK ports until it is asked to stop.
#pragma once

#include <string>
#include <vector>

#include <wirelag/config/config.hpp>

namespace wirelag::app {

/// Exit status: 0 after a clean stop, 1 when a port, the EAL or a log would not start.
int run_live(const Config& config, const std::vector<std::string>& eal_arguments);

}  // namespace wirelag::app
