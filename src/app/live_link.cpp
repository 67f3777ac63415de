#include "live_link.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include <wirelag/dispatch/shardable.hpp>

#include "clock.hpp"

namespace wirelag::app {
namespace {

constexpr unsigned kTurnsPerTick = 256;
/// Ports whose bursts are put in order together.
constexpr std::size_t kPortsAtOnce = 4;
/// After so many turns without a frame a core rests.
constexpr unsigned kIdleTurnsBeforeRest = 64;
/// How long, where lcores share CPUs. Who slept is woken at once when the time is over; who only
/// yielded waits for its next time slice, and the frames that come meanwhile all get the time of
/// its end.
constexpr auto kRest = std::chrono::microseconds(50);
/// After a stop: empty polls until the queues count as drained, and polls at most, for a link that
/// never pauses.
constexpr int kEmptyPolls = 3;
constexpr int kLastPolls = 4096;

template <class Poll>
void drain_queues(Poll&& poll) {
  for (int polls = 0, empty = 0; polls < kLastPolls && empty < kEmptyPolls; ++polls) {
    empty = poll() == 0 ? empty + 1 : 0;
  }
}

}  // namespace

LiveLink::LiveLink(WorkerGroup& group, std::vector<Port>& ports, std::vector<bool> sharded,
                   bool own_cpus, const Config& config)
    : group_(group),
      ports_(ports),
      sharded_(std::move(sharded)),
      own_cpus_(own_cpus),
      dispatcher_summary_({0, 0}, group.dispatcher().accounting(), group.dispatcher().counters(),
                          no_transactions_, 0),
      frames_(group.size()) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    cores_.push_back(std::make_unique<WorkerCore>(config.rings.frame_bytes));
    WorkerCore& core = *cores_.back();
    handover_readers_.emplace_back(core.handover, core.handover_closed);
  }
}

// ------------------------------------------------------------------------------- worker lcore

void LiveLink::run_worker(std::size_t i) {
  while (!orders_.stop.load(std::memory_order_acquire)) {
    const std::size_t frames = poll_queues(i) + group_.process_ring(i);
    keep_house(i, frames == 0);
  }
  drain_queues([&] { return poll_queues(i); });
  cores_[i]->handover_closed.store(true, std::memory_order_release);
  if (needs_dispatcher()) group_.process_until_closed(i);
  group_.finish(i);
  Summariser& summariser = group_.worker(i).summariser();
  while (!summariser.publish(link_time_ns(i))) std::this_thread::yield();
  group_.set_done(i);
}

/// One burst of every port. A TAP splits a link over two ports: what came in between is put in order
/// by its time, as well as the ports' clocks tell it.
std::size_t LiveLink::poll_queues(std::size_t i) {
  std::array<Frame, kPortsAtOnce * Port::kBurst> frames;
  std::array<std::span<const Frame>, kPortsAtOnce> bursts;
  const auto queue = static_cast<std::uint16_t>(i);
  std::size_t received = 0;
  for (std::size_t first = 0; first < ports_.size(); first += kPortsAtOnce) {
    const std::size_t end = std::min(first + kPortsAtOnce, ports_.size());
    std::size_t n = 0;
    for (std::size_t p = first; p < end; ++p) {
      bursts[p - first] = {};
      if (!sharded_[p] || i >= ports_[p].info().queues) continue;
      const std::span<Frame> room = std::span(frames).subspan(n, Port::kBurst);
      bursts[p - first] = room.first(ports_[p].receive(queue, room));
      n += bursts[p - first].size();
    }
    if (n > 0) take_in_order(i, std::span(bursts).first(end - first));
    for (std::size_t p = first; p < end; ++p) {
      if (!bursts[p - first].empty()) ports_[p].release(queue);
    }
    received += n;
  }
  return received;
}

void LiveLink::take_in_order(std::size_t i, std::span<std::span<const Frame>> bursts) {
  std::span<const Frame>* only = nullptr;
  std::size_t busy = 0;
  for (auto& burst : bursts) {
    if (burst.empty()) continue;
    only = &burst;
    ++busy;
  }
  if (busy == 1) return take(i, *only);
  std::array<Frame, kPortsAtOnce * Port::kBurst> ordered;
  std::array<std::size_t, kPortsAtOnce> at{};
  std::size_t n = 0;
  for (;;) {
    std::size_t next = bursts.size();
    for (std::size_t p = 0; p < bursts.size(); ++p) {
      if (at[p] == bursts[p].size()) continue;
      if (next == bursts.size() || bursts[p][at[p]].time_ns < bursts[next][at[next]].time_ns) {
        next = p;
      }
    }
    if (next == bursts.size()) break;
    ordered[n++] = bursts[next][at[next]++];
  }
  take(i, {ordered.data(), n});
}

