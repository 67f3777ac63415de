// One frame's walk through its layers. Each function gets the content that begins with its header
// and calls the next layer with what is left; what the last one returns is the frame's result.
//
//   link.cpp       link -> ethernet -> ethertype -> VLAN, LLC, MPLS, PPP ... -> ip
//   media.cpp      link types of other media and of capture programs -> LLC, PPP, ethernet, ip
//   wireless.cpp   802.11 and the headers of its captures -> LLC
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
#include "headers.hpp"

namespace wirelag::decode {

class Walk {
 public:
  Walk(const Frame& frame, Packet& out, std::uint32_t max_tunnels, std::uint64_t hash_seed,
       Fragments& fragments)
      : frame_(frame),
        out_(out),
        fragments_(fragments),
        hash_seed_(hash_seed),
        max_tunnels_(max_tunnels) {}

  [[nodiscard]] NotAnalysed link(LinkType type, Content content);

  [[nodiscard]] std::uint8_t tunnels() const { return tunnels_; }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] bool fragment() const { return fragment_; }
  [[nodiscard]] bool duplicate() const { return duplicate_; }
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
  [[nodiscard]] NotAnalysed snap(Content content);
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

  // media.cpp
  [[nodiscard]] NotAnalysed after(std::uint32_t header_bytes, LinkType type, Content content);
  [[nodiscard]] NotAnalysed inner_link(std::uint32_t number, Content content);
  [[nodiscard]] NotAnalysed c_hdlc(Content content);
  [[nodiscard]] NotAnalysed frame_relay(Content content);
  [[nodiscard]] NotAnalysed token_ring(Content content);
  [[nodiscard]] NotAnalysed fddi(Content content);
  [[nodiscard]] NotAnalysed arcnet(std::uint32_t addresses, Content content);
  [[nodiscard]] NotAnalysed sunatm(Content content);
  [[nodiscard]] NotAnalysed ipoib(Content content);
  [[nodiscard]] NotAnalysed ppi(Content content);
  [[nodiscard]] NotAnalysed pktap(Content content);
  [[nodiscard]] NotAnalysed nflog(Content content);
  [[nodiscard]] NotAnalysed pflog(Content content);
  [[nodiscard]] NotAnalysed switch_tag(std::uint32_t tag_bytes, Content content);

  // wireless.cpp
  [[nodiscard]] NotAnalysed ieee802_11(bool padded, Content content);
  [[nodiscard]] NotAnalysed ieee802_11_prism(Content content);
  [[nodiscard]] NotAnalysed ieee802_11_avs(Content content);
  [[nodiscard]] NotAnalysed ieee802_11_radiotap(Content content);

  // ip.cpp. The addresses go into the packet at once; an inner header replaces them.
  [[nodiscard]] NotAnalysed ip(Content packet);
  [[nodiscard]] NotAnalysed ipv4(Content packet);
  [[nodiscard]] NotAnalysed ipv6(Content packet);
  [[nodiscard]] NotAnalysed fragment(const FragmentKey& key, const FragmentPart& part,
                                     Content content, Sides sides);
  [[nodiscard]] NotAnalysed ipv6_payload(Sides sides, std::uint8_t protocol, Bytes ip_header,
                                         Content content);
  [[nodiscard]] NotAnalysed ip_payload(Sides sides, std::uint8_t protocol, Content content);

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
  [[nodiscard]] NotAnalysed l2tp(Content content);
  [[nodiscard]] NotAnalysed gtp_u(Content content);
  [[nodiscard]] NotAnalysed teredo(Content content);
  [[nodiscard]] NotAnalysed ayiya(Content content);
  [[nodiscard]] NotAnalysed ether_ip(Content content);
  /// tunnel_malformed when the content is not the tunnel its port says.
  [[nodiscard]] NotAnalysed udp_tunnel(std::uint16_t port, Content content);

  // transport.cpp
  [[nodiscard]] NotAnalysed tcp(Sides sides, Content segment);
  [[nodiscard]] NotAnalysed udp(Sides sides, Content datagram);
  void complete(Sides sides, Transport transport, std::uint16_t src_port, std::uint16_t dst_port,
                Content payload);

  const Frame& frame_;
  Packet& out_;
  Fragments& fragments_;
  std::uint64_t hash_seed_;
  const std::uint32_t max_tunnels_;
  std::uint32_t frames_completed_ = 0;
  std::uint32_t rebuilt_ = 0;
  std::uint8_t tunnels_ = 0;
  bool bounded_ = false;  ///< a header stated how long the content is
  bool cut_ = false;
  bool fragment_ = false;
  bool duplicate_ = false;  ///< a fragment that was there
};

}  // namespace wirelag::decode
