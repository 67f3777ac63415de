// Both directions of an HTTP connection cut into pieces anywhere. Where the pieces end makes no
// difference to what is found as long as the parser is not searching; and no buffer is lost.
//   u8 direction (bit 0), what (bits 1-2: bytes, bytes, hole, end), u8 size, bytes
#include <string>

#include <fmt/format.h>

#include <wirelag/track/http/parser.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

/// The events of a direction as text, and their order.
class Recorder final : public HttpEvents {
 public:
  void on_start(Direction d, const HttpStart& start) override {
    WIRELAG_REQUIRE(!open_[index(d)]);
    WIRELAG_REQUIRE(start.arrival.frames.first <= start.arrival.frames.last);
    open_[index(d)] = true;
    log[index(d)] +=
        fmt::format("{} {} {} {}\n", start.method, start.target, start.status, start.cut);
  }
  void on_field(Direction d, HttpField field, std::string_view value, bool continued) override {
    WIRELAG_REQUIRE(open_[index(d)]);
    log[index(d)] += fmt::format("field {} '{}' {}\n", int(field), value, continued);
  }
  HttpRequestKind answered_request() const override { return HttpRequestKind::ordinary; }
  void on_head_end(Direction d, const HttpHeadEnd& head) override {
    WIRELAG_REQUIRE(open_[index(d)]);
    log[index(d)] += fmt::format("head {} {}\n", int(head.body), head.persistent);
  }
  void on_message_bytes(const StreamChunk& chunk, std::uint64_t bytes,
                        std::uint64_t body) override {
    WIRELAG_REQUIRE(open_[index(chunk.direction)]);
    WIRELAG_REQUIRE(bytes > 0 && body <= bytes);
    WIRELAG_REQUIRE(chunk.bytes.empty() || bytes <= chunk.bytes.size());
    body_[index(chunk.direction)] += body;
  }
  void on_body_unknown(Direction d) override { WIRELAG_REQUIRE(open_[index(d)]); }
  void on_missing_bytes(Direction d, std::uint64_t bytes) override {
    WIRELAG_REQUIRE(open_[index(d)] && bytes > 0);
  }
  void on_message_end(Direction d, HttpEnd end) override {
    WIRELAG_REQUIRE(open_[index(d)]);
    open_[index(d)] = false;
    log[index(d)] += fmt::format("end {} body {}\n", int(end), body_[index(d)]);
    body_[index(d)] = 0;
  }
  void on_skipped(Direction, std::uint64_t bytes) override { WIRELAG_REQUIRE(bytes > 0); }
  bool may_respond(const HttpArrival&) override { return true; }

  std::string log[2];

 private:
  bool open_[2]{};
  std::uint64_t body_[2]{};
};

constexpr HttpLimits kLimits{.connections = 1, .header_bytes = 256, .header_buffers = 2};

struct Parsing {
  Counters counters;
  Recorder events;
  HttpParser parser{kLimits, counters, events};
  HttpStream stream[2];

  void feed(Direction d, Bytes bytes, FrameNumber frame) {
    if (!bytes.empty()) parser.feed(stream[index(d)], {bytes, frame * 10, frame, d});
  }
  void close() {
    for (const Direction d : {Direction::c2s, Direction::s2c}) parser.abort(stream[index(d)], d);
    WIRELAG_REQUIRE(parser.buffers_in_use() == 0);
  }
};

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  fuzz::Input input(data, size);
  Parsing pieces;
  std::string joined[2];
  bool whole_comparable = true;
  for (FrameNumber frame = 1; !input.empty(); ++frame) {
    const std::uint8_t what = input.u8();
    const auto d = static_cast<Direction>(what & 1U);
    HttpStream& stream = pieces.stream[index(d)];
    switch (what >> 1 & 3U) {
      case 2:
        if ((what & 8U) != 0) {
          (void)pieces.parser.cut(stream, {{}, frame * 10, frame, d},
                                  input.u16() + std::uint64_t{1});
        } else {
          (void)pieces.parser.gap(stream, d, input.u16() + std::uint64_t{1});
        }
        whole_comparable = false;
        break;
      case 3:
        pieces.parser.finish(stream, d);
        whole_comparable = false;
        break;
      default: {
        const Bytes bytes = input.bytes(input.u8());
        joined[index(d)] += as_text(bytes);
        pieces.feed(d, bytes, frame);
        if (stream.state == HttpStream::State::lost || stream.nonsense != 0 || stream.tentative) {
          whole_comparable = false;
        }
      }
    }
  }
  Parsing whole;
  for (const Direction d : {Direction::c2s, Direction::s2c}) {
    whole.feed(d, as_bytes(joined[index(d)]), 1);
    if (whole.stream[index(d)].nonsense != 0) whole_comparable = false;
  }
  if (whole_comparable) {
    WIRELAG_REQUIRE(pieces.events.log[0] == whole.events.log[0]);
    WIRELAG_REQUIRE(pieces.events.log[1] == whole.events.log[1]);
  }
  pieces.close();
  whole.close();
  return 0;
}
