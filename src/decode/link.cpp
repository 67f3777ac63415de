// Everything below IP: Ethernet and the other link types, tags, LLC, PPP, MPLS, service headers.
// Numbers: IEEE 802 EtherTypes, tcpdump.org LINKTYPE_ registry, IANA PPP and NSH registries.
#include "walk.hpp"

namespace wirelag::decode {
namespace {

constexpr std::uint16_t kMaxLength802_3 = 1500;
constexpr std::uint16_t kMinEtherType = 0x0600;

namespace type {
constexpr std::uint16_t arp = 0x0806, rarp = 0x8035, vlan = 0x8100, service_vlan = 0x88a8,
                        qinq_9100 = 0x9100, qinq_9200 = 0x9200, qinq_9300 = 0x9300,
                        pppoe_discovery = 0x8863, pppoe_session = 0x8864, mpls = 0x8847,
                        mpls_upstream = 0x8848, backbone_service_tag = 0x88e7, vn_tag = 0x8926,
                        e_tag = 0x893f, fabric_path = 0x8903, trill = 0x22f3,
                        cisco_metadata = 0x8909, nsh = 0x894f;
}

/// Protocols that are known and carry no IP.
bool is_not_ip(std::uint16_t ethertype) {
  switch (ethertype) {
    case 0x2000:  // CDP
    case 0x2003:  // VTP
    case 0x2004:  // DTP
    case 0x6001:  // DEC MOP dump and load, remote console
    case 0x6002:
    case 0x6003:  // DECnet
    case 0x6004:  // DEC LAT
    case 0x809b:  // AppleTalk and its ARP
    case 0x80f3:
    case 0x8102:  // breath of life
    case 0x8137:  // IPX
    case 0x8808:  // pause
    case 0x8809:  // LACP and other slow protocols
    case 0x887b:  // HomePlug
    case 0x8892:  // PROFINET
    case 0x8899:  // Realtek loop detection
    case 0x888e:  // 802.1X
    case 0x88a2:  // ATA over Ethernet
    case 0x88a4:  // EtherCAT
    case 0x88b8:  // GOOSE
    case 0x88c7:  // pre-authentication
    case 0x88cc:  // LLDP
    case 0x88e1:  // HomePlug AV
    case 0x88f5:  // MVRP
    case 0x88f6:  // MMRP
    case 0x88f7:  // PTP
    case 0x8902:  // connectivity fault management
    case 0x8906:  // FCoE and its initialisation
    case 0x8914:
    case 0x9000:  // loopback test
    case 0x9003: return true;
    default: return false;
  }
}

/// Whether a type field could be one.
bool is_plausible(std::uint16_t field) {
  switch (field) {
    case ether_type::ipv4:
    case ether_type::ipv6:
    case type::arp:
    case type::vlan:
    case type::service_vlan:
    case type::mpls:
    case type::pppoe_session:
    case type::pppoe_discovery: return true;
    default: return is_not_ip(field);
  }
}

/// Whether an Ethernet header could begin at `offset`: what MPLS carries must be guessed.
bool type_fits(Content content, std::uint32_t offset) {
  be16 field{};
  return content.skip(offset + kMacs) && content.read(field) && is_plausible(field.host());
}

/// Whether an IP packet could begin here: its length must account for all but Ethernet padding.
bool fits_ip(Content content) {
  constexpr std::uint32_t kMostPadding = 46;
  be32 first{};
  be16 second{};
  const std::uint32_t there = content.length;
  if (!content.read(first) || !content.read(second)) return false;
  const bool v4 = first.b[0] >> 4 == 4;
  const std::uint32_t stated = v4 ? first.host() & 0xffff : second.host() + 40u;
  if (v4 && ((first.b[0] & 0x0f) < 5 || stated < 20)) return false;
  return stated <= there && there - stated <= kMostPadding;
}

}  // namespace

NotAnalysed Walk::link(LinkType link_type, Content content) {
  switch (link_type) {
    case LinkType::ethernet: return ethernet(content);
    case LinkType::linux_sll: return linux_cooked(content);
    case LinkType::linux_sll2: return linux_cooked_2(content);
    case LinkType::raw_ip: return ip(content);
    case LinkType::bsd_null: return bsd(false, content);
    case LinkType::bsd_loop: return bsd(true, content);
    case LinkType::ppp: return ppp(content);
    case LinkType::ppp_directed: return after(1, LinkType::ppp, content);
    case LinkType::ppp_ether: return pppoe(content);
    case LinkType::c_hdlc: return c_hdlc(content);
    case LinkType::c_hdlc_directed: return after(1, LinkType::c_hdlc, content);
    case LinkType::frame_relay: return frame_relay(content);
    case LinkType::frame_relay_directed: return after(1, LinkType::frame_relay, content);
    case LinkType::slip: return after(16, LinkType::raw_ip, content);
    case LinkType::token_ring: return token_ring(content);
    case LinkType::fddi: return fddi(content);
    case LinkType::arcnet: return arcnet(2, content);
    case LinkType::arcnet_linux: return arcnet(4, content);
    case LinkType::atm_llc: return llc(content);
    case LinkType::sunatm: return sunatm(content);
    case LinkType::ip_over_fc: return content.skip(16) ? llc(content) : NotAnalysed::link_truncated;
    case LinkType::ipoib: return ipoib(content);
    case LinkType::ieee802_11: return ieee802_11(false, content);
    case LinkType::ieee802_11_prism: return ieee802_11_prism(content);
    case LinkType::ieee802_11_avs: return ieee802_11_avs(content);
    case LinkType::ieee802_11_radiotap: return ieee802_11_radiotap(content);
    case LinkType::ppi: return ppi(content);
    case LinkType::pktap: return pktap(content);
    case LinkType::nflog: return nflog(content);
    case LinkType::pflog: return pflog(content);
    case LinkType::enc: return after(12, LinkType::raw_ip, content);
    case LinkType::mpls: return mpls(content);
    case LinkType::netanalyzer: return after(4, LinkType::ethernet, content);
    case LinkType::netanalyzer_transparent: return after(12, LinkType::ethernet, content);
    case LinkType::dsa_brcm:
    case LinkType::dsa: return switch_tag(4, content);
    case LinkType::dsa_ethertype: return switch_tag(8, content);
    case LinkType::dsa_brcm_prepended: return after(4, LinkType::ethernet, content);
    case LinkType::unsupported: break;
  }
  return NotAnalysed::link_type_unsupported;
}

NotAnalysed Walk::ethernet(Content content) {
  be16 ethertype_field;
  if (!content.skip(kMacs) || !content.read(ethertype_field)) return NotAnalysed::link_truncated;
  return ethertype(ethertype_field.host(), content);
}

NotAnalysed Walk::ethertype(std::uint16_t type, Content content) {
  switch (type) {
    case ether_type::ipv4: return ipv4(content);
    case ether_type::ipv6: return ipv6(content);
    case type::arp:
    case type::rarp: return NotAnalysed::arp;
    case type::vlan:
    case type::service_vlan:
    case type::qinq_9100:
    case type::qinq_9200:
    case type::qinq_9300: return tagged(2, content);
    case type::vn_tag:
    case type::cisco_metadata: return tagged(type == type::vn_tag ? 4 : 6, content);
    case type::e_tag: return tagged(6, content);
    case type::mpls:
    case type::mpls_upstream: return mpls(content);
    case type::pppoe_session: return pppoe(content);
    case type::pppoe_discovery: return NotAnalysed::not_ip;
    case type::backbone_service_tag: return ethernet_after(4, content);
    case type::fabric_path: return ethernet_after(2, content);
    case type::trill: return trill(content);
    case type::nsh: return nsh(content);
    case ether_type::transparent_bridging: return ethernet(content);
    case ether_type::ppp: return ppp(content);
    default:
      if (type <= kMaxLength802_3) return llc(stated_length(content, type));
      return is_not_ip(type) ? NotAnalysed::not_ip : NotAnalysed::link_unknown;
  }
}

/// A tag of `tag_bytes` and the EtherType of what follows it.
NotAnalysed Walk::tagged(std::uint32_t tag_bytes, Content content) {
  be16 next;
  if (!content.skip(tag_bytes) || !content.read(next)) return NotAnalysed::link_truncated;
  return ethertype(next.host(), content);
}

/// A tag after which a whole Ethernet frame follows: 802.1ah, Cisco FabricPath.
NotAnalysed Walk::ethernet_after(std::uint32_t tag_bytes, Content content) {
  return content.skip(tag_bytes) ? ethernet(content) : NotAnalysed::link_truncated;
}

NotAnalysed Walk::linux_cooked(Content content) {
  struct {
    be16 packet_type;
    be16 arp_hardware;
    be16 address_length;
    std::uint8_t address[8];
    be16 protocol;
  } header;
  static_assert(sizeof header == 16);
  if (!content.read(header)) return NotAnalysed::link_truncated;
  return cooked_payload(header.arp_hardware.host(), header.protocol.host(), content);
}

NotAnalysed Walk::linux_cooked_2(Content content) {
  struct {
    be16 protocol;
    be16 reserved;
    be32 interface;
    be16 arp_hardware;
    std::uint8_t packet_type;
    std::uint8_t address_length;
    std::uint8_t address[8];
  } header;
  static_assert(sizeof header == 20);
  if (!content.read(header)) return NotAnalysed::link_truncated;
  return cooked_payload(header.arp_hardware.host(), header.protocol.host(), content);
}

NotAnalysed Walk::cooked_payload(std::uint16_t arp_hardware, std::uint16_t protocol,
                                 Content content) {
  constexpr std::uint16_t kNetlink = 824, kNovell = 0x0001, kLlc = 0x0004, kCan = 0x000c,
                          kCanFd = 0x000d;
  if (arp_hardware == kNetlink) return NotAnalysed::not_ip;
  if (protocol >= kMinEtherType) return ethertype(protocol, content);
  switch (protocol) {
    case kLlc: return llc(content);
    case kNovell:
    case kCan:
    case kCanFd: return NotAnalysed::not_ip;
    default: return NotAnalysed::link_unknown;
  }
}

/// Four bytes of address family; "null" has them in the byte order of the host that captured, and
/// each system has its own number for IPv6.
NotAnalysed Walk::bsd(bool network_order, Content content) {
  constexpr std::uint32_t kIpv4 = 2, kLinuxIpv6 = 10, kBsdIpv6 = 24, kFreeBsdIpv6 = 28,
                          kDarwinIpv6 = 30;
  constexpr std::uint32_t kMaxFamily = 0xffff;
  be32 field;
  if (!content.peek(field)) return NotAnalysed::link_truncated;
  if (field.b[0] == 0xff && field.b[1] == 0x03) return ppp(content);  // PPP on BSD's tunnel device
  if (field.b[0] == 0x0f && field.b[1] == 0x00) return c_hdlc(content);
  content.skip(sizeof field);
  std::uint32_t family = field.host();
  if (!network_order && family > kMaxFamily) family = __builtin_bswap32(family);
  switch (family) {
    case kIpv4: return ipv4(content);
    case kLinuxIpv6:
    case kBsdIpv6:
    case kFreeBsdIpv6:
    case kDarwinIpv6: return ipv6(content);
    default: return family <= kMaxFamily ? NotAnalysed::not_ip : NotAnalysed::link_unknown;
  }
}

/// IEEE 802.2 and SNAP (RFC 1042).
NotAnalysed Walk::llc(Content content) {
  constexpr std::uint8_t kSnap = 0xaa, kIp = 0x06, kUnnumbered = 0x03;
  struct {
    std::uint8_t dsap;
    std::uint8_t ssap;
    std::uint8_t control;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  if (header.control != kUnnumbered) return NotAnalysed::not_ip;
  if (header.dsap == kIp && header.ssap == kIp) return ip(content);
  if (header.dsap != kSnap || header.ssap != kSnap) return NotAnalysed::not_ip;
  return snap(content);
}

/// An organisation and its own protocol number; Ethernet's organisation is 0.
NotAnalysed Walk::snap(Content content) {
  constexpr std::uint32_t kEthernet = 0x000000, kBridgeTunnel = 0x0000f8, kBridged = 0x0080c2;
  constexpr std::uint16_t kEthernetWithFcs = 0x0001, kEthernetWithoutFcs = 0x0007;
  struct {
    std::uint8_t organisation[3];
    be16 protocol;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  const std::uint32_t organisation = static_cast<std::uint32_t>(header.organisation[0]) << 16 |
                                     static_cast<std::uint32_t>(header.organisation[1]) << 8 |
                                     header.organisation[2];
  const std::uint16_t protocol = header.protocol.host();
  switch (organisation) {
    case kEthernet:
    case kBridgeTunnel:
      return protocol < kMinEtherType ? NotAnalysed::not_ip : ethertype(protocol, content);
    case kBridged:  // RFC 2684: the Ethernet frame follows two bytes of padding
      return protocol == kEthernetWithFcs || protocol == kEthernetWithoutFcs
                 ? ethernet_after(2, content)
                 : NotAnalysed::not_ip;
    default: return NotAnalysed::not_ip;  // CDP, VTP, DTP, PVST+ ...
  }
}

/// RFC 2516 section 4.
NotAnalysed Walk::pppoe(Content content) {
  constexpr std::uint8_t kSessionData = 0;
  struct {
    std::uint8_t version_type;
    std::uint8_t code;
    be16 session;
    be16 length;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  if (header.code != kSessionData) return NotAnalysed::not_ip;
  return ppp(stated_length(content, header.length.host()));
}

/// RFC 1661 section 2, with or without the address and control bytes of RFC 1662, the protocol
/// possibly compressed to one byte.
NotAnalysed Walk::ppp(Content content) {
  constexpr std::uint16_t kIpv4 = 0x0021, kIpv6 = 0x0057, kMpls = 0x0281, kMplsMulticast = 0x0283;
  constexpr std::uint16_t kFirstNetworkControl = 0x8000;
  if (!content.has(2) && content.cut()) return NotAnalysed::link_truncated;
  if (content.has(2) && content.data[0] == 0xff && content.data[1] == 0x03) content.skip(2);
  if (content.has(2) && (content.data[0] == 0x0f || content.data[0] == 0x8f) &&
      content.data[1] == 0) {
    return c_hdlc(content);  // the same framing with other addresses, on the same lines
  }
  std::uint8_t first = 0;
  if (!content.read(first)) return NotAnalysed::link_truncated;
  std::uint16_t protocol = first;
  if ((first & 1) == 0) {
    std::uint8_t second = 0;
    if (!content.read(second)) return NotAnalysed::link_truncated;
    protocol = static_cast<std::uint16_t>(first << 8 | second);
  }
  switch (protocol) {
    case kIpv4: return ipv4(content);
    case kIpv6: return ipv6(content);
    case kMpls:
    case kMplsMulticast: return mpls(content);
    default:
      return protocol >= kFirstNetworkControl ? NotAnalysed::not_ip : NotAnalysed::link_unknown;
  }
}

/// RFC 3032 section 2.1. Labels do not say what they carry: RFC 4928 section 3 and RFC 4385 tell it
/// from the first nibble after the last one.
NotAnalysed Walk::mpls(Content content) {
  constexpr std::uint8_t kBottomOfStack = 0x01;
  struct {
    std::uint8_t label_class[2];
    std::uint8_t label_bottom;
    std::uint8_t ttl;
  } entry;
  do {
    if (!content.read(entry)) return NotAnalysed::link_truncated;
  } while ((entry.label_bottom & kBottomOfStack) == 0);

  if (!content.has(1)) return NotAnalysed::link_truncated;
  switch (content.data[0] >> 4) {
    case 1: return NotAnalysed::not_ip;  // associated channel: OAM, BFD
    case 4:
    case 6: return fits_ip(content) || !type_fits(content, 0) ? ip(content) : ethernet(content);
    default: return pseudowire(content);
  }
}

/// Ethernet over MPLS (RFC 4448 section 4), behind the optional control word, whose first nibble is
/// 0 as it is in many MAC addresses: a type field in the right place decides.
NotAnalysed Walk::pseudowire(Content content) {
  constexpr std::uint32_t kControlWord = 4;
  const bool control_word = content.has(1) && content.data[0] >> 4 == 0 &&
                            (type_fits(content, kControlWord) || !type_fits(content, 0));
  return control_word ? ethernet_after(kControlWord, content) : ethernet(content);
}

/// RFC 6325 section 3.
NotAnalysed Walk::trill(Content content) {
  struct {
    be16 version_options_hops;
    be16 egress;
    be16 ingress;
  } header;
  if (!content.read(header)) return NotAnalysed::link_truncated;
  const std::uint32_t options = (header.version_options_hops.host() >> 6 & 0x1f) * 4u;
  return ethernet_after(options, content);
}

/// Network service header, RFC 8300 section 2.
NotAnalysed Walk::nsh(Content content) {
  constexpr std::uint8_t kIpv4 = 1, kIpv6 = 2, kEthernet = 3, kNsh = 4, kMpls = 5;
  struct {
    be16 version_ttl_length;
    std::uint8_t metadata_type;
    std::uint8_t next_protocol;
  } header;
  for (;;) {
    if (!content.peek(header)) return NotAnalysed::link_truncated;
    const std::uint32_t length = (header.version_ttl_length.host() & 0x3f) * 4u;
    if (length < 8) return NotAnalysed::link_unknown;
    if (!content.skip(length)) return NotAnalysed::link_truncated;
    switch (header.next_protocol) {
      case kIpv4: return ipv4(content);
      case kIpv6: return ipv6(content);
      case kEthernet: return ethernet(content);
      case kMpls: return mpls(content);
      case kNsh: continue;
      default: return NotAnalysed::link_unknown;
    }
  }
}

}  // namespace wirelag::decode
