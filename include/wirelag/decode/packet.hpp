// What the decoder makes of a frame: the innermost addresses that carry a transport header, the
// transport header, and the payload. Plain values and views into the frame (or into the decoder's
// rebuilt datagram); they die with the frame's process() call.
#pragma once

#include <cstdint>

#include <wirelag/base/ip.hpp>
#include <wirelag/base/types.hpp>
#include <wirelag/decode/accounting.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

enum class Transport : std::uint8_t { none, tcp, udp };

/// TCP flags, RFC 9293 section 3.1.
namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10,
                              urg = 0x20, ece = 0x40, cwr = 0x80;
}

struct TcpHeader {
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint16_t window = 0;  ///< unscaled
  std::uint8_t flags = 0;    ///< tcp_flag
  Bytes options;             ///< raw, as far as captured

  [[nodiscard]] bool has(std::uint8_t all_of) const { return (flags & all_of) == all_of; }
};

struct Packet {
  TimeNs time_ns = 0;           ///< of the frame (fragments: of the frame that completes)
  FrameNumber number = 0;       ///< likewise
  std::uint32_t flow_hash = 0;  ///< symmetric: both directions of a flow have the same
  std::uint32_t payload_length =
      0;  ///< transport payload bytes by the IP header: not cut by snaplen
  Endpoint src;
  Endpoint dst;
  Bytes payload;            ///< its captured part, shorter than payload_length when cut
  TcpHeader tcp;            ///< when transport == tcp
  std::uint16_t ip_id = 0;  ///< Identification of the IPv4 header (RFC 791); IPv6: 0
  Transport transport = Transport::none;
  std::uint8_t ip_version = 0;
  std::uint8_t tunnels = 0;  ///< how many tunnels were taken off
  bool snaplen_cut = false;  ///< the frame was captured shorter than it was on the wire
  bool untimed = false;      ///< time_ns is that of the frame before (Frame::untimed)

  /// What durations are measured with; time_ns is good for timeouts and order.
  [[nodiscard]] TimeNs measured_ns() const { return untimed ? kUnknownNs : time_ns; }
};

/// Symmetric hash over addresses, ports and protocol; equal for a flow's two directions. What a
/// Decoder with DecodeLimits::hash_seed `seed` writes into its packets.
[[nodiscard]] std::uint32_t flow_hash(const Endpoint& a, const Endpoint& b, Transport transport,
                                      std::uint64_t seed = 0);

}  // namespace wirelag
