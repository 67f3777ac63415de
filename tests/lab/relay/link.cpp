#include "link.hpp"

#include <algorithm>
#include <cmath>

namespace wirelag::lab {

bool Link::offer(TimeNs now, Bytes packet, DurationNs extra_delay_ns) {
  if (settings_.bits_per_second > 0) {
    const double bytes_per_ns = settings_.bits_per_second / 8 / kSecondNs;
    const double waiting =
        static_cast<double>(std::max<DurationNs>(0, free_ns_ - now)) * bytes_per_ns;
    if (settings_.queue_bytes > 0 &&
        waiting + static_cast<double>(packet.size()) > static_cast<double>(settings_.queue_bytes)) {
      return false;
    }
    const double on_wire_ns = static_cast<double>(packet.size()) / bytes_per_ns;
    free_ns_ = std::max(free_ns_, now) + std::llround(on_wire_ns);
  } else {
    free_ns_ = now;
  }
  travelling_.push(
      {free_ns_ + settings_.delay_ns + extra_delay_ns, offered_++, {packet.begin(), packet.end()}});
  return true;
}

TimeNs Link::next_due_ns() const {
  return travelling_.empty() ? kUnknownNs : travelling_.top().due_ns;
}

std::vector<std::uint8_t> Link::take() {
  std::vector<std::uint8_t> bytes = travelling_.top().bytes;
  travelling_.pop();
  return bytes;
}

}  // namespace wirelag::lab
