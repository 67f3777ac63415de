// What a file's first bytes say that libpcap does not: whether it is pcap or pcapng, the resolution
// of its time stamps, and a better word than "unknown file format" for files that only need
// unpacking.
//
// Sources: draft-ietf-opsawg-pcap sections 4 and 5; draft-ietf-opsawg-pcapng sections 4.1 and 4.2.
#pragma once

#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag {

struct CaptureHeader {
  std::string_view format;     ///< "pcap", "pcapng"; empty: libpcap may know it all the same
  bool nanoseconds = false;    ///< time stamps finer than a microsecond (pcapng: first interface)
  std::string_view packed_by;  ///< "gzip", "zstd", "xz": the capture is inside a compressed file
};

/// Any bytes, of any length.
[[nodiscard]] CaptureHeader look_at_header(Bytes head);

}  // namespace wirelag
