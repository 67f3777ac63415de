#include "live.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <sched.h>
#include <thread>

#include <fmt/format.h>

#include <wirelag/ingest/dpdk/eal.hpp>
#include <wirelag/serve/summary_log.hpp>

#include "clock.hpp"
#include "live_link.hpp"
#include "live_report.hpp"
#include "marks_file.hpp"
#include "output.hpp"
#include "service_names.hpp"
#include "stop.hpp"

namespace wirelag::app {
namespace {

constexpr auto kIdleSleep = std::chrono::milliseconds(1);
/// How long the lcores may take to answer before a line or a report goes out without them.
constexpr auto kAnswerWithin = std::chrono::seconds(2);
constexpr auto kCalibrateEvery = std::chrono::seconds(1);

void say(const std::string& sentence) { fmt::print(stderr, "wirelag: {}\n", sentence); }

// -------------------------------------------------------------------------------------- start

/// Whoever sends frames must not know where the tables put them.
[[nodiscard]] Config with_secret_hashes(Config config) {
  std::random_device random;
  config.worker.seed_hashes(std::uint64_t{random()} << 32 | random());
  return config;
}

/// One lcore for control, one per worker, one for the dispatcher.
[[nodiscard]] std::size_t lcores_wanted(const Config& config) {
  return 1 + config.appliance.workers + (config.appliance.workers > 1 ? 1 : 0);
}

/// CPUs this process may use. Asked before the EAL starts, which binds the main lcore to its own.
[[nodiscard]] std::size_t cpus() {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0
             ? static_cast<std::size_t>(CPU_COUNT(&allowed))
             : 1;
}

[[nodiscard]] std::vector<std::string> eal_arguments(const Config& config,
                                                     const std::vector<std::string>& more) {
  std::vector<std::string> arguments =
      desk_eal_arguments(lcores_wanted(config), config.eal.memory_mb);
  if (config.eal.hugepages) {
    std::erase_if(arguments, [](const std::string& a) {
      return a == "--no-huge" || a == "--no-shconf" || a == "--no-pci";
    });
  }
  arguments.insert(arguments.end(), config.eal.args.begin(), config.eal.args.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  const bool no_huge =
      std::find(arguments.begin(), arguments.end(), "--no-huge") != arguments.end();
  if (config.eal.hugepages && !no_huge) arguments.push_back("--in-memory");
  const auto chooses_cores = [](const std::string& a) {
    return a.starts_with("-l") || a.starts_with("-c") || a.starts_with("--lcores");
  };
  const auto ours = std::find(arguments.begin(), arguments.end(), "--lcores");
  if (std::any_of(ours + 2, arguments.end(), chooses_cores)) arguments.erase(ours, ours + 2);
  return arguments;
}

[[nodiscard]] Result<std::vector<Port>> open_ports(const Config& config) {
  std::vector<Port> ports;
  for (const PortConfig& wanted : config.ports) {
    PortOptions options;
    options.device = wanted.device;
    options.index = static_cast<std::uint8_t>(ports.size());
    options.link = wanted.link;
    if (wanted.sharding != ShardingPolicy::dispatcher) {
      options.queues = static_cast<std::uint16_t>(config.appliance.workers);
    }
    Result<Port> port = Port::open(options);
    if (!port) return port.take_error();
    if (wanted.sharding == ShardingPolicy::rss && config.appliance.workers > 1 &&
        port->info().sharding != Sharding::rss) {
      return Error{
          fmt::format("port '{}' cannot shard symmetrically by RSS ({}): set sharding = \"auto\"",
                      wanted.name, port->info().sharding_note)};
    }
    ports.push_back(std::move(*port));
  }
  return ports;
}

/// A link that spans several ports needs the same hash on all of them; only RSS with our key gives
/// that.
[[nodiscard]] std::vector<bool> decide_sharding(const Config& config,
                                                const std::vector<Port>& ports) {
  std::vector<bool> sharded;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const PortInfo& info = ports[i].info();
    const bool alone = ports.size() == 1;
    const bool by_port =
        config.ports[i].sharding != ShardingPolicy::dispatcher &&
        info.queues == config.appliance.workers &&
        (info.sharding == Sharding::rss || (alone && info.sharding == Sharding::kernel));
    sharded.push_back(config.appliance.workers == 1 || by_port);
  }
  return sharded;
}

[[nodiscard]] std::string why_dispatched(const PortConfig& config, const PortInfo& info,
                                         std::size_t ports) {
  if (config.sharding == ShardingPolicy::dispatcher) return "as configured";
  if (ports > 1 && info.sharding == Sharding::kernel) {
    return "the kernel spreads the flows of each port differently";
  }
  return info.sharding_note;
}

void announce(const Config& config, const std::vector<Port>& ports,
              const std::vector<bool>& sharded) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const PortInfo& info = ports[i].info();
    const std::string how = config.appliance.workers == 1 ? "one worker"
                            : sharded[i]
                                ? fmt::format("one queue per worker ({})", name(info.sharding))
                                : fmt::format("software dispatcher ({})",
                                              why_dispatched(config.ports[i], info, ports.size()));
    say(fmt::format("port {} is {} ({}): {} queue(s), {}; frame times: {}", config.ports[i].name,
                    info.name, info.driver, info.queues, how, name(info.time)));
  }
}

