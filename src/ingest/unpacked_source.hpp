// What is compressed in another source, as bytes with positions of their own. It is read front to back; to go back is
// to unpack from the start again, which only a format with a table of contents at its end asks for, once.
//
// Memory: kPackedBytes and the unpacker's, whatever the data says.
#pragma once

#include <array>
#include <memory>

#include "byte_source.hpp"
#include "unpacker.hpp"

namespace wirelag::ingest {

class UnpackedSource final : public ByteSource {
 public:
  static constexpr std::size_t kPackedBytes = 128 * 1024;
  /// From the start again. Frames in any order would otherwise unpack the whole file for each of them.
  static constexpr int kMostRestarts = 16;

  UnpackedSource(std::unique_ptr<ByteSource> packed, std::unique_ptr<Unpacker> unpacker)
      : packed_(std::move(packed)), unpacker_(std::move(unpacker)) {}

  std::size_t read_at(std::uint64_t position, std::span<std::uint8_t> out) override;

  [[nodiscard]] std::string_view format() const { return unpacker_->format(); }
  /// How far the compressed source has been used.
  [[nodiscard]] std::uint64_t packed_position() const { return read_bytes_ - in_.size(); }
  /// How far it has been unpacked; all of it, once read_at() has met the end.
  [[nodiscard]] std::uint64_t unpacked_bytes() const { return position_; }

 private:
  bool go_to(std::uint64_t position, std::span<std::uint8_t> scratch);
  std::size_t next(std::span<std::uint8_t> out);
  bool refill();
  void restart();
  void fail(std::string_view what);

  std::unique_ptr<ByteSource> packed_;
  std::unique_ptr<Unpacker> unpacker_;
  std::array<std::uint8_t, kPackedBytes> buffer_;
  Bytes in_;                      ///< of the buffer, not used yet
  std::uint64_t read_bytes_ = 0;  ///< of packed_
  std::uint64_t position_ = 0;    ///< of what next() gives
  int restarts_ = 0;
};

}  // namespace wirelag::ingest
