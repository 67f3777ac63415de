#include "replay_file.hpp"

#include <thread>

#include <wirelag/ingest/capture_file.hpp>

#include "read_source.hpp"
#include "worker_group.hpp"

namespace wirelag::app {
namespace {

constexpr std::size_t kFramesPerTick = 8192;

void replay_in_one_thread(CaptureFile& file, CaptureRun& run, const Config& config,
                          std::shared_ptr<const Signatures> signatures) {
  Worker worker(0, config.worker, std::move(signatures), run.data, /*live=*/false);
  std::size_t since_tick = 0;
  read_source(file, run, [&](std::span<const Frame> frames) {
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

void replay_in_threads(CaptureFile& file, CaptureRun& run, std::size_t workers,
                       const Config& config, std::shared_ptr<const Signatures> signatures) {
  WorkerGroup group(workers, config, std::move(signatures), WorkerGroup::Mode::replay);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&group, i] { group.run_until_closed(i); });
  }
  threads.emplace_back([&] {
    read_source(file, run, [&](std::span<const Frame> f) { group.dispatcher().dispatch(f); });
    group.dispatcher().close();
  });
  group.drain_until_done(run.data);
  threads.clear();  // joins
  run.accounting = group.accounting();
  run.counters = group.counters();
}

}  // namespace

Result<CaptureRun> replay_file(const std::string& path, std::size_t workers, const Config& config,
                               std::shared_ptr<const Signatures> signatures) {
  Result<CaptureFile> file = CaptureFile::open(path);
  if (!file) return file.take_error();
  CaptureRun run;
  run.data = Dataset({.max_per_kind = config.report.replay_transactions});
  if (workers == 1) {
    replay_in_one_thread(*file, run, config, std::move(signatures));
  } else {
    replay_in_threads(*file, run, workers, config, std::move(signatures));
  }
  return run;
}

}  // namespace wirelag::app
