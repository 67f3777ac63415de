// Service names by id, as reports and logs want them.
#pragma once

#include <string>
#include <vector>

#include <wirelag/classify/classifier.hpp>

namespace wirelag::app {

/// [0] is "": no rule matched.
[[nodiscard]] inline std::vector<std::string> service_names(const Signatures& signatures) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= signatures.services(); ++i) {
    names.emplace_back(signatures.service_name(static_cast<ServiceId>(i)));
  }
  return names;
}

}  // namespace wirelag::app