[[nodiscard]] Result<SummaryLog> open_log(const Config& config) {
  const bool json_apart = !config.log.path_json.empty();
  std::optional<LogFile> text, json;
  if (config.log.format != LogFormat::json) {
    Result<LogFile> file = LogFile::open(config.log.summary);
    if (!file) return file.take_error();
    text = std::move(*file);
  }
  if (config.log.format != LogFormat::text) {
    Result<LogFile> file = LogFile::open(json_apart ? config.log.path_json : config.log.summary);
    if (!file) return file.take_error();
    json = std::move(*file);
  }
  return SummaryLog(std::move(text), std::move(json));
}

// -------------------------------------------------------------------------------- control core

class ControlCore {
 public:
  ControlCore(const Config& config, std::vector<std::string> names, std::vector<Port>& ports,
              WorkerGroup& group, LiveLink& link, SummaryLog& log)
      : config_(config),
        ports_(ports),
        group_(group),
        link_(link),
        log_(log),
        options_{config.appliance.name, std::move(names), config.log.max_lines},
        data_(config.report.max_transactions) {}

  void run_until_stopped();
  /// After LiveLink::stop(): drains to the end, writes the last summary and the last report.
  Status finish();

 private:
  using Clock = std::chrono::steady_clock;

  void turn();
  void end_interval();
  void write_interval(TimeNs now);
  void answer_report_request();
  [[nodiscard]] Status write_report(TimeNs now);
  [[nodiscard]] ExtraNumbers totals() const;

  const Config& config_;
  std::vector<Port>& ports_;
  WorkerGroup& group_;
  LiveLink& link_;
  SummaryLog& log_;
  SummaryLogOptions options_;
  LiveDataset data_;
  MergedSummary interval_;
  MergedSummary total_;
  Clock::time_point calibrate_at_ = Clock::now() + kCalibrateEvery;
};

void ControlCore::turn() {
  if (group_.drain(data_) == 0) std::this_thread::sleep_for(kIdleSleep);
  link_.collect(interval_);
  if (Clock::now() >= calibrate_at_) {
    for (Port& port : ports_) port.calibrate();
    calibrate_at_ += kCalibrateEvery;
  }
}

void ControlCore::run_until_stopped() {
  const auto interval = std::chrono::nanoseconds(config_.appliance.interval_ns);
  auto next = Clock::now() + interval;
  while (!stop_requested()) {
    turn();
    if (Clock::now() >= next) {
      end_interval();
      // After a pause of the machine the missed intervals are not made up for.
      next += interval;
      if (next < Clock::now()) next = Clock::now() + interval;
    }
    if (take_reopen_request()) log_.reopen();
    if (take_report_request()) answer_report_request();
  }
}

void ControlCore::end_interval() {
  const TimeNs now = wall_clock_ns();
  link_.end_interval(now);
  const auto until = Clock::now() + kAnswerWithin;
  for (std::size_t taken = 0; taken < link_.summarisers() && Clock::now() < until;) {
    taken += link_.collect(interval_);
    if (group_.drain(data_) == 0) std::this_thread::sleep_for(kIdleSleep);
  }
  write_interval(now);
}

void ControlCore::write_interval(TimeNs now) {
  log_.write(summary_lines(interval_, now, options_, totals()));
  total_.merge(interval_);
  interval_ = MergedSummary();
}

/// Since the start: how evenly the workers are loaded and, by port, what never reached wirelag.
ExtraNumbers ControlCore::totals() const {
  ExtraNumbers numbers;
  if (group_.size() > 1) {
    std::vector<std::uint64_t> frames;
    for (std::size_t i = 0; i < group_.size(); ++i) frames.push_back(link_.frames_of(i));
    const auto [least, most] = std::minmax_element(frames.begin(), frames.end());
    numbers.emplace_back("worker_frames_min_total", *least);
    numbers.emplace_back("worker_frames_max_total", *most);
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const PortStats stats = ports_[i].stats();
    const std::string prefix = config_.ports[i].name;
    numbers.emplace_back(prefix + "_rx_missed_total", stats.missed);
    numbers.emplace_back(prefix + "_rx_no_mbuf_total", stats.no_mbuf);
    numbers.emplace_back(prefix + "_rx_errors_total", stats.errors);
  }
  return numbers;
}

