// Reads a capture to its end, whichever way its frames come: CaptureFile or DpdkCapture.
#pragma once

#include <array>

#include <fmt/format.h>

#include "capture_run.hpp"
#include "progress.hpp"
#include "stop.hpp"

namespace wirelag::app {

/// Hands every batch of frames to `use`, until the end or until a stop is asked for.
template <class Source, class Use>
void read_source(Source& source, CaptureRun& run, Use&& use) {
  constexpr std::size_t kFramesPerRead = 256;
  run.capture.name = source.info().name;
  run.capture.format = source.info().format;
  Progress progress(source.info().name, source.info().file_bytes);
  std::array<Frame, kFramesPerRead> frames;
  for (std::size_t n = source.read(frames); n > 0; n = source.read(frames)) {
    const std::span<const Frame> batch(frames.data(), n);
    run.observe(batch);
    use(batch);
    progress.update(source.position_bytes(), run.capture.packets);
    if (stop_requested()) break;
  }
  run.capture.cut_short =
      stop_requested() ? fmt::format("stopped by a signal after frame {}", run.capture.packets)
                       : source.cut_short();
  // A pcapng file may name another link type at any place: they are known at the end.
  run.capture.frames_without_time = source.info().frames_without_time;
  for (const LinkSeen& seen : source.info().links) {
    run.capture.link_types.push_back(seen.name);
    if (seen.link == LinkType::unsupported && seen.frames > 0) {
      run.capture.link_types_unsupported[seen.name] += seen.frames;
    }
  }
}

}  // namespace wirelag::app
