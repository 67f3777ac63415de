// Where a FileWindow gets its bytes from: a file, bytes in memory, or what is compressed in one of them.
#pragma once

#include <cstring>
#include <span>
#include <string>

#include <wirelag/base/types.hpp>

namespace wirelag::ingest {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Fills the beginning of `out` with the bytes from `position` on and returns how many; there may be more.
  /// 0: nothing is there, or error() says why it cannot be read.
  virtual std::size_t read_at(std::uint64_t position, std::span<std::uint8_t> out) = 0;

  /// Why reading failed, empty while it did not.
  [[nodiscard]] const std::string& error() const { return error_; }

 protected:
  std::string error_;
};

/// Of an open file.
class FileSource final : public ByteSource {
 public:
  /// Takes the descriptor over.
  explicit FileSource(int fd);
  ~FileSource() override;
  std::size_t read_at(std::uint64_t position, std::span<std::uint8_t> out) override;

 private:
  int fd_;
};

/// Bytes that outlive the object.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes content) : content_(content) {}
  std::size_t read_at(std::uint64_t position, std::span<std::uint8_t> out) override {
    if (position >= content_.size()) return 0;
    const Bytes rest = content_.subspan(static_cast<std::size_t>(position));
    const std::size_t size = rest.size() < out.size() ? rest.size() : out.size();
    std::memcpy(out.data(), rest.data(), size);
    return size;
  }

 private:
  Bytes content_;
};

}  // namespace wirelag::ingest
