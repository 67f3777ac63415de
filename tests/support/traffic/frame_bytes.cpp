#include "frame_bytes.hpp"

namespace wirelag::traffic {
namespace {

/// Sum of big-endian 16-bit words, kept in the byte order of the machine (RFC 1071 section 2).
[[nodiscard]] std::uint64_t sum_of(const std::uint8_t* at, std::size_t n) {
  std::uint64_t sum = 0;
  for (; n >= 4; at += 4, n -= 4) {
    std::uint32_t word;
    std::memcpy(&word, at, 4);
    sum += word;
  }
  std::uint8_t rest[4] = {};
  std::memcpy(rest, at, n);
  std::uint32_t word;
  std::memcpy(&word, rest, 4);
  return sum + word;
}

[[nodiscard]] std::uint16_t folded(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::size_t FrameBytes::put_options(const TcpSegment& segment) {
  std::uint8_t* at = options_;
  if (segment.mss != 0) {
    *at++ = 2, *at++ = 4, put16(at, segment.mss), at += 2;
  }
  if (segment.sack_permitted) *at++ = 1, *at++ = 1, *at++ = 4, *at++ = 2;
  if (segment.timestamps) {
    *at++ = 1, *at++ = 1, *at++ = 8, *at++ = 10;
    put32(at, segment.tsval), put32(at + 4, segment.tsecr), at += 8;
  }
  if (segment.window_scale >= 0) {
    *at++ = 1, *at++ = 3, *at++ = 3, *at++ = static_cast<std::uint8_t>(segment.window_scale);
  }
  if (segment.sack) {
    *at++ = 1, *at++ = 1, *at++ = 5, *at++ = 10;
    put32(at, segment.sack_begin), put32(at + 4, segment.sack_end), at += 8;
  }
  return static_cast<std::size_t>(at - options_);
}

std::uint8_t* FrameBytes::begin(const Endpoint& src, const Endpoint& dst, std::uint8_t protocol,
                                std::size_t length) {
  static constexpr std::uint8_t kMacs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  std::memcpy(frame_, kMacs, 12);
  v4_ = src.ip.is_v4();
  put16(frame_ + 12, v4_ ? 0x0800 : 0x86dd);
  std::uint8_t* ip = frame_ + 14;
  if (!v4_) {
    put32(ip, 0x60000000), put16(ip + 4, static_cast<std::uint16_t>(length));
    ip[6] = protocol, ip[7] = 60;
    std::memcpy(ip + 8, src.ip.bytes.data(), 16), std::memcpy(ip + 24, dst.ip.bytes.data(), 16);
    return ip + 40;
  }
  put32(ip, 0x45000000 | static_cast<std::uint32_t>(20 + length));
  put16(ip + 4, ++ip_id_), put16(ip + 6, 0x4000);  // don't fragment
  ip[8] = 60, ip[9] = protocol, ip[10] = ip[11] = 0;
  std::memcpy(ip + 12, &src.ip.bytes[12], 4), std::memcpy(ip + 16, &dst.ip.bytes[12], 4);
  const std::uint16_t checksum = folded(sum_of(ip, 20));
  std::memcpy(ip + 10, &checksum, 2);
  return ip + 20;
}

Bytes FrameBytes::end(std::uint8_t* transport, std::size_t checksum_at, std::uint8_t protocol,
                      std::size_t length) {
  const std::size_t addresses = v4_ ? 8 : 32;  // before the transport header in both families
  const std::uint64_t pseudo = sum_of(transport - addresses, addresses) +
                               __builtin_bswap32(static_cast<std::uint32_t>(length)) +
                               __builtin_bswap32(protocol);
  std::uint16_t checksum = folded(pseudo + sum_of(transport, length));
  if (protocol == 17 && checksum == 0) checksum = 0xffff;  // RFC 768
  std::memcpy(transport + checksum_at, &checksum, 2);
  return {frame_, static_cast<std::size_t>(transport - frame_) + length};
}

}  // namespace wirelag::traffic
