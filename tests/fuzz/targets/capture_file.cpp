// A capture file of any bytes: refused with a sentence, or read to its end.
#include <array>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include <wirelag/ingest/capture_file.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

void read_all(CaptureFile& file) {
  std::array<Frame, 16> frames;
  FrameNumber number = 0;
  for (std::size_t n = file.read(frames); n > 0; n = file.read(frames)) {
    for (const Frame& frame : std::span(frames).first(n)) {
      WIRELAG_REQUIRE(frame.number == ++number);
      WIRELAG_REQUIRE(frame.wire_length >= frame.bytes.size());
      WIRELAG_REQUIRE(frame.time_ns >= 0 && frame.time_ns <= TimeNs{1} << 62);
      unsigned sum = 0;
      for (const std::uint8_t byte : frame.bytes) sum += byte;
      WIRELAG_REQUIRE(sum <= 255 * frame.bytes.size());
    }
  }
  WIRELAG_REQUIRE(file.read(frames) == 0);
  WIRELAG_REQUIRE(number == 0 || !file.info().link_types.empty());
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  WIRELAG_REQUIRE(fd >= 0);
  WIRELAG_REQUIRE(write(fd, data, size) == static_cast<ssize_t>(size));
  Result<CaptureFile> file = CaptureFile::open("/proc/self/fd/" + std::to_string(fd));
  if (file) {
    read_all(*file);
  } else {
    WIRELAG_REQUIRE(!file.error().empty());
    WIRELAG_REQUIRE(file.error().find('\n') == std::string::npos);
  }
  close(fd);
  return 0;
}
