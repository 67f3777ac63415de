#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <wirelag/serve/log_file.hpp>

namespace wirelag {
namespace {

int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

std::string cannot(const char* what, const std::string& path, int error) {
  return fmt::format("cannot {} the log {}: {}", what, path, std::strerror(error));
}

void complain_on_stderr(const std::string& sentence) {
  std::fprintf(stderr, "wirelag: %s\n", sentence.c_str());
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path, Complain complain) {
  if (!complain) complain = complain_on_stderr;
  if (path == "stderr") return LogFile(path, STDERR_FILENO, std::move(complain));
  if (path == "stdout") return LogFile(path, STDOUT_FILENO, std::move(complain));
  const int fd = open_to_append(path);
  if (fd < 0) return Error{cannot("open", path, errno)};
  return LogFile(path, fd, std::move(complain));
}

LogFile::LogFile(std::string path, int fd, Complain complain)
    : path_(std::move(path)), fd_(fd), complain_(std::move(complain)) {}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      complain_(std::move(other.complain_)),
      failing_(other.failing_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(complain_, other.complain_);
  std::swap(failing_, other.failing_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0 && !is_stream()) ::close(fd_);
}

bool LogFile::is_stream() const { return fd_ == STDERR_FILENO || fd_ == STDOUT_FILENO; }

void LogFile::write(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail(cannot("write to", path_, errno) + "; lines are lost until it works again");
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
  failing_ = false;
}

void LogFile::reopen() {
  if (is_stream()) return;
  const int fd = open_to_append(path_);
  if (fd < 0) return fail(cannot("reopen", path_, errno) + "; writing to the old file");
  ::close(fd_);
  fd_ = fd;
  failing_ = false;
}

void LogFile::fail(const std::string& sentence) {
  if (!failing_) complain_(sentence);
  failing_ = true;
}

}  // namespace wirelag
