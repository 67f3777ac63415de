#include "file_window.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <wirelag/ingest/record_reader.hpp>

namespace wirelag::ingest {
namespace {

constexpr std::size_t kBufferBytes = RecordReader::kMostNeeded;
/// Read at once: what has just been copied is still in the core's own cache when its frames are analysed.
constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

FileWindow::FileWindow(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes)),
      begin_(buffer_.get()) {}

bool FileWindow::move_to(std::uint64_t position, std::size_t wanted) {
  const Bytes kept = from(position);
  if (source_ == nullptr) return kept.size() >= wanted;
  if (!kept.empty()) std::memmove(buffer_.get(), kept.data(), kept.size());
  start_ = position;
  size_ = kept.size();
  const std::size_t enough = std::max(wanted, kReadBytes);
  while (size_ < enough) {
    const std::size_t n = source_->read_at(start_ + size_, {buffer_.get() + size_, enough - size_});
    if (n == 0) break;
    size_ += n;
  }
  return size_ >= wanted;
}

std::unique_ptr<ByteSource> FileWindow::take_source() {
  const Bytes memory(begin_, std::exchange(size_, 0));
  if (source_ == nullptr) return std::make_unique<MemorySource>(memory);
  return std::move(source_);
}

}  // namespace wirelag::ingest
