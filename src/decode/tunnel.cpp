// Tunnels: what carries IP or Ethernet inside IP. Each takes its own header off and counts one.
//
// A tunnel over IP is named by the protocol number, so a broken one has a reason of its own. A
// tunnel over UDP is only a guess by its port: udp() asks udp_tunnel() and takes the datagram for
// plain UDP when the header or what follows does not fit.
#include "walk.hpp"

namespace wirelag::decode {
namespace {

/// A GRE payload type that no one understands is the tunnel's failure, not the link layer's.
NotAnalysed as_tunnel(NotAnalysed result) {
  return result == NotAnalysed::link_unknown ? NotAnalysed::tunnel_unknown : result;
}

/// Whether the content begins with an IPv6 header that ends exactly with it.
bool is_exactly_ipv6(const Content& content) {
  constexpr std::uint32_t kHeader = 40;
  return content.has(6) && content.data[0] >> 4 == 6 && content.length >= kHeader &&
         (content.data[4] << 8 | content.data[5]) + kHeader == content.length;
}

/// Teredo clients talk to relays on any port (RFC 4380 section 5.2); what gives them away is an
/// address out of 2001::/32.
bool is_teredo_to_relay(const Content& content) {
  constexpr std::uint8_t kPrefix[4] = {0x20, 0x01, 0, 0};
  return is_exactly_ipv6(content) && content.has(40) &&
         (std::memcmp(content.data + 8, kPrefix, 4) == 0 ||
          std::memcmp(content.data + 24, kPrefix, 4) == 0);
}

}  // namespace

NotAnalysed Walk::ip_tunnel(std::uint8_t protocol, Content content) {
  switch (protocol) {
    case ip_protocol::gre: return gre(content);
    case ip_protocol::ether_ip: return ether_ip(content);
    case ip_protocol::ipv4:
    case ip_protocol::ipv6:
    case ip_protocol::mpls:
    case ip_protocol::ethernet: break;
    default: return NotAnalysed::ip_protocol_unknown;
  }
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  switch (protocol) {
    case ip_protocol::ipv4: return ipv4(content);
    case ip_protocol::ipv6: return ipv6(content);
    case ip_protocol::mpls: return mpls(content);
    default: return ethernet(content);
  }
}

NotAnalysed Walk::udp_tunnel(std::uint16_t port, Content content) {
  switch (port) {
    case udp_port::vxlan:
    case udp_port::vxlan_linux: return vxlan(content);
    case udp_port::vxlan_gpe: return vxlan_gpe(content);
    case udp_port::geneve: return geneve(content);
    case udp_port::l2tp: return l2tp(content);
    case udp_port::gtp_u: return gtp_u(content);
    case udp_port::gre: return gre(content);
    case udp_port::mpls: return enter_tunnel() ? mpls(content) : NotAnalysed::tunnel_too_deep;
    case udp_port::teredo: return teredo(content);
    case udp_port::ayiya: return ayiya(content);
    default: return is_teredo_to_relay(content) ? teredo(content) : NotAnalysed::tunnel_malformed;
  }
}

/// RFC 1701, RFC 2784, RFC 2890.
NotAnalysed Walk::gre(Content content) {
  constexpr std::uint16_t kChecksum = 0x8000, kRouting = 0x4000, kKey = 0x2000, kSequence = 0x1000,
                          kVersion = 0x0007, kPptp = 1;
  struct {
    be16 flags;
    be16 type;
  } header;
  if (!content.peek(header)) return NotAnalysed::tunnel_truncated;
  const std::uint16_t flags = header.flags.host();
  if ((flags & kVersion) == kPptp) return gre_pptp(content);
  if ((flags & kVersion) != 0) return NotAnalysed::tunnel_malformed;

  std::uint32_t length = sizeof header;
  if ((flags & (kChecksum | kRouting)) != 0) length += 4;
  if ((flags & kKey) != 0) length += 4;
  if ((flags & kSequence) != 0) length += 4;
  if (!content.skip(length)) return NotAnalysed::tunnel_truncated;
  if ((flags & kRouting) != 0) {
    struct {
      be16 family;
      std::uint8_t offset;
      std::uint8_t length;
    } route;
    do {
      if (!content.read(route)) return NotAnalysed::tunnel_truncated;
      if (!content.skip(route.length)) return NotAnalysed::tunnel_truncated;
    } while (route.length != 0);
  }
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  return gre_payload(header.type.host(), (flags & kSequence) != 0, content);
}

NotAnalysed Walk::gre_payload(std::uint16_t type, bool sequenced, Content content) {
  constexpr std::uint16_t kKeepalive = 0, kRawFrameRelay = 0x6559;  // RFC 1701
  constexpr std::uint32_t kErspan2Header = 8, kRedirectHeader = 4;
  switch (type) {
    case kKeepalive: return NotAnalysed::not_ip;
    case kRawFrameRelay: return as_tunnel(frame_relay(content));
    case ether_type::erspan_1_2:  // draft-foschiano-erspan: type I has neither header nor sequence
      if (sequenced && !content.skip(kErspan2Header)) return NotAnalysed::tunnel_truncated;
      return ethernet(content);
    case ether_type::erspan_3: return erspan_3(content);
    case ether_type::wccp:  // version 2 puts a redirect header before the IP packet
      if (content.has(1) && content.data[0] >> 4 != 4 && !content.skip(kRedirectHeader)) {
        return NotAnalysed::tunnel_truncated;
      }
      return ipv4(content);
    default: return as_tunnel(ethertype(type, content));
  }
}

NotAnalysed Walk::erspan_3(Content content) {
  constexpr std::uint16_t kSubheader = 0x0001, kFrameType = 0x1f, kEthernet = 0, kIp = 2;
  constexpr std::uint32_t kSubheaderLength = 8;
  struct {
    be16 version_vlan;
    be16 class_session;
    be32 timestamp;
    be16 security_group;
    be16 type_direction;
  } header;
  static_assert(sizeof header == 12);
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  const std::uint16_t fields = header.type_direction.host();
  if ((fields & kSubheader) != 0 && !content.skip(kSubheaderLength)) {
    return NotAnalysed::tunnel_truncated;
  }
  switch (fields >> 10 & kFrameType) {
    case kEthernet: return ethernet(content);
    case kIp: return ip(content);
    default: return NotAnalysed::tunnel_unknown;
  }
}

/// Enhanced GRE, RFC 2637 section 4.1: PPP frames with a length of their own. Others use the header
/// for other payloads and its length for something else.
NotAnalysed Walk::gre_pptp(Content content) {
  constexpr std::uint16_t kSequence = 0x1000, kAcknowledgment = 0x0080;
  struct {
    be16 flags;
    be16 type;
    be16 payload_length;
    be16 call;
  } header;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  const std::uint16_t flags = header.flags.host();
  const std::uint32_t optional =
      ((flags & kSequence) != 0 ? 4u : 0u) + ((flags & kAcknowledgment) != 0 ? 4u : 0u);
  if (!content.skip(optional)) return NotAnalysed::tunnel_truncated;
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  if (header.type.host() != ether_type::ppp)
    return as_tunnel(ethertype(header.type.host(), content));
  content = content.at_most(header.payload_length.host());
  if (content.length == 0) return NotAnalysed::not_ip;  // an acknowledgment alone
  return as_tunnel(ppp(content));
}

/// RFC 7348 section 5.
NotAnalysed Walk::vxlan(Content content) {
  constexpr std::uint8_t kHasIdentifier = 0x08;
  struct {
    std::uint8_t flags;
    std::uint8_t reserved[3];
    be32 identifier;
  } header;
  if (content.length < sizeof header) return NotAnalysed::tunnel_malformed;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.flags & kHasIdentifier) == 0) return NotAnalysed::tunnel_malformed;
  return enter_tunnel() ? ethernet(content) : NotAnalysed::tunnel_too_deep;
}

