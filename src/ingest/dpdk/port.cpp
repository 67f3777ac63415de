#include <ctime>
#include <deque>

#include <fmt/format.h>
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>

#include <wirelag/ingest/dpdk/port.hpp>

#include "port_setup.hpp"
#include "rx_queue.hpp"

namespace wirelag {
namespace {

constexpr DurationNs kFirstCalibrationNs = 50 * kMillisecondNs;

TimeNs clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

/// False when the driver cannot read the clock its time stamps come from.
bool first_calibration(std::uint16_t port, DeviceClock& clock) {
  std::uint64_t ticks = 0;
  if (rte_eth_read_clock(port, &ticks) != 0) return false;
  clock = DeviceClock(ticks, clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC), 1.0);
  const timespec pause{0, kFirstCalibrationNs};
  nanosleep(&pause, nullptr);
  if (rte_eth_read_clock(port, &ticks) != 0) return false;
  clock.calibrate(ticks, clock_ns(CLOCK_MONOTONIC));
  return true;
}

}  // namespace

std::string_view name(Sharding sharding) {
  switch (sharding) {
    case Sharding::rss: return "rss";
    case Sharding::kernel: return "kernel";
    case Sharding::none: return "none";
  }
  return "unknown";
}

std::string_view name(TimeSource source) {
  switch (source) {
    case TimeSource::nic: return "nic";
    case TimeSource::capture: return "capture";
    case TimeSource::burst: return "burst";
  }
  return "unknown";
}

struct Port::State {
  PortInfo info;
  StartedPort port;
  DeviceClock clock;           ///< control thread's
  SharedClock shared_clock;    ///< control thread writes, lcores read
  std::deque<RxQueue> queues;  ///< each used by one lcore; mbufs go back before the pool dies

  [[nodiscard]] RxContext context(const PortOptions& options);

  ~State() {
    for (RxQueue& queue : queues) queue.release();
  }
};

/// Decides where the time of a frame comes from.
RxContext Port::State::context(const PortOptions& options) {
  RxContext context;
  context.port_id = port.handle->id();
  context.index = options.index;
  context.link = options.link;
  context.raw_stamps = options.raw_stamps;
  context.clock = &shared_clock;
  const bool stamped =
      rte_mbuf_dyn_rx_timestamp_register(&context.timestamp_offset, &context.timestamp_flag) == 0;
  if (stamped && info.driver == "net_pcap") {
    context.time = TimeSource::capture;
  } else if (stamped && port.nic_clock && first_calibration(context.port_id, clock)) {
    shared_clock.publish(clock);
    context.time = TimeSource::nic;
  }
  return context;
}

Result<Port> Port::open(const PortOptions& options) {
  auto state = std::make_unique<State>();
  Result<StartedPort> started = start_port(options, state->info);
  if (!started) return started.take_error();
  state->port = std::move(*started);
  const RxContext context = state->context(options);
  state->info.time = context.time;
  for (std::uint16_t queue = 0; queue < state->info.queues; ++queue) {
    state->queues.emplace_back(context, queue, state->port.chained);
  }
  return Port(std::move(state));
}

Port::Port(std::unique_ptr<State> state) : state_(std::move(state)) {}
Port::Port(Port&&) noexcept = default;
Port& Port::operator=(Port&&) noexcept = default;
Port::~Port() = default;

const PortInfo& Port::info() const { return state_->info; }

std::size_t Port::receive(std::uint16_t queue, std::span<Frame> out) {
  return state_->queues[queue].receive(out);
}

void Port::release(std::uint16_t queue) { state_->queues[queue].release(); }

PortStats Port::stats() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(state_->port.handle->id(), &stats) != 0) return {};
  return {stats.ipackets, stats.ibytes, stats.imissed, stats.rx_nombuf, stats.ierrors};
}

void Port::calibrate() {
  if (state_->info.time != TimeSource::nic) return;
  std::uint64_t ticks = 0;
  if (rte_eth_read_clock(state_->port.handle->id(), &ticks) != 0) return;
  state_->clock.calibrate(ticks, clock_ns(CLOCK_MONOTONIC));
  state_->shared_clock.publish(state_->clock);
}

}  // namespace wirelag
