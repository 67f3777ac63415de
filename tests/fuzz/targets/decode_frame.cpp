// One decoder over a few frames of any link type: link layers, tunnels, IP, fragments, transport
// headers. What is decoded lies within the frame or the rebuilt datagram.
#include <wirelag/decode/decoder.hpp>
#include <wirelag/dispatch/shardable.hpp>

#include "fuzz/frame_script.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

void check(const Packet& packet, const Frame& frame) {
  WIRELAG_REQUIRE(packet.transport != Transport::none);
  WIRELAG_REQUIRE(packet.payload.size() <= packet.payload_length);
  WIRELAG_REQUIRE(packet.tcp.options.size() <= 40);
  WIRELAG_REQUIRE(packet.flow_hash == flow_hash(packet.dst, packet.src, packet.transport));
  WIRELAG_REQUIRE(packet.time_ns == frame.time_ns && packet.number == frame.number);
  unsigned sum = 0;  // every byte of the views is read: their memory must be there
  for (const std::uint8_t byte : packet.payload) sum += byte;
  for (const std::uint8_t byte : packet.tcp.options) sum += byte;
  WIRELAG_REQUIRE(sum <= 255 * (packet.payload.size() + packet.tcp.options.size()));
}

/// An IP packet in an Ethernet frame may take the short way, as a raw_ip frame it never does.
void check_both_ways(const Frame& frame) {
  constexpr std::size_t kEthernetBytes = 14;
  if (frame.link != LinkType::ethernet || frame.bytes.size() <= kEthernetBytes) return;
  const unsigned type = frame.bytes[12] << 8 | frame.bytes[13];
  const unsigned version = frame.bytes[kEthernetBytes] >> 4;
  if (!(type == 0x0800 && version == 4) && !(type == 0x86dd && version == 6)) return;
  Frame raw = frame;
  raw.link = LinkType::raw_ip;
  raw.bytes = frame.bytes.subspan(kEthernetBytes);
  raw.wire_length -=
      static_cast<std::uint32_t>(std::min<std::size_t>(raw.wire_length, kEthernetBytes));
  Counters counters;
  Decoder one({.fragment_datagrams = 0}, counters), other({.fragment_datagrams = 0}, counters);
  Packet a, b;
  const NotAnalysed reason = one.decode(frame, a);
  WIRELAG_REQUIRE(reason == other.decode(raw, b));
  if (reason != NotAnalysed::none) return;
  WIRELAG_REQUIRE(a.src == b.src && a.dst == b.dst && a.flow_hash == b.flow_hash);
  WIRELAG_REQUIRE(a.payload.data() == b.payload.data() && a.payload.size() == b.payload.size());
  WIRELAG_REQUIRE(a.payload_length == b.payload_length && a.tunnels == b.tunnels);
  WIRELAG_REQUIRE(a.transport == b.transport && a.ip_version == b.ip_version);
  if (a.transport != Transport::tcp) return;
  WIRELAG_REQUIRE(a.tcp.seq == b.tcp.seq && a.tcp.ack == b.tcp.ack && a.tcp.flags == b.tcp.flags);
  WIRELAG_REQUIRE(a.tcp.window == b.tcp.window);
  WIRELAG_REQUIRE(as_text(a.tcp.options) == as_text(b.tcp.options));
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  fuzz::Input input(data, size);
  const fuzz::Frames frames = fuzz::raw_frames(input);
  Counters counters;
  Decoder decoder({.max_tunnels = 3, .fragment_datagrams = 2}, counters);
  Accounting books;
  for (const Frame& frame : frames.all()) {
    (void)port_could_shard(frame);
    check_both_ways(frame);
    Packet packet;
    const NotAnalysed reason = decoder.decode(frame, packet);
    books.datagram_completed(decoder.fragments_completed());
    books.count(reason);
    if (reason == NotAnalysed::none) check(packet, frame);
    const Frame rebuilt = decoder.rebuilt();
    if (reason != NotAnalysed::none || rebuilt.bytes.empty()) continue;
    // What was put together once decodes the same from the whole datagram.
    Counters again;
    Decoder plain({.max_tunnels = 3, .fragment_datagrams = 0}, again);
    Packet same;
    WIRELAG_REQUIRE(plain.decode(rebuilt, same) == NotAnalysed::none);
    WIRELAG_REQUIRE(same.flow_hash == packet.flow_hash && same.src == packet.src);
    WIRELAG_REQUIRE(as_text(same.payload) == as_text(packet.payload));
  }
  WIRELAG_REQUIRE(books.balanced());
  return 0;
}
