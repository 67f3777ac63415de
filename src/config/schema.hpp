// The table of all keys. Adding one = a line in schema.cpp (a rule's threshold: thresholds.cpp) and a member
// in config.hpp; then run the config test with WIRELAG_UPDATE_DOCS=1 to write docs/configuration.md.
#pragma once

#include <wirelag/config/config.hpp>

#include "setting.hpp"

namespace wirelag::config {

/// [name] tables, in the order of the documentation.
[[nodiscard]] const std::vector<Section<Config>>& sections();
/// [[port]] and [[service]].
[[nodiscard]] const Section<PortConfig>& port_section();
[[nodiscard]] const Section<ServiceRule>& service_section();

}  // namespace wirelag::config
