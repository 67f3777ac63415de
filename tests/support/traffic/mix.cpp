#include <algorithm>
#include <utility>

#include "sources.hpp"

namespace wirelag::traffic {
namespace {

/// Stories under way, in a heap by the time of their next packet. A story is written when its time
/// has come and its place is used again after its last packet.
class Mix : public Source {
 public:
  Mix(const MixOptions& options, TruthSink* truth)
      : options_(options),
        truth_(truth),
        arrivals_(options.seed, UINT64_MAX),
        next_start_ns_(options.begin_ns) {
    if (options.syn_flood > 0) {
      FloodOptions f{
          .seed = options.seed, .packets = options.syn_flood, .begin_ns = options.begin_ns};
      f.gap_ns = (options.starts_ns + options.life_ns) / options.syn_flood;
      flood_ = flood(f);
      flooding_ = flood_->next(flood_frame_);
    }
  }

  bool next(TimedFrame& out) override {
    if (leaving_ != kNone) put_back(std::exchange(leaving_, kNone));
    // A story may begin before the packets of those under way, never after them.
    while (started_ < options_.connections &&
           (heap_.empty() || next_start_ns_ <= heap_.front().time_ns)) {
      start_one();
    }
    if (flooding_ && (heap_.empty() || flood_frame_.time_ns <= heap_.front().time_ns)) {
      out = flood_frame_;
      std::copy(out.bytes.begin(), out.bytes.end(), flood_bytes_);
      out.bytes = {flood_bytes_, out.bytes.size()};
      flooding_ = flood_->next(flood_frame_);
      return true;
    }
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    const Waiting top = heap_.back();
    heap_.pop_back();
    out.time_ns = top.time_ns;
    out.bytes = stories_[top.story]->next(frame_);
    leaving_ = top.story;
    return true;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Waiting {
    TimeNs time_ns;
    std::uint32_t number;  ///< settles equal times
    std::uint32_t story;
    bool operator<(const Waiting& o) const {
      return time_ns != o.time_ns ? time_ns > o.time_ns : number > o.number;
    }
  };

  void start_one() {
    std::uint32_t place;
    if (!spare_.empty()) {
      place = spare_.back();
      spare_.pop_back();
    } else {
      place = static_cast<std::uint32_t>(stories_.size());
      stories_.push_back(std::make_unique<Story>());
      numbers_.push_back(0);
    }
    numbers_[place] = started_;
    stories_[place]->write(options_, started_++, next_start_ns_, model_, truth_);
    next_start_ns_ += arrivals_.exponential(options_.starts_ns / options_.connections);
    put_back(place);
  }
  void put_back(std::uint32_t place) {
    if (stories_[place]->done()) {
      spare_.push_back(place);
      return;
    }
    heap_.push_back({stories_[place]->next_ns(), numbers_[place], place});
    std::push_heap(heap_.begin(), heap_.end());
  }

  MixOptions options_;
  TruthSink* truth_;
  Random arrivals_;
  TimeNs next_start_ns_;
  std::uint32_t started_ = 0;
  TcpModel model_;
  FrameBytes frame_;
  std::vector<std::unique_ptr<Story>> stories_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> spare_;
  std::vector<Waiting> heap_;
  std::uint32_t leaving_ = kNone;
  std::unique_ptr<Source> flood_;
  TimedFrame flood_frame_;
  std::uint8_t flood_bytes_[kMaxFrame];
  bool flooding_ = false;
};

class Flood : public Source {
 public:
  explicit Flood(const FloodOptions& options)
      : options_(options), random_(options.seed, 0x53594e) {}

  bool next(TimedFrame& out) override {
    if (sent_ == options_.packets) return false;
    const std::uint64_t source = random_.next();
    const std::uint8_t ip[4] = {static_cast<std::uint8_t>(1 + (source & 0x7f) % 100),
                                static_cast<std::uint8_t>(source >> 8),
                                static_cast<std::uint8_t>(source >> 16),
                                static_cast<std::uint8_t>(source >> 24)};
    // A server that the mix does not use, so that no SYN meets a real connection.
    static constexpr std::uint8_t kTarget[4] = {203, 0, 113, 80};
    const Endpoint src{IpAddress::v4(ip),
                       static_cast<std::uint16_t>(1024 + (source >> 32) % 64'000)};
    TcpSegment syn;
    syn.seq = static_cast<std::uint32_t>(random_.next());
    syn.flags = kSyn, syn.window = 65535, syn.mss = 1460;
    out.time_ns = options_.begin_ns + options_.gap_ns * sent_++;
    out.bytes = frame_.tcp(src, {IpAddress::v4(kTarget), 443}, syn, 0, [](auto) {});
    return true;
  }

 private:
  FloodOptions options_;
  Random random_;
  std::uint32_t sent_ = 0;
  FrameBytes frame_;
};

}  // namespace

std::unique_ptr<Source> mix(const MixOptions& options, TruthSink* truth) {
  return std::make_unique<Mix>(options, truth);
}
std::unique_ptr<Source> flood(const FloodOptions& options) {
  return std::make_unique<Flood>(options);
}

}  // namespace wirelag::traffic