/// draft-ietf-nvo3-vxlan-gpe.
NotAnalysed Walk::vxlan_gpe(Content content) {
  constexpr std::uint8_t kHasIdentifier = 0x08, kHasProtocol = 0x04;
  constexpr std::uint8_t kIpv4 = 1, kIpv6 = 2, kEthernet = 3, kNsh = 4;
  struct {
    std::uint8_t flags;
    std::uint8_t reserved[2];
    std::uint8_t next_protocol;
    be32 identifier;
  } header;
  if (content.length < sizeof header) return NotAnalysed::tunnel_malformed;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.flags & kHasIdentifier) == 0) return NotAnalysed::tunnel_malformed;
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  if ((header.flags & kHasProtocol) == 0) return ethernet(content);
  switch (header.next_protocol) {
    case kIpv4: return ipv4(content);
    case kIpv6: return ipv6(content);
    case kEthernet: return ethernet(content);
    case kNsh: return nsh(content);
    default: return NotAnalysed::tunnel_unknown;
  }
}

/// RFC 8926 section 3.4.
NotAnalysed Walk::geneve(Content content) {
  constexpr std::uint8_t kVersion = 0xc0, kOptionWords = 0x3f;
  struct {
    std::uint8_t version_options;
    std::uint8_t flags;
    be16 type;
    be32 identifier;
  } header;
  if (content.length < sizeof header) return NotAnalysed::tunnel_malformed;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.version_options & kVersion) != 0) return NotAnalysed::tunnel_malformed;
  if (!content.skip((header.version_options & kOptionWords) * 4u)) {
    return NotAnalysed::tunnel_truncated;
  }
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  return as_tunnel(ethertype(header.type.host(), content));
}

