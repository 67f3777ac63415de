// Link types of other media than Ethernet, and headers that only capture programs put before a frame.
// Sources: tcpdump.org "Link-layer header types"; the RFC or standard named at each function.
#include <wirelag/ingest/link_type.hpp>

#include "walk.hpp"

namespace wirelag::decode {
NotAnalysed Walk::after(std::uint32_t header_bytes, LinkType type, Content content) {
  return content.skip(header_bytes) ? link(type, content) : NotAnalysed::link_truncated;
}

/// What follows a header that names it by number. Such headers do not nest.
NotAnalysed Walk::inner_link(std::uint32_t number, Content content) {
  const LinkType type = link_type_of(number);
  const bool nests = type == LinkType::ppi || type == LinkType::pktap;
  return nests ? NotAnalysed::link_malformed : link(type, content);
}

/// Cisco HDLC: address, control and an EtherType; but 0x8035 is its keepalive.
NotAnalysed Walk::c_hdlc(Content content) {
  constexpr std::uint16_t kKeepalive = 0x8035, kOsi = 0xfefe;
  struct {
    std::uint8_t address;
    std::uint8_t control;
    be16 protocol;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  const std::uint16_t protocol = header.protocol.host();
  if (protocol == kKeepalive || protocol == kOsi) return NotAnalysed::not_ip;
  return ethertype(protocol, content);
}

/// RFC 2427, and Cisco's older encapsulation: an EtherType behind the address.
NotAnalysed Walk::frame_relay(Content content) {
  constexpr std::uint8_t kLastOfAddress = 0x01, kUnnumbered = 0x03, kPadding = 0x00;
  constexpr std::uint8_t kIpv4 = 0xcc, kIpv6 = 0x8e, kPpp = 0xcf, kSnap = 0x80;
  std::uint8_t byte = 0;
  std::uint32_t address = 0;
  do {
    if (address++ == 4) return NotAnalysed::link_malformed;
    if (!content.read(byte)) return NotAnalysed::link_truncated;
  } while ((byte & kLastOfAddress) == 0);
  if (!content.peek(byte)) return NotAnalysed::link_truncated;
  if (byte != kUnnumbered) {
    be16 type;
    return content.read(type) ? ethertype(type.host(), content) : NotAnalysed::link_truncated;
  }
  do {
    content.skip(1);
    if (!content.peek(byte)) return NotAnalysed::link_truncated;
  } while (byte == kPadding);
  content.skip(1);
  switch (byte) {
    case kIpv4: return ipv4(content);
    case kIpv6: return ipv6(content);
    case kPpp: return ppp(content);
    case kSnap: return snap(content);
    default: return NotAnalysed::not_ip;
  }
}

/// IEEE 802.5: access and frame control, addresses, source routes, then LLC.
NotAnalysed Walk::token_ring(Content content) {
  constexpr std::uint8_t kFrameType = 0xc0, kLlc = 0x40, kSourceRouted = 0x80, kRouteLength = 0x1f;
  struct {
    std::uint8_t access;
    std::uint8_t control;
    std::uint8_t dst[6];
    std::uint8_t src[6];
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  if ((header.control & kFrameType) != kLlc) return NotAnalysed::not_ip;
  if ((header.src[0] & kSourceRouted) != 0) {
    std::uint8_t route = 0;
    if (!content.peek(route)) return NotAnalysed::link_truncated;
    if ((route & kRouteLength) < 2) return NotAnalysed::link_malformed;
    if (!content.skip(route & kRouteLength)) return NotAnalysed::link_truncated;
  }
  return llc(content);
}

/// ISO 9314: frame control, addresses, then LLC.
NotAnalysed Walk::fddi(Content content) {
  constexpr std::uint8_t kFormat = 0xf0, kLlcAsynchronous = 0x50, kLlcSynchronous = 0xd0;
  std::uint8_t control = 0;
  if (!content.read(control)) return NotAnalysed::link_truncated;
  if ((control & kFormat) != kLlcAsynchronous && (control & kFormat) != kLlcSynchronous) {
    return NotAnalysed::not_ip;
  }
  return content.skip(12) ? llc(content) : NotAnalysed::link_truncated;
}

/// RFC 1201 (split flag and sequence number) and RFC 1051 (neither).
NotAnalysed Walk::arcnet(std::uint32_t addresses, Content content) {
  constexpr std::uint8_t kOldIp = 0xf0, kOldArp = 0xf1, kIp = 0xd4, kArp = 0xd5, kRarp = 0xd6,
                         kIpv6 = 0xc4;
  constexpr std::uint8_t kWhole = 0, kException = 0xff;
  std::uint8_t type = 0;
  if (!content.skip(addresses) || !content.read(type)) return NotAnalysed::link_truncated;
  switch (type) {
    case kOldIp: return ipv4(content);
    case kOldArp:
    case kArp:
    case kRarp: return NotAnalysed::arp;
    case kIp:
    case kIpv6: break;
    default: return NotAnalysed::not_ip;
  }
  std::uint8_t split = 0;
  if (!content.read(split)) return NotAnalysed::link_truncated;
  if (split == kException) {  // padding of a length that the medium cannot carry, then the header
    if (!content.skip(3) || !content.read(split)) return NotAnalysed::link_truncated;
  }
  if (split != kWhole) return NotAnalysed::link_aggregated;
  if (!content.skip(2)) return NotAnalysed::link_truncated;
  return type == kIpv6 ? ipv6(content) : ipv4(content);
}

/// SunATM: traffic type, virtual path and circuit.
NotAnalysed Walk::sunatm(Content content) {
  constexpr std::uint8_t kType = 0x0f, kLane = 1, kLlc = 2;
  constexpr std::uint32_t kLaneHeader = 2;
  std::uint8_t flags = 0;
  if (!content.peek(flags) || !content.skip(4)) return NotAnalysed::link_truncated;
  switch (flags & kType) {
    case kLane: return ethernet_after(kLaneHeader, content);
    case kLlc: return llc(content);
    default: return NotAnalysed::not_ip;
  }
}

/// RFC 4391 section 6, behind the global route header.
NotAnalysed Walk::ipoib(Content content) {
  constexpr std::uint32_t kRouteHeader = 40;
  be16 type, reserved;
  if (!content.skip(kRouteHeader) || !content.read(type) || !content.read(reserved)) {
    return NotAnalysed::link_truncated;
  }
  return ethertype(type.host(), content);
}

/// CACE PPI: its own length and the link type of the frame.
NotAnalysed Walk::ppi(Content content) {
  constexpr std::uint32_t kHeader = 8;
  if (!content.has(kHeader)) return NotAnalysed::link_truncated;
  const std::uint32_t length = le16(content.data + 2), number = le32(content.data + 4);
  if (length < kHeader) return NotAnalysed::link_malformed;
  return content.skip(length) ? inner_link(number, content) : NotAnalysed::link_truncated;
}

/// Apple's header: its own length, record type, link type of the frame, interface, process.
NotAnalysed Walk::pktap(Content content) {
  constexpr std::uint32_t kFields = 12, kPacket = 1;
  if (!content.has(kFields)) return NotAnalysed::link_truncated;
  const std::uint32_t length = le32(content.data), record = le32(content.data + 4),
                      number = le32(content.data + 8);
  if (length < kFields) return NotAnalysed::link_malformed;
  if (record != kPacket) return NotAnalysed::not_ip;
  return content.skip(length) ? inner_link(number, content) : NotAnalysed::link_truncated;
}

/// Linux nfnetlink_log: attributes of length, type and value in the byte order of the capturing host;
/// types are small numbers, which tells the order. One of them is the IP packet.
NotAnalysed Walk::nflog(Content content) {
  constexpr std::uint16_t kPayload = 9;
  constexpr std::uint32_t kAttributeHeader = 4;
  struct {
    std::uint8_t family;
    std::uint8_t version;
    be16 resource;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  if (header.version != 0) return NotAnalysed::link_malformed;
  struct {
    be16 length;
    be16 type;
  } attribute;
  while (content.length > 0) {
    if (!content.peek(attribute)) return NotAnalysed::link_truncated;
    std::uint32_t length = attribute.length.host(), type = attribute.type.host();
    if (type > 0xff) {
      length = le16(attribute.length.b);
      type = le16(attribute.type.b);
    }
    if (length < kAttributeHeader) return NotAnalysed::link_malformed;
    if (type == kPayload) {
      content.skip(kAttributeHeader);
      return ip(content.at_most(length - kAttributeHeader));
    }
    if (!content.skip((length + 3U) & ~3U)) return NotAnalysed::link_truncated;
  }
  return NotAnalysed::not_ip;
}

/// OpenBSD pflog(4): its own length, rounded up to 4; then an IP packet.
NotAnalysed Walk::pflog(Content content) {
  std::uint8_t length = 0;
  if (!content.peek(length)) return NotAnalysed::link_truncated;
  if (length < 4) return NotAnalysed::link_malformed;
  return content.skip((length + 3U) & ~3U) ? ip(content) : NotAnalysed::link_truncated;
}

/// A tag of an Ethernet switch between the addresses and the EtherType (or 802.3 length).
NotAnalysed Walk::switch_tag(std::uint32_t tag_bytes, Content content) {
  be16 type;
  if (!content.skip(12 + tag_bytes) || !content.read(type)) return NotAnalysed::link_truncated;
  return ethertype(type.host(), content);
}

}  // namespace wirelag::decode
