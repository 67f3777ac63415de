// Writes capture files by hand, in either byte order, as the drafts of the IETF opsawg describe
// them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace wirelag::test {

class FileBytes {
 public:
  explicit FileBytes(bool big_endian = false) : big_(big_endian) {}

  FileBytes& u16(std::uint32_t v) { return number(v, 2); }
  FileBytes& u32(std::uint32_t v) { return number(v, 4); }
  FileBytes& raw(std::string_view text) {
    text_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  FileBytes& number(std::uint32_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (big_ ? bytes - 1 - i : i);
      text_.push_back(static_cast<char>(v >> shift & 0xff));
    }
    return *this;
  }

  std::string text_;
  bool big_;
};

inline constexpr std::uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d;

inline std::string pcap_header(std::uint32_t magic, std::uint32_t link, bool big_endian = false,
                               std::uint32_t snaplen = 65535) {
  return FileBytes(big_endian).u32(magic).u16(2).u16(4).u32(0).u32(0).u32(snaplen).u32(link).text();
}

inline std::string pcap_record(std::uint32_t sec, std::uint32_t fraction, std::string_view bytes,
                               std::uint32_t wire_length, bool big_endian = false) {
  return FileBytes(big_endian)
      .u32(sec)
      .u32(fraction)
      .u32(static_cast<std::uint32_t>(bytes.size()))
      .u32(wire_length)
      .raw(bytes)
      .text();
}

inline std::string pcapng_section() {
  return FileBytes()
      .u32(0x0a0d0d0a)
      .u32(28)
      .u32(0x1a2b3c4d)
      .u16(1)
      .u16(0)
      .u32(0xffffffff)
      .u32(0xffffffff)
      .u32(28)
      .text();
}

/// `resolution` is if_tsresol: 9 = nanoseconds.
inline std::string pcapng_interface(std::uint16_t link, std::uint8_t resolution,
                                    std::uint32_t snaplen = 65535) {
  return FileBytes()
      .u32(1)
      .u32(32)
      .u16(link)
      .u16(0)
      .u32(snaplen)
      .u16(9)
      .u16(1)
      .u32(resolution)
      .u32(0)
      .u32(32)
      .text();
}

/// `bytes` of a length divisible by 4.
inline std::string pcapng_frame(std::uint32_t interface, std::uint64_t ticks,
                                std::string_view bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  return FileBytes()
      .u32(6)
      .u32(32 + length)
      .u32(interface)
      .u32(static_cast<std::uint32_t>(ticks >> 32))
      .u32(static_cast<std::uint32_t>(ticks))
      .u32(length)
      .u32(length)
      .raw(bytes)
      .u32(32 + length)
      .text();
}

/// A file that exists while the object does.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content, const std::string& name = "test.pcap")
      : path_(std::filesystem::temp_directory_path() /
              ("wirelag-" + std::to_string(getpid()) + "-" + name)) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace wirelag::test
