// For sentences that wrap.
#pragma once

#include <string>

namespace wirelag::report {

/// The text with every run of blanks and line ends as one blank.
inline std::string flat(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

}  // namespace wirelag::report
