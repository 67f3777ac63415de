#include "marks_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "clock.hpp"
#include "output.hpp"

namespace wirelag::app {
namespace {

constexpr mode_t kReadable = 0644;

/// One write to the end of the file: two operators at once get a line each.
[[nodiscard]] Status append_line(const std::string& path, const std::string& line) {
  const auto failed = [&path] {
    return Error{
        fmt::format("cannot write '{}' (report.marks_file): {}", path, std::strerror(errno))};
  };
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kReadable);
  if (file < 0) return failed();
  errno = ENOSPC;  // of a write that is cut short
  const bool written = write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const Status status = written ? Status(Done{}) : Status(failed());
  close(file);
  return status;
}

/// Whether the last line, which somebody wrote by hand, has no end.
[[nodiscard]] bool ends_within_a_line(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() <= 0) return false;
  file.seekg(-1, std::ios::end);
  return file.get() != '\n';
}

}  // namespace

Result<std::vector<Mark>> read_marks(const std::string& path) {
  std::vector<Mark> marks;
  if (path.empty()) return marks;
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT) return marks;
    return Error{
        fmt::format("cannot read '{}' (report.marks_file): {}", path, std::strerror(errno))};
  }
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos || line.front() == '#') continue;
    std::optional<Mark> mark = parse_mark(line);
    if (!mark) {
      return Error{
          fmt::format("{}:{}: expected a line like 2026-01-31T09:30:00Z http2 on", path, number)};
    }
    if (marks.size() == kMostMarks) marks.erase(marks.begin());
    marks.push_back(std::move(*mark));
  }
  return marks;
}

Result<std::vector<Mark>> all_marks(const Config& config) {
  Result<std::vector<Mark>> marks = read_marks(config.report.marks_file);
  if (marks) marks->insert(marks->begin(), config.report.marks.begin(), config.report.marks.end());
  return marks;
}

int mark(const MarkOptions& options, const Config& config) {
  const std::string& path = config.report.marks_file;
  if (path.empty()) {
    return fail("the configuration names no file for marks: set report.marks_file");
  }
  Mark mark{wall_clock_ns(), options.what};
  if (!options.at.empty()) {
    const std::optional<Mark> given = parse_mark(options.at + " x");
    if (!given) {
      return fail(
          fmt::format("--at '{}': expected a time in UTC like 2026-01-31T09:30:00Z", options.at));
    }
    mark.time_ns = given->time_ns;
  }
  std::replace_if(
      mark.what.begin(), mark.what.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const std::string line = print_mark(mark);
  if (!parse_mark(line)) return fail("a mark needs some words: what was changed");
  const std::string before = ends_within_a_line(path) ? "\n" : "";
  if (Status s = append_line(path, before + line + "\n"); !s) return fail(s.error());
  if (Status s = write_output("", line + "\n"); !s) return fail(s.error());
  return 0;
}

}  // namespace wirelag::app
