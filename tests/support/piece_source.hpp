// Bytes in memory as a source that gives few of them at a time, as a slow file would.
#pragma once

#include <algorithm>

#include "../../src/ingest/byte_source.hpp"

namespace wirelag::test {

class PieceSource final : public ingest::ByteSource {
 public:
  /// At most `piece` bytes of `content`, which outlives the object, at once.
  PieceSource(Bytes content, std::size_t piece) : content_(content), piece_(piece) {}
  std::size_t read_at(std::uint64_t position, std::span<std::uint8_t> out) override {
    return content_.read_at(position, out.first(std::min(piece_, out.size())));
  }

 private:
  ingest::MemorySource content_;
  std::size_t piece_;
};

}  // namespace wirelag::test
