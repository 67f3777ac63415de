#include "output.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace wirelag::app {

void warn(const std::string& sentence) { fmt::print(stderr, "wirelag: {}\n", sentence); }

int fail(const std::string& sentence) {
  warn(sentence);
  return 1;
}

Output::Output(std::string path) : path_(std::move(path)) {
  if (to_stdout()) {
    file_ = stdout;
    return;
  }
  // A device, a pipe or a link is written to, not replaced.
  std::error_code ignored;
  const auto kind = std::filesystem::symlink_status(path_, ignored).type();
  replaces_ =
      kind == std::filesystem::file_type::not_found || kind == std::filesystem::file_type::regular;
  target_ = replaces_ ? path_ + ".part" : path_;
  file_ = std::fopen(target_.c_str(), "wb");
  if (file_ == nullptr) error_ = errno;
}

Output::~Output() { give_up(); }

void Output::write(std::string_view piece) {
  if (error_ != 0) return;
  errno = 0;
  if (std::fwrite(piece.data(), 1, piece.size(), file_) != piece.size()) {
    error_ = errno != 0 ? errno : EIO;
  }
}

void Output::give_up() {
  if (file_ == nullptr || to_stdout()) return;
  std::fclose(std::exchange(file_, nullptr));
  if (replaces_) std::remove(target_.c_str());
}

Status Output::finish() {
  if (file_ != nullptr && error_ == 0 && std::fflush(file_) != 0) error_ = errno;
  if (to_stdout()) {
    if (error_ == 0) return Done{};
    return Error{fmt::format("cannot write the report to stdout: {}", std::strerror(error_))};
  }
  if (error_ == 0) {
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (closed && (!replaces_ || std::rename(target_.c_str(), path_.c_str()) == 0)) return Done{};
    error_ = errno;
    if (replaces_) std::remove(target_.c_str());
  }
  give_up();
  return Error{fmt::format("cannot write '{}': {}", path_, std::strerror(error_))};
}

Status write_output(const std::string& path, std::string_view text) {
  Output output(path);
  output.write(text);
  return output.finish();
}

}  // namespace wirelag::app
