#include "replay_net_pcap.hpp"

#include <fmt/format.h>

#include <wirelag/ingest/dpdk/dpdk_capture.hpp>
#include <wirelag/ingest/dpdk/eal.hpp>

#include "analyse_alone.hpp"
#include "worker_group.hpp"

namespace wirelag::app {
namespace {

/// The driver's packet buffers hold frames of up to 64 KiB.
constexpr std::size_t kEalMemoryMib = 256;

Status replay_through_rings(Eal& eal, DpdkCapture& capture, CaptureRun& run, std::size_t workers,
                            const Config& config, std::shared_ptr<const Signatures> signatures) {
  WorkerGroup group(workers, config, std::move(signatures), WorkerGroup::Mode::replay);
  const std::vector<unsigned>& lcores = eal.worker_lcores();
  Status launched = Done{};
  for (std::size_t i = 0; i < workers && launched; ++i) {
    launched = eal.launch(lcores[i], [&group, i] { group.run_until_closed(i); });
  }
  if (launched) {
    launched = eal.launch(lcores[workers], [&] {
      read_source(capture, run, [&](std::span<const Frame> f) { group.dispatcher().dispatch(f); });
      group.dispatcher().close();
    });
  }
  if (!launched) {
    group.dispatcher().close();
    eal.wait();
    return launched;
  }
  group.drain_until_done(run.data);
  eal.wait();
  run.accounting = group.accounting();
  run.counters = group.counters();
  return Done{};
}

}  // namespace

Result<CaptureRun> replay_net_pcap(const std::string& path, std::size_t workers,
                                   const Config& config,
                                   std::shared_ptr<const Signatures> signatures) {
  // One worker: the main lcore does everything. More: it is the control core, one lcore polls the port and
  // dispatches, one for each worker.
  const std::size_t lcores = workers == 1 ? 1 : workers + 2;
  Result<Eal> eal = Eal::start(desk_eal_arguments(lcores, kEalMemoryMib));
  if (!eal) return eal.take_error();
  Result<DpdkCapture> capture = DpdkCapture::open(path);
  if (!capture) return capture.take_error();

  CaptureRun run;
  run.data = Dataset({.max_per_kind = config.report.replay_transactions});
  if (workers == 1) {
    analyse_alone(*capture, run, config, std::move(signatures));
  } else {
    Status replayed =
        replay_through_rings(*eal, *capture, run, workers, config, std::move(signatures));
    if (!replayed) return replayed.take_error();
  }
  if (run.capture.packets == 0 && !run.capture.cut_short.empty()) {
    return Error{
        fmt::format("'{}' cannot be replayed through net_pcap: {}; replay it without --via", path,
                    run.capture.cut_short)};
  }
  return run;
}

}  // namespace wirelag::app
