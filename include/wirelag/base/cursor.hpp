// A bounded reader over bytes from the wire. A read past the end yields zeros (or an empty view) and
// sets a flag that stays set: decode a whole header, then ask ok() once.
#pragma once

#include <cstring>

#include <wirelag/base/types.hpp>
#include <wirelag/base/wire.hpp>

namespace wirelag {

class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] Bytes rest() const { return {at_, remaining()}; }

  std::uint8_t u8() { return take(1) ? at_[-1] : std::uint8_t{0}; }
  std::uint16_t u16() { return value<be16>().host(); }
  std::uint32_t u24() {
    const std::uint32_t high = u8();
    return high << 16 | u16();
  }
  std::uint32_t u32() { return value<be32>().host(); }
  std::uint64_t u64() { return value<be64>().host(); }

  void skip(std::size_t n) { (void)take(n); }
  Bytes bytes(std::size_t n) { return take(n) ? Bytes{at_ - n, n} : Bytes{}; }

  /// A copy of a wire struct (made of be16/be32/uint8_t only); zeros past the end.
  template <class Wire>
  Wire value() {
    static_assert(alignof(Wire) == 1, "wire structs are made of bytes");
    Wire v{};
    if (take(sizeof(Wire))) std::memcpy(&v, at_ - sizeof(Wire), sizeof(Wire));
    return v;
  }

 private:
  bool take(std::size_t n) {
    if (n > remaining()) {
      ok_ = false;
      at_ = end_;
      return false;
    }
    at_ += n;
    return true;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace wirelag
