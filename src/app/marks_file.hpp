// The operator's marks in a file of their own (report.marks_file): a line each, as in report.marks, written by
// `wirelag mark` and read for every report, so that a running appliance learns of them. Control thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/config/config.hpp>
#include <wirelag/report/mark.hpp>

namespace wirelag::app {

/// A relative report.marks_file is beside the configuration that names it, wherever the program was called.
void find_marks_beside(Config& config, const std::string& config_path);

/// The last kMostMarks lines; empty ones, and those that begin with '#', are none. No file yet, or no path: no
/// marks. A line that is no mark is an error, and so is what is no regular file.
inline constexpr std::size_t kMostMarks = 100;
[[nodiscard]] Result<std::vector<Mark>> read_marks(const std::string& path);

/// Those of the configuration and of its file.
[[nodiscard]] Result<std::vector<Mark>> all_marks(const Config& config);

struct MarkOptions {
  std::string what;               ///< the operator's words
  std::optional<std::string> at;  ///< "2026-01-31T09:30:00Z"; none: now
};
/// `wirelag mark`: adds a line to the file and prints it. Exit status.
[[nodiscard]] int mark(const MarkOptions& options, const Config& config);

}  // namespace wirelag::app
