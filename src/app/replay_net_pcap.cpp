#include "replay_net_pcap.hpp"

#include <fmt/format.h>

#include <wirelag/ingest/dpdk/dpdk_capture.hpp>
#include <wirelag/ingest/dpdk/eal.hpp>

#include "read_source.hpp"
#include "worker_group.hpp"

namespace wirelag::app {
namespace {

/// The driver's packet buffers hold frames of up to 64 KiB.
constexpr std::size_t kEalMemoryMib = 256;

}  // namespace

Result<CaptureRun> replay_net_pcap(const std::string& path, std::size_t workers,
                                   const Config& config,
                                   std::shared_ptr<const Signatures> signatures) {
  // Main lcore: control core. One lcore polls the port and dispatches, one for each worker.
  Result<Eal> eal = Eal::start(desk_eal_arguments(workers + 2, kEalMemoryMib));
  if (!eal) return eal.take_error();
  Result<DpdkCapture> capture = DpdkCapture::open(path);
  if (!capture) return capture.take_error();

  CaptureRun run;
  run.data = Dataset({.max_per_kind = config.report.replay_transactions});
  WorkerGroup group(workers, config, std::move(signatures), WorkerGroup::Mode::replay);
  const std::vector<unsigned>& lcores = eal->worker_lcores();
  Status launched = Done{};
  for (std::size_t i = 0; i < workers && launched; ++i) {
    launched = eal->launch(lcores[i], [&group, i] { group.run_until_closed(i); });
  }
  if (launched) {
    launched = eal->launch(lcores[workers], [&] {
      read_source(*capture, run, [&](std::span<const Frame> f) { group.dispatcher().dispatch(f); });
      group.dispatcher().close();
    });
  }
  if (!launched) {
    group.dispatcher().close();
    eal->wait();
    return launched.take_error();
  }
  group.drain_until_done(run.data);
  eal->wait();
  if (run.capture.packets == 0 && !run.capture.cut_short.empty()) {
    return Error{
        fmt::format("'{}' cannot be replayed through net_pcap: {}; replay it without --via", path,
                    run.capture.cut_short)};
  }
  run.accounting = group.accounting();
  run.counters = group.counters();
  return run;
}

}  // namespace wirelag::app
