#include "capture.hpp"

#include <stdexcept>

namespace wirelag::lab {
namespace {

struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;  // nanoseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t snap_length = 65535;
  std::uint32_t link_type = 101;  // raw IP
};

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured;
  std::uint32_t length;
};

}  // namespace

Capture::Capture(const std::string& path) {
  if (path.empty()) return;
  file_.reset(std::fopen(path.c_str(), "wb"));
  if (!file_) throw std::runtime_error("cannot write the capture " + path);
  const FileHeader header;
  write(&header, sizeof header);
}

void Capture::add(TimeNs since_epoch_ns, Bytes packet) {
  if (!file_) return;
  const auto length = static_cast<std::uint32_t>(packet.size());
  const RecordHeader header{static_cast<std::uint32_t>(since_epoch_ns / kSecondNs),
                            static_cast<std::uint32_t>(since_epoch_ns % kSecondNs), length, length};
  write(&header, sizeof header);
  write(packet.data(), packet.size());
}

void Capture::finish() {
  if (!file_) return;
  complete_ &= std::fclose(file_.release()) == 0;
  if (!complete_) throw std::runtime_error("the capture could not be written whole");
}

void Capture::write(const void* bytes, std::size_t n) {
  complete_ &= std::fwrite(bytes, 1, n, file_.get()) == n;
}

}  // namespace wirelag::lab
