// The clocks of the application: the only ones beside those of ingest. Nothing between reads a clock.
#pragma once

#include <chrono>

#include <wirelag/base/types.hpp>

namespace wirelag::app {

[[nodiscard]] inline TimeNs wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Never set, never steps; its beginning means nothing.
[[nodiscard]] inline std::int64_t steady_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace wirelag::app
