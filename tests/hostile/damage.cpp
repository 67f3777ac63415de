// Damaged captures, through reader, worker and report, in one process:
//   file cut     the file ends after every byte of its beginning
//   frame cut    one of the first frames is as short as a snaplen would make it, at every length
//   bit flips    some bits of the file are the other way round, by seed
//   packed       some bits of the file compressed with gzip or zstd are, or it ends somewhere
// None of them may crash, hang or unbalance anything (pipeline.hpp: check). With a limit on the time
// each capture's variants are taken in random order, so that a short run is a fair sample.
//
// usage: damage SECONDS SEED CAPTURE...        SECONDS 0 = every variant, however long it takes
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <wirelag/ingest/capture_file.hpp>

#include "pipeline.hpp"
#include "require.hpp"
#include "support/packing.hpp"

namespace wirelag::hostile {
namespace {

constexpr std::size_t kCutFileBytes = 1024;    ///< cuts after each of the first so many bytes
constexpr std::size_t kCutFrames = 5;          ///< of the first so many frames
constexpr std::size_t kCutFrameBytes = 200;    ///< at each length up to this
constexpr std::size_t kMostFrames = 100;       ///< of a capture that are looked at
constexpr std::size_t kBitFlips = 1000;        ///< variants with flipped bits
constexpr std::size_t kPackedBytes = 1 << 18;  ///< larger captures are not compressed
constexpr std::size_t kPacked = 100;           ///< variants of each compressed file and damage

using Clock = std::chrono::steady_clock;

/// The first frames of a capture with their bytes.
struct Capture {
  std::deque<std::vector<std::uint8_t>> bytes;
  std::vector<Frame> frames;
};

Capture read_capture(std::string_view content) {
  Capture capture;
  Result<CaptureFile> file = CaptureFile::open_bytes(as_bytes(content), "damaged");
  if (!file) return capture;
  std::array<Frame, 16> batch;
  for (std::size_t n = file->read(batch); n > 0; n = file->read(batch)) {
    for (const Frame& frame : std::span(batch).first(n)) {
      if (capture.frames.size() == kMostFrames) continue;  // the reader still has to get through
      capture.bytes.emplace_back(frame.bytes.begin(), frame.bytes.end());
      capture.frames.push_back(frame);
      capture.frames.back().bytes = capture.bytes.back();
    }
  }
  return capture;
}

void analyse(std::span<const Frame> frames) {
  Outcome outcome = run(frames, tiny_limits());
  check(outcome, frames.size());
  (void)report_of(std::move(outcome));
}

struct Variant {
  enum class Kind : std::uint8_t { file_cut, frame_cut, bit_flips, packed_cut, packed_flips } kind;
  std::size_t where;       ///< byte; frame; seed
  std::size_t length = 0;  ///< of the frame; of packed ones the index of the format
};

constexpr std::string (*kPackers[])(std::string_view) = {test::gzip, test::zstd};

std::vector<Variant> variants_of(const std::string& content, const Capture& whole) {
  using enum Variant::Kind;
  std::vector<Variant> all;
  for (std::size_t at = 0; at < std::min(content.size(), kCutFileBytes); ++at) {
    all.push_back({file_cut, at});
  }
  for (std::size_t f = 0; f < std::min(whole.frames.size(), kCutFrames); ++f) {
    for (std::size_t n = 0; n < std::min(whole.frames[f].bytes.size(), kCutFrameBytes); ++n) {
      all.push_back({frame_cut, f, n});
    }
  }
  for (std::size_t n = 0; n < kBitFlips; ++n) all.push_back({bit_flips, n});
  if (content.size() > kPackedBytes) return all;
  for (std::size_t format = 0; format < std::size(kPackers); ++format) {
    for (std::size_t n = 0; n < kPacked; ++n) {
      all.push_back({packed_cut, n, format});
      all.push_back({packed_flips, n, format});
    }
  }
  return all;
}

std::string with_flipped_bits(std::string content, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t n = 1 + random() % 8; n > 0 && !content.empty(); --n) {
    content[random() % content.size()] ^= static_cast<char>(1U << random() % 8);
  }
  return content;
}

std::string cut_somewhere(std::string content, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  content.resize(random() % (content.size() + 1));
  return content;
}

void try_variant(const Variant& v, std::uint64_t seed, const std::string& content,
                 const Capture& whole) {
  switch (v.kind) {
    case Variant::Kind::frame_cut: {
      std::vector<Frame> frames = whole.frames;
      frames[v.where].bytes = frames[v.where].bytes.first(v.length);
      return analyse(frames);
    }
    case Variant::Kind::file_cut:
      return analyse(read_capture(std::string_view(content).substr(0, v.where)).frames);
    case Variant::Kind::bit_flips:
      return analyse(read_capture(with_flipped_bits(content, seed + v.where)).frames);
    case Variant::Kind::packed_cut:
      return analyse(
          read_capture(cut_somewhere(kPackers[v.length](content), seed + v.where)).frames);
    case Variant::Kind::packed_flips:
      return analyse(
          read_capture(with_flipped_bits(kPackers[v.length](content), seed + v.where)).frames);
  }
}

struct Done {
  std::size_t tried = 0;
  std::size_t variants = 0;
};

Done damage(const std::string& path, std::uint64_t seed, Clock::time_point until) {
  std::ifstream in(path, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(in), {});
  const Capture whole = read_capture(content);
  std::vector<Variant> all = variants_of(content, whole);
  std::shuffle(all.begin(), all.end(), std::mt19937_64(seed));
  Done done{0, all.size()};
  std::fprintf(stderr, "\r%s   ", path.c_str());
  check_everything(whole.frames);  // as it is: the same with other workers and other hashes
  for (const Variant& v : all) {
    if (Clock::now() >= until) break;
    // Said before: a crash names its variant.
    std::fprintf(stderr, "\r%s: kind %d at %zu length %zu seed %llu   ", path.c_str(),
                 static_cast<int>(v.kind), v.where, v.length,
                 static_cast<unsigned long long>(seed));
    try_variant(v, seed, content, whole);
    ++done.tried;
  }
  return done;
}

int damage_all(std::size_t seconds, std::uint64_t seed, std::vector<std::string> paths) {
  std::shuffle(paths.begin(), paths.end(), std::mt19937_64(seed));
  const Clock::time_point start = Clock::now();
  Done sum;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    // What is left of the time, shared by what is left of the captures.
    const Clock::time_point now = Clock::now();
    const auto share =
        (start + std::chrono::seconds(seconds) - now) / static_cast<long>(paths.size() - i);
    const Done done = damage(paths[i], seed, seconds == 0 ? Clock::time_point::max() : now + share);
    sum.tried += done.tried;
    sum.variants += done.variants;
  }
  std::fprintf(stderr, "\n");
  std::printf("%zu captures, %zu of %zu damaged variants\n", paths.size(), sum.tried, sum.variants);
  return paths.empty() ? 1 : 0;
}

}  // namespace
}  // namespace wirelag::hostile

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: damage SECONDS SEED CAPTURE...\n");
    return 2;
  }
  return wirelag::hostile::damage_all(std::strtoul(argv[1], nullptr, 10),
                                      std::strtoull(argv[2], nullptr, 10), {argv + 3, argv + argc});
}
