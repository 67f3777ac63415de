// Reads a capture to its end, whichever way its frames come: CaptureFile or DpdkCapture.
#pragma once

#include <fmt/format.h>

#include <array>

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
  for (const LinkType link : source.info().link_types) {
    run.capture.link_types.emplace_back(name(link));
  }
  Progress progress(source.info().name, source.info().file_bytes);
  std::array<Frame, kFramesPerRead> frames;
  while (!stop_requested()) {
    const std::size_t n = source.read(frames);
    if (n == 0) {
      run.capture.cut_short = source.cut_short();
      return;
    }
    const std::span<const Frame> batch(frames.data(), n);
    run.observe(batch);
    use(batch);
    progress.update(source.position_bytes(), run.capture.packets);
  }
  run.capture.cut_short = fmt::format("stopped by a signal after frame {}", run.capture.packets);
}

}  // namespace wirelag::app
