#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "byte_source.hpp"

namespace wirelag::ingest {

FileSource::FileSource(int fd) : fd_(fd) { (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); }

FileSource::~FileSource() { close(fd_); }

std::size_t FileSource::read_at(std::uint64_t position, std::span<std::uint8_t> out) {
  for (;;) {
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(position));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    error_ = std::strerror(errno);
    return 0;
  }
}

}  // namespace wirelag::ingest
