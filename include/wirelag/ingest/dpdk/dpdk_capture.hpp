// A capture file read through DPDK's own pcap driver (net_pcap): the way tests drive the poll loop,
// the dispatcher and the rings without a NIC. Same contract as CaptureFile, but times are rounded
// to what the driver keeps (microseconds in DPDK 22.11).
//
// The driver knows neither link types nor lengths on the wire nor how a file ends; a CaptureFile
// that is read in step tells all three, so that a bad file is refused with the same sentences.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <wirelag/base/result.hpp>
#include <wirelag/ingest/capture_file.hpp>
#include <wirelag/ingest/dpdk/port.hpp>

namespace wirelag {

/// One thread. EAL must be running.
class DpdkCapture {
 public:
  static Result<DpdkCapture> open(const std::string& path);
  DpdkCapture(DpdkCapture&&) noexcept;
  DpdkCapture& operator=(DpdkCapture&&) noexcept;
  ~DpdkCapture();

  [[nodiscard]] const CaptureInfo& info() const;
  [[nodiscard]] const PortInfo& port() const;

  /// Up to min(Port::kBurst, out.size()) frames, valid until the next read(); 0 = end of the file.
  std::size_t read(std::span<Frame> out);

  /// After the end: why it came early, empty when it was clean.
  [[nodiscard]] const std::string& cut_short() const;
  [[nodiscard]] std::uint64_t position_bytes() const;

 private:
  struct State;
  explicit DpdkCapture(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
