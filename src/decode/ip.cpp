// IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, and their fragments.
#include "walk.hpp"

namespace wirelag::decode {
namespace {

struct ExtensionWire {
  std::uint8_t next_header;
  std::uint8_t length;  ///< 8-byte words after the first; authentication: 4-byte words less 2
};

struct Ipv6FragmentWire {
  std::uint8_t next_header;
  std::uint8_t reserved;
  be16 offset;  ///< 13 bits of offset / 8, 2 reserved bits, more fragments
  be32 id;
};
static_assert(sizeof(Ipv6FragmentWire) == 8);

/// The length a jumbo payload option states (RFC 2675 section 2), 0 without one. `content` begins
/// with the hop-by-hop header.
std::uint32_t jumbo_length(Content content) {
  constexpr std::uint8_t kPad1 = 0, kJumbo = 0xc2;
  ExtensionWire header;
  if (!content.read(header)) return 0;
  content = content.at_most(header.length * 8u + 6);
  std::uint8_t type = 0;
  while (content.read(type)) {
    if (type == kPad1) continue;
    std::uint8_t length = 0;
    be32 jumbo;
    if (!content.read(length)) return 0;
    if (type == kJumbo && length == sizeof jumbo) return content.read(jumbo) ? jumbo.host() : 0;
    if (!content.skip(length)) return 0;
  }
  return 0;
}

}  // namespace

NotAnalysed Walk::ip(Content packet) {
  if (!packet.has(1)) return NotAnalysed::ip_truncated;
  const int version = packet.data[0] >> 4;
  if (version == 4) return ipv4(packet);
  if (version == 6) return ipv6(packet);
  return NotAnalysed::ip_malformed;
}

NotAnalysed Walk::ipv4(Content packet) {
  Ipv4Wire header;
  if (!packet.peek(header)) return NotAnalysed::ip_truncated;
  const std::uint32_t header_length = (header.version_length & 0x0f) * 4u;
  if (header.version_length >> 4 != 4 || header_length < sizeof header) {
    return NotAnalysed::ip_malformed;
  }
  // Total length 0: a packet the sender's NIC still had to split (TSO). It ends with the frame.
  const std::uint32_t total_length = header.total_length.host();
  if (total_length != 0) {
    if (total_length < header_length) return NotAnalysed::ip_malformed;
    packet = stated_length(packet, total_length);
  }
  cut_ |= packet.cut();
  Content content = packet;
  if (!content.skip(header_length)) return NotAnalysed::ip_truncated;

  const Sides sides{mapped(header.src), mapped(header.dst)};
  store(out_.src.ip, 0, sides.src);
  store(out_.dst.ip, 0, sides.dst);
  out_.ip_id = header.id.host();
  out_.ip_version = 4;
  const std::uint16_t fragment_field = header.fragment.host();
  if ((fragment_field & (kMoreFragments4 | kOffset4)) != 0) [[unlikely]] {
    const FragmentKey key{0, sides.src, 0, sides.dst, header.id.host(), header.protocol, 4};
    const FragmentPart part{content.bytes(),
                            (fragment_field & kOffset4) * 8u,
                            (fragment_field & kMoreFragments4) != 0,
                            packet.bytes().first(sizeof header),
                            header.protocol,
                            1};
    return fragment(key, part, content, sides);
  }
  switch (header.protocol) {
    case ip_protocol::tcp: return tcp(sides, content);
    case ip_protocol::udp: return udp(sides, content);
    default: return ip_payload(sides, header.protocol, content);
  }
}

NotAnalysed Walk::ipv6(Content packet) {
  Ipv6Wire header;
  Content content = packet;
  if (!content.read(header)) return NotAnalysed::ip_truncated;
  if (header.version_class_label.b[0] >> 4 != 6) return NotAnalysed::ip_malformed;
  // Payload length 0: a jumbogram, or a packet the sender's NIC still had to split.
  std::uint32_t payload_length = header.payload_length.host();
  if (payload_length == 0 && header.next_header == ip_protocol::hop_by_hop) {
    payload_length = jumbo_length(content);
  }
  if (payload_length != 0) content = stated_length(content, payload_length);
  cut_ |= content.cut();
  const std::uint64_t src_high = address_half(header.src), src_low = address_half(header.src + 8);
  const std::uint64_t dst_high = address_half(header.dst), dst_low = address_half(header.dst + 8);
  const Sides sides{address_word(src_high, src_low, hash_seed_),
                    address_word(dst_high, dst_low, hash_seed_)};
  store(out_.src.ip, src_high, src_low);
  store(out_.dst.ip, dst_high, dst_low);
  out_.ip_id = 0;
  out_.ip_version = 6;
  switch (header.next_header) {
    case ip_protocol::tcp: return tcp(sides, content);
    case ip_protocol::udp: return udp(sides, content);
    default:
      return ipv6_payload(sides, header.next_header, packet.bytes().first(sizeof header), content);
  }
}

NotAnalysed Walk::ipv6_payload(Sides sides, std::uint8_t protocol, Bytes ip_header,
                               Content content) {
  for (;;) {
    std::uint32_t length = 0;
    ExtensionWire extension;
    switch (protocol) {
      case ip_protocol::hop_by_hop:
      case ip_protocol::routing:
      case ip_protocol::destination:
      case ip_protocol::mobility:
      case ip_protocol::hip:
      case ip_protocol::shim6:
        if (!content.peek(extension)) return NotAnalysed::ip_truncated;
        length = extension.length * 8u + 8;
        break;
      case ip_protocol::authentication:
        if (!content.peek(extension)) return NotAnalysed::ip_truncated;
        length = (extension.length + 2u) * 4;
        break;
      case ip_protocol::fragment: {
        Ipv6FragmentWire header;
        if (!content.read(header)) return NotAnalysed::ip_truncated;
        const std::uint32_t offset = header.offset.host() & 0xfff8u;
        const bool more = (header.offset.host() & 1) != 0;
        protocol = header.next_header;
        if (offset == 0 && !more) continue;  // atomic fragment, RFC 6946: whole as it is
        Ipv6Wire ip;
        std::memcpy(&ip, ip_header.data(), sizeof ip);
        const FragmentKey key{address_half(ip.src),
                              address_half(ip.src + 8),
                              address_half(ip.dst),
                              address_half(ip.dst + 8),
                              header.id.host(),
                              0,
                              6};
        return fragment(key, {content.bytes(), offset, more, ip_header, protocol, 1}, content,
                        sides);
      }
      default: return ip_payload(sides, protocol, content);
    }
    protocol = extension.next_header;
    if (!content.skip(length)) return NotAnalysed::ip_truncated;
  }
}

NotAnalysed Walk::fragment(const FragmentKey& key, const FragmentPart& part, Content content,
                           Sides sides) {
  fragment_ = true;
  if (content.cut()) {
    // The datagram can never be whole. What its first fragment shows is better than nothing.
    if (part.offset != 0) return NotAnalysed::fragment_incomplete;
    return key.ip_version == 4 ? ip_payload(sides, part.protocol, content)
                               : ipv6_payload(sides, part.protocol, part.ip_header, content);
  }
  FragmentPart counted = part;
  counted.frames += frames_completed_;
  switch (fragments_.add(key, counted, frame_.time_ns)) {
    case FragmentResult::repeated: duplicate_ = true; [[fallthrough]];
    case FragmentResult::kept: frames_completed_ = 0; return NotAnalysed::fragment_incomplete;
    case FragmentResult::late:
      duplicate_ = true;
      frames_completed_ = 0;
      return NotAnalysed::fragment_duplicate;
    case FragmentResult::malformed: return NotAnalysed::ip_malformed;
    case FragmentResult::overlap: return NotAnalysed::fragment_overlap;
    case FragmentResult::no_room: return NotAnalysed::fragment_table_full;
    case FragmentResult::whole: break;
  }
  frames_completed_ += fragments_.frames();
  if (++rebuilt_ > max_tunnels_ + 1) return NotAnalysed::tunnel_too_deep;
  const Bytes whole = fragments_.datagram();
  const auto length = static_cast<std::uint32_t>(whole.size());
  return ip({whole.data(), length, length});
}

NotAnalysed Walk::ip_payload(Sides sides, std::uint8_t protocol, Content content) {
  while (protocol == ip_protocol::authentication) {  // RFC 4302 section 2
    ExtensionWire header;
    if (!content.peek(header)) return NotAnalysed::ip_truncated;
    protocol = header.next_header;
    if (!content.skip((header.length + 2u) * 4)) return NotAnalysed::ip_truncated;
  }
  switch (protocol) {
    case ip_protocol::tcp: return tcp(sides, content);
    case ip_protocol::udp: return udp(sides, content);
    case ip_protocol::icmp:
    case ip_protocol::icmpv6: return NotAnalysed::icmp;
    default: return ip_tunnel(protocol, content);
  }
}

}  // namespace wirelag::decode
