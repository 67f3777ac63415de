// The books: every frame received is analysed or not analysed for exactly one named reason.
//   received = analysed + sum(not_analysed)      on every worker, at every summary
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wirelag {

/// One line per reason: symbol, meaning. The symbol is the key in the report and in the logs.
#define WIRELAG_NOT_ANALYSED(X)                                                                  \
  X(arp, "ARP: nothing to measure")                                                              \
  X(not_ip, "a link-layer protocol other than IP (LLDP, STP, CDP, IPX ...)")                     \
  X(link_unknown, "an EtherType or link payload that is not understood")                         \
  X(link_truncated, "the frame ends inside its link-layer headers")                              \
  X(link_malformed, "a link-layer header that contradicts itself")                               \
  X(link_encrypted, "a frame that its link layer encrypts (802.11)")                             \
  X(link_aggregated,                                                                             \
    "several packets in one link-layer frame, or a piece of one (802.11, ARCNET)")               \
  X(link_type_unsupported, "a frame of a link type that is not understood, named in the report") \
  X(ip_truncated, "the capture ends inside an IP header or extension header")                    \
  X(ip_malformed, "an IP header that contradicts itself (version, header length, total length)") \
  X(icmp, "ICMP or ICMPv6: counted, nothing to measure")                                         \
  X(ip_protocol_unknown, "an IP protocol without a decoder (SCTP, ESP, OSPF ...)")               \
  X(transport_truncated, "the capture ends inside the TCP or UDP header")                        \
  X(transport_malformed, "a TCP or UDP header that contradicts itself")                          \
  X(tunnel_truncated, "the capture ends inside a tunnel header")                                 \
  X(tunnel_malformed, "a tunnel header that contradicts itself")                                 \
  X(tunnel_unknown, "a tunnel whose payload type is not understood")                             \
  X(tunnel_too_deep, "more tunnels inside each other than decode.max_tunnels allows")            \
  X(fragment_overlap, "a fragment that contradicts one received before")                         \
  X(fragment_table_full, "no room to keep a fragment: raise decode.fragment_datagrams")          \
  X(fragment_incomplete, "a fragment of a datagram whose other fragments never came")            \
  X(fragment_duplicate, "a fragment delivered once more after it had made its datagram whole")   \
  X(udp_untracked, "UDP of a protocol without a tracker")                                        \
  X(dtls, "DTLS: counted, its handshakes are not measured")                                      \
  X(multicast_dns, "mDNS or LLMNR: counted, never paired")                                       \
  X(flow_table_full, "no room for a new flow: raise tcp.connections")                            \
  X(ring_full, "live: the worker's ring was full, the frame was dropped by the dispatcher")

enum class NotAnalysed : std::uint8_t {
  none,  ///< analysed
#define X(symbol, meaning) symbol,
  WIRELAG_NOT_ANALYSED(X)
#undef X
};

inline constexpr std::size_t kNotAnalysedReasons = 0
#define X(symbol, meaning) +1
    WIRELAG_NOT_ANALYSED(X)
#undef X
    ;

/// "arp", "not_ip" ... ; "none" for NotAnalysed::none.
[[nodiscard]] std::string_view name(NotAnalysed reason);
[[nodiscard]] std::string_view meaning(NotAnalysed reason);

/// Mergeable; the identity holds whenever no frame is being processed. A fragment that waits for
/// its siblings counts as fragment_incomplete until its datagram is whole, and as analysed from
/// then on.
struct Accounting {
  std::uint64_t received = 0;
  std::uint64_t analysed = 0;
  std::array<std::uint64_t, kNotAnalysedReasons> not_analysed{};

  void count(NotAnalysed reason, std::uint64_t frames = 1) {
    received += frames;
    if (reason == NotAnalysed::none) {
      analysed += frames;
    } else {
      not_analysed[static_cast<std::size_t>(reason) - 1] += frames;
    }
  }
  /// A datagram is whole: its earlier fragments, counted as incomplete so far, are analysed after
  /// all.
  void datagram_completed(std::uint64_t earlier_fragments) {
    not_analysed[static_cast<std::size_t>(NotAnalysed::fragment_incomplete) - 1] -=
        earlier_fragments;
    analysed += earlier_fragments;
  }
  [[nodiscard]] std::uint64_t of(NotAnalysed reason) const {
    return not_analysed[static_cast<std::size_t>(reason) - 1];
  }
  void merge(const Accounting& other) {
    received += other.received;
    analysed += other.analysed;
    for (std::size_t i = 0; i < not_analysed.size(); ++i) not_analysed[i] += other.not_analysed[i];
  }
  [[nodiscard]] bool balanced() const {
    std::uint64_t sum = analysed;
    for (const std::uint64_t n : not_analysed) sum += n;
    return sum == received;
  }
};

}  // namespace wirelag
