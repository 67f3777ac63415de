// A replay with one worker: the source, the worker and the dataset follow each other on the calling thread,
// without a ring between them.
#pragma once

#include <memory>
#include <utility>

#include <wirelag/config/config.hpp>
#include <wirelag/worker/worker.hpp>

#include "read_source.hpp"

namespace wirelag::app {

/// Reads `source` to its end and leaves everything in `run`.
template <class Source>
void analyse_alone(Source& source, CaptureRun& run, const Config& config,
                   std::shared_ptr<const Signatures> signatures) {
  constexpr std::size_t kFramesPerTick = 8192;
  Worker worker(0, config.worker, std::move(signatures), run.data, /*live=*/false);
  std::size_t since_tick = 0;
  read_source(source, run, [&](std::span<const Frame> frames) {
    worker.process(frames);
    since_tick += frames.size();
    if (since_tick < kFramesPerTick) return;
    since_tick = 0;
    worker.tick_replay();
  });
  worker.finish();
  run.accounting = worker.accounting();
  run.counters = worker.counters();
}

}  // namespace wirelag::app
