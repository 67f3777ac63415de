// Unpacks a stream of compressed bytes, piece by piece: no file. One unpacker per format.
//
//   gzip   RFC 1952: members one after the other, the last one perhaps followed by zeros, as on a tape.
//          Memory: 40 KiB
//   zstd   RFC 8878: frames and skippable frames one after the other. Memory: the frame's window, at most
//          kMostWindowBytes, and 0.5 MiB
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag::ingest {

class Unpacker {
 public:
  struct Step {
    std::size_t taken = 0;
    std::size_t given = 0;
  };

  /// What `zstd -d` unpacks without being asked to.
  static constexpr unsigned kMostWindowLog = 27;
  static constexpr std::size_t kMostWindowBytes = std::size_t{1} << kMostWindowLog;

  Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  virtual ~Unpacker() = default;

  [[nodiscard]] virtual std::string_view format() const = 0;

  /// Takes from the beginning of `in` and gives into `out`, which has room. Neither: it needs more than `in`, of which
  /// nothing is left, or trouble() says what is wrong behind what was taken.
  virtual Step unpack(Bytes in, std::span<std::uint8_t> out) = 0;

  /// Whether the stream may end here.
  [[nodiscard]] virtual bool ends_cleanly() const = 0;

  /// From the first byte again.
  virtual void restart() = 0;

  /// The end of "the data ...", empty while all is well.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 protected:
  std::string trouble_;
};

[[nodiscard]] std::unique_ptr<Unpacker> gzip_unpacker();
[[nodiscard]] std::unique_ptr<Unpacker> zstd_unpacker();

/// By the name that capture_format() has for it; null: cannot be unpacked.
[[nodiscard]] inline std::unique_ptr<Unpacker> make_unpacker(std::string_view format) {
  if (format == "gzip") return gzip_unpacker();
  if (format == "zstd") return zstd_unpacker();
  return nullptr;
}

}  // namespace wirelag::ingest
