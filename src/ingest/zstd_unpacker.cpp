// The stream is fed by pieces: a header, a block, a checksum. An error takes with it what the same call has given, so a
// call that gives something must not meet anything new. The place of an error is the piece's, and most blocks are
// decoded where they lie.
#include <algorithm>
#include <new>
#include <zstd.h>
#include <zstd_errors.h>

#include <fmt/format.h>

#include "unpacker.hpp"

namespace wirelag::ingest {
namespace {

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

constexpr std::size_t kBetweenFrames = 0;  ///< zstd wants nothing
/// The shortest beginning of a frame that zstd takes.
constexpr std::size_t kFirstBytes = 5;
/// zstd would like this much of the next block with each.
constexpr std::size_t kBlockHeaderBytes = 3;

/// The library also knows formats from before zstd 0.8, whose windows have no limit; their magic numbers differ
/// in the first byte.
bool may_begin_frame(std::uint8_t first) { return first == 0x28 || (first & 0xf0) == 0x50; }

std::string trouble_of(std::size_t code) {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_checksum_wrong: return "has another checksum (XXH64) than what it unpacks to";
    case ZSTD_error_frameParameter_windowTooLarge:
      return fmt::format("needs a window of more than {} MiB: unpack it first (zstd -d --long=31)",
                         Unpacker::kMostWindowBytes >> 20);
    case ZSTD_error_dictionary_wrong:
      return "needs a dictionary: unpack it first (zstd -d -D DICTIONARY)";
    case ZSTD_error_memory_allocation: return "needs more memory than there is";
    case ZSTD_error_prefix_unknown: return "is followed by something else";
    default: return fmt::format("is damaged ({})", ZSTD_getErrorName(code));
  }
}

class ZstdUnpacker final : public Unpacker {
 public:
  ZstdUnpacker() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    (void)ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMostWindowLog);
  }

  [[nodiscard]] std::string_view format() const override { return "zstd"; }
  Step unpack(Bytes in, std::span<std::uint8_t> out) override;
  [[nodiscard]] bool ends_cleanly() const override { return wanted_ == kBetweenFrames; }
  void restart() override {
    (void)ZSTD_DCtx_reset(stream_.get(), ZSTD_reset_session_only);
    wanted_ = kBetweenFrames;
    more_to_give_ = false;
    trouble_.clear();
  }

 private:
  Step feed(Bytes in, std::span<std::uint8_t> out);

  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  std::size_t wanted_ = kBetweenFrames;
  bool more_to_give_ = false;  ///< of the block before: `out` was full
};

Unpacker::Step ZstdUnpacker::unpack(Bytes in, std::span<std::uint8_t> out) {
  if (wanted_ == kBetweenFrames) {
    if (in.empty()) return {};
    if (!may_begin_frame(in.front())) {
      trouble_ = "is followed by something else";
      return {};
    }
    wanted_ = kFirstBytes;
  }
  if (more_to_give_) {
    if (const Step rest = feed({}, out); rest.given > 0 || !trouble_.empty()) return rest;
  }
  const std::size_t piece = wanted_ > kBlockHeaderBytes ? wanted_ - kBlockHeaderBytes : wanted_;
  return feed(in.first(std::min(in.size(), piece)), out);
}

Unpacker::Step ZstdUnpacker::feed(Bytes in, std::span<std::uint8_t> out) {
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  const std::size_t code = ZSTD_decompressStream(stream_.get(), &to, &from);
  if (ZSTD_isError(code) != 0) {
    trouble_ = trouble_of(code);
  } else {
    wanted_ = code;
    more_to_give_ = to.pos == to.size;
  }
  return {from.pos, to.pos};
}

}  // namespace

std::unique_ptr<Unpacker> zstd_unpacker() { return std::make_unique<ZstdUnpacker>(); }

}  // namespace wirelag::ingest
