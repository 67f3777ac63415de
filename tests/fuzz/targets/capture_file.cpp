// A capture file of any bytes: refused with a sentence, or read to its end.
#include <array>
#include <string>

#include <wirelag/ingest/capture_file.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

void read_all(CaptureFile& file) {
  std::array<Frame, 16> frames;
  FrameNumber number = 0;  // some blocks without a frame have a number as well
  std::uint64_t count = 0;
  for (std::size_t n = file.read(frames); n > 0; n = file.read(frames)) {
    for (const Frame& frame : std::span(frames).first(n)) {
      WIRELAG_REQUIRE(frame.number > number);
      number = frame.number;
      ++count;
      WIRELAG_REQUIRE(frame.wire_length >= frame.bytes.size());
      WIRELAG_REQUIRE(frame.time_ns >= 0 && frame.time_ns <= TimeNs{1} << 62);
      unsigned sum = 0;
      for (const std::uint8_t byte : frame.bytes) sum += byte;
      WIRELAG_REQUIRE(sum <= 255 * frame.bytes.size());
    }
  }
  WIRELAG_REQUIRE(file.read(frames) == 0);
  std::uint64_t by_link = 0;
  for (const LinkSeen& seen : file.info().links) by_link += seen.frames;
  WIRELAG_REQUIRE(by_link == count);
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  Result<CaptureFile> file = CaptureFile::open_bytes({data, size}, "fuzz");
  if (file) {
    read_all(*file);
  } else {
    WIRELAG_REQUIRE(!file.error().empty());
    WIRELAG_REQUIRE(file.error().find('\n') == std::string::npos);
  }
  return 0;
}
