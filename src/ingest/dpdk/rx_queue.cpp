#include "rx_queue.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>
#include <rte_prefetch.h>

namespace wirelag {
namespace {

/// Longer frames go on as if a snaplen had cut them. The buffer's pages are only touched when used.
constexpr std::size_t kLongestFrame = 256 * 1024;

TimeNs wall_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

/// net_pcap stamps in microseconds (DPDK 22.11) or nanoseconds (later). Between them lie the years
/// 1973 and 5138: whatever is smaller is microseconds.
TimeNs capture_time_ns(std::uint64_t stamp) {
  constexpr std::uint64_t kEarliestAsNs = 100'000'000'000'000'000;
  return static_cast<TimeNs>(stamp < kEarliestAsNs ? stamp * kMicrosecondNs : stamp);
}

}  // namespace

RxQueue::RxQueue(const RxContext& context, std::uint16_t queue, bool chained)
    : context_(context), queue_(queue) {
  if (chained) {
    joined_ = std::make_unique_for_overwrite<std::uint8_t[]>(Port::kBurst * kLongestFrame);
  }
}

Bytes RxQueue::contiguous(const rte_mbuf* mbuf, std::size_t slot) {
  const auto* first = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
  if (mbuf->nb_segs == 1 || joined_ == nullptr) return {first, mbuf->data_len};

  std::uint8_t* to = &joined_[slot * kLongestFrame];
  std::size_t length = 0;
  for (const rte_mbuf* part = mbuf; part != nullptr && length < kLongestFrame; part = part->next) {
    const std::size_t n = std::min<std::size_t>(part->data_len, kLongestFrame - length);
    std::memcpy(to + length, rte_pktmbuf_mtod(part, const std::uint8_t*), n);
    length += n;
  }
  return {to, length};
}

std::size_t RxQueue::receive(std::span<Frame> out) {
  release();
  const auto wanted = static_cast<std::uint16_t>(std::min(out.size(), burst_.size()));
  held_ = rte_eth_rx_burst(context_.port_id, queue_, burst_.data(), wanted);
  if (held_ == 0) return 0;

  for (std::size_t i = 0; i < held_; ++i) rte_prefetch0(rte_pktmbuf_mtod(burst_[i], void*));
  const DeviceClock clock =
      context_.time == TimeSource::nic ? context_.clock->read() : DeviceClock{};
  TimeNs burst_time_ns = kUnknownNs;

  for (std::size_t i = 0; i < held_; ++i) {
    const rte_mbuf* mbuf = burst_[i];
    Frame& frame = out[i];
    frame = {};
    frame.bytes = contiguous(mbuf, i);
    frame.wire_length = mbuf->pkt_len;
    frame.rss_hash = (mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0 ? mbuf->hash.rss : 0;
    frame.link = context_.link;
    frame.port = context_.index;
    if (context_.time != TimeSource::burst && (mbuf->ol_flags & context_.timestamp_flag) != 0) {
      const rte_mbuf_timestamp_t stamp =
          *RTE_MBUF_DYNFIELD(mbuf, context_.timestamp_offset, const rte_mbuf_timestamp_t*);
      frame.time_ns = context_.time == TimeSource::nic ? clock.time_ns(stamp)
                      : context_.raw_stamps            ? static_cast<TimeNs>(stamp)
                                                       : capture_time_ns(stamp);
    } else {
      if (!known(burst_time_ns)) burst_time_ns = wall_clock_ns();
      frame.time_ns = burst_time_ns;
    }
  }
  return held_;
}

void RxQueue::release() {
  if (held_ > 0) rte_pktmbuf_free_bulk(burst_.data(), held_);
  held_ = 0;
}

}  // namespace wirelag
