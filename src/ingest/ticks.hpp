// Ticks of any unit to nanoseconds since the epoch, in integers and without overflow.
#pragma once

#include <algorithm>

#include <wirelag/ingest/record_reader.hpp>

namespace wirelag::ingest {

/// `whole_s` seconds and `ticks` of 10^-exponent seconds, or of 2^-exponent where the high bit of
/// `resolution` is set (pcapng's if_tsresol). Rounds down; what is before the epoch is the epoch.
inline TimeNs time_of(std::uint64_t ticks, std::uint8_t resolution, std::int64_t whole_s) {
  __extension__ using Wide = __int128;
  constexpr unsigned kNano = 9, kMostDigits = 19, kMostBits = 94;  // more: less than one nanosecond
  const unsigned exponent = resolution & 0x7fU;
  const auto power_of_ten = [](unsigned n) {
    std::uint64_t power = 1;
    for (; n > 0; --n) power *= 10;
    return power;
  };
  Wide ns = 0;
  if ((resolution & 0x80U) != 0) {
    if (exponent < kMostBits) ns = static_cast<Wide>(ticks) * kSecondNs >> exponent;
  } else if (exponent <= kNano) {
    ns = static_cast<Wide>(ticks) * power_of_ten(kNano - exponent);
  } else if (exponent - kNano <= kMostDigits) {
    ns = static_cast<Wide>(ticks / power_of_ten(exponent - kNano));
  }
  ns += static_cast<Wide>(whole_s) * kSecondNs;
  return static_cast<TimeNs>(std::clamp<Wide>(ns, 0, RecordReader::kLatestNs));
}

}  // namespace wirelag::ingest