/// RFC 2661 section 3.1: a data message of version 2. What follows is PPP without a check sequence; other than
/// IP is believed only behind PPP's address and control bytes.
NotAnalysed Walk::l2tp(Content content) {
  constexpr std::uint16_t kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200,
                          kPriority = 0x0100;
  constexpr std::uint16_t kVersion2 = 2;
  constexpr std::uint32_t kIds = 4, kNumbers = 4;
  be16 field;
  if (!content.read(field)) return NotAnalysed::tunnel_truncated;
  const std::uint16_t flags = field.host();
  if ((flags & ~(kLength | kSequence | kOffset | kPriority)) != kVersion2) {
    return NotAnalysed::tunnel_malformed;  // control messages as well
  }
  if ((flags & kLength) != 0) {
    if (!content.read(field)) return NotAnalysed::tunnel_truncated;
    constexpr std::uint32_t kBefore = 2 * sizeof field;
    const std::uint32_t length = field.host();
    if (length < kBefore || length - kBefore > content.length) return NotAnalysed::tunnel_malformed;
    content = content.at_most(length - kBefore);
  }
  if (!content.skip(kIds + ((flags & kSequence) != 0 ? kNumbers : 0u))) {
    return NotAnalysed::tunnel_truncated;
  }
  if ((flags & kOffset) != 0 && (!content.read(field) || !content.skip(field.host()))) {
    return NotAnalysed::tunnel_truncated;
  }
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  const bool framed = content.has(2) && content.data[0] == 0xff && content.data[1] == 0x03;
  const NotAnalysed inner = ppp(content);
  return inner == NotAnalysed::not_ip && !framed ? NotAnalysed::tunnel_malformed : inner;
}

