// Writes a capture file: pcap with nanoseconds, Ethernet, whole frames.
#pragma once

#include <cstdio>
#include <string>

#include "sources.hpp"

namespace wirelag::traffic {

struct Written {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
};

/// Everything that `source` has. Throws std::runtime_error when the file cannot be written.
Written write_pcap(Source& source, const std::string& path);

}  // namespace wirelag::traffic
