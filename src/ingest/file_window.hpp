// A window on a file: a stretch of it in one buffer that moves on, or anywhere, by reading. What lies in
// the old and in the new window is moved, not read again. Nothing is read ahead of a move, so views
// stay valid until the next one.
//
// Or on bytes in memory: then all of them, and it never moves.
//
// Why not a mapping: docs/decisions, "Capture files are read, not mapped".
#pragma once

#include <memory>
#include <string>

#include <wirelag/base/types.hpp>

#include "byte_source.hpp"

namespace wirelag::ingest {

class FileWindow {
 public:
  FileWindow() = default;
  explicit FileWindow(std::unique_ptr<ByteSource> source);
  explicit FileWindow(Bytes memory) : begin_(memory.data()), size_(memory.size()) {}

  /// What the window has from `position` of the file on.
  [[nodiscard]] Bytes from(std::uint64_t position) const {
    if (position < start_ || position - start_ >= size_) return {};
    return {begin_ + (position - start_), size_ - static_cast<std::size_t>(position - start_)};
  }

  /// Moves the window so that it begins at `position` and has what is read at once from there; false when
  /// it cannot get `wanted` bytes. `wanted` is at most RecordReader::kMostNeeded.
  bool move_to(std::uint64_t position, std::size_t wanted);

  /// Why reading failed, empty while it did not.
  [[nodiscard]] std::string error() const { return source_ ? source_->error() : std::string(); }

  /// Where the bytes came from. The window has none any more.
  [[nodiscard]] std::unique_ptr<ByteSource> take_source();

 private:
  std::unique_ptr<ByteSource> source_;      ///< null: memory
  std::unique_ptr<std::uint8_t[]> buffer_;  ///< likewise
  const std::uint8_t* begin_ = nullptr;
  std::uint64_t start_ = 0;  ///< position in the file of the first byte
  std::size_t size_ = 0;
};

}  // namespace wirelag::ingest