/// 3GPP TS 29.281 section 5: user data (G-PDU) of version 1.
NotAnalysed Walk::gtp_u(Content content) {
  constexpr std::uint8_t kVersionType = 0xf0, kVersion1 = 0x30, kOptional = 0x07, kExtension = 0x04;
  constexpr std::uint8_t kUserData = 255;
  struct {
    std::uint8_t flags;
    std::uint8_t message;
    be16 length;
    be32 tunnel;
  } header;
  if (content.length < sizeof header) return NotAnalysed::tunnel_malformed;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.flags & kVersionType) != kVersion1 || header.message != kUserData) {
    return NotAnalysed::tunnel_malformed;
  }
  if (header.length.host() > content.length) return NotAnalysed::tunnel_malformed;
  content = content.at_most(header.length.host());
  if ((header.flags & kOptional) != 0) {
    struct {
      be16 sequence;
      std::uint8_t n_pdu;
      std::uint8_t next_extension;
    } optional;
    if (!content.read(optional)) return NotAnalysed::tunnel_truncated;
    std::uint8_t next = (header.flags & kExtension) != 0 ? optional.next_extension : 0;
    while (next != 0) {
      if (!content.has(1)) return NotAnalysed::tunnel_truncated;
      const std::uint32_t length = content.data[0] * 4u;
      if (length == 0) return NotAnalysed::tunnel_malformed;
      if (!content.skip(length)) return NotAnalysed::tunnel_truncated;
      next = content.data[-1];
    }
  }
  if (!enter_tunnel()) return NotAnalysed::tunnel_too_deep;
  return ip(content);
}

/// RFC 4380 section 5.1.1: authentication and origin indication may stand before the IPv6 packet.
NotAnalysed Walk::teredo(Content content) {
  constexpr std::uint16_t kOrigin = 0, kAuthentication = 1;
  constexpr std::uint32_t kOriginLength = 8, kNonceAndConfirmation = 9;
  be16 indicator;
  if (!content.peek(indicator)) return NotAnalysed::tunnel_truncated;
  if (indicator.host() == kAuthentication) {
    struct {
      be16 indicator;
      std::uint8_t id_length;
      std::uint8_t value_length;
    } header;
    if (!content.read(header) ||
        !content.skip(header.id_length + header.value_length + kNonceAndConfirmation)) {
      return NotAnalysed::tunnel_truncated;
    }
  }
  if (content.peek(indicator) && indicator.host() == kOrigin && !content.skip(kOriginLength)) {
    return NotAnalysed::tunnel_truncated;
  }
  if (!is_exactly_ipv6(content)) {
    return content.cut() ? NotAnalysed::tunnel_truncated : NotAnalysed::tunnel_malformed;
  }
  return enter_tunnel() ? ipv6(content) : NotAnalysed::tunnel_too_deep;
}

/// draft-massar-v6ops-ayiya.
NotAnalysed Walk::ayiya(Content content) {
  constexpr std::uint8_t kForward = 1;
  struct {
    std::uint8_t identity;   ///< high nibble: length as a power of two
    std::uint8_t signature;  ///< high nibble: length in 4-byte words
    std::uint8_t operation;  ///< low nibble
    std::uint8_t next_header;
    be32 epoch;
  } header;
  if (content.length < sizeof header) return NotAnalysed::tunnel_malformed;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.operation & 0x0f) != kForward) return NotAnalysed::tunnel_malformed;
  const std::uint32_t length = (1u << (header.identity >> 4)) + (header.signature >> 4) * 4u;
  if (length > content.length) return NotAnalysed::tunnel_malformed;
  if (!content.skip(length)) return NotAnalysed::tunnel_truncated;
  switch (header.next_header) {
    case ip_protocol::ipv4:
    case ip_protocol::ipv6: return enter_tunnel() ? ip(content) : NotAnalysed::tunnel_too_deep;
    default: return NotAnalysed::tunnel_malformed;
  }
}

/// RFC 3378 section 3.
NotAnalysed Walk::ether_ip(Content content) {
  constexpr std::uint16_t kVersion3 = 0x3000;
  be16 header;
  if (!content.read(header)) return NotAnalysed::tunnel_truncated;
  if ((header.host() & 0xf000) != kVersion3) return NotAnalysed::tunnel_malformed;
  return enter_tunnel() ? ethernet(content) : NotAnalysed::tunnel_too_deep;
}

}  // namespace wirelag::decode
