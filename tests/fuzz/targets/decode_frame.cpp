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
