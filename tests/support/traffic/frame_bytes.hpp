// Writes Ethernet frames with IPv4 or IPv6 and TCP or UDP into a buffer, checksums included
// (RFC 1071). Every frame of the generator goes through here.
#pragma once

#include <cstring>
#include <span>

#include <wirelag/base/ip.hpp>

namespace wirelag::traffic {

/// Longest frame: 14 + 40 + 60 + 1460 and a margin.
inline constexpr std::size_t kMaxFrame = 2048;

struct TcpSegment {
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  std::uint16_t mss = 0;  ///< 0 = no option
  int window_scale = -1;  ///< -1 = no option
  bool sack_permitted = false;
  bool timestamps = false;
  std::uint32_t tsval = 0;
  std::uint32_t tsecr = 0;
  bool sack = false;  ///< one block
  std::uint32_t sack_begin = 0;
  std::uint32_t sack_end = 0;
};

class FrameBytes {
 public:
  /// Both endpoints of one family. `payload` is called with where the payload goes.
  template <class Payload>
  Bytes tcp(const Endpoint& src, const Endpoint& dst, const TcpSegment& segment,
            std::size_t payload_length, Payload&& payload) {
    const std::size_t options = put_options(segment);
    const std::size_t length = 20 + options + payload_length;
    std::uint8_t* at = begin(src, dst, 6, length);
    put16(at, src.port), put16(at + 2, dst.port), put32(at + 4, segment.seq);
    put32(at + 8, segment.ack);
    at[12] = static_cast<std::uint8_t>((5 + options / 4) << 4), at[13] = segment.flags;
    put16(at + 14, segment.window), put32(at + 16, 0);
    std::memcpy(at + 20, options_, options);
    payload(std::span(at + 20 + options, payload_length));
    return end(at, 16, 6, length);
  }
  template <class Payload>
  Bytes udp(const Endpoint& src, const Endpoint& dst, std::size_t payload_length,
            Payload&& payload) {
    const std::size_t length = 8 + payload_length;
    std::uint8_t* at = begin(src, dst, 17, length);
    put16(at, src.port), put16(at + 2, dst.port);
    put16(at + 4, static_cast<std::uint16_t>(length)), put16(at + 6, 0);
    payload(std::span(at + 8, payload_length));
    return end(at, 6, 17, length);
  }

 private:
  static void put16(std::uint8_t* at, std::uint16_t v) {
    const std::uint16_t big = __builtin_bswap16(v);
    std::memcpy(at, &big, 2);
  }
  static void put32(std::uint8_t* at, std::uint32_t v) {
    const std::uint32_t big = __builtin_bswap32(v);
    std::memcpy(at, &big, 4);
  }
  std::size_t put_options(const TcpSegment& segment);
  std::uint8_t* begin(const Endpoint& src, const Endpoint& dst, std::uint8_t protocol,
                      std::size_t length);
  Bytes end(std::uint8_t* transport, std::size_t checksum_at, std::uint8_t protocol,
            std::size_t length);

  std::uint16_t ip_id_ = 0;
  bool v4_ = true;
  std::uint8_t options_[60];
  std::uint8_t frame_[kMaxFrame];
};

}  // namespace wirelag::traffic
