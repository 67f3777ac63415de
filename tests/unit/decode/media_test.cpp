// Link types of other media and of capture programs: the same packet must come out of each header,
// every prefix of it is named as truncated, and no byte of it can do harm.
#include <memory>

#include "decoded.hpp"

namespace wirelag::test {
namespace {

using L = LinkType;

struct Case {
  const char* what;
  LinkType link;
  Octets header;  ///< what comes before the IPv4 packet
};

const Octets kSnapIp{0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00};
const Octets kData{0x08, 0x01, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0, 0};
const Octets kMacs{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
/// 802.11 data with other first two bytes and more behind the 24 bytes of every header.
Octets data(std::uint8_t control, std::uint8_t flags, const Octets& more = {}) {
  Octets header = kData;
  header[0] = control;
  header[1] = flags;
  return header + more;
}
Octets pktap(std::uint8_t record, std::uint8_t dlt) {
  Octets header(108, 0);
  header[0] = 108;
  header[4] = record;
  header[8] = dlt;
  return header;
}

std::vector<Case> cases() {
  return {
      {"ppp", L::ppp, {0xff, 0x03, 0x00, 0x21}},
      {"ppp, address and control compressed", L::ppp, {0x00, 0x21}},
      {"ppp, protocol compressed too", L::ppp, {0x21}},
      {"cisco framing on a PPP line", L::ppp, {0x0f, 0x00, 0x08, 0x00}},
      {"ppp with direction", L::ppp_directed, {0x01, 0xff, 0x03, 0x00, 0x21}},
      {"pppoe session", L::ppp_ether, {0x11, 0, 0, 7, 0, 35, 0x00, 0x21}},
      {"cisco hdlc", L::c_hdlc, {0x0f, 0x00, 0x08, 0x00}},
      {"cisco hdlc with direction", L::c_hdlc_directed, {0x00, 0x8f, 0x00, 0x08, 0x00}},
      {"frame relay", L::frame_relay, {0x18, 0x41, 0x03, 0xcc}},
      {"frame relay, long address", L::frame_relay, {0x18, 0x40, 0x40, 0x41, 0x03, 0xcc}},
      {"frame relay, padded", L::frame_relay, {0x18, 0x41, 0x03, 0x00, 0xcc}},
      {"frame relay, SNAP", L::frame_relay, {0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 0x08, 0x00}},
      {"frame relay, PPP", L::frame_relay, {0x18, 0x41, 0x03, 0xcf, 0x00, 0x21}},
      {"frame relay, Cisco", L::frame_relay, {0x18, 0x41, 0x08, 0x00}},
      {"frame relay with direction", L::frame_relay_directed, {0x01, 0x18, 0x41, 0x03, 0xcc}},
      {"slip", L::slip, Octets(16, 0)},
      {"token ring", L::token_ring, Octets{0x10, 0x40} + kMacs + kSnapIp},
      {"token ring, source routed", L::token_ring,
       Octets{0x10, 0x40, 2, 0, 0, 0, 0, 2, 0x82, 0, 0, 0, 0, 1, 0x06, 0x30, 1, 2, 3, 4} + kSnapIp},
      {"fddi", L::fddi, Octets{0x57} + kMacs + kSnapIp},
      {"arcnet, RFC 1051", L::arcnet, {1, 2, 0xf0}},
      {"arcnet, RFC 1201", L::arcnet, {1, 2, 0xd4, 0, 0, 1}},
      {"arcnet, exception packet", L::arcnet, {1, 2, 0xd4, 0xff, 0, 0, 0xd4, 0, 0, 1}},
      {"arcnet of Linux", L::arcnet_linux, {1, 2, 0, 0, 0xf0}},
      {"arcnet of Linux, RFC 1201", L::arcnet_linux, {1, 2, 0, 0, 0xd4, 0, 0, 1}},
      {"atm", L::atm_llc, kSnapIp},
      {"sunatm, LLC", L::sunatm, Octets{0x02, 0, 0, 32} + kSnapIp},
      {"sunatm, LANE", L::sunatm, Octets{0x01, 0, 0, 32, 0, 1} + kMacs + Octets{0x08, 0x00}},
      {"fibre channel", L::ip_over_fc, Octets(16, 2) + kSnapIp},
      {"infiniband", L::ipoib, Octets(40, 1) + Octets{0x08, 0x00, 0, 0}},
      {"802.11", L::ieee802_11, kData + kSnapIp},
      {"802.11, QoS", L::ieee802_11, data(0x88, 0x01, {0, 0}) + kSnapIp},
      {"802.11, QoS and HT control", L::ieee802_11, data(0x88, 0x81, {0, 0, 1, 2, 3, 4}) + kSnapIp},
      {"802.11 between access points", L::ieee802_11,
       data(0x08, 0x03, {2, 0, 0, 0, 0, 4}) + kSnapIp},
      {"radiotap", L::ieee802_11_radiotap, Octets{0, 0, 8, 0, 0, 0, 0, 0} + kData + kSnapIp},
      {"radiotap, more bits", L::ieee802_11_radiotap,
       Octets{0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0} + kData + kSnapIp},
      {"radiotap, time and padded header", L::ieee802_11_radiotap,
       Octets{0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20} + data(0x88, 1, {0, 0, 0, 0}) +
           kSnapIp},
      {"prism", L::ieee802_11_prism,
       Octets{0x44, 0, 0, 0, 12, 0, 0, 0, 9, 9, 9, 9} + kData + kSnapIp},
      {"prism, big-endian", L::ieee802_11_prism,
       Octets{0, 0, 0, 0x44, 0, 0, 0, 12, 9, 9, 9, 9} + kData + kSnapIp},
      {"AVS as prism", L::ieee802_11_prism,
       Octets{0x80, 0x21, 0x10, 0x01, 0, 0, 0, 12, 9, 9, 9, 9} + kData + kSnapIp},
      {"AVS", L::ieee802_11_avs,
       Octets{0x80, 0x21, 0x10, 0x01, 0, 0, 0, 12, 9, 9, 9, 9} + kData + kSnapIp},
      {"ppi", L::ppi, Octets{0, 0, 8, 0, 105, 0, 0, 0} + kData + kSnapIp},
      {"pktap", L::pktap, pktap(1, 1) + kMacs + Octets{0x08, 0x00}},
      {"pktap, raw", L::pktap, pktap(1, 12)},
      {"nflog", L::nflog, {2, 0, 0, 5, 5, 0, 10, 0, 0, 0, 0, 0, 37, 0, 9, 0}},
      {"nflog, big-endian", L::nflog, {2, 0, 0, 5, 0, 5, 0, 10, 0, 0, 0, 0, 0, 37, 0, 9}},
      {"pflog", L::pflog, Octets{61, 2} + Octets(62, 0)},
      {"enc", L::enc, Octets(12, 0)},
      {"mpls", L::mpls, {0, 1, 0x01, 64}},
      {"netanalyzer", L::netanalyzer, Octets(4, 0) + kMacs + Octets{0x08, 0x00}},
      {"netanalyzer, transparent", L::netanalyzer_transparent,
       Octets(12, 0) + kMacs + Octets{0x08, 0x00}},
      {"broadcom tag", L::dsa_brcm, kMacs + Octets{0, 0, 0, 5, 0x08, 0x00}},
      {"broadcom tag in front", L::dsa_brcm_prepended,
       Octets{0, 0, 0, 5} + kMacs + Octets{0x08, 0x00}},
      {"marvell tag", L::dsa, kMacs + Octets{0xc0, 1, 0, 0, 0x08, 0x00}},
      {"marvell tag with EtherType", L::dsa_ethertype,
       kMacs + Octets{0xda, 0xda, 0, 0, 0xc0, 1, 0, 0, 0x08, 0x00}},
  };
}

Octets hello() { return with_hello(FrameBuilder()).bytes(); }

/// One decoder for all frames of a test, each in a heap block of its own, so that the sanitizers see a
/// read past the end.
class Reasons {
 public:
  NotAnalysed of(const Octets& bytes, std::size_t wire_length, LinkType link) {
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    Frame frame;
    frame.bytes = {exact.get(), bytes.size()};
    frame.wire_length = static_cast<std::uint32_t>(wire_length);
    frame.link = link;
    Packet packet;
    return decoder_.decode(frame, packet);
  }

 private:
  Counters counters_;
  Decoder decoder_{DecodeLimits{}, counters_};
};

TEST(Media, the_packet_comes_out_of_every_header) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.what);
    expect_hello(decoded(c.header + hello(), c.link));
  }
}

