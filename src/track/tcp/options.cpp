// TCP options: RFC 9293 section 3.2 (end, no-operation, MSS), RFC 7323 (window scale, timestamps),
// RFC 2018 (SACK permitted), RFC 2883 (duplicate SACK).
#include "options.hpp"

#include <algorithm>

#include "flow_state.hpp"

namespace wirelag::tcp {
namespace {

/// A larger shift counts as this one, RFC 7323 section 2.3.
constexpr std::uint8_t kLargestWindowScale = 14;

enum Kind : std::uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8
};

[[nodiscard]] std::uint32_t word_at(Bytes bytes, std::size_t at) {
  ByteCursor cursor(bytes.subspan(at));
  return cursor.u32();
}

constexpr std::size_t kAnySize = 0;

/// The value of the first option of this kind that has `size` bytes; empty when there is none.
[[nodiscard]] Bytes value_of(Bytes bytes, std::uint8_t wanted, std::size_t size) {
  ByteCursor at(bytes);
  while (at.remaining() > 0) {
    const std::uint8_t kind = at.u8();
    if (kind == kEnd) break;
    if (kind == kNop) continue;
    const std::uint8_t length = at.u8();
    if (!at.ok() || length < 2) break;
    const Bytes value = at.bytes(length - 2U);
    if (!at.ok()) break;
    if (kind == wanted && (size == kAnySize || value.size() == size)) return value;
  }
  return {};
}

}  // namespace

Timestamps find_timestamps(Bytes options) {
  const Bytes value = value_of(options, kTimestamps, 8);
  if (value.empty()) return {};
  return {true, word_at(value, 0), word_at(value, 4)};
}

bool find_duplicate_sack(Bytes options, std::uint32_t ack) {
  const Bytes blocks = value_of(options, kSack, kAnySize);
  if (blocks.size() < 8) return false;
  const std::uint32_t begin = word_at(blocks, 0);
  const std::uint32_t end = word_at(blocks, 4);
  if (seq_distance(end, ack) >= 0) return true;
  if (blocks.size() < 16) return false;
  return seq_distance(word_at(blocks, 8), begin) >= 0 &&
         seq_distance(end, word_at(blocks, 12)) >= 0;
}

bool find_sack_beyond(Bytes options, std::uint32_t ack) {
  constexpr std::size_t kBlock = 8;
  const Bytes blocks = value_of(options, kSack, kAnySize);
  for (std::size_t at = find_duplicate_sack(options, ack) ? kBlock : 0;
       at + kBlock <= blocks.size(); at += kBlock) {
    if (seq_distance(ack, word_at(blocks, at)) > 0) return true;
  }
  return false;
}

TcpOptions parse_options(Bytes bytes) {
  TcpOptions options;
  ByteCursor at(bytes);
  while (at.remaining() > 0) {
    const std::uint8_t kind = at.u8();
    if (kind == kEnd) break;
    if (kind == kNop) continue;
    const std::uint8_t length = at.u8();
    if (!at.ok() || length < 2) break;
    ByteCursor value(at.bytes(length - 2U));
    if (!at.ok()) break;
    switch (kind) {
      case kMss:
        if (length == 4) options.mss = value.u16();
        break;
      case kWindowScale:
        if (length == 3) {
          options.window_scale =
              static_cast<std::int8_t>(std::min(value.u8(), kLargestWindowScale));
        }
        break;
      case kSackPermitted: options.sack_permitted = true; break;
      case kTimestamps:
        if (length == 10 && !options.timestamps) {
          options.timestamps = true;
          options.tsval = value.u32();
          options.tsecr = value.u32();
        }
        break;
      default: break;
    }
  }
  return options;
}

}  // namespace wirelag::tcp
