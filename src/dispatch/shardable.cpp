#include <algorithm>

#include <wirelag/base/cursor.hpp>
#include <wirelag/dispatch/shardable.hpp>

namespace wirelag {
namespace {

constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherVlan = 0x8100,
                        kEtherQinq = 0x88a8;
constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmpV6 = 58;
/// UDP ports of the tunnels that decode takes off: L2TP, Teredo, GTP-U, GRE-in-UDP, VXLAN (IANA and Linux),
/// VXLAN-GPE, AYIYA, Geneve, MPLS-in-UDP.
constexpr std::uint16_t kTunnelPorts[] = {1701, 3544, 2152, 4754, 4789,
                                          4790, 5072, 6081, 6635, 8472};
/// EtherTypes that certainly lead to no flow: ARP, LLDP, flow control, EAPOL.
constexpr std::uint16_t kWithoutFlow[] = {0x0806, 0x88cc, 0x8808, 0x888e};

[[nodiscard]] bool is_plain_transport(std::uint8_t protocol, ByteCursor transport) {
  if (protocol == kTcp || protocol == kIcmp || protocol == kIcmpV6) return true;
  if (protocol != kUdp) return false;
  const std::uint16_t source = transport.u16();
  const std::uint16_t destination = transport.u16();
  for (const std::uint16_t tunnel : kTunnelPorts) {
    if (source == tunnel || destination == tunnel) return false;
  }
  return true;
}

[[nodiscard]] bool is_plain_ipv4(ByteCursor at) {
  const std::size_t header_bytes = (at.u8() & 0x0fU) * 4U;
  at.skip(5);
  const std::uint16_t fragment = at.u16();
  at.skip(1);
  const std::uint8_t protocol = at.u8();
  at.skip(header_bytes > 10 ? header_bytes - 10 : 0);
  constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3fff;
  return (fragment & kMoreFragmentsOrOffset) == 0 && is_plain_transport(protocol, at);
}

[[nodiscard]] bool is_plain_ipv6(ByteCursor at) {
  at.skip(6);
  const std::uint8_t next_header = at.u8();
  at.skip(33);
  return is_plain_transport(next_header, at);
}

}  // namespace

bool port_could_shard(const Frame& frame) {
  if (frame.link != LinkType::ethernet) return false;
  ByteCursor at(frame.bytes);
  at.skip(12);
  std::uint16_t type = at.u16();
  for (int tags = 0; tags < 2 && (type == kEtherVlan || type == kEtherQinq); ++tags) {
    at.skip(2);
    type = at.u16();
  }
  switch (type) {
    case kEtherIpv4: return is_plain_ipv4(at);
    case kEtherIpv6: return is_plain_ipv6(at);
    default:
      // MPLS, PPPoE, more tags ...: what the port hashes is not known.
      return std::find(std::begin(kWithoutFlow), std::end(kWithoutFlow), type) !=
             std::end(kWithoutFlow);
  }
}

}  // namespace wirelag