/// Processes what is this worker's and hands the rest over, in runs that keep the order.
void LiveLink::take(std::size_t i, std::span<const Frame> frames) {
  Worker& worker = group_.worker(i);
  if (!needs_dispatcher()) {
    worker.process(frames);
    return;
  }
  std::size_t begin = 0;
  for (std::size_t at = 0; at < frames.size(); ++at) {
    if (port_could_shard(frames[at])) continue;
    worker.process(frames.subspan(begin, at - begin));
    begin = at + 1;
    if (!write_frame(cores_[i]->handover, frames[at], WhenFull::drop)) worker.count_ring_full();
  }
  worker.process(frames.subspan(begin));
}

void LiveLink::keep_house(std::size_t i, bool idle) {
  WorkerCore& core = *cores_[i];
  Worker& worker = group_.worker(i);
  if (const TimeNs end = orders_.interval_end_ns.load(std::memory_order_acquire);
      end != core.interval_end_ns) {
    group_.count_shed(i);
    if (worker.summariser().publish(link_time_ns(i))) core.interval_end_ns = end;
  }
  if (const std::uint32_t wanted = orders_.snapshots.load(std::memory_order_relaxed);
      wanted != core.snapshots.load(std::memory_order_relaxed) && group_.snapshot(i)) {
    core.snapshots.store(wanted, std::memory_order_release);
  }
  if (++core.turns % kTurnsPerTick == 0) worker.tick(link_time_ns(i));
  rest_when_idle(idle, core.idle_turns);
}

/// Worker lcore: the time of the link. Frames bring it; while none come it goes on with the steady
/// clock, so that a step of the wall clock ends no connection.
TimeNs LiveLink::link_time_ns(std::size_t i) {
  WorkerCore& core = *cores_[i];
  const TimeNs latest = group_.worker(i).now();
  const std::int64_t steady = steady_clock_ns();
  if (!known(latest)) return wall_clock_ns();
  if (latest != core.latest_frame_ns) {
    core.latest_frame_ns = latest;
    core.latest_steady_ns = steady;
  }
  return latest + (steady - core.latest_steady_ns);
}

void LiveLink::rest_when_idle(bool idle, unsigned& idle_turns) const {
  idle_turns = idle ? idle_turns + 1 : 0;
  if (idle_turns <= kIdleTurnsBeforeRest) return;
  if (own_cpus_) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(kRest);
  }
}

// --------------------------------------------------------------------------- dispatcher lcore

void LiveLink::run_dispatcher() {
  Dispatcher& dispatcher = group_.dispatcher();
  TimeNs published = kUnknownNs;
  unsigned idle_turns = 0;
  while (!orders_.stop.load(std::memory_order_acquire)) {
    const std::size_t frames = poll_unsharded() + poll_handovers();
    if (const TimeNs end = orders_.interval_end_ns.load(std::memory_order_acquire);
        end != published && dispatcher_summary_.publish(end)) {
      published = end;
    }
    rest_when_idle(frames == 0, idle_turns);
  }
  drain_queues([&] { return poll_unsharded(); });
  for (FrameReader& reader : handover_readers_) {
    while (!reader.finished()) {
      if (poll_handovers() == 0) std::this_thread::yield();
    }
  }
  // Before the workers can be done: the control core then collects the last summaries.
  while (!dispatcher_summary_.publish(wall_clock_ns())) std::this_thread::yield();
  dispatcher.close();
}

std::size_t LiveLink::poll_unsharded() {
  std::array<Frame, Port::kBurst> frames;
  std::size_t received = 0;
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    if (sharded_[p]) continue;
    for (std::uint16_t queue = 0; queue < ports_[p].info().queues; ++queue) {
      const std::size_t n = ports_[p].receive(queue, frames);
      if (n == 0) continue;
      group_.dispatcher().dispatch({frames.data(), n});
      ports_[p].release(queue);
      received += n;
    }
  }
  return received;
}

std::size_t LiveLink::poll_handovers() {
  std::array<Frame, Worker::kBurst> frames;
  std::size_t received = 0;
  for (FrameReader& reader : handover_readers_) {
    const std::size_t n = reader.read(frames);
    if (n == 0) continue;
    group_.dispatcher().dispatch({frames.data(), n});
    reader.release();
    received += n;
  }
  return received;
}

// ------------------------------------------------------------------------------- control core

std::size_t LiveLink::collect(MergedSummary& into) {
  std::size_t taken = 0;
  const auto take_from = [&](Summariser& summariser) -> std::uint64_t {
    const Summariser::Taken summary = summariser.take();
    if (!summary) return 0;
    into.merge(*summary);
    ++taken;
    return summary->accounting.received;
  };
  for (std::size_t i = 0; i < group_.size(); ++i) {
    frames_[i] += take_from(group_.worker(i).summariser());
  }
  take_from(dispatcher_summary_);
  return taken;
}

bool LiveLink::snapshot_done() const {
  const std::uint32_t wanted = orders_.snapshots.load(std::memory_order_relaxed);
  for (const auto& core : cores_) {
    if (core->snapshots.load(std::memory_order_acquire) != wanted) return false;
  }
  return true;
}

}  // namespace wirelag::app
