// A record in a ring is the Frame itself, its view pointing nowhere, followed by the captured
// bytes.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include <wirelag/dispatch/dispatcher.hpp>
#include <wirelag/ingest/bursts.hpp>

namespace wirelag {
namespace {

static_assert(std::is_trivially_copyable_v<Frame>);

/// So many headers are asked for before the first is looked at.
constexpr std::size_t kBurst = 32;

/// Multiply and shift: uses the high bits of the hash, so that a worker's own tables can index with
/// the low ones.
std::size_t ring_of(std::uint32_t flow_hash, std::size_t rings) {
  return static_cast<std::size_t>(std::uint64_t{flow_hash} * rings >> 32);
}

std::size_t largest_frame(const SpscRing& ring) { return ring.largest_record() - sizeof(Frame); }

}  // namespace

Dispatcher::Dispatcher(const DecodeLimits& limits, std::span<SpscRing* const> rings,
                       WhenFull policy)
    : rings_(rings.begin(), rings.end()), policy_(policy), decoder_(limits, counters_) {}

void Dispatcher::dispatch(std::span<const Frame> frames) {
  for_each_burst(frames, kBurst, [this](std::span<const Frame> burst) {
    for (const Frame& frame : burst) dispatch(frame);
  });
}

void Dispatcher::dispatch(const Frame& frame) {
  now_ = std::max(now_, frame.time_ns);
  Packet packet;
  const NotAnalysed reason = decoder_.decode(frame, packet);
  accounting_.datagram_completed(decoder_.fragments_completed());
  if (reason != NotAnalysed::none) {
    accounting_.count(reason);
    return;
  }
  const Frame rebuilt = decoder_.rebuilt();
  pass_on(rebuilt.bytes.empty() ? frame : rebuilt, packet.flow_hash);
}

void Dispatcher::pass_on(const Frame& frame, std::uint32_t flow_hash) {
  SpscRing& ring = *rings_[ring_of(flow_hash, rings_.size())];
  const bool cut = frame.bytes.size() > largest_frame(ring);
  if (cut && frame.wire_length <= frame.bytes.size()) counters_.add(Counter::snaplen_cut);
  Frame record = frame;
  record.dispatched = true;
  if (!write_frame(ring, record, policy_)) accounting_.count(NotAnalysed::ring_full);
}

bool write_frame(SpscRing& ring, const Frame& frame, WhenFull policy) {
  const std::size_t length = std::min(frame.bytes.size(), largest_frame(ring));
  std::uint8_t* room = ring.reserve(sizeof(Frame) + length, policy);
  if (room == nullptr) return false;
  Frame record = frame;
  record.bytes = {};
  std::memcpy(room, &record, sizeof record);
  if (length > 0) std::memcpy(room + sizeof record, frame.bytes.data(), length);
  ring.commit();
  return true;
}

void Dispatcher::close() { closed_.store(true, std::memory_order_release); }

std::size_t FrameReader::read(std::span<Frame> out) {
  std::size_t count = 0;
  while (count < out.size()) {
    const Bytes record = ring_.next();
    if (record.empty()) break;
    Frame& frame = out[count++];
    std::memcpy(&frame, record.data(), sizeof frame);
    frame.bytes = record.subspan(sizeof frame);
  }
  return count;
}

bool FrameReader::finished() const {
  // In this order: what was committed before close() is then seen by used_bytes().
  return closed_.load(std::memory_order_acquire) && ring_.used_bytes() == 0;
}

}  // namespace wirelag
