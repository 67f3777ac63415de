// The clock of a NIC that stamps frames in ticks of its own, mapped to nanoseconds since the epoch.
//
// The first calibration ties a tick count to the wall clock; every later one makes the baseline
// over which the tick length is measured longer, so the error of one reading (about a microsecond)
// weighs ever less: the clocks of two ports stay together and never drift apart. Steps of the wall
// clock after the start are not followed, so durations stay true.
//
// Values only: whoever owns the port reads the clocks.
#pragma once

#include <wirelag/base/types.hpp>

namespace wirelag {

class DeviceClock {
 public:
  DeviceClock() = default;
  /// `ticks` of the device at `wall_ns` since the epoch and `steady_ns` of a clock that is never
  /// set.
  DeviceClock(std::uint64_t ticks, TimeNs wall_ns, TimeNs steady_ns, double ns_per_tick)
      : start_ticks_(ticks),
        start_wall_ns_(wall_ns),
        start_steady_ns_(steady_ns),
        ns_per_tick_(ns_per_tick) {}

  /// A later reading of the same two clocks.
  void calibrate(std::uint64_t ticks, TimeNs steady_ns) {
    if (ticks <= start_ticks_ || steady_ns <= start_steady_ns_) return;
    ns_per_tick_ = static_cast<double>(steady_ns - start_steady_ns_) /
                   static_cast<double>(ticks - start_ticks_);
  }

  [[nodiscard]] TimeNs time_ns(std::uint64_t ticks) const {
    const auto since = static_cast<std::int64_t>(ticks - start_ticks_);
    return start_wall_ns_ + static_cast<TimeNs>(static_cast<double>(since) * ns_per_tick_);
  }
  [[nodiscard]] double ns_per_tick() const { return ns_per_tick_; }

 private:
  std::uint64_t start_ticks_ = 0;
  TimeNs start_wall_ns_ = 0;
  TimeNs start_steady_ns_ = 0;
  double ns_per_tick_ = 1;
};

}  // namespace wirelag
