// TLS from one direction's bytes in pieces: the records, the handshake messages in them, the hellos;
// and both directions of a connection through the tracker. Every piece is used up; no buffer is lost.
//   u8 0-253: a piece of so many bytes   254: the other direction   255, u16: so many missing
#include <wirelag/track/tls/tracker.hpp>

#include "../src/track/tls/hello.hpp"
#include "../src/track/tls/record_reader.hpp"
#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

using namespace tls;

void look_into(const RecordReader& reader) {
  const auto each = [](std::string_view name) { return !name.empty(); };
  const Bytes body = reader.body();
  for_each_alpn(parse_client_hello(body).alpn, each);
  for_each_alpn(parse_server_hello(body).alpn, each);
  (void)parse_ssl2_client_hello(body);
  (void)is_ssl2_server_hello(body);
}

void read_records(fuzz::Input input) {
  constexpr std::uint32_t kBuffers = 2;
  HelloBuffers buffers(kBuffers, 512);
  Counters counters;
  RecordReader reader[2];
  std::size_t side = 0;
  for (FrameNumber frame = 1; !input.empty(); ++frame) {
    const std::uint8_t n = input.u8();
    if (n == 254) {
      side ^= 1;
    } else if (n == 255) {
      reader[side].skip_hole(input.u16() + 1U, buffers);
    } else {
      const StreamChunk chunk{input.bytes(n), frame, frame, static_cast<Direction>(side)};
      Bytes rest = chunk.bytes;
      if (rest.empty()) continue;
      for (std::size_t events = 0;; ++events) {
        WIRELAG_REQUIRE(events <= 2 * chunk.bytes.size() + 4);
        const RecordReader::Event event = reader[side].read(rest, chunk, buffers, counters);
        if (event == RecordReader::Event::hello) look_into(reader[side]);
        if (event == RecordReader::Event::none || event == RecordReader::Event::broken) break;
      }
    }
  }
  reader[0].release(buffers);
  reader[1].release(buffers);
  WIRELAG_REQUIRE(buffers.available() == kBuffers);
}

struct Handshakes final : TransactionSink {
  void emit(TransactionRef t) override {
    const TlsHandshake& handshake = *std::get<const TlsHandshake*>(t);
    WIRELAG_REQUIRE(handshake.sni.size() <= 65535);
    ++count;
  }
  std::size_t count = 0;
};

void track(fuzz::Input input) {
  static Classifier classifier(Signatures::compile({}).value());
  Counters counters;
  Handshakes handshakes;
  TlsTracker tracker({.connections = 1, .hello_bytes = 512, .hello_buffers = 1}, classifier,
                     handshakes, counters);
  const TlsTracker::Handle handle = tracker.open({});
  std::size_t side = 0;
  for (FrameNumber frame = 1; !input.empty(); ++frame) {
    const std::uint8_t n = input.u8();
    const auto direction = static_cast<Direction>(side);
    if (n == 254) {
      side ^= 1;
    } else if (n == 255) {
      const unsigned missing = input.u16();
      if (missing >> 15 != 0) {
        tracker.on_cut(handle, {{}, frame, frame, direction}, (missing & 0x7fffU) + 1);
      } else {
        tracker.on_gap(handle, direction, missing + 1);
      }
    } else if (const Bytes bytes = input.bytes(n); !bytes.empty()) {
      tracker.on_bytes(handle, {bytes, frame, frame, direction});
    }
  }
  tracker.close(handle);
  WIRELAG_REQUIRE(handshakes.count <= 1);
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wirelag::fuzz::Input input(data, size);
  wirelag::read_records(input);
  wirelag::track(input);
  return 0;
}
