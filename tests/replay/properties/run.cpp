#include "run.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <wirelag/dispatch/dispatcher.hpp>

namespace wirelag::properties {
namespace {

constexpr std::size_t kFramesAtOnce = 8;
constexpr std::size_t kFrameRing = 1U << 20;  ///< as many of the largest frames fit

std::shared_ptr<const Signatures> signatures() {
  static const auto kSignatures = Signatures::compile({}).value();
  return kSignatures;
}

/// Tables in which nothing is ever evicted, and which are made in no time for a small recording.
WorkerLimits limits_for(const Recording& recording) {
  const auto frames = static_cast<std::uint32_t>(recording.frames().size());
  const std::uint32_t room = std::bit_ceil(frames + 64);
  WorkerLimits limits;
  limits.tcp.connections = room;
  limits.tcp.reorder_segments = std::min<std::uint32_t>(room, 4096);
  limits.dns.pending_queries = 8 * room;
  limits.dns.tcp_streams = std::min<std::uint32_t>(room, 256);
  limits.http.connections = room;
  limits.http.open_requests = 16 * room;
  limits.http.header_buffers = std::min<std::uint32_t>(room, 256);
  limits.tls.connections = room;
  limits.tls.hello_buffers = std::min<std::uint32_t>(room, 256);
  limits.summary.servers = room;
  return limits;
}

class Nowhere : public TransactionSink {
 public:
  void emit(TransactionRef) override {}
};

struct Totals {
  Accounting accounting;
  Counters counters;
};

Totals run_one(const Recording& recording, Dataset& data) {
  Worker worker(0, limits_for(recording), signatures(), data, false);
  worker.process(recording.frames());
  worker.finish();
  return {worker.accounting(), worker.counters()};
}

Totals run_many(const Recording& recording, Dataset& data, std::size_t n) {
  const WorkerLimits limits = limits_for(recording);
  std::vector<std::unique_ptr<SpscRing>> rings;
  std::vector<SpscRing*> ring_list;
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < n; ++i) {
    rings.push_back(std::make_unique<SpscRing>(kFrameRing));
    ring_list.push_back(rings.back().get());
    workers.push_back(
        std::make_unique<Worker>(static_cast<std::uint16_t>(i), limits, signatures(), data, false));
  }
  Dispatcher dispatcher(limits.decode, ring_list, WhenFull::drop);
  std::vector<FrameReader> readers;
  for (const auto& ring : rings) readers.emplace_back(*ring, dispatcher.closed());
  std::array<Frame, Worker::kBurst> burst;
  const auto drain = [&] {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = readers[i].read(burst); k > 0; k = readers[i].read(burst)) {
        workers[i]->process({burst.data(), k});
        readers[i].release();
      }
    }
  };
  std::span<const Frame> rest = recording.frames();
  while (!rest.empty()) {
    const std::size_t k = std::min(rest.size(), kFramesAtOnce);
    dispatcher.dispatch(rest.first(k));
    rest = rest.subspan(k);
    drain();
  }
  dispatcher.close();
  Totals totals{dispatcher.accounting(), dispatcher.counters()};
  for (const auto& worker : workers) {
    worker->finish(dispatcher.now());
    totals.accounting.merge(worker->accounting());
    totals.counters.merge(worker->counters());
  }
  return totals;
}

}  // namespace

Json report_of(const Recording& recording, const CaptureBlock& block, std::size_t workers) {
  Dataset data;
  const Totals totals =
      workers == 1 ? run_one(recording, data) : run_many(recording, data, workers);
  CaptureBlock seen = block;
  seen.packets = recording.frames().size();
  for (const Frame& f : recording.frames()) {
    const bool first = !known(seen.first_time_ns);
    seen.first_time_ns = first ? f.time_ns : std::min(seen.first_time_ns, f.time_ns);
    seen.last_time_ns = first ? f.time_ns : std::max(seen.last_time_ns, f.time_ns);
  }
  return Json::parse(render_json(build_report(std::move(seen), totals.accounting, totals.counters,
                                              std::move(data), {}, {""})));
}

std::vector<MergedSummary> summaries_of(const Recording& recording, std::size_t parts) {
  Nowhere nowhere;
  Worker worker(0, limits_for(recording), signatures(), nowhere, true);
  std::vector<MergedSummary> out;
  std::span<const Frame> rest = recording.frames();
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t n = rest.size() / (parts - part);
    worker.process(rest.first(n));
    rest = rest.subspan(n);
    if (part + 1 == parts) worker.finish();
    if (!known(worker.now()) || !worker.summariser().publish(worker.now())) continue;
    if (const auto taken = worker.summariser().take()) out.emplace_back().merge(*taken);
  }
  return out;
}

}  // namespace wirelag::properties
