#include "pcap_file.hpp"

#include <memory>
#include <stdexcept>

namespace wirelag::traffic {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

}  // namespace

Written write_pcap(Source& source, const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  std::setvbuf(file.get(), nullptr, _IOFBF, kBufferBytes);
  const std::uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1};
  std::fwrite(header, sizeof header, 1, file.get());
  Written written;
  for (TimedFrame f; source.next(f);) {
    const auto length = static_cast<std::uint32_t>(f.bytes.size());
    const std::uint32_t record[4] = {static_cast<std::uint32_t>(f.time_ns / kSecondNs),
                                     static_cast<std::uint32_t>(f.time_ns % kSecondNs), length,
                                     length};
    std::fwrite(record, sizeof record, 1, file.get());
    std::fwrite(f.bytes.data(), 1, length, file.get());
    if (!known(written.first_ns)) written.first_ns = f.time_ns;
    written.last_ns = f.time_ns;
    ++written.packets;
    written.bytes += length;
  }
  if (std::fflush(file.get()) != 0 || std::ferror(file.get()) != 0) {
    throw std::runtime_error("cannot write all of " + path);
  }
  return written;
}

}  // namespace wirelag::traffic
