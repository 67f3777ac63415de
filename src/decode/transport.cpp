// TCP (RFC 9293 section 3.1) and UDP (RFC 768): the last layer, where the packet becomes complete.
#include "walk.hpp"

namespace wirelag {
std::uint32_t flow_hash(const Endpoint& a, const Endpoint& b, Transport transport,
                        std::uint64_t seed) {
  return decode::flow_hash({decode::address_word(a.ip.high(), a.ip.low(), seed),
                            decode::address_word(b.ip.high(), b.ip.low(), seed)},
                           a.port, b.port, transport, seed);
}

namespace decode {
namespace {

/// A header that does not fit its IP packet contradicts it; otherwise the capture ends inside it.
NotAnalysed no_room(const Content& content, std::uint32_t header_length) {
  return content.length < header_length ? NotAnalysed::transport_malformed
                                        : NotAnalysed::transport_truncated;
}

/// Whether the result of taking a UDP datagram for a tunnel holds. If not, the port was chance and
/// the datagram is what it looks like: UDP.
bool holds(NotAnalysed result, const Content& content) {
  switch (result) {
    case NotAnalysed::link_unknown:
    case NotAnalysed::ip_malformed:
    case NotAnalysed::tunnel_malformed:
    case NotAnalysed::tunnel_unknown: return false;
    case NotAnalysed::link_truncated:
    case NotAnalysed::ip_truncated:
    case NotAnalysed::tunnel_truncated: return content.cut();
    default: return true;
  }
}

}  // namespace

void Walk::complete(Sides sides, Transport transport, std::uint16_t src_port,
                    std::uint16_t dst_port, Content payload) {
  out_.time_ns = frame_.time_ns;
  out_.untimed = frame_.untimed;
  out_.number = frame_.number;
  out_.flow_hash = flow_hash(sides, src_port, dst_port, transport, hash_seed_);
  out_.payload_length = payload.length;
  out_.src.port = src_port;
  out_.dst.port = dst_port;
  out_.payload = payload.bytes();
  out_.transport = transport;
  out_.tunnels = tunnels_;
  out_.snaplen_cut = cut_ || frame_.bytes.size() < frame_.wire_length;
}

NotAnalysed Walk::tcp(Sides sides, Content segment) {
  TcpWire wire;
  if (!segment.read(wire)) return no_room(segment, sizeof wire);
  const std::uint32_t header_length = (wire.data_offset >> 4) * 4u;
  if (header_length < sizeof wire) return NotAnalysed::transport_malformed;
  // A header longer than its segment is broken, but its fixed part says what the sender meant.
  const std::uint32_t options_length =
      std::min(header_length - static_cast<std::uint32_t>(sizeof wire), segment.length);
  const std::uint32_t options_captured = std::min(options_length, segment.captured);
  out_.tcp.seq = wire.seq.host();
  out_.tcp.ack = wire.ack.host();
  out_.tcp.window = wire.window.host();
  out_.tcp.flags = wire.flags;
  out_.tcp.options = {segment.data, options_captured};
  complete(sides, Transport::tcp, wire.src_port.host(), wire.dst_port.host(),
           {segment.data + options_captured, segment.captured - options_captured,
            segment.length - options_length});
  return NotAnalysed::none;
}

NotAnalysed Walk::udp(Sides sides, Content datagram) {
  UdpWire wire;
  if (!datagram.read(wire)) return no_room(datagram, sizeof wire);
  // Length 0: a jumbogram (RFC 2675) or a datagram that the sender's NIC still had to split.
  const std::uint32_t stated = wire.length.host();
  if (stated != 0) {
    if (stated < sizeof wire) return NotAnalysed::transport_malformed;
    datagram = datagram.at_most(stated - static_cast<std::uint32_t>(sizeof wire));
  }

  const std::uint16_t src_port = wire.src_port.host();
  const std::uint16_t dst_port = wire.dst_port.host();
  for (const std::uint16_t port : {dst_port, src_port}) {
    if (!may_be_udp_tunnel(port, datagram)) [[likely]]
      continue;
    const std::uint8_t tunnels_here = tunnels_;
    const std::uint32_t rebuilt_here = rebuilt_;
    const IpAddress src = out_.src.ip, dst = out_.dst.ip;
    const std::uint16_t ip_id = out_.ip_id;
    const std::uint8_t ip_version = out_.ip_version;
    const NotAnalysed inner = udp_tunnel(port, datagram);
    // A datagram rebuilt inside lies where this one may have been: there is no way back.
    if (holds(inner, datagram) || rebuilt_ != rebuilt_here) return inner;
    tunnels_ = tunnels_here;
    out_.src.ip = src;
    out_.dst.ip = dst;
    out_.ip_id = ip_id;
    out_.ip_version = ip_version;
  }
  complete(sides, Transport::udp, src_port, dst_port, datagram);
  return NotAnalysed::none;
}

}  // namespace decode
}  // namespace wirelag
