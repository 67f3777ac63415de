#include "replay_file.hpp"

#include <thread>

#include <wirelag/ingest/capture_file.hpp>

#include "analyse_alone.hpp"
#include "worker_group.hpp"

namespace wirelag::app {
namespace {

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
    analyse_alone(*file, run, config, std::move(signatures));
  } else {
    replay_in_threads(*file, run, workers, config, std::move(signatures));
  }
  return run;
}

}  // namespace wirelag::app
