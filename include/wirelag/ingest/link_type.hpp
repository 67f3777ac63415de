// What the first byte of a frame is, after the LINKTYPE_ registry of tcpdump.org. Link types that are
// not understood are known by name all the same: their frames are counted, not refused.
//
// To add one: a line in the list, and a function in decode/link.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wirelag {

/// Symbol (the name in the report), what it is, and its numbers in capture files. Several numbers:
/// systems differ, or the difference does not matter here.
#define WIRELAG_LINK_TYPES(X)                                                           \
  X(ethernet, "Ethernet", 1)                                                            \
  X(linux_sll, "Linux cooked v1", 113)                                                  \
  X(linux_sll2, "Linux cooked v2", 276)                                                 \
  X(raw_ip, "an IP header, told apart by its version", 12, 14, 101, 228, 229)           \
  X(bsd_null, "address family in the order of the capturing host, then IP", 0)          \
  X(bsd_loop, "address family in network order, then IP", 108)                          \
  X(ppp, "PPP, HDLC framing or not", 9, 50)                                             \
  X(ppp_directed, "PPP behind one byte of direction", 166, 204)                         \
  X(ppp_ether, "PPPoE session header", 51)                                              \
  X(c_hdlc, "Cisco HDLC", 104)                                                          \
  X(c_hdlc_directed, "Cisco HDLC behind one byte of direction", 205)                    \
  X(frame_relay, "Frame Relay", 107)                                                    \
  X(frame_relay_directed, "Frame Relay behind one byte of direction", 206)              \
  X(slip, "SLIP behind direction and compressed header", 8)                             \
  X(token_ring, "IEEE 802.5", 6)                                                        \
  X(fddi, "FDDI", 10)                                                                   \
  X(arcnet, "ARCNET", 7)                                                                \
  X(arcnet_linux, "ARCNET as Linux captures it", 129)                                   \
  X(atm_llc, "LLC over ATM (RFC 1483)", 100)                                            \
  X(sunatm, "ATM as Solaris captures it", 123)                                          \
  X(ip_over_fc, "IP over Fibre Channel", 122)                                           \
  X(ipoib, "IP over InfiniBand", 242)                                                   \
  X(ieee802_11, "802.11", 105)                                                          \
  X(ieee802_11_prism, "802.11 behind a Prism header", 119)                              \
  X(ieee802_11_avs, "802.11 behind an AVS header", 163)                                 \
  X(ieee802_11_radiotap, "802.11 behind a radiotap header", 127)                        \
  X(ppi, "per-packet information, then what it says", 192)                              \
  X(pktap, "Apple's interface header, then what it says", 258)                          \
  X(nflog, "Linux netfilter log message", 239)                                          \
  X(pflog, "OpenBSD pf log header", 117)                                                \
  X(enc, "OpenBSD IPsec interface header", 109)                                         \
  X(mpls, "MPLS label stack", 219)                                                      \
  X(netanalyzer, "Ethernet behind a Hilscher header", 240)                              \
  X(netanalyzer_transparent, "Ethernet behind a Hilscher header and its preamble", 241) \
  X(dsa_brcm, "Ethernet with Broadcom's switch tag inside", 281)                        \
  X(dsa_brcm_prepended, "Ethernet behind Broadcom's switch tag", 282)                   \
  X(dsa, "Ethernet with Marvell's switch tag inside", 284)                              \
  X(dsa_ethertype, "Ethernet with Marvell's switch tag and its EtherType inside", 285)

enum class LinkType : std::uint8_t {
#define X(symbol, meaning, ...) symbol,
  WIRELAG_LINK_TYPES(X)
#undef X
      unsupported,  ///< any other
};

[[nodiscard]] std::string_view name(LinkType link);
[[nodiscard]] std::string_view meaning(LinkType link);

/// By the number in a pcap or pcapng file.
[[nodiscard]] LinkType link_type_of(std::uint32_t number);

/// Numbers for what other file formats have and the registry has not, which is no LinkType: the
/// format's own number above these.
inline constexpr std::uint32_t kSnoopLinkTypes = 0x0001'0000, kNetmonLinkTypes = 0x0002'0000;

/// "ethernet"; of one that is not supported its name in the registry: "usb_linux", "number 4711".
[[nodiscard]] std::string link_type_name(std::uint32_t number);

}  // namespace wirelag
