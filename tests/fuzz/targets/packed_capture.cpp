// Compressed bytes of any kind. The first byte says how long the pieces are in which they are read: what they unpack to
// must not depend on it, and neither must whether there is something wrong with them. Then as a capture file.
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include <wirelag/ingest/capture_file.hpp>
#include <wirelag/ingest/record_reader.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"
#include "src/ingest/unpacked_source.hpp"
#include "support/piece_source.hpp"

namespace wirelag {
namespace {

using ingest::UnpackedSource;
using test::PieceSource;

/// A few bytes may unpack to gigabytes.
constexpr std::size_t kMostUnpacked = 1 << 20;

struct Unpacked {
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;
  bool whole = false;
  bool trouble = false;
};

Unpacked unpack(Bytes packed, std::string_view format, std::size_t piece) {
  UnpackedSource source(std::make_unique<PieceSource>(packed, piece),
                        ingest::make_unpacker(format));
  std::array<std::uint8_t, 4096> out;
  Unpacked all;
  while (all.bytes < kMostUnpacked) {
    const std::size_t n = source.read_at(all.bytes, out);
    if (n == 0) {
      all.whole = true;
      break;
    }
    for (const std::uint8_t byte : Bytes(out).first(n)) all.hash = all.hash * 31 + byte;
    all.bytes += n;
    WIRELAG_REQUIRE(source.packed_position() <= packed.size());
  }
  all.trouble = !source.error().empty();
  WIRELAG_REQUIRE(source.error().find('\n') == std::string::npos);
  return all;
}

void read_some(CaptureFile& file, std::size_t most_frames) {
  std::array<Frame, 16> frames;
  for (std::size_t seen = 0; seen < most_frames;) {
    const std::size_t n = file.read(frames);
    if (n == 0) break;
    seen += n;
    unsigned sum = 0;
    for (const Frame& frame : std::span(frames).first(n)) {
      for (const std::uint8_t byte : frame.bytes) sum ^= byte;
    }
    WIRELAG_REQUIRE(sum <= 255);
    WIRELAG_REQUIRE(file.position_bytes() <= file.info().file_bytes);
  }
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  if (size < 2) return 0;
  const Bytes packed(data + 1, size - 1);
  const std::string_view format = capture_format(packed).packed_by;
  if (ingest::make_unpacker(format) != nullptr) {
    const Unpacked at_once = unpack(packed, format, packed.size());
    const Unpacked in_pieces = unpack(packed, format, 1 + data[0]);
    WIRELAG_REQUIRE(at_once.whole == in_pieces.whole);
    if (at_once.whole) {
      WIRELAG_REQUIRE(at_once.bytes == in_pieces.bytes && at_once.hash == in_pieces.hash);
      WIRELAG_REQUIRE(at_once.trouble == in_pieces.trouble);
    }
  }
  if (Result<CaptureFile> file = CaptureFile::open_bytes(packed, "fuzz"); file) {
    constexpr std::size_t kMostFrames = 10'000;
    read_some(*file, kMostFrames);
  }
  return 0;
}
