// DNS over TCP in pieces: as long as nothing is missing, where the pieces end makes no difference.
//   u8 0-254: a piece of so many bytes      255, u8: so many bytes are missing
#include <string>
#include <vector>

#include "../src/track/dns/stream.hpp"
#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

struct Messages final : DnsMessageSink {
  bool on_message(Bytes message, bool, TimeNs, FrameNumber) override {
    all.emplace_back(as_text(message));
    return (message.size() & 15U) != 15;  // sometimes it is not DNS after all
  }
  std::vector<std::string> all;
};

struct Reading {
  Counters counters;
  DnsStreamReader reader{128, counters};
  DnsFraming framing;
  Messages messages;
};

void read(Reading& r, Bytes bytes, FrameNumber frame) {
  if (bytes.empty()) return;
  r.reader.on_bytes(r.framing, {bytes, 0, frame, Direction::c2s}, r.messages);
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  fuzz::Input input(data, size);
  Reading pieces;
  std::vector<std::uint8_t> joined;
  bool gap = false;
  for (FrameNumber frame = 1; !input.empty(); ++frame) {
    const std::uint8_t n = input.u8();
    if (n == 255) {
      gap = true;
      pieces.reader.on_gap(pieces.framing, input.u8(), pieces.messages);
      continue;
    }
    const Bytes bytes = input.bytes(n);
    read(pieces, bytes, frame);
    joined.insert(joined.end(), bytes.begin(), bytes.end());
  }
  const bool lost = pieces.framing.phase == DnsFraming::Phase::lost;
  pieces.reader.close(pieces.framing);
  if (gap || lost) return 0;

  Reading whole;
  read(whole, joined, 1);
  // A search for a new beginning starts at a piece's: only without one do the pieces not matter.
  if (whole.framing.phase != DnsFraming::Phase::lost) {
    WIRELAG_REQUIRE(pieces.counters.of(Counter::dns_stream_buffer_full) != 0 ||
                    pieces.messages.all.size() >= whole.messages.all.size());
  }
  whole.reader.close(whole.framing);
  return 0;
}
