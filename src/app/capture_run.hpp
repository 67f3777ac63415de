// What a pass over a capture leaves behind, whichever way the frames came.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <wirelag/control/dataset.hpp>
#include <wirelag/ingest/frame.hpp>
#include <wirelag/report/report.hpp>

namespace wirelag::app {

struct CaptureRun {
  CaptureBlock capture;
  Accounting accounting;
  Counters counters;
  Dataset data;

  /// Notes frames as they come from the source.
  void observe(std::span<const Frame> frames) {
    capture.packets += frames.size();
    for (const Frame& f : frames) {
      if (f.untimed) continue;
      TimeNs& first = capture.first_time_ns;
      TimeNs& last = capture.last_time_ns;
      first = known(first) ? std::min(first, f.time_ns) : f.time_ns;
      last = known(last) ? std::max(last, f.time_ns) : f.time_ns;
    }
  }
};

}  // namespace wirelag::app
