// 802.11 (IEEE 802.11 section 9.2), and what capture programs put before it.
//
//   frame  control, duration, 3 addresses, sequence control; a fourth address between access points;
//          QoS control; HT control; then LLC
//
// Only whole, unencrypted data frames are taken apart. Control and management frames carry no IP.
#include "walk.hpp"

namespace wirelag::decode {
/// `padded`: the driver has rounded the header up to 4 bytes.
NotAnalysed Walk::ieee802_11(bool padded, Content content) {
  constexpr std::uint8_t kVersion = 0x03, kType = 0x0c, kData = 0x08, kNoData = 0x40, kQos = 0x80;
  constexpr std::uint8_t kBetweenAccessPoints = 0x03, kMoreFragments = 0x04, kProtected = 0x40,
                         kOrder = 0x80;
  constexpr std::uint8_t kFragmentNumber = 0x0f, kAggregate = 0x80;
  struct {
    std::uint8_t control;
    std::uint8_t flags;
    std::uint8_t duration[2];
    std::uint8_t addresses[18];
    std::uint8_t sequence[2];
  } header;
  static_assert(sizeof header == 24);
  if (!content.has(2)) return NotAnalysed::link_truncated;
  if ((content.data[0] & kVersion) != 0) return NotAnalysed::link_malformed;
  if ((content.data[0] & kType) != kData || (content.data[0] & kNoData) != 0) {
    return NotAnalysed::not_ip;
  }
  if (!content.read(header)) return NotAnalysed::link_truncated;
  std::uint32_t header_bytes = sizeof header;
  if ((header.flags & kBetweenAccessPoints) == kBetweenAccessPoints) {
    if (!content.skip(6)) return NotAnalysed::link_truncated;
    header_bytes += 6;
  }
  std::uint8_t qos = 0;
  if ((header.control & kQos) != 0) {
    const std::uint32_t more = (header.flags & kOrder) != 0 ? 6 : 2;
    if (!content.peek(qos) || !content.skip(more)) return NotAnalysed::link_truncated;
    header_bytes += more;
  }
  if (padded && !content.skip((4 - header_bytes % 4) % 4)) return NotAnalysed::link_truncated;
  if ((header.flags & kProtected) != 0) return NotAnalysed::link_encrypted;
  if ((header.flags & kMoreFragments) != 0 || (header.sequence[0] & kFragmentNumber) != 0 ||
      (qos & kAggregate) != 0) {
    return NotAnalysed::link_aggregated;
  }
  return llc(content);
}

/// radiotap.org: version, length, a bit for each field that is there. Of the fields only the flags
/// matter: they tell about padding.
NotAnalysed Walk::ieee802_11_radiotap(Content content) {
  constexpr std::uint32_t kHeader = 8, kTimestamp = 0x01, kFlags = 0x02, kMoreBits = 0x8000'0000;
  constexpr std::uint8_t kPadded = 0x20;
  if (!content.has(kHeader)) return NotAnalysed::link_truncated;
  const std::uint32_t length = le16(content.data + 2), fields = le32(content.data + 4);
  if (content.data[0] != 0 || length < kHeader) return NotAnalysed::link_malformed;
  if (!content.has(length)) return NotAnalysed::link_truncated;
  std::uint32_t at = kHeader;
  for (std::uint32_t bits = fields; (bits & kMoreBits) != 0; at += 4) {
    if (at + 4 > length) return NotAnalysed::link_malformed;
    bits = le32(content.data + at);
  }
  if ((fields & kTimestamp) != 0) at = ((at + 7) & ~7U) + 8;
  const bool padded = (fields & kFlags) != 0 && at < length && (content.data[at] & kPadded) != 0;
  content.skip(length);
  return ieee802_11(padded, content);
}

/// Prism: message code and length in the byte order of the capturing host. Some drivers write an AVS
/// header under this link type.
NotAnalysed Walk::ieee802_11_prism(Content content) {
  constexpr std::uint32_t kHeader = 8, kAvs = 0x80211000, kAvsVersion = 0xfffff000;
  constexpr std::uint32_t kLargest = 4096;
  be32 code;
  if (!content.peek(code) || !content.has(kHeader)) return NotAnalysed::link_truncated;
  if ((code.host() & kAvsVersion) == kAvs) return ieee802_11_avs(content);
  const std::uint32_t little = le32(content.data + 4);
  const std::uint32_t length = little <= kLargest ? little : __builtin_bswap32(little);
  if (length < kHeader) return NotAnalysed::link_malformed;
  return content.skip(length) ? ieee802_11(false, content) : NotAnalysed::link_truncated;
}

/// AVS: version and length, big-endian.
NotAnalysed Walk::ieee802_11_avs(Content content) {
  struct {
    be32 version;
    be32 length;
  } header;
  if (!content.peek(header)) return NotAnalysed::link_truncated;
  if (header.length.host() < sizeof header) return NotAnalysed::link_malformed;
  return content.skip(header.length.host()) ? ieee802_11(false, content)
                                            : NotAnalysed::link_truncated;
}

}  // namespace wirelag::decode
