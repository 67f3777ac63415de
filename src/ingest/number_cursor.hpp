// A ByteCursor over numbers in the byte order of the host that wrote them.
#pragma once

#include <wirelag/base/cursor.hpp>

namespace wirelag::ingest {

enum class ByteOrder : std::uint8_t { big, little };

class NumberCursor {
 public:
  NumberCursor(Bytes bytes, ByteOrder order) : in_(bytes), swap_(order == ByteOrder::little) {}
  std::uint8_t u8() { return in_.u8(); }
  std::uint16_t u16() { return swap_ ? __builtin_bswap16(in_.u16()) : in_.u16(); }
  std::uint32_t u32() { return swap_ ? __builtin_bswap32(in_.u32()) : in_.u32(); }
  std::uint64_t u64() { return swap_ ? __builtin_bswap64(in_.u64()) : in_.u64(); }
  Bytes bytes(std::size_t n) { return in_.bytes(n); }
  void skip(std::size_t n) { in_.skip(n); }
  [[nodiscard]] bool ok() const { return in_.ok(); }
  [[nodiscard]] std::size_t remaining() const { return in_.remaining(); }

 private:
  ByteCursor in_;
  bool swap_;
};

}  // namespace wirelag::ingest
