// "did you mean": the name that takes the fewest changes of a character.
#pragma once

#include <string_view>
#include <vector>

namespace wirelag::config {

/// Empty when none is near: more than a third of the letters differ.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& names);

}  // namespace wirelag::config
