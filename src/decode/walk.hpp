// One frame's walk through its layers. Each function gets the content that begins with its header
// and calls the next layer with what is left; what the last one returns is the frame's result.
//
//   link.cpp       link -> ethernet -> ethertype -> VLAN, LLC, MPLS, PPP ... -> ip
//   ip.cpp         ip -> ipv4 | ipv6 -> extension headers, fragment -> ip_payload
//   tunnel.cpp     ip_payload, udp -> GRE, VXLAN, GTP-U ... -> ethernet | ip
//   transport.cpp  ip_payload -> tcp | udp -> the packet is complete
//
// A header is at least one byte, so the walk through link layers ends with the frame. Tunnels and
// datagrams rebuilt inside rebuilt datagrams nest by recursion and are limited to max_tunnels.
#pragma once

#include <wirelag/decode/decoder.hpp>

#include "content.hpp"
#include "fragments.hpp"

namespace wirelag::decode {

/// IP addresses as words in registers: the key that is hashed must not be read back from memory
/// that was just written in pieces. Words as IpAddress::high() and low() give them.
struct Addresses {
  std::uint64_t src_high;
  std::uint64_t src_low;
  std::uint64_t dst_high;
  std::uint64_t dst_low;
  std::uint8_t ip_version;
};

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

class Walk {
 public:
  Walk(const Frame& frame, Packet& out, std::uint32_t max_tunnels, Fragments& fragments)
      : frame_(frame), out_(out), fragments_(fragments), max_tunnels_(max_tunnels) {}

  [[nodiscard]] NotAnalysed link(LinkType type, Content content);

  [[nodiscard]] std::uint8_t tunnels() const { return tunnels_; }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] bool fragment() const { return fragment_; }
  [[nodiscard]] std::uint32_t rebuilt() const { return rebuilt_; }
  [[nodiscard]] std::uint32_t frames_completed() const { return frames_completed_; }

 private:
  // link.cpp
  [[nodiscard]] NotAnalysed ethernet(Content content);
  [[nodiscard]] NotAnalysed ethertype(std::uint16_t type, Content content);
  [[nodiscard]] NotAnalysed tagged(std::uint32_t tag_bytes, Content content);
  [[nodiscard]] NotAnalysed ethernet_after(std::uint32_t tag_bytes, Content content);
  [[nodiscard]] NotAnalysed linux_cooked(Content content);
  [[nodiscard]] NotAnalysed linux_cooked_2(Content content);
  [[nodiscard]] NotAnalysed cooked_payload(std::uint16_t arp_hardware, std::uint16_t protocol,
                                           Content content);
  [[nodiscard]] NotAnalysed bsd(bool network_order, Content content);
  [[nodiscard]] NotAnalysed llc(Content content);
  [[nodiscard]] NotAnalysed pppoe(Content content);
  [[nodiscard]] NotAnalysed ppp(Content content);
  [[nodiscard]] NotAnalysed mpls(Content content);
  [[nodiscard]] NotAnalysed pseudowire(Content content);
  [[nodiscard]] NotAnalysed trill(Content content);
  [[nodiscard]] NotAnalysed nsh(Content content);

  /// The content with the length its header states. The first header to state one is believed over
  /// the frame's length, which some drivers report as captured; each further one only narrows.
  [[nodiscard]] Content stated_length(Content content, std::uint32_t length) {
    const bool first = !bounded_;
    bounded_ = true;
    return first ? content.with_length(length) : content.at_most(length);
  }

  // ip.cpp
  [[nodiscard]] NotAnalysed ip(Content packet);
  [[nodiscard]] NotAnalysed ipv4(Content packet);
  [[nodiscard]] NotAnalysed ipv6(Content packet);
  [[nodiscard]] NotAnalysed fragment(const FragmentKey& key, const FragmentPart& part,
                                     Content content, const Addresses& addresses);
  [[nodiscard]] NotAnalysed ipv6_payload(const Addresses& addresses, std::uint8_t protocol,
                                         Bytes ip_header, Content content);
  [[nodiscard]] NotAnalysed ip_payload(const Addresses& addresses, std::uint8_t protocol,
                                       Content content);

  // tunnel.cpp
  [[nodiscard]] bool enter_tunnel() { return tunnels_ < max_tunnels_ && ++tunnels_; }
  [[nodiscard]] NotAnalysed ip_tunnel(std::uint8_t protocol, Content content);
  [[nodiscard]] NotAnalysed gre(Content content);
  [[nodiscard]] NotAnalysed gre_pptp(Content content);
  [[nodiscard]] NotAnalysed gre_payload(std::uint16_t type, bool sequenced, Content content);
  [[nodiscard]] NotAnalysed erspan_3(Content content);
  [[nodiscard]] NotAnalysed vxlan(Content content);
  [[nodiscard]] NotAnalysed vxlan_gpe(Content content);
  [[nodiscard]] NotAnalysed geneve(Content content);
  [[nodiscard]] NotAnalysed gtp_u(Content content);
  [[nodiscard]] NotAnalysed teredo(Content content);
  [[nodiscard]] NotAnalysed ayiya(Content content);
  [[nodiscard]] NotAnalysed ether_ip(Content content);
  /// tunnel_malformed when `port` is not a tunnel's or the content is not such a tunnel.
  [[nodiscard]] NotAnalysed udp_tunnel(std::uint16_t port, Content content);

  // transport.cpp
  [[nodiscard]] NotAnalysed tcp(const Addresses& addresses, Content segment);
  [[nodiscard]] NotAnalysed udp(const Addresses& addresses, Content datagram);
  void complete(const Addresses& addresses, Transport transport, std::uint16_t src_port,
                std::uint16_t dst_port, Content payload);

  const Frame& frame_;
  Packet& out_;
  Fragments& fragments_;
  const std::uint32_t max_tunnels_;
  std::uint32_t frames_completed_ = 0;
  std::uint32_t rebuilt_ = 0;
  std::uint8_t tunnels_ = 0;
  bool bounded_ = false;  ///< a header stated how long the content is
  bool cut_ = false;
  bool fragment_ = false;
};

}  // namespace wirelag::decode
