// A run of bytes as captured, which also knows how long it was on the wire. Every layer takes its
// header off the front and narrows the rest to what its length field says, so Ethernet padding
// never becomes payload and a snaplen never becomes a short payload.
//
//   captured <= length, always
#pragma once

#include <algorithm>
#include <cstring>

#include <wirelag/base/types.hpp>
#include <wirelag/base/wire.hpp>

namespace wirelag::decode {

/// Little-endian, as radios and capture programs write.
inline std::uint32_t le16(const std::uint8_t* at) {
  return at[0] | static_cast<std::uint32_t>(at[1]) << 8;
}
inline std::uint32_t le32(const std::uint8_t* at) { return le16(at) | le16(at + 2) << 16; }

struct Content {
  const std::uint8_t* data = nullptr;
  std::uint32_t captured = 0;
  std::uint32_t length = 0;

  [[nodiscard]] bool has(std::uint32_t n) const { return captured >= n; }
  [[nodiscard]] bool cut() const { return captured < length; }
  [[nodiscard]] Bytes bytes() const { return {data, captured}; }

  /// Takes `n` bytes off the front; false (and nothing taken) when they were not captured.
  bool skip(std::uint32_t n) {
    if (!has(n)) return false;
    data += n;
    captured -= n;
    length -= n;
    return true;
  }

  /// A copy of the wire struct at the front, not taken off; false when it was not captured.
  template <class Wire>
  [[nodiscard]] bool peek(Wire& out) const {
    static_assert(alignof(Wire) == 1, "wire structs are made of bytes");
    if (!has(sizeof(Wire))) return false;
    std::memcpy(&out, data, sizeof(Wire));
    return true;
  }
  template <class Wire>
  bool read(Wire& out) {
    return peek(out) && skip(sizeof(Wire));
  }

  /// The same bytes as part of something `stated` bytes long.
  [[nodiscard]] Content with_length(std::uint32_t stated) const {
    return {data, std::min(captured, stated), stated};
  }
  /// Likewise, but never longer than it was.
  [[nodiscard]] Content at_most(std::uint32_t stated) const {
    return with_length(std::min(length, stated));
  }
};

}  // namespace wirelag::decode
