// wirelag check-config: the effective configuration with its memory budget, or the error.
#pragma once

#include <string>

namespace wirelag::app {

/// Exit status 0 or 1.
int check_config(const std::string& path);

}  // namespace wirelag::app