void ControlCore::answer_report_request() {
  end_interval();
  link_.request_snapshot();
  const auto until = Clock::now() + kAnswerWithin;
  while (!link_.snapshot_done() && Clock::now() < until) turn();
  group_.drain_waiting(data_);
  if (Status s = write_report(wall_clock_ns()); !s) say(s.error());
}

Status ControlCore::write_report(TimeNs now) {
  CaptureBlock capture;
  for (const PortConfig& port : config_.ports) {
    if (!capture.name.empty()) capture.name += ", ";
    capture.name += port.name;
    capture.link_types.emplace_back(name(port.link));
  }
  capture.format = "live";
  if (auto marks = all_marks(config_); marks) {
    capture.marks = std::move(marks.value());
  } else {
    capture.marks = config_.report.marks;
    say(marks.error() + "; the report goes without the marks of that file");
  }
  capture.packets = total_.accounting.received;
  capture.first_time_ns = total_.start_time_ns;
  capture.last_time_ns = total_.end_time_ns;
  capture.client_share = config_.sampling.client_share;
  capture.transactions_dropped = data_.dropped();
  for (const Port& port : ports_) {
    const PortStats stats = port.stats();
    capture.port_drops += stats.missed + stats.no_mbuf;
  }
  const Report report = build_report(std::move(capture), total_.accounting, total_.counters,
                                     data_.take_view(), config_.thresholds, options_.service_names);
  log_.write(finding_lines(report.advice.findings, now, options_));
  Result<std::string> written = write_live_report(report, config_, now);
  if (!written) return written.take_error();
  if (!written->empty()) say(fmt::format("report written: {}", *written));
  return Done{};
}

Status ControlCore::finish() {
  data_.stopping();
  while (!group_.all_done()) turn();
  while (group_.drain(data_) > 0) {
  }
  link_.collect(interval_);
  const TimeNs now = wall_clock_ns();
  write_interval(now);
  return write_report(now);
}

[[nodiscard]] Status launch(Eal& eal, WorkerGroup& group, LiveLink& link) {
  const std::vector<unsigned>& lcores = eal.worker_lcores();
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (Status s = eal.launch(lcores[i], [&link, i] { link.run_worker(i); }); !s) return s;
  }
  if (link.needs_dispatcher()) {
    return eal.launch(lcores[group.size()], [&link] { link.run_dispatcher(); });
  }
  group.dispatcher().close();
  return Done{};
}

}  // namespace

int run_live(const Config& config, const std::vector<std::string>& more_eal_arguments) {
  auto signatures = Signatures::compile(config.services);
  if (!signatures) return fail(signatures.error());
  Result<SummaryLog> log = open_log(config);
  if (!log) return fail(log.error());
  if (Status s = check_report_directory(config); !s) return fail(s.error());
  catch_stop_signals();
  catch_live_signals();

  const bool own_cpus = cpus() >= lcores_wanted(config);
  Result<Eal> eal = Eal::start(eal_arguments(config, more_eal_arguments));
  if (!eal) return fail(eal.error());
  Result<std::vector<Port>> ports = open_ports(config);
  if (!ports) return fail(ports.error());
  WorkerGroup group(config.appliance.workers, with_secret_hashes(config), *signatures,
                    WorkerGroup::Mode::live);
  const std::vector<bool> sharded = decide_sharding(config, *ports);
  LiveLink link(group, *ports, sharded, own_cpus, config);
  const std::vector<unsigned>& lcores = eal->worker_lcores();
  const std::size_t needed = group.size() + (link.needs_dispatcher() ? 1 : 0);
  if (lcores.size() < needed) {
    return fail(fmt::format(
        "{} worker(s) need {} lcores beside the main one, the EAL has {}: give more with -l or "
        "lower appliance.workers",
        group.size(), needed, lcores.size()));
  }
  announce(config, *ports, sharded);

  ControlCore control(config, service_names(**signatures), *ports, group, link, *log);
  if (Status s = launch(*eal, group, link); !s) {
    link.stop();
    group.dispatcher().close();
    eal->wait();
    return fail(s.error());
  }
  say(fmt::format("{} is listening with {} worker(s); SIGUSR1 writes a report, SIGINT stops",
                  config.appliance.name, group.size()));
  control.run_until_stopped();
  link.stop();
  const Status finished = control.finish();
  eal->wait();
  if (!finished) return fail(finished.error());
  return 0;
}

}  // namespace wirelag::app
