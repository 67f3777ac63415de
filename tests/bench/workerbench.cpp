// workerbench: one stage of the data path on generated frames in memory. Prints one line of JSON:
// nanoseconds of thread CPU time and TSC cycles per packet, memory per flow.
#include <barrier>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <pthread.h>
#include <thread>
#include <x86intrin.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "feed.hpp"
#include "stages.hpp"

namespace {

using namespace wirelag;
using namespace wirelag::bench;

struct Options {
  TrafficOptions traffic;
  std::string stage = "worker";
  std::uint32_t table = 0;
  unsigned threads = 1;
  std::vector<unsigned> cpus;
  bool preload = false;
  bool finish = false;
};

[[nodiscard]] std::int64_t clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * kSecondNs + t.tv_nsec;
}

/// Resident memory of this process.
[[nodiscard]] std::uint64_t resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

/// TSC ticks per nanosecond, over 20 ms.
[[nodiscard]] double tsc_per_ns() {
  const std::int64_t from_ns = clock_ns(CLOCK_MONOTONIC);
  const std::uint64_t from = __rdtsc();
  while (clock_ns(CLOCK_MONOTONIC) - from_ns < 20 * kMillisecondNs) {
  }
  return static_cast<double>(__rdtsc() - from) /
         static_cast<double>(clock_ns(CLOCK_MONOTONIC) - from_ns);
}

struct Result {
  std::uint64_t packets = 0, bytes = 0, all_packets = 0, transactions = 0, check = 0;
  std::int64_t cpu_ns = 0;
  /// Resident memory, stage and its tables as far as touched; of one worker alone.
  std::uint64_t grown_bytes = 0;
};

constexpr std::uint32_t kUsualTable = 1 << 18;

Config config_of(const Options& o) {
  const bool flows = o.traffic.kind == "flows";
  Config config;
  std::uint32_t table = o.table;
  if (table == 0) table = flows ? o.traffic.flows + 1024 : kUsualTable;
  config.worker.tcp.connections = table;
  // Their protocol is looked for in their first segments, which are not measured.
  if (flows) config.worker.tcp.classify_segments = 1;
  return config;
}

Result run(const Options& o, Feed& feed, std::barrier<>* together) {
  Result r;
  const std::uint64_t before = resident_bytes();
  const std::unique_ptr<Stage> stage = make_stage(o.stage, config_of(o));
  if (together != nullptr) together->arrive_and_wait();
  std::span<const Frame> frames;
  for (bool measured = false; feed.next(frames, measured);) {
    const std::int64_t from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    stage->process(frames);
    const std::int64_t took_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - from_ns;
    r.all_packets += frames.size();
    if (!measured) continue;
    r.cpu_ns += took_ns;
    r.packets += frames.size();
    for (const Frame& f : frames) r.bytes += f.wire_length;
  }
  r.grown_bytes = resident_bytes() - before;
  if (o.finish) stage->finish();
  r.transactions = stage->transactions();
  r.check = stage->check();
  return r;
}

void print(const Options& o, const Result& r, std::int64_t wall_ns) {
  const double packets = static_cast<double>(r.packets);
  const double ns = static_cast<double>(r.cpu_ns) / packets;
  fmt::print(
      "{{\"stage\": \"{}\", \"traffic\": \"{}\", \"seed\": {}, \"connections\": {}, \"flows\": {}, "
      "\"threads\": {}, \"packets\": {}, \"all_packets\": {}, \"bytes_per_packet\": {:.1f}, "
      "\"ns_per_packet\": {:.3f}, \"cycles_per_packet\": {:.2f}, \"wall_ns\": {}, "
      "\"grown_bytes\": {}, \"transactions\": {}, \"check\": {}}}\n",
      o.stage, o.traffic.kind, o.traffic.seed, o.traffic.connections, o.traffic.flows, o.threads,
      r.packets, r.all_packets, static_cast<double>(r.bytes) / packets, ns, ns * tsc_per_ns(),
      wall_ns, r.grown_bytes, r.transactions, r.check);
}

void stay_on(unsigned cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  if (pthread_setaffinity_np(pthread_self(), sizeof only, &only) != 0) {
    fmt::print(stderr, "workerbench: there is no CPU {} to run on\n", cpu);
    std::exit(1);
  }
}

/// One worker per thread, each with traffic of its own: they share nothing.
void run_all(const Options& o) {
  if (o.threads == 1) {
    if (!o.cpus.empty()) stay_on(o.cpus[0]);
    Feed feed(o.traffic, o.preload);
    const std::int64_t from_ns = clock_ns(CLOCK_MONOTONIC);
    const Result r = run(o, feed, nullptr);
    print(o, r, clock_ns(CLOCK_MONOTONIC) - from_ns);
    return;
  }
  std::barrier together(static_cast<std::ptrdiff_t>(o.threads) + 1);
  std::vector<Result> results(o.threads);
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < o.threads; ++i) {
    threads.emplace_back([&, i] {
      if (!o.cpus.empty()) stay_on(o.cpus[i % o.cpus.size()]);
      TrafficOptions traffic = o.traffic;
      traffic.seed += i;
      Feed feed(traffic, true);
      results[i] = run(o, feed, &together);
    });
  }
  together.arrive_and_wait();
  const std::int64_t from_ns = clock_ns(CLOCK_MONOTONIC);
  threads.clear();  // joins
  const std::int64_t wall_ns = clock_ns(CLOCK_MONOTONIC) - from_ns;
  Result sum;
  for (const Result& r : results) {
    sum.packets += r.packets, sum.bytes += r.bytes, sum.all_packets += r.all_packets;
    sum.cpu_ns += r.cpu_ns, sum.transactions += r.transactions, sum.check += r.check;
  }
  print(o, sum, wall_ns);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("One stage of the data path on generated frames in memory; prints JSON.");
  app.add_option("--stage", o.stage,
                 "touch, decode, find, tcp, worker, live, dataset or ring (stages.hpp)")
      ->capture_default_str();
  app.add_option("--traffic", o.traffic.kind, "mix, flows or flood (trafficgen --help)")
      ->capture_default_str();
  app.add_option("--seed", o.traffic.seed)->capture_default_str();
  app.add_option("--connections", o.traffic.connections, "mix")->capture_default_str();
  app.add_option("--flows", o.traffic.flows,
                 "flows: alive at once; their openings and first segments are not measured")
      ->capture_default_str();
  app.add_option("--packets", o.traffic.packets,
                 "flows: data segments; flood: SYNs, measured once the table is full")
      ->capture_default_str();
  app.add_option("--table", o.table, "tcp.connections; 0 = room for all flows, or 262144");
  app.add_option("--threads", o.threads, "workers side by side, each with traffic of its own");
  app.add_option("--cpus", o.cpus, "of the threads, in turn: 0,1,2 ...; without it they may move")
      ->delimiter(',');
  app.add_flag("--preload", o.preload, "make all frames before the first is processed");
  app.add_flag("--finish", o.finish, "emit what is unfinished at the end (not timed)");
  CLI11_PARSE(app, argc, argv);
  o.traffic.before_flood = o.table != 0 ? o.table : kUsualTable;
  try {
    run_all(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "workerbench: {}\n", e.what());
    return 1;
  }
  return 0;
}
