#include "replay_file.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

#include <wirelag/ingest/capture_file.hpp>

#include "progress.hpp"
#include "stop.hpp"
#include "worker_group.hpp"

namespace wirelag::app {
namespace {

constexpr std::size_t kFramesPerRead = 256;
constexpr unsigned kReadsPerTick = 32;

/// Reads the file to its end or until a stop is asked for, and hands every batch to `use`.
template <class Use>
void read_all(CaptureFile& file, CaptureRun& run, Use&& use) {
  Progress progress(file.info().name, file.info().file_bytes);
  std::array<Frame, kFramesPerRead> frames;
  while (!stop_requested()) {
    const std::size_t n = file.read(frames);
    if (n == 0) {
      run.capture.cut_short = file.cut_short();
      return;
    }
    const std::span<const Frame> batch(frames.data(), n);
    run.observe(batch);
    use(batch);
    progress.update(file.position_bytes(), run.capture.packets);
  }
  run.capture.cut_short =
      fmt::format("stopped by a signal after frame {}", run.capture.packets);
}

void replay_in_one_thread(CaptureFile& file, CaptureRun& run, const Config& config,
                          std::shared_ptr<const Signatures> signatures) {
  Worker worker(0, config.worker, std::move(signatures), run.data, /*live=*/false);
  unsigned reads = 0;
  read_all(file, run, [&](std::span<const Frame> frames) {
    worker.process(frames);
    if (++reads % kReadsPerTick == 0) worker.tick(worker.now());
  });
  worker.finish();
  run.accounting = worker.accounting();
  run.counters = worker.counters();
}

void replay_in_threads(CaptureFile& file, CaptureRun& run, std::size_t workers,
                       const Config& config, std::shared_ptr<const Signatures> signatures) {
  WorkerGroup group(workers, config.worker, config.rings, std::move(signatures), WhenFull::wait,
                    /*live=*/false);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&group, i] { group.run_until_closed(i); });
  }
  threads.emplace_back([&] {
    read_all(file, run, [&](std::span<const Frame> f) { group.dispatcher().dispatch(f); });
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
  const CaptureInfo& info = file->info();
  run.capture.name = info.name;
  run.capture.format = info.format;
  for (const LinkType link : info.link_types) run.capture.link_types.emplace_back(name(link));
  if (workers == 1) {
    replay_in_one_thread(*file, run, config, std::move(signatures));
  } else {
    replay_in_threads(*file, run, workers, config, std::move(signatures));
  }
  return run;
}

}  // namespace wirelag::app
