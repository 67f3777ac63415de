// A finding in words. Used by text and HTML.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// "5.56 .. 12.4 ms", "5.56 ms" when low and high look the same.
[[nodiscard]] std::string interval(const Interval& saving);
/// "saves 5.557 .. 12.448 ms", "saves load, not time".
[[nodiscard]] std::string saving(const Finding& finding);
/// "1 visit (100 % of all)"; what frees load: "1 action (100 % of those it looked at)"
/// "C: a first hint"
[[nodiscard]] std::string confidence_word(const Finding& finding);
[[nodiscard]] std::string affected(const Finding& finding);
/// What, connection, frames, when and how long.
[[nodiscard]] std::string evidence_line(const Report& report, const Evidence& evidence);

}  // namespace wirelag::report
