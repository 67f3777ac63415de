// A DPDK port as a source of frames: a NIC bound to vfio-pci, a TAP, an af_packet socket on a
// kernel interface. One Rx queue per worker where the port keeps both directions of a flow on one
// queue; otherwise one queue, whose frames the caller spreads with the software dispatcher.
//
//   control thread: Port::open() ... stats(), calibrate() about once a second ... destructor
//   one lcore per queue: n = receive(queue, frames); process(first n); release(queue);
//
// This header shows no DPDK type: only ingest/dpdk and app may include rte_*.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// What keeps the two directions of a flow on one queue.
enum class Sharding : std::uint8_t {
  rss,     ///< the NIC's hash, with a key that makes it symmetric
  kernel,  ///< the Linux kernel's symmetric flow hash (TAP queues, af_packet fanout)
  none,    ///< nothing: the port was opened with one queue
};
[[nodiscard]] std::string_view name(Sharding sharding);

/// Where the time of a frame comes from.
enum class TimeSource : std::uint8_t {
  nic,      ///< the NIC's clock, calibrated against the wall clock
  capture,  ///< net_pcap: the time in the file, in the driver's unit: see DpdkCapture
  burst,    ///< the wall clock, read once per burst: frames of one burst have the same time
};
[[nodiscard]] std::string_view name(TimeSource source);

struct PortOptions {
  /// A device ("0000:3b:00.0", "net_tap0,iface=wirelag0", "net_af_packet0,iface=eth1"), or the name
  /// or number of a port that the EAL arguments have already created.
  std::string device;
  std::uint16_t queues = 1;          ///< wanted; PortInfo::queues is what it became
  std::uint8_t index = 0;            ///< Frame::port
  std::uint16_t descriptors = 1024;  ///< per Rx queue
  std::uint16_t mtu = 1900;          ///< of the mirrored frames; above 1900 for jumbo frames
  LinkType link = LinkType::ethernet;
  /// Leave net_pcap's stamps in the driver's unit: the caller knows the file's own times.
  bool raw_stamps = false;
};

struct PortInfo {
  std::string name;          ///< DPDK's name of the port
  std::string driver;        ///< "net_ixgbe", "net_tap" ...
  std::uint16_t queues = 1;  ///< to be polled, each by exactly one thread
  Sharding sharding = Sharding::none;
  std::string sharding_note;  ///< why, for the log
  TimeSource time = TimeSource::burst;
  bool promiscuous = false;
  bool link_up = false;
  std::uint32_t link_mbps = 0;  ///< 0 = unknown
};

/// Counted by the port since it was opened. The last three never reached wirelag: named drops.
struct PortStats {
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t missed = 0;   ///< the Rx queue was full: the worker did not keep up
  std::uint64_t no_mbuf = 0;  ///< no packet buffer was free
  std::uint64_t errors = 0;   ///< damaged on the link (CRC, length)
};

class Port {
 public:
  /// Frames of one receive() at most.
  static constexpr std::size_t kBurst = 32;

  /// Opens and starts the port. EAL must be running. Fails with a sentence that names the device.
  static Result<Port> open(const PortOptions& options);
  Port(Port&&) noexcept;
  Port& operator=(Port&&) noexcept;
  /// Stops and closes it. No thread may be in receive() any more.
  ~Port();

  [[nodiscard]] const PortInfo& info() const;

  /// Up to min(kBurst, out.size()) frames, 0 = none now. Valid until release(queue) or the next
  /// receive(queue). A queue is polled by one thread; queues share nothing.
  std::size_t receive(std::uint16_t queue, std::span<Frame> out);
  void release(std::uint16_t queue);

  /// Control thread, at any time.
  [[nodiscard]] PortStats stats() const;
  /// Control thread: keeps the NIC's clock and the wall clock together; does nothing for a port
  /// without a clock.
  void calibrate();

 private:
  struct State;
  explicit Port(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
