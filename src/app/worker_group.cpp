#include "worker_group.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace wirelag::app {
namespace {

/// Bursts between two ticks: housekeeping is bounded and need not be prompt.
constexpr unsigned kBurstsPerTick = 256;
constexpr std::size_t kTransactionsPerTurn = 1024;

[[nodiscard]] WhenFull policy(WorkerGroup::Mode mode) {
  return mode == WorkerGroup::Mode::live ? WhenFull::drop : WhenFull::wait;
}

}  // namespace

WorkerGroup::Member::Member(std::uint16_t index, const Config& config,
                            const std::shared_ptr<const Signatures>& signatures, Mode mode)
    : frames(config.rings.frame_bytes),
      transactions(config.rings.transaction_bytes),
      writer(transactions, policy(mode), ring_counters),
      sampler(mode == Mode::live ? config.sampling.client_share : 1.0, writer),
      reader(transactions),
      worker(std::make_unique<Worker>(index, config.worker, signatures, sampler,
                                      mode == Mode::live)) {}

WorkerGroup::WorkerGroup(std::size_t workers, const Config& config,
                         std::shared_ptr<const Signatures> signatures, Mode mode) {
  std::vector<SpscRing*> frame_rings;
  for (std::size_t i = 0; i < workers; ++i) {
    members_.push_back(
        std::make_unique<Member>(static_cast<std::uint16_t>(i), config, signatures, mode));
    frame_rings.push_back(&members_.back()->frames);
  }
  dispatcher_ = std::make_unique<Dispatcher>(config.worker.decode, frame_rings, policy(mode));
  for (auto& m : members_) {
    m->frame_reader = std::make_unique<FrameReader>(m->frames, dispatcher_->closed());
  }
}

std::size_t WorkerGroup::process_ring(std::size_t i) {
  Member& m = *members_[i];
  std::array<Frame, Worker::kBurst> frames;
  const std::size_t n = m.frame_reader->read(frames);
  if (n == 0) return 0;
  m.worker->process({frames.data(), n});
  m.frame_reader->release();
  return n;
}

void WorkerGroup::run_until_closed(std::size_t i) {
  process_until_closed(i);
  finish(i);
  set_done(i);
}

void WorkerGroup::process_until_closed(std::size_t i) {
  Member& m = *members_[i];
  unsigned bursts = 0;
  while (!m.frame_reader->finished()) {
    if (process_ring(i) == 0) {
      std::this_thread::yield();
    } else if (++bursts % kBurstsPerTick == 0) {
      m.worker->tick_replay();
    }
  }
}

void WorkerGroup::finish(std::size_t i) {
  members_[i]->writer.wait_when_full();
  members_[i]->worker->finish(dispatcher_->now());
  count_shed(i);
}

void WorkerGroup::count_shed(std::size_t i) {
  Member& m = *members_[i];
  m.worker->count_shed(m.ring_counters.of(Counter::transactions_shed));
  m.ring_counters = {};
}

void WorkerGroup::set_done(std::size_t i) {
  members_[i]->done.store(true, std::memory_order_release);
}

bool WorkerGroup::snapshot(std::size_t i) {
  Member& m = *members_[i];
  if (m.transactions.used_bytes() > m.transactions.capacity_bytes() / 2) return false;
  m.snapshot_at = m.worker->snapshot(m.sampler, m.snapshot_at);
  return m.snapshot_at == 0;
}

std::size_t WorkerGroup::drain(TransactionSink& into) {
  std::size_t drained = 0;
  for (auto& m : members_) drained += m->reader.drain(into, kTransactionsPerTurn);
  return drained;
}

void WorkerGroup::drain_waiting(TransactionSink& into) {
  std::size_t waiting_bytes = 0;
  for (const auto& m : members_)
    waiting_bytes = std::max(waiting_bytes, m->transactions.used_bytes());
  // No record is smaller than this.
  const std::size_t turns = waiting_bytes / (sizeof(TlsHandshake) * kTransactionsPerTurn) + 1;
  for (std::size_t i = 0; i < turns && drain(into) > 0; ++i) {
  }
}

bool WorkerGroup::all_done() const {
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& m) { return m->done.load(std::memory_order_acquire); });
}

void WorkerGroup::drain_until_done(TransactionSink& into) {
  for (;;) {
    // Asked before draining: what a worker emitted before it was done is then drained below.
    const bool done = all_done();
    if (drain(into) > 0) continue;
    if (done) return;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

Accounting WorkerGroup::accounting() const {
  Accounting sum = dispatcher_->accounting();
  for (const auto& m : members_) sum.merge(m->worker->accounting());
  return sum;
}

Counters WorkerGroup::counters() const {
  Counters sum = dispatcher_->counters();
  for (const auto& m : members_) sum.merge(m->worker->counters());
  return sum;
}

}  // namespace wirelag::app
