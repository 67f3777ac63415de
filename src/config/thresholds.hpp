// The keys of what the report's rules compare with: one [rule.NAME] table for each, and what makes a visit
// and a finding.
#pragma once

#include <wirelag/config/config.hpp>

#include "setting.hpp"

namespace wirelag::config {

/// In the order of the documentation.
[[nodiscard]] std::vector<Section<Config>> threshold_sections();

}  // namespace wirelag::config
