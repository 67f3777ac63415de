// Letters of well-formed UTF-8, and those that would deceive a reader. Private to report; pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace wirelag::report {

inline std::uint32_t code_point(std::string_view sequence) {
  constexpr std::uint8_t kLead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  std::uint32_t c = static_cast<std::uint8_t>(sequence[0]) & kLead[sequence.size()];
  for (const char byte : sequence.substr(1)) c = c << 6 | (static_cast<std::uint8_t>(byte) & 0x3f);
  return c;
}

/// The lead byte says how long the sequence is.
inline std::size_t sequence_length(char lead) {
  const auto byte = static_cast<std::uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// C1 controls, and what is invisible or turns the direction of the text around it.
inline bool deceptive(std::uint32_t c) {
  return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

}  // namespace wirelag::report
