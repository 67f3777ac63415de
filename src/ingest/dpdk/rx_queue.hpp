// The hot end of a port: one Rx queue, polled by one lcore.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include <rte_mbuf.h>

#include <wirelag/ingest/dpdk/device_clock.hpp>
#include <wirelag/ingest/dpdk/port.hpp>

namespace wirelag {

/// The mapping of a NIC's clock, written by the control thread about once a second and read by the
/// lcores. The writer fills the slot that is not in use; a reader holds one for a burst only.
class SharedClock {
 public:
  void publish(const DeviceClock& clock) {
    const unsigned next = 1 - current_.load(std::memory_order_relaxed);
    slots_[next] = clock;
    current_.store(next, std::memory_order_release);
  }
  [[nodiscard]] DeviceClock read() const {
    return slots_[current_.load(std::memory_order_acquire)];
  }

 private:
  std::array<DeviceClock, 2> slots_;
  std::atomic<unsigned> current_{0};
};

/// What all queues of a port have in common; constant while the port runs.
struct RxContext {
  std::uint16_t port_id = 0;
  std::uint8_t index = 0;  ///< Frame::port
  LinkType link = LinkType::ethernet;
  TimeSource time = TimeSource::burst;
  int timestamp_offset = -1;         ///< of the mbuf's dynamic time stamp field
  std::uint64_t timestamp_flag = 0;  ///< set in ol_flags when the field is valid
  const SharedClock* clock = nullptr;
  bool raw_stamps = false;  ///< PortOptions::raw_stamps
};

class alignas(64) RxQueue {
 public:
  /// `chained`: frames may come in several mbufs and are put together in a buffer of our own.
  RxQueue(const RxContext& context, std::uint16_t queue, bool chained);

  std::size_t receive(std::span<Frame> out);
  void release();

 private:
  Bytes contiguous(const rte_mbuf* mbuf, std::size_t slot);

  RxContext context_;
  std::uint16_t queue_;
  std::uint16_t held_ = 0;
  std::array<rte_mbuf*, Port::kBurst> burst_{};
  std::unique_ptr<std::uint8_t[]> joined_;  ///< kBurst slots of kLongestFrame bytes
};

}  // namespace wirelag
