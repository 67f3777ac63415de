#define ZLIB_CONST  // zlib's input is const
#include <algorithm>
#include <string_view>
#include <zlib.h>

#include <fmt/format.h>

#include "unpacker.hpp"

namespace wirelag::ingest {
namespace {

constexpr std::uint8_t kMagic = 0x1f;
constexpr int kLargestWindow = 15, kGzipOnly = 16;

/// zlib's words for what it refuses.
std::string trouble_of(int code, const char* message) {
  if (code == Z_MEM_ERROR) return "needs more memory than there is";
  const std::string_view said = message != nullptr ? message : "unknown";
  if (said == "incorrect data check") return "has another checksum (CRC32) than what it unpacks to";
  if (said == "incorrect length check") return "has another length than what it unpacks to";
  return fmt::format("is damaged ({})", said);
}

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() { begun_ = inflateInit2(&stream_, kLargestWindow + kGzipOnly); }
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  [[nodiscard]] std::string_view format() const override { return "gzip"; }
  Step unpack(Bytes in, std::span<std::uint8_t> out) override;
  [[nodiscard]] bool ends_cleanly() const override { return place_ != Place::member; }
  void restart() override {
    place_ = Place::between;
    trouble_.clear();
  }

 private:
  enum class Place : std::uint8_t { between, member, padding };

  Step inflate_some(Bytes in, std::span<std::uint8_t> out);
  Step skip_zeros(Bytes in);

  z_stream stream_ = {};
  int begun_;
  Place place_ = Place::between;
};

Unpacker::Step GzipUnpacker::unpack(Bytes in, std::span<std::uint8_t> out) {
  if (place_ == Place::between) {
    if (in.empty()) return {};
    place_ = in.front() == kMagic ? Place::member : Place::padding;
    if (place_ == Place::member && begun_ == Z_OK) begun_ = inflateReset(&stream_);
  }
  return place_ == Place::member ? inflate_some(in, out) : skip_zeros(in);
}

Unpacker::Step GzipUnpacker::inflate_some(Bytes in, std::span<std::uint8_t> out) {
  stream_.next_in = in.data();
  stream_.avail_in = static_cast<uInt>(in.size());
  stream_.next_out = out.data();
  stream_.avail_out = static_cast<uInt>(out.size());
  const int code = begun_ == Z_OK ? inflate(&stream_, Z_NO_FLUSH) : begun_;
  switch (code) {
    case Z_OK:
    case Z_BUF_ERROR: break;  // nothing can be done without more
    case Z_STREAM_END: place_ = Place::between; break;
    default: trouble_ = trouble_of(code, stream_.msg);
  }
  return {in.size() - stream_.avail_in, out.size() - stream_.avail_out};
}

Unpacker::Step GzipUnpacker::skip_zeros(Bytes in) {
  const auto other =
      std::find_if(in.begin(), in.end(), [](std::uint8_t byte) { return byte != 0; });
  if (other != in.end()) trouble_ = "is followed by something else";
  return {static_cast<std::size_t>(other - in.begin()), 0};
}

}  // namespace

std::unique_ptr<Unpacker> gzip_unpacker() { return std::make_unique<GzipUnpacker>(); }

}  // namespace wirelag::ingest
