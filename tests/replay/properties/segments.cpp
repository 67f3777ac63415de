#include "segments.hpp"

#include <array>

#include <wirelag/decode/decoder.hpp>
#include <wirelag/ingest/capture_file.hpp>

namespace wirelag::properties {
namespace {

constexpr std::uint32_t kIpv6Header = 40;
constexpr std::uint32_t kIpv4Header = 20;
constexpr std::uint32_t kLongestPacket = 65'535;
constexpr std::uint32_t kVxlanHeaders = 14 + kIpv4Header + 8 + 8;

void put(Octets& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * bytes)));
}

void put(Octets& out, const Octets& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void put_little(Octets& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint32_t transport_header(const Segment& s) {
  if (s.transport == Transport::udp) return 8;
  return 20 + static_cast<std::uint32_t>((s.options.size() + 3) / 4 * 4);
}

void put_ip(Octets& out, const IpAddress& src, const IpAddress& dst, std::uint8_t protocol,
            std::uint32_t length, std::uint16_t id) {
  if (src.is_v4() && dst.is_v4()) {
    put(out, 0x4500, 2);
    put(out, kIpv4Header + length, 2);
    put(out, id, 2);
    put(out, 0x4000'40, 3);
    put(out, protocol, 1);
    put(out, 0, 2);
    out.insert(out.end(), src.bytes.begin() + 12, src.bytes.end());
    out.insert(out.end(), dst.bytes.begin() + 12, dst.bytes.end());
  } else {
    put(out, 0x6000'0000, 4);
    put(out, length, 2);
    put(out, protocol, 1);
    put(out, 64, 1);
    out.insert(out.end(), src.bytes.begin(), src.bytes.end());
    out.insert(out.end(), dst.bytes.begin(), dst.bytes.end());
  }
}

void put_transport(Octets& out, const Segment& s) {
  put(out, s.src.port, 2);
  put(out, s.dst.port, 2);
  if (s.transport == Transport::udp) {
    put(out, 8 + s.payload_length, 2);
    put(out, 0, 2);
    return;
  }
  put(out, s.tcp.seq, 4);
  put(out, s.tcp.ack, 4);
  put(out, transport_header(s) / 4 << 4, 1);
  put(out, s.tcp.flags, 1);
  put(out, s.tcp.window, 2);
  put(out, 0, 4);
  put(out, s.options);
  put(out, 0, transport_header(s) - 20 - s.options.size());
}

/// Ethernet around another Ethernet frame (RFC 7348).
void put_vxlan(Octets& out, std::size_t inner) {
  put(out, 0x02'00'00'00'00'02, 6);
  put(out, 0x02'00'00'00'00'01, 6);
  put(out, 0x0800, 2);
  IpAddress from, to;
  (void)parse_ip("198.51.100.1", from);
  (void)parse_ip("198.51.100.2", to);
  put_ip(out, from, to, 17, static_cast<std::uint32_t>(16 + inner), 0);
  put(out, 40000, 2);
  put(out, 4789, 2);
  put(out, 16 + inner, 2);
  put(out, 0, 2);
  put(out, 0x0800'0000'0000'0700, 8);
}

bool is_v4(const Segment& s) { return s.src.ip.is_v4() && s.dst.ip.is_v4(); }

Frame frame_of(const Segment& s, Wrap wrap, Octets& bytes) {
  const std::uint32_t ip = is_v4(s) ? kIpv4Header : kIpv6Header;
  const std::uint32_t tag = wrap == Wrap::vlan ? 4 : 0;
  std::uint32_t wire = 14 + tag + ip + transport_header(s) + s.payload_length;
  if (wrap == Wrap::vxlan) {
    put_vxlan(bytes, wire);
    wire += kVxlanHeaders;
  }
  put(bytes, 0x02'00'00'00'00'12, 6);
  put(bytes, 0x02'00'00'00'00'11, 6);
  if (wrap == Wrap::vlan) put(bytes, 0x8100'0007, 4);
  put(bytes, is_v4(s) ? 0x0800 : 0x86DD, 2);
  put_ip(bytes, s.src.ip, s.dst.ip, s.transport == Transport::tcp ? 6 : 17,
         transport_header(s) + s.payload_length, s.ip_id);
  put_transport(bytes, s);
  put(bytes, s.payload);
  Frame frame;
  frame.wire_length = wire;
  frame.time_ns = s.time_ns;
  frame.number = s.number;
  frame.untimed = s.untimed;
  return frame;
}

void put_block(Octets& file, std::uint32_t type, Octets body) {
  body.resize((body.size() + 3) / 4 * 4);
  const std::size_t length = body.size() + 12;
  put_little(file, type, 4);
  put_little(file, length, 4);
  put(file, body);
  put_little(file, length, 4);
}

/// Ethernet, nanoseconds, times as an offset from `begin_s`.
Octets interface_block(std::int64_t begin_s) {
  Octets body;
  put_little(body, 1, 4);  // LINKTYPE_ETHERNET, reserved
  put_little(body, 262144, 4);
  put_little(body, 9, 2);  // if_tsresol: 10^-9
  put_little(body, 1, 2);
  put_little(body, 9, 4);
  put_little(body, 14, 2);  // if_tsoffset
  put_little(body, 8, 2);
  put_little(body, static_cast<std::uint64_t>(begin_s), 8);
  put_little(body, 0, 4);
  return body;
}

}  // namespace

Result<Recording> load(const std::string& path, CaptureBlock& block) {
  Result<CaptureFile> file = CaptureFile::open(path);
  if (!file) return file.take_error();
  Recording recording;
  std::array<Frame, 64> frames;
  for (std::size_t n = file->read(frames); n > 0; n = file->read(frames)) {
    for (std::size_t i = 0; i < n; ++i) recording.add(frames[i]);
  }
  block.name = file->info().name;
  block.format = file->info().format;
  block.packets = recording.frames().size();
  return recording;
}

std::optional<Segments> flatten(const Recording& recording) {
  Counters counters;
  Decoder decoder({}, counters);
  Packet packet;
  Segments out;
  for (const Frame& frame : recording.frames()) {
    if (decoder.decode(frame, packet) != NotAnalysed::none) continue;
    Segment s;
    s.time_ns = frame.time_ns;
    s.number = frame.number;
    s.untimed = frame.untimed;
    s.ip_id = packet.ip_id;
    s.src = packet.src;
    s.dst = packet.dst;
    s.transport = packet.transport;
    s.tcp = packet.tcp;
    s.tcp.options = {};
    s.options.assign(packet.tcp.options.begin(), packet.tcp.options.end());
    if (packet.transport == Transport::udp) s.options.clear();
    s.payload.assign(packet.payload.begin(), packet.payload.end());
    s.payload_length = packet.payload_length;
    if (transport_header(s) + s.payload_length + kIpv6Header + kVxlanHeaders + 18 >
        kLongestPacket) {
      return std::nullopt;
    }
    out.push_back(std::move(s));
  }
  return out;
}

Recording frames_of(const Segments& segments, Wrap wrap) {
  Recording out;
  for (const Segment& s : segments) {
    Octets bytes;
    const Frame frame = frame_of(s, wrap, bytes);
    out.add(frame, std::move(bytes));
  }
  return out;
}

std::string pcapng_of_two_interfaces(const Segments& segments) {
  constexpr std::array<std::int64_t, 2> kBegin_s = {0, 100'000'000};
  Octets file;
  Octets section;
  put_little(section, 0x1A2B3C4D, 4);
  put_little(section, 1, 4);
  put_little(section, UINT64_MAX, 8);
  put_block(file, 0x0A0D0D0A, section);
  for (const std::int64_t begin_s : kBegin_s) put_block(file, 1, interface_block(begin_s));
  for (const Segment& s : segments) {
    const std::size_t interface = s.src < s.dst ? 0 : 1;
    Octets bytes;
    const Frame frame = frame_of(s, Wrap::plain, bytes);
    const auto ticks = static_cast<std::uint64_t>(s.time_ns - kBegin_s[interface] * kSecondNs);
    Octets body;
    put_little(body, interface, 4);
    put_little(body, ticks >> 32, 4);
    put_little(body, ticks & UINT32_MAX, 4);
    put_little(body, bytes.size(), 4);
    put_little(body, frame.wire_length, 4);
    put(body, bytes);
    put_block(file, 6, std::move(body));
  }
  return {file.begin(), file.end()};
}

}  // namespace wirelag::properties
