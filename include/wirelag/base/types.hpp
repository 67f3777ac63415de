// The scalar vocabulary of the whole tree: time, durations, frame numbers, byte views.
//
// Times are nanoseconds since the Unix epoch and come from the capture, never from the clock at
// processing. Durations are nanoseconds. "Not seen" and "not measurable" have a value of their own,
// so that an unknown duration can never be mistaken for 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace wirelag {

using Bytes = std::span<const std::uint8_t>;

using TimeNs = std::int64_t;
using DurationNs = std::int64_t;

inline constexpr std::int64_t kUnknownNs = std::numeric_limits<std::int64_t>::min();
inline constexpr TimeNs kSecondNs = 1'000'000'000;
inline constexpr TimeNs kMillisecondNs = 1'000'000;
inline constexpr TimeNs kMicrosecondNs = 1'000;

[[nodiscard]] constexpr bool known(std::int64_t ns) { return ns != kUnknownNs; }

/// `to - from`, unknown when either end is unknown or when the clock stepped back between them.
[[nodiscard]] constexpr DurationNs elapsed_ns(TimeNs from, TimeNs to) {
  return known(from) && known(to) && to >= from ? to - from : kUnknownNs;
}

/// The sum of two known durations, and at most the longest one there is: in a capture whose clock jumps
/// to and fro, spans of a century each add up to more.
[[nodiscard]] constexpr DurationNs plus_ns(DurationNs a, DurationNs b) {
  DurationNs sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return std::numeric_limits<DurationNs>::max();
}

/// 1-based position in the capture file, as in Wireshark. 0 = none (live traffic has no numbers).
using FrameNumber = std::uint32_t;

/// The frames that carried a message: first and last segment. {0,0} = none.
struct FrameSpan {
  FrameNumber first = 0;
  FrameNumber last = 0;
};

/// Which way a segment travels on a connection.
enum class Direction : std::uint8_t { c2s = 0, s2c = 1 };
[[nodiscard]] constexpr Direction reverse(Direction d) {
  return d == Direction::c2s ? Direction::s2c : Direction::c2s;
}
[[nodiscard]] constexpr std::size_t index(Direction d) { return static_cast<std::size_t>(d); }

[[nodiscard]] inline std::string_view as_text(Bytes b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}
[[nodiscard]] inline Bytes as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

}  // namespace wirelag
