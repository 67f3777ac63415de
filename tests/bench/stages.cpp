#include "stages.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

#include <wirelag/base/pool.hpp>
#include <wirelag/base/prefetch.hpp>
#include <wirelag/base/spsc_ring.hpp>
#include <wirelag/control/dataset.hpp>
#include <wirelag/dispatch/dispatcher.hpp>
#include <wirelag/flow/index.hpp>
#include <wirelag/flow/key.hpp>
#include <wirelag/ingest/bursts.hpp>
#include <wirelag/track/tcp/tracker.hpp>

namespace wirelag::bench {

// What scripts/instructions counts: functions of their own, whatever is optimised across files, and left by
// a return, not by a jump.

[[gnu::noinline]] void counted_process(Worker& worker, std::span<const Frame> frames) {
  worker.process(frames);
  asm volatile("");
}
[[gnu::noinline]] void counted_finish(Worker& worker) {
  worker.finish();
  asm volatile("");
}

namespace {

constexpr std::size_t kBurst = Worker::kBurst;
// As the program's loops have them.
constexpr unsigned kBurstsPerTick = 256;
constexpr std::size_t kFramesPerRead = 256;  ///< of a replay

class Discard : public TransactionSink {
 public:
  void emit(TransactionRef) override { ++count; }
  std::uint64_t count = 0;
};

class Touch : public Stage {
 public:
  void process(std::span<const Frame> frames) override {
    for (const Frame& f : frames) sum_ += f.bytes[0] + f.bytes[f.bytes.size() > 60 ? 60 : 0];
  }
  [[nodiscard]] std::uint64_t check() const override { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

class Decode : public Stage {
 public:
  explicit Decode(const Config& config) : decoder_(config.worker.decode, counters_) {}
  void process(std::span<const Frame> frames) override {
    for_each_burst(frames, kBurst, [this](std::span<const Frame> burst) {
      for (const Frame& f : burst) {
        if (decoder_.decode(f, packet_) == NotAnalysed::none) sum_ += packet_.flow_hash;
      }
    });
  }
  [[nodiscard]] std::uint64_t check() const override { return sum_; }

 private:
  Counters counters_;
  Decoder decoder_;
  Packet packet_;
  std::uint64_t sum_ = 0;
};

/// What is left of the flow table when nothing is tracked.
class Find : public Stage {
 public:
  explicit Find(const Config& config)
      : decoder_(config.worker.decode, counters_),
        index_(config.worker.tcp.connections),
        records_(config.worker.tcp.connections) {}
  void process(std::span<const Frame> frames) override {
    for_each_burst(frames, kBurst, [this](std::span<const Frame> burst) { find(burst); });
  }
  [[nodiscard]] std::uint64_t check() const override { return found_; }

 private:
  struct alignas(64) Line {
    std::uint64_t packets = 0;
  };
  struct Record {
    FlowKey key;
    std::array<Line, 6> lines;
  };
  void find(std::span<const Frame> burst) {
    std::size_t ready = 0;
    for (const Frame& f : burst) {
      if (decoder_.decode(f, packets_[ready]) != NotAnalysed::none) continue;
      index_.prefetch(packets_[ready++].flow_hash);
    }
    const std::span<const Packet> decoded(packets_.data(), ready);
    for (const Packet& p : decoded) {
      const std::uint32_t i = index_.candidate(p.flow_hash);
      if (i == FlowIndex::kNone) continue;
      for (const Line& line : records_[i].lines) prefetch_line(&line);
    }
    for (const Packet& p : decoded) count(p);
  }
  void count(const Packet& p) {
    std::uint32_t i = index_.find(
        p.flow_hash, [&](std::uint32_t r) { return records_[r].key.joins(p.src, p.dst); });
    if (i == FlowIndex::kNone) {
      i = records_.take();
      if (i == FlowIndex::kNone || index_.in_the_way(p.flow_hash) != FlowIndex::kNone) return;
      records_[i].key = FlowKey::of(p.src, p.dst);
      index_.insert(p.flow_hash, i);
    }
    for (Line& line : records_[i].lines) ++line.packets;
    ++found_;
  }

  Counters counters_;
  Decoder decoder_;
  FlowIndex index_;
  Pool<Record> records_;
  std::array<Packet, kBurst> packets_;
  std::uint64_t found_ = 0;
};

class Tcp : public Stage {
 public:
  explicit Tcp(const Config& config)
      : classifier_(Signatures::compile({}).value()),
        decoder_(config.worker.decode, counters_),
        tcp_(config.worker.tcp, 0, classifier_, {}, sink_, nullptr, counters_) {}
  void process(std::span<const Frame> frames) override {
    for_each_burst(frames, kBurst, [this](std::span<const Frame> burst) { track(burst); });
  }
  void finish() override { tcp_.finish(); }
  [[nodiscard]] std::uint64_t transactions() const override { return sink_.count; }
  [[nodiscard]] std::uint64_t check() const override { return tracked_; }

 private:
  void track(std::span<const Frame> burst) {
    std::size_t ready = 0;
    for (const Frame& f : burst) {
      if (decoder_.decode(f, packets_[ready]) != NotAnalysed::none) continue;
      tcp_.prefetch_slot(packets_[ready++]);
    }
    std::array<TcpTracker::Candidate, kBurst> flows;
    for (std::size_t i = 0; i < ready; ++i) flows[i] = tcp_.prefetch_flow(packets_[i]);
    for (std::size_t i = 0; i < ready; ++i) tcp_.prefetch_stream(flows[i], packets_[i]);
    for (std::size_t i = 0; i < ready; ++i) {
      if (packets_[i].transport != Transport::tcp) continue;
      if (tcp_.on_segment(packets_[i], flows[i]) == NotAnalysed::none) ++tracked_;
    }
    if (++bursts_ % kBurstsPerTick == 0 && ready > 0) tcp_.tick(packets_[ready - 1].time_ns);
  }

  Counters counters_;
  Classifier classifier_;
  Discard sink_;
  Decoder decoder_;
  TcpTracker tcp_;
  std::array<Packet, kBurst> packets_;
  unsigned bursts_ = 0;
  std::uint64_t tracked_ = 0;
};

template <class Sink, bool kLive>
class Whole : public Stage {
 public:
  explicit Whole(const Config& config)
      : worker_(0, config.worker, Signatures::compile(config.services).value(), sink_, kLive) {}
  void process(std::span<const Frame> frames) override {
    while (!frames.empty()) {
      const std::size_t n = std::min(frames.size(), kLive ? kBurst : kFramesPerRead);
      counted_process(worker_, frames.first(n));
      frames = frames.subspan(n);
      frames_since_tick_ += n;
      if (frames_since_tick_ < kBurstsPerTick * kBurst) continue;
      frames_since_tick_ = 0;
      worker_.tick(worker_.now());
    }
  }
  void finish() override { counted_finish(worker_); }
  [[nodiscard]] std::uint64_t transactions() const override {
    if constexpr (requires { sink_.count; }) return sink_.count;
    return 0;
  }
  [[nodiscard]] std::uint64_t check() const override { return worker_.accounting().analysed; }

 private:
  Sink sink_;
  Worker worker_;
  std::size_t frames_since_tick_ = 0;
};

class Ring : public Stage {
 public:
  explicit Ring(const Config& config)
      : ring_(config.rings.frame_bytes),
        dispatcher_(config.worker.decode, std::array{&ring_}, WhenFull::wait),
        reader_(ring_, dispatcher_.closed()) {}
  void process(std::span<const Frame> frames) override {
    while (!frames.empty()) {
      const std::size_t n = std::min(frames.size(), kBurst);
      dispatcher_.dispatch(frames.first(n));
      frames = frames.subspan(n);
      std::array<Frame, kBurst> out;
      for (std::size_t got; (got = reader_.read(out)) > 0; reader_.release()) {
        for (std::size_t i = 0; i < got; ++i) sum_ += out[i].bytes[0];
      }
    }
  }
  [[nodiscard]] std::uint64_t check() const override { return sum_; }

 private:
  SpscRing ring_;
  Dispatcher dispatcher_;
  FrameReader reader_;
  std::uint64_t sum_ = 0;
};

}  // namespace

std::unique_ptr<Stage> make_stage(const std::string& name, const Config& config) {
  if (name == "touch") return std::make_unique<Touch>();
  if (name == "decode") return std::make_unique<Decode>(config);
  if (name == "find") return std::make_unique<Find>(config);
  if (name == "tcp") return std::make_unique<Tcp>(config);
  if (name == "worker") return std::make_unique<Whole<Discard, false>>(config);
  if (name == "live") return std::make_unique<Whole<Discard, true>>(config);
  if (name == "dataset") return std::make_unique<Whole<Dataset, false>>(config);
  if (name == "ring") return std::make_unique<Ring>(config);
  throw std::runtime_error("no such stage: " + name);
}

}  // namespace wirelag::bench
