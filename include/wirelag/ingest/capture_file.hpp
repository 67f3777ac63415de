// A capture file as a source of frames: pcap and pcapng, any byte order, microseconds and
// nanoseconds, through libpcap. Keeps nanoseconds, link type and frame numbers.
//
// One thread. The frames of a read() are valid until the next read() or the object's end.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// What is known about the file itself; goes into the report's `capture` block.
struct CaptureInfo {
  std::string path;
  std::string name;                  ///< last component of the path
  std::string format;                ///< "pcap" or "pcapng"
  std::vector<LinkType> link_types;  ///< of the frames read so far, in order of appearance
  std::uint64_t file_bytes = 0;
  std::uint32_t snaplen = 0;
  bool nanoseconds = false;  ///< resolution of the file's time stamps
};

class CaptureFile {
 public:
  /// Fails with a sentence that names the file and what is wrong: cannot be opened, empty, not a
  /// capture, a link type that is not supported (by name).
  static Result<CaptureFile> open(const std::string& path);
  CaptureFile(CaptureFile&&) noexcept;
  CaptureFile& operator=(CaptureFile&&) noexcept;
  ~CaptureFile();

  [[nodiscard]] const CaptureInfo& info() const;

  /// Fills up to `out.size()` frames and returns how many. 0 = end of the file; then cut_short()
  /// tells whether the end was clean.
  std::size_t read(std::span<Frame> out);

  /// The file ended inside a record or a record was damaged: why, empty when the end was clean.
  [[nodiscard]] const std::string& cut_short() const;
  /// Bytes of the file consumed so far, for progress.
  [[nodiscard]] std::uint64_t position_bytes() const;

 private:
  struct State;
  explicit CaptureFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
