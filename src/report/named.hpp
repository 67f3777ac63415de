// Which rules a mark's words name. Private to report; pure.
#pragma once

#include <string_view>

#include <wirelag/report/mark.hpp>

namespace wirelag::report {

/// Whether one of the mark's words is the rule's name, in capitals or not.
[[nodiscard]] bool names(const Mark& mark, std::string_view rule);
[[nodiscard]] bool names_any(const Mark& mark);

}  // namespace wirelag::report
