#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace wirelag::app {
namespace {

[[nodiscard]] bool write_all(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

}  // namespace

void warn(const std::string& sentence) { fmt::print(stderr, "wirelag: {}\n", sentence); }

int fail(const std::string& sentence) {
  warn(sentence);
  return 1;
}

Status write_output(const std::string& path, const std::string& text) {
  if (path.empty() || path == "-") {
    if (write_all(stdout, text)) return Done{};
    return Error{fmt::format("cannot write the report to stdout: {}", std::strerror(errno))};
  }
  const auto failed = [&](int why) {
    return Error{fmt::format("cannot write '{}': {}", path, std::strerror(why))};
  };
  // A device, a pipe or a link is written to, not replaced.
  std::error_code ignored;
  const auto kind = std::filesystem::symlink_status(path, ignored).type();
  const bool replace =
      kind == std::filesystem::file_type::not_found || kind == std::filesystem::file_type::regular;
  const std::string target = replace ? path + ".part" : path;
  std::FILE* file = std::fopen(target.c_str(), "wb");
  if (file == nullptr) return failed(errno);
  errno = 0;
  const bool written = write_all(file, text);
  const int write_errno = errno;
  const bool closed = std::fclose(file) == 0;
  if (written && closed && (!replace || std::rename(target.c_str(), path.c_str()) == 0)) {
    return Done{};
  }
  const int why = written ? errno : write_errno;
  if (replace) std::remove(target.c_str());
  return failed(why);
}

}  // namespace wirelag::app
