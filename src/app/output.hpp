// Where a command's result and its complaints go.
#pragma once

#include <string>

#include <wirelag/base/result.hpp>

namespace wirelag::app {

/// "wirelag: <sentence>" on stderr; returns the exit status 1.
int fail(const std::string& sentence);

/// "wirelag: <sentence>" on stderr, of something that the report is made in spite of.
void warn(const std::string& sentence);

/// To the file, or to stdout when `path` is empty or "-". A file appears whole or not at all.
[[nodiscard]] Status write_output(const std::string& path, const std::string& text);

}  // namespace wirelag::app
