#include "feed.hpp"

#include <cstring>
#include <new>
#include <stdexcept>
#include <sys/mman.h>

namespace wirelag::bench {
namespace {

/// Until every flow is open and has sent something, or the flood has filled the table.
std::uint64_t unmeasured(const TrafficOptions& o) {
  if (o.kind == "flood") return o.before_flood;
  const traffic::FlowsOptions flows{.flows = o.flows};
  return o.kind == "flows" ? opening_packets(flows) + first_data_packets(flows) : 0;
}

std::unique_ptr<traffic::Source> source_of(const TrafficOptions& o) {
  if (o.kind == "mix") return traffic::mix({.seed = o.seed, .connections = o.connections}, nullptr);
  if (o.kind == "flood") {
    return traffic::flood(
        {.seed = o.seed, .packets = static_cast<std::uint32_t>(o.before_flood + o.packets)});
  }
  if (o.kind != "flows") throw std::runtime_error("no such traffic: " + o.kind);
  // Ten seconds of data, however much it is: no flow falls silent long enough to time out.
  return traffic::flows({.seed = o.seed,
                         .flows = o.flows,
                         .packets = unmeasured(o) + o.packets,
                         .gap_ns = 10 * kSecondNs / static_cast<DurationNs>(o.packets + 1) + 1},
                        nullptr);
}

}  // namespace

Feed::Feed(const TrafficOptions& options, bool preload)
    : source_(source_of(options)), unmeasured_(unmeasured(options)), preload_(preload) {
  if (!preload) return;
  Block block;
  for (bool measured = false; make(block, measured); block = {}) {
    preloaded_.emplace_back(std::move(block), measured);
  }
}

bool Feed::next(std::span<const Frame>& out, bool& measured) {
  if (preload_) {
    if (at_ == preloaded_.size()) return false;
    measured = preloaded_[at_].second;
    out = preloaded_[at_++].first.frames;
    return true;
  }
  const bool more = make(block_, measured);
  out = block_.frames;
  return more;
}

bool Feed::make(Block& block, bool& measured) {
  block.frames.clear();
  made_bytes_.clear();
  measured = made_ >= unmeasured_;
  const std::uint64_t room = measured ? kBlockFrames : unmeasured_ - made_;
  std::vector<std::size_t> begins;
  traffic::TimedFrame timed;
  while (block.frames.size() < std::min<std::uint64_t>(room, kBlockFrames) &&
         source_->next(timed)) {
    Frame frame;
    frame.wire_length = static_cast<std::uint32_t>(timed.bytes.size());
    frame.time_ns = timed.time_ns;
    frame.number = static_cast<FrameNumber>(++made_);
    begins.push_back(made_bytes_.size());
    made_bytes_.insert(made_bytes_.end(), timed.bytes.begin(), timed.bytes.end());
    // Every frame in cache lines of its own, as in the buffers of a port.
    made_bytes_.resize((made_bytes_.size() + 63) & ~std::size_t{63});
    block.frames.push_back(frame);
  }
  store(made_bytes_, block);
  for (std::size_t i = 0; i < begins.size(); ++i) {
    block.frames[i].bytes = {block.bytes.get() + begins[i], block.frames[i].wire_length};
  }
  return !block.frames.empty();
}

void Feed::store(std::span<const std::uint8_t> bytes, Block& block) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  if (bytes.size() > block.capacity) {
    block.capacity = (bytes.size() + kHugePage - 1) & ~(kHugePage - 1);
    block.bytes.reset(static_cast<std::uint8_t*>(std::aligned_alloc(kHugePage, block.capacity)));
    if (block.bytes == nullptr) throw std::bad_alloc();
    (void)madvise(block.bytes.get(), block.capacity, MADV_HUGEPAGE);
  }
  if (!bytes.empty()) std::memcpy(block.bytes.get(), bytes.data(), bytes.size());
}

}  // namespace wirelag::bench
