// A pcapng file as libpcap can read it. libpcap gives up at an interface whose link type or
// snapshot length differs from the first one's, although files with several interfaces are
// ordinary. So the bytes pass through here on their way to libpcap: every interface description
// gets the first one's link type and the largest snapshot length, and the true link type of each
// frame is kept aside.
//
//   file -> PcapngStream (block headers looked at, the rest passed through) -> libpcap -> frames
//                   \-> link type of each frame, in order ------------------------------^
//
// Source: draft-ietf-opsawg-pcapng sections 3.1 and 4. One thread.
#pragma once

#include <array>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag {

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

class PcapngStream {
 public:
  explicit PcapngStream(FileHandle file) : file_(std::move(file)) {}
  PcapngStream(const PcapngStream&) = delete;
  PcapngStream& operator=(const PcapngStream&) = delete;

  /// The stream to give to libpcap, which closes it; null when there is no memory. This object must
  /// outlive it.
  [[nodiscard]] std::FILE* open();

  /// Link type (LINKTYPE_ number) of the next frame that libpcap returns; to be asked once per
  /// frame.
  [[nodiscard]] std::optional<std::uint16_t> next_link_type();

  /// Snapshot length of the first interface, 0 = none. After libpcap has read the header.
  [[nodiscard]] std::uint32_t snaplen() const { return first_ ? first_->snaplen : 0; }
  /// Bytes of the file read so far; libpcap may not have seen the last of them.
  [[nodiscard]] std::uint64_t position_bytes() const;

 private:
  struct Interface {
    std::uint16_t link_type = 0;
    std::uint32_t snaplen = 0;
  };

  std::size_t read(std::uint8_t* to, std::size_t size);
  void begin_block();
  bool look_at(std::size_t bytes);
  void describe_interface();
  void shorten_simple_packet();
  void note_frame(std::size_t interface);
  void put(std::size_t at, std::uint32_t value, std::size_t bytes);

  FileHandle file_;
  std::array<std::uint8_t, 16> head_{};  ///< of the block being passed on, changed where needed
  std::size_t head_size_ = 0;
  std::size_t head_passed_ = 0;
  std::uint64_t body_left_ = 0;        ///< bytes of the block that pass through unseen
  bool swapped_ = false;               ///< of the section
  std::optional<Interface> first_;     ///< of the file
  std::vector<Interface> interfaces_;  ///< of the section
  std::deque<std::uint16_t> frames_;   ///< link types of frames read ahead
};

}  // namespace wirelag