TEST(Media, every_prefix_is_named_as_truncated) {
  Reasons reasons;
  for (const Case& c : cases()) {
    const Octets whole = c.header + hello();
    for (std::size_t size = 0; size < c.header.size() + 28; ++size) {
      const NotAnalysed reason =
          reasons.of(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
                     whole.size(), c.link);
      EXPECT_TRUE(reason == NotAnalysed::link_truncated || reason == NotAnalysed::ip_truncated ||
                  reason == NotAnalysed::transport_truncated)
          << c.what << ", " << size << " bytes: " << name(reason);
    }
  }
}

TEST(Media, any_byte_of_a_header_may_have_any_value) {
  Reasons reasons;
  for (const Case& c : cases()) {
    Octets bytes = c.header + hello();
    for (std::size_t at = 0; at < c.header.size(); ++at) {
      const std::uint8_t good = bytes[at];
      for (const int value : {0x00, 0x01, 0x03, 0x0f, 0x40, 0x7f, 0x80, 0xc0, 0xff}) {
        bytes[at] = static_cast<std::uint8_t>(value);
        (void)reasons.of(bytes, bytes.size(), c.link);
      }
      bytes[at] = good;
    }
  }
}

TEST(Media, every_link_type_takes_any_bytes) {
  Reasons reasons;
  for (int link = 0; link <= static_cast<int>(LinkType::unsupported); ++link) {
    for (const int value : {0x00, 0x01, 0x0f, 0x45, 0x60, 0xaa, 0xff}) {
      for (std::size_t size = 0; size < 100; ++size) {
        (void)reasons.of(Octets(size, static_cast<std::uint8_t>(value)), size,
                         static_cast<LinkType>(link));
      }
    }
  }
}

