// The records of a capture file, one after another, out of bytes in memory: no file, no clock, no
// exception. CaptureFile drives it from a file's buffer; a fuzzer may drive it from any bytes.
//
//   make_record_reader(first bytes) -> reader
//   reader->next(bytes from position() on) -> frame | skipped | more | end | damaged
//
//   frame     `out` is a frame, its bytes a view into what was given
//   skipped   something else was read: a header, a block without a frame
//   more      nothing was done: needed() bytes from position() on must be there. Never more than
//             kMostNeeded. At the end of the file it means that the file is cut short, unless nothing
//             is there and ends_cleanly()
//   end       the last record has been given
//   damaged   trouble() says why; nothing behind it can be read
//
// After everything but more, position() says where the next bytes are wanted: further on, possibly
// beyond what was given, or anywhere in a format with a table of contents.
#pragma once

#include <memory>
#include <string>

#include <wirelag/ingest/frame.hpp>

namespace wirelag {

class RecordReader {
 public:
  enum class Step : std::uint8_t { frame, skipped, more, end, damaged };

  /// Longer records are damage (libpcap, Wireshark).
  static constexpr std::uint32_t kLargestRecord = 256 * 1024;
  static constexpr std::uint32_t kMostNeeded = 1024 * 1024;
  /// A time beyond this (the year 2116) is damage; clamped, so that adding a timeout cannot overflow.
  static constexpr TimeNs kLatestNs = TimeNs{1} << 62;

  RecordReader() = default;
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;
  virtual ~RecordReader() = default;

  /// Fills bytes, wire_length, time_ns and number of `out`; link_number() is the frame's.
  [[nodiscard]] virtual Step next(Bytes here, Frame& out) = 0;

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::size_t needed() const { return needed_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  /// After damaged: the file may be sound, trouble() names a limit of wirelag.
  [[nodiscard]] bool over_limit() const { return over_limit_; }
  /// The file's header was understood: what comes after it can only cut the capture short.
  [[nodiscard]] bool begun() const { return begun_; }
  /// Whether the file may end at position().
  [[nodiscard]] bool ends_cleanly() const { return begun_ && between_records_; }
  /// Of the last frame (LINKTYPE_ registry, see link_type.hpp), or of the file before one.
  [[nodiscard]] std::uint32_t link_number() const { return link_number_; }
  /// Frames so far that carry no time (Frame::untimed).
  [[nodiscard]] std::uint64_t frames_without_time() const { return frames_without_time_; }

 protected:
  Step more(std::size_t bytes) {
    needed_ = bytes;
    return Step::more;
  }
  Step damaged(std::string why) {
    trouble_ = std::move(why);
    return Step::damaged;
  }
  Step over_limit(std::string why) {
    over_limit_ = true;
    return damaged(std::move(why));
  }
  /// `captured` bytes of a frame that was `on_wire` long. Some writers have the two the wrong way
  /// round or leave the second 0: a frame is never shorter than what was captured of it.
  void fill(Frame& out, Bytes captured, std::uint32_t on_wire, TimeNs time_ns) {
    const auto length = static_cast<std::uint32_t>(captured.size());
    out = Frame{};
    out.bytes = captured;
    out.wire_length = length > on_wire ? length : on_wire;
    out.time_ns = time_ns;
    out.number = ++number_;
  }

  /// The same with a time of seconds and a fraction. A fraction of more than a second is damage: nobody knows
  /// what was meant, so the frame has no time.
  void fill_at(Frame& out, Bytes captured, std::uint32_t on_wire, std::uint32_t seconds,
               TimeNs fraction_ns) {
    const bool timed = fraction_ns <= kSecondNs;
    if (timed || number_ == 0) last_time_ns_ = seconds * kSecondNs + (timed ? fraction_ns : 0);
    fill(out, captured, on_wire, last_time_ns_);
    out.untimed = !timed;
    if (!timed) ++frames_without_time_;
  }

  std::uint64_t position_ = 0;
  std::size_t needed_ = 0;
  std::string trouble_;
  bool over_limit_ = false;
  std::uint32_t link_number_ = 0;
  FrameNumber number_ = 0;   ///< of the last frame
  TimeNs last_time_ns_ = 0;  ///< likewise, for one without a time
  std::uint64_t frames_without_time_ = 0;
  bool begun_ = false;
  bool between_records_ = true;
};

/// What a file's first bytes say it is.
struct CaptureFormat {
  std::string_view name;       ///< "pcap", "pcapng", "snoop", "netmon"; empty: none of them
  std::string_view packed_by;  ///< "gzip", "zstd" ...: the capture is inside a compressed file
};
[[nodiscard]] CaptureFormat capture_format(Bytes head);

/// For the format that `head` (the first 8 bytes are enough) begins with; null when it is none.
[[nodiscard]] std::unique_ptr<RecordReader> make_record_reader(Bytes head);

}  // namespace wirelag
