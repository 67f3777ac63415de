#include "common.hpp"

#include <wirelag/ingest/frame.hpp>

#include "headers.hpp"

namespace wirelag::decode {
namespace {

constexpr std::uint16_t kVlan = 0x8100;

/// The transport header and payload of `content`, which an IP header has bounded. Inlined into both versions of IP:
/// its arguments are then in registers already.
[[nodiscard, gnu::always_inline]] inline bool tcp(Content content, Sides sides, std::uint64_t seed,
                                                  Packet& out) {
  TcpWire wire;
  if (!content.peek(wire)) return false;
  const std::uint32_t header_length = (wire.data_offset >> 4) * 4u;
  if (header_length < sizeof wire || !content.has(header_length)) return false;
  const std::uint16_t src_port = wire.src_port.host(), dst_port = wire.dst_port.host();
  out.tcp.seq = wire.seq.host();
  out.tcp.ack = wire.ack.host();
  out.tcp.window = wire.window.host();
  out.tcp.flags = wire.flags;
  out.tcp.options = {content.data + sizeof wire, header_length - sizeof wire};
  out.src.port = src_port;
  out.dst.port = dst_port;
  out.transport = Transport::tcp;
  out.flow_hash = flow_hash(sides, src_port, dst_port, Transport::tcp, seed);
  out.payload = {content.data + header_length, content.captured - header_length};
  out.payload_length = content.length - header_length;
  return true;
}

[[nodiscard]] bool udp(Content content, Sides sides, std::uint64_t seed, Packet& out) {
  UdpWire wire;
  if (!content.read(wire)) return false;
  const std::uint32_t stated = wire.length.host();
  if (stated < sizeof wire) return false;
  content = content.at_most(stated - static_cast<std::uint32_t>(sizeof wire));
  const std::uint16_t src_port = wire.src_port.host(), dst_port = wire.dst_port.host();
  if (may_be_udp_tunnel(src_port, content) || may_be_udp_tunnel(dst_port, content)) return false;
  out.src.port = src_port;
  out.dst.port = dst_port;
  out.transport = Transport::udp;
  out.flow_hash = flow_hash(sides, src_port, dst_port, Transport::udp, seed);
  out.payload = content.bytes();
  out.payload_length = content.length;
  return true;
}

[[nodiscard, gnu::always_inline]] inline bool transport(std::uint8_t protocol, Content content,
                                                        Sides sides, std::uint64_t seed,
                                                        Packet& out) {
  out.snaplen_cut |= content.cut();
  if (protocol == ip_protocol::tcp) [[likely]]
    return tcp(content, sides, seed, out);
  return protocol == ip_protocol::udp && udp(content, sides, seed, out);
}

[[nodiscard]] bool ipv4(Content content, std::uint64_t seed, Packet& out) {
  constexpr std::uint8_t kVersion4NoOptions = 0x45;
  Ipv4Wire wire;
  if (!content.peek(wire) || wire.version_length != kVersion4NoOptions) return false;
  const std::uint32_t total_length = wire.total_length.host();
  if (total_length < sizeof wire) return false;
  if ((wire.fragment.host() & (kMoreFragments4 | kOffset4)) != 0) return false;
  content = content.with_length(total_length);
  content.skip(sizeof wire);
  const Sides sides{mapped(wire.src), mapped(wire.dst)};
  store(out.src.ip, 0, sides.src);
  store(out.dst.ip, 0, sides.dst);
  out.ip_id = wire.id.host();
  out.ip_version = 4;
  return transport(wire.protocol, content, sides, seed, out);
}

[[nodiscard]] bool ipv6(Content content, std::uint64_t seed, Packet& out) {
  Ipv6Wire wire;
  if (!content.read(wire) || wire.version_class_label.b[0] >> 4 != 6) return false;
  const std::uint32_t payload_length = wire.payload_length.host();
  if (payload_length == 0) return false;
  const std::uint64_t src_high = address_half(wire.src), src_low = address_half(wire.src + 8);
  const std::uint64_t dst_high = address_half(wire.dst), dst_low = address_half(wire.dst + 8);
  store(out.src.ip, src_high, src_low);
  store(out.dst.ip, dst_high, dst_low);
  out.ip_id = 0;
  out.ip_version = 6;
  return transport(wire.next_header, content.with_length(payload_length),
                   {address_word(src_high, src_low, seed), address_word(dst_high, dst_low, seed)},
                   seed, out);
}

}  // namespace

bool decode_common(const Frame& frame, std::uint64_t hash_seed, Packet& out) {
  if (frame.link != LinkType::ethernet) return false;
  const auto captured = static_cast<std::uint32_t>(frame.bytes.size());
  Content content{frame.bytes.data(), captured, std::max(captured, frame.wire_length)};
  be16 type;
  if (!content.skip(kMacs) || !content.read(type)) return false;
  if (type.host() == kVlan && (!content.skip(2) || !content.read(type))) return false;
  out.time_ns = frame.time_ns;
  out.untimed = frame.untimed;
  out.number = frame.number;
  out.tunnels = 0;
  out.snaplen_cut = captured < frame.wire_length;
  switch (type.host()) {
    case ether_type::ipv4: return ipv4(content, hash_seed, out);
    case ether_type::ipv6: return ipv6(content, hash_seed, out);
    default: return false;
  }
}

}  // namespace wirelag::decode
