// A capture file as a source of frames: pcap, pcapng, snoop and NetMon 2.x, any byte order, with
// nanoseconds, link types and frame numbers; also compressed with gzip or zstd, which its first bytes tell.
//
// One thread. The frames of a read() are views into the read buffer, valid until the next read() or
// the object's end. Memory: that buffer (1 MiB) and what pcapng says of its interfaces or NetMon of its
// frames (192 MiB at most); 170 KiB more for gzip; for zstd 0.6 MiB and the window that the file was compressed
// with, at most 128 MiB (`zstd` as it is: 8 MiB).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// A link type met in a file, whether it is understood or not.
struct LinkSeen {
  LinkType link = LinkType::unsupported;
  std::uint32_t number = 0;  ///< in the file, see link_type.hpp
  std::string name;          ///< "ethernet", "usb_linux"
  std::uint64_t frames = 0;
};

/// What is known about the file itself; goes into the report's `capture` block.
struct CaptureInfo {
  std::string path;
  std::string name;             ///< last component of the path
  std::string format;           ///< "pcap", "pcapng", "snoop", "netmon"
  std::string packed_by;        ///< "gzip", "zstd"; empty: not compressed
  std::vector<LinkSeen> links;  ///< of the file's header and the frames read so far, as they came
  std::uint64_t frames_without_time = 0;  ///< Frame::untimed: pcapng simple packets, damaged times
  std::uint64_t file_bytes = 0;           ///< as it is on the disk
};

class CaptureFile {
 public:
  /// Fails with a sentence that names the file and what is wrong: cannot be opened, empty, not a
  /// capture, a header that cannot be read.
  static Result<CaptureFile> open(const std::string& path);
  /// The same for the content of a file, which must outlive the object.
  static Result<CaptureFile> open_bytes(Bytes content, const std::string& name);
  CaptureFile(CaptureFile&&) noexcept;
  CaptureFile& operator=(CaptureFile&&) noexcept;
  ~CaptureFile();

  [[nodiscard]] const CaptureInfo& info() const;

  /// Fills up to `out.size()` frames and returns how many. 0 = end of the file; then cut_short()
  /// tells whether the end was clean.
  std::size_t read(std::span<Frame> out);

  /// The file ended inside a record, a record was damaged, or so was what it is compressed in: why, empty when
  /// the end was clean.
  [[nodiscard]] const std::string& cut_short() const;
  /// Bytes of the file consumed so far, as they are on the disk, for progress.
  [[nodiscard]] std::uint64_t position_bytes() const;

 private:
  struct State;
  explicit CaptureFile(std::unique_ptr<State> state);
  static Result<CaptureFile> begin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
