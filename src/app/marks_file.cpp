#include "marks_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "clock.hpp"
#include "output.hpp"

namespace wirelag::app {
namespace {

constexpr mode_t kReadable = 0644;

/// Of nothing else can it be told where it ends: a pipe is waited for, a directory has no lines. Nothing there is
/// as good as an empty file.
[[nodiscard]] Status regular_file(const std::string& path) {
  std::error_code failed;
  const auto type = std::filesystem::status(path, failed).type();
  if (type == std::filesystem::file_type::regular || type == std::filesystem::file_type::not_found)
    return Done{};
  return Error{fmt::format("'{}' (report.marks_file): {}", path,
                           failed ? failed.message() : "expected a regular file")};
}

/// Without what editors put around it: a byte order mark on the first line, blanks, a carriage return.
std::string_view trimmed(std::string_view line, bool first) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  constexpr std::string_view kBlanks = " \t\r";
  if (first && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

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

void find_marks_beside(Config& config, const std::string& config_path) {
  std::string& path = config.report.marks_file;
  if (path.empty()) return;
  path = (std::filesystem::path(config_path).parent_path() / path).string();  // absolute: as it is
}

Result<std::vector<Mark>> read_marks(const std::string& path) {
  std::vector<Mark> marks;
  if (path.empty()) return marks;
  if (const Status s = regular_file(path); !s) return Error{s.error()};
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT) return marks;
    return Error{
        fmt::format("cannot read '{}' (report.marks_file): {}", path, std::strerror(errno))};
  }
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const std::string_view words = trimmed(line, number == 1);
    if (words.empty() || words.front() == '#') continue;
    std::optional<Mark> mark = parse_mark(words);
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
  if (Status s = regular_file(path); !s) return fail(s.error());
  Mark mark{wall_clock_ns(), options.what};
  if (options.at) {
    const std::optional<Mark> given = parse_mark(*options.at + " x");
    if (!given || given->what != "x") {
      return fail(
          fmt::format("--at '{}': expected a time in UTC like 2026-01-31T09:30:00Z", *options.at));
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
