// A ByteCursor over numbers in the byte order of the host that wrote them.
#pragma once

#include <wirelag/base/cursor.hpp>

namespace wirelag {

class OrderedCursor {
 public:
  /// `swapped`: little-endian.
  OrderedCursor(Bytes bytes, bool swapped) : in_(bytes), swapped_(swapped) {}
  std::uint32_t u32() { return swapped_ ? __builtin_bswap32(in_.u32()) : in_.u32(); }
  std::uint16_t u16() { return swapped_ ? __builtin_bswap16(in_.u16()) : in_.u16(); }
  Bytes bytes(std::size_t n) { return in_.bytes(n); }
  void skip(std::size_t n) { in_.skip(n); }
  [[nodiscard]] bool ok() const { return in_.ok(); }
  [[nodiscard]] bool swapped() const { return swapped_; }

 private:
  ByteCursor in_;
  bool swapped_;
};

}  // namespace wirelag
