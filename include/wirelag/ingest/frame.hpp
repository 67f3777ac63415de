// A frame as every source hands it on: a live port, the net_pcap driver, a capture file and a test
// differ only in who fills this in.
//
// Lifetime: `bytes` is a view that dies when the process(span<const Frame>) call it was passed to
// returns. Nothing downstream may keep it.
#pragma once

#include <cstdint>

#include <wirelag/base/types.hpp>
#include <wirelag/ingest/link_type.hpp>

namespace wirelag {

struct Frame {
  Bytes bytes;                    ///< captured bytes
  std::uint32_t wire_length = 0;  ///< length on the wire; >= bytes.size() when snaplen cut it
  std::uint32_t rss_hash = 0;     ///< the port's hash, 0 = none
  TimeNs time_ns = 0;             ///< capture time; `untimed`: that of the frame before
  FrameNumber number = 0;         ///< replay: 1-based; live: 0
  LinkType link = LinkType::ethernet;
  std::uint8_t port = 0;    ///< index of the port in the configuration
  bool untimed = false;     ///< the file gives it no time
  bool dispatched = false;  ///< came through the dispatcher, whose decoder counted it
};

}  // namespace wirelag
