#include "file_window.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <wirelag/ingest/record_reader.hpp>

namespace wirelag::ingest {
namespace {

constexpr std::size_t kBufferBytes = RecordReader::kMostNeeded;
/// Read at once: what has just been copied is still in the core's own cache when its frames are analysed.
constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

FileWindow::FileWindow(int fd)
    : fd_(fd),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes)),
      begin_(buffer_.get()) {
  (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

FileWindow& FileWindow::operator=(FileWindow&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(begin_, other.begin_);
  std::swap(start_, other.start_);
  std::swap(size_, other.size_);
  std::swap(error_, other.error_);
  return *this;
}

FileWindow::~FileWindow() {
  if (fd_ >= 0) close(fd_);
}

bool FileWindow::move_to(std::uint64_t position, std::size_t wanted) {
  const Bytes kept = from(position);
  if (buffer_ == nullptr) return kept.size() >= wanted;
  if (!kept.empty()) std::memmove(buffer_.get(), kept.data(), kept.size());
  start_ = position;
  size_ = kept.size();
  const std::size_t enough = std::max(wanted, kReadBytes);
  while (size_ < enough) {
    const ssize_t n =
        pread(fd_, buffer_.get() + size_, enough - size_, static_cast<off_t>(start_ + size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error_ = std::strerror(errno);
    if (n <= 0) break;
    size_ += static_cast<std::size_t>(n);
  }
  return size_ >= wanted;
}

}  // namespace wirelag::ingest
