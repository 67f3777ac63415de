// The headers that nearly every frame has, as they lie on the wire, and what both ways of decoding make
// of them: the short way for the common frame (common.cpp) and the walk for everything (walk.hpp).
#pragma once

#include <wirelag/base/hash.hpp>
#include <wirelag/base/wire.hpp>
#include <wirelag/decode/packet.hpp>

#include "content.hpp"

namespace wirelag::decode {

/// Destination and source address of an Ethernet header; the EtherType follows.
inline constexpr std::uint32_t kMacs = 12;

/// IP protocol numbers that are taken apart further (IANA "Assigned Internet Protocol Numbers").
namespace ip_protocol {
inline constexpr std::uint8_t hop_by_hop = 0, icmp = 1, ipv4 = 4, tcp = 6, udp = 17, ipv6 = 41,
                              routing = 43, fragment = 44, gre = 47, authentication = 51,
                              icmpv6 = 58, no_next_header = 59, destination = 60, ether_ip = 97,
                              mobility = 135, mpls = 137, hip = 139, shim6 = 140, ethernet = 143;
}

/// EtherTypes that more than one layer asks for (IEEE 802 numbers).
namespace ether_type {
inline constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, transparent_bridging = 0x6558,
                               ppp = 0x880b, erspan_1_2 = 0x88be, erspan_3 = 0x22eb, wccp = 0x883e;
}

/// UDP ports of tunnels (IANA); 8472 is Linux's VXLAN port from before the assignment.
namespace udp_port {
inline constexpr std::uint16_t l2tp = 1701, gtp_u = 2152, teredo = 3544, gre = 4754, vxlan = 4789,
                               vxlan_gpe = 4790, ayiya = 5072, geneve = 6081, mpls = 6635,
                               vxlan_linux = 8472;
}

struct Ipv4Wire {
  std::uint8_t version_length;  ///< header length in 4-byte words, low nibble
  std::uint8_t service;
  be16 total_length;
  be16 id;
  be16 fragment;  ///< 1 reserved bit, don't fragment, more fragments, 13 bits of offset / 8
  std::uint8_t ttl;
  std::uint8_t protocol;
  be16 checksum;
  std::uint8_t src[4];
  std::uint8_t dst[4];
};
static_assert(sizeof(Ipv4Wire) == 20);

struct Ipv6Wire {
  be32 version_class_label;
  be16 payload_length;
  std::uint8_t next_header;
  std::uint8_t hop_limit;
  std::uint8_t src[16];
  std::uint8_t dst[16];
};
static_assert(sizeof(Ipv6Wire) == 40);
inline constexpr std::uint16_t kMoreFragments4 = 0x2000;
inline constexpr std::uint16_t kOffset4 = 0x1fff;

struct TcpWire {
  be16 src_port;
  be16 dst_port;
  be32 seq;
  be32 ack;
  std::uint8_t data_offset;  ///< in 4-byte words, high nibble
  std::uint8_t flags;
  be16 window;
  be16 checksum;
  be16 urgent;
};
static_assert(sizeof(TcpWire) == 20);

struct UdpWire {
  be16 src_port;
  be16 dst_port;
  be16 length;
  be16 checksum;
};
static_assert(sizeof(UdpWire) == 8);

/// What each side's address adds to the flow hash. It travels in registers: addresses just written
/// to the packet must not be read back from there, that would wait for the store.
struct Sides {
  std::uint64_t src;
  std::uint64_t dst;
};

/// `high` and `low` as IpAddress has them. The half of an IPv6 address goes through the seed, or one
/// half could make up for the other; IPv4 addresses have only `low`.
constexpr std::uint64_t address_word(std::uint64_t high, std::uint64_t low, std::uint64_t seed) {
  return high == 0 ? low : low + seeded64(seed, high);
}

[[nodiscard]] inline std::uint64_t address_half(const std::uint8_t* eight) {
  std::uint64_t w;
  std::memcpy(&w, eight, 8);
  return w;
}

/// IpAddress::low() of the IPv4-mapped address: 00 00 ff ff and the four bytes.
[[nodiscard]] inline std::uint64_t mapped(const std::uint8_t* four) {
  std::uint32_t address;
  std::memcpy(&address, four, 4);
  return std::uint64_t{address} << 32 | 0xffff0000u;
}

inline void store(IpAddress& ip, std::uint64_t high, std::uint64_t low) {
  std::memcpy(&ip.bytes[0], &high, 8);
  std::memcpy(&ip.bytes[8], &low, 8);
}

/// The two sides are hashed apart, so the computations overlap, and added, so it does not matter
/// which is which.
[[nodiscard]] constexpr std::uint32_t flow_hash(Sides sides, std::uint16_t src_port,
                                                std::uint16_t dst_port, Transport transport,
                                                std::uint64_t seed) {
  constexpr std::uint64_t kPort = 0x9e3779b97f4a7c15ULL;
  constexpr std::uint64_t kTransport = 0xd6e8feb86659fd93ULL;
  const std::uint64_t sum =
      seeded64(seed, sides.src + src_port * kPort) + seeded64(seed, sides.dst + dst_port * kPort);
  return static_cast<std::uint32_t>((sum + static_cast<std::uint64_t>(transport) * kTransport) >>
                                    32);
}

/// Cheap, for every datagram: whether a tunnel on this port could begin with `content`.
[[nodiscard]] inline bool may_be_udp_tunnel(std::uint16_t port, Content content) {
  constexpr std::uint8_t kIpv6 = 6;  // Teredo between client and relay, on any port
  if (content.captured > 0 && content.data[0] >> 4 == kIpv6) return true;
  switch (port) {
    case udp_port::l2tp:
    case udp_port::gtp_u:
    case udp_port::teredo:
    case udp_port::gre:
    case udp_port::vxlan:
    case udp_port::vxlan_gpe:
    case udp_port::ayiya:
    case udp_port::geneve:
    case udp_port::mpls:
    case udp_port::vxlan_linux: return true;
    default: return false;
  }
}

}  // namespace wirelag::decode