TEST(Media, what_carries_no_packet_has_its_reason) {
  const struct {
    const char* what;
    LinkType link;
    Octets bytes;
    NotAnalysed reason;
  } all[] = {
      {"cisco keepalive", L::c_hdlc, {0x8f, 0, 0x80, 0x35, 0, 0}, NotAnalysed::not_ip},
      {"frame relay, LMI", L::frame_relay, {0x00, 0x01, 0x03, 0x08, 0}, NotAnalysed::not_ip},
      {"frame relay, endless address",
       L::frame_relay,
       {0, 0, 0, 0, 0, 0},
       NotAnalysed::link_malformed},
      {"fddi, station management", L::fddi, {0x41, 0, 0}, NotAnalysed::not_ip},
      {"arcnet, ARP", L::arcnet, {1, 2, 0xf1}, NotAnalysed::arp},
      {"arcnet, a piece", L::arcnet, {1, 2, 0xd4, 1, 0, 1, 0x45}, NotAnalysed::link_aggregated},
      {"802.11 beacon", L::ieee802_11, {0x80, 0}, NotAnalysed::not_ip},
      {"802.11 null data", L::ieee802_11, data(0x48, 1), NotAnalysed::not_ip},
      {"802.11 protected", L::ieee802_11, data(0x08, 0x41, {1, 2, 3, 4}),
       NotAnalysed::link_encrypted},
      {"802.11 A-MSDU", L::ieee802_11, data(0x88, 0x01, {0x80, 0}), NotAnalysed::link_aggregated},
      {"802.11 more fragments", L::ieee802_11, data(0x08, 0x05), NotAnalysed::link_aggregated},
      {"802.11 of a later version", L::ieee802_11, data(0x09, 0x01), NotAnalysed::link_malformed},
      {"radiotap shorter than itself",
       L::ieee802_11_radiotap,
       {0, 0, 4, 0, 0, 0, 0, 0},
       NotAnalysed::link_malformed},
      {"ppi in ppi", L::ppi, {0, 0, 8, 0, 192, 0, 0, 0}, NotAnalysed::link_malformed},
      {"ppi of something unknown",
       L::ppi,
       {0, 0, 8, 0, 189, 0, 0, 0},
       NotAnalysed::link_type_unsupported},
      {"pktap record without a packet", L::pktap, pktap(2, 1), NotAnalysed::not_ip},
      {"nflog without a packet",
       L::nflog,
       {2, 0, 0, 5, 5, 0, 10, 0, 0, 0, 0, 0},
       NotAnalysed::not_ip},
      {"nflog attribute of no length",
       L::nflog,
       {2, 0, 0, 5, 0, 0, 10, 0},
       NotAnalysed::link_malformed},
      {"unsupported", L::unsupported, {1, 2, 3}, NotAnalysed::link_type_unsupported},
  };
  for (const auto& c : all) EXPECT_EQ(decoded(c.bytes, c.link).reason, c.reason) << c.what;
}

}  // namespace
}  // namespace wirelag::test
