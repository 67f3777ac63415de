#include "capture_header.hpp"

#include <wirelag/base/cursor.hpp>

#include "ordered_cursor.hpp"

namespace wirelag {
namespace {

constexpr std::uint32_t kPcapMicro = 0xa1b2c3d4;
constexpr std::uint32_t kPcapNano = 0xa1b23c4d;
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;  // the same in both byte orders
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kTimeResolution = 9;  // if_tsresol

/// 10^-n seconds, or 2^-n when the high bit is set.
bool finer_than_microseconds(std::uint8_t resolution) {
  return (resolution & 0x80) != 0 ? (resolution & 0x7f) > 20 : resolution > 6;
}

bool interface_has_nanoseconds(Bytes body, bool swapped) {
  OrderedCursor in(body, swapped);
  in.skip(8);  // link type, reserved, snaplen
  while (in.ok()) {
    const std::uint16_t code = in.u16();
    const std::uint16_t length = in.u16();
    const Bytes value = in.bytes((length + 3U) & ~3U);
    if (code == kEndOfOptions) break;
    if (code == kTimeResolution && !value.empty()) return finer_than_microseconds(value[0]);
  }
  return false;  // without the option: microseconds
}

/// Walks over the blocks to the first interface description.
bool pcapng_has_nanoseconds(Bytes head) {
  ByteCursor start(head);
  start.skip(8);
  OrderedCursor in(head, start.u32() != kByteOrder);
  while (in.ok()) {
    const std::uint32_t type = in.u32();
    const std::uint32_t length = in.u32();
    if (length < 12) break;
    const Bytes body = in.bytes(length - 12);
    in.skip(4);  // length again
    if (type == kInterface) return interface_has_nanoseconds(body, in.swapped());
  }
  return false;
}

}  // namespace

CaptureHeader look_at_header(Bytes head) {
  ByteCursor in(head);
  const std::uint32_t magic = in.u32();
  if (!in.ok()) return {};
  if (magic == kSectionHeader) return {"pcapng", pcapng_has_nanoseconds(head), {}};
  if (magic == kPcapMicro || magic == __builtin_bswap32(kPcapMicro)) return {"pcap", false, {}};
  if (magic == kPcapNano || magic == __builtin_bswap32(kPcapNano)) return {"pcap", true, {}};
  if (magic >> 16 == 0x1f8b) return {{}, false, "gzip"};
  if (magic == 0x28b52ffd) return {{}, false, "zstd"};
  if (magic == 0xfd377a58) return {{}, false, "xz"};
  return {};
}

}  // namespace wirelag
