// Microsoft Network Monitor 2.x (documented in the help of Network Monitor 3.4, "Capture File
// Format"); all numbers are little-endian.
//
//   header       "GMBU", minor and major version, link type, when the capture began (SYSTEMTIME),
//                place and length of the frame table ...
//   frame table  the place of each frame
//   frame        microseconds since the beginning, length on the wire, captured length, the bytes;
//                from 2.1 on the frame's link type, from 2.3 on its time in UTC
//
// The beginning is local time of a zone that the file does not tell: it is taken for UTC, as
// Wireshark does where its own zone is UTC. Differences are right; only 2.3 has the true time.
#include <vector>

#include <fmt/format.h>

#include "number_cursor.hpp"
#include "record_readers.hpp"
#include "ticks.hpp"

namespace wirelag::ingest {
namespace {

constexpr std::uint32_t kHeader = 128, kFrameHeader = 16;
/// As many are read: a compressed file may claim a table that no disk would hold. 128 MiB of places.
constexpr std::uint32_t kMostFrames = 32 * 1024 * 1024;

std::uint32_t link_number_of(std::uint16_t netmon_type) {
  constexpr std::uint16_t kRegistry = 0xe000, kSpecial = 0xff00;
  if (netmon_type >= kRegistry && netmon_type < kSpecial) return netmon_type - kRegistry;
  switch (netmon_type) {
    case 0:              // tunnels, with Ethernet headers all the same
    case 1: return 1;    // Ethernet
    case 2: return 6;    // token ring
    case 7:              // tunnels
    case 8:              // wireless wide area networks
    case 9: return 101;  // raw IP
    default: return kNetmonLinkTypes + netmon_type;
  }
}

/// Days since 1970-01-01 in the Gregorian calendar; years begin in March, so the leap day is last.
std::int64_t days_since_epoch(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month <= 2) --year;
  const std::int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  constexpr std::int64_t kEpoch = 719468;  // 1970-01-01 since 0000-03-01
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - kEpoch;
}

class NetmonReader final : public RecordReader {
 public:
  Step next(Bytes here, Frame& out) override {
    if (position_ == 0 && !begun_) return header(here);
    return begun_ ? frame(here, out) : table(here);
  }

 private:
  Step header(Bytes here);
  Step table(Bytes here);
  Step frame(Bytes here, Frame& out);
  void go_to_next();

  std::uint8_t minor_ = 0;
  std::int64_t start_s_ = 0;
  std::uint64_t start_micros_ = 0;  ///< behind start_s_
  std::uint32_t table_left_ = 0;    ///< entries to be read
  std::vector<std::uint32_t> places_;
  std::size_t done_ = 0;  ///< frames given
};

RecordReader::Step NetmonReader::header(Bytes here) {
  if (here.size() < kHeader) return more(kHeader);
  NumberCursor in(here, ByteOrder::little);
  in.skip(4);
  minor_ = in.u8();
  const std::uint8_t major = in.u8();
  if (major != 2 || minor_ > 3) {
    return damaged(fmt::format("is of version {}.{} (2.0 to 2.3 are known)", major, minor_));
  }
  link_number_ = link_number_of(in.u16());
  const std::uint16_t year = in.u16(), month = in.u16();
  in.skip(2);  // day of the week
  const std::uint16_t day = in.u16(), hour = in.u16(), minute = in.u16(), second = in.u16();
  start_micros_ = in.u16() * std::uint64_t{1000};
  if (month < 1 || month > 12) return damaged(fmt::format("begins in month {}", month));
  start_s_ = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  const std::uint32_t place = in.u32(), length = in.u32();
  if (place < kHeader) return damaged("has its frame table inside the header");
  table_left_ = length / 4;
  if (table_left_ > kMostFrames) {
    return over_limit(
        fmt::format("has {} frames, and wirelag reads at most {} of a NetMon file; save it in "
                    "parts, or as pcapng",
                    table_left_, kMostFrames));
  }
  position_ = place;
  if (table_left_ == 0) go_to_next();
  return Step::skipped;
}

RecordReader::Step NetmonReader::table(Bytes here) {
  if (here.size() < 4) return more(4);
  NumberCursor in(here, ByteOrder::little);
  while (table_left_ > 0 && in.remaining() >= 4) {
    places_.push_back(in.u32());
    --table_left_;
    position_ += 4;
  }
  if (table_left_ == 0) go_to_next();
  return Step::skipped;
}

void NetmonReader::go_to_next() {
  begun_ = true;
  if (done_ < places_.size()) position_ = places_[done_];
  between_records_ = done_ == places_.size();
}

RecordReader::Step NetmonReader::frame(Bytes here, Frame& out) {
  if (done_ == places_.size()) return Step::end;
  constexpr std::uint8_t kTrailers[] = {0, 2, 6, 15};
  if (here.size() < kFrameHeader) return more(kFrameHeader);
  NumberCursor in(here, ByteOrder::little);
  const std::uint64_t micros = in.u64();
  const std::uint32_t on_wire = in.u32(), captured = in.u32();
  if (captured > kLargestRecord) {
    return damaged(fmt::format("claims {} captured bytes, more than any writer stores ({})",
                               captured, kLargestRecord));
  }
  const std::size_t size = std::size_t{kFrameHeader} + captured + kTrailers[minor_];
  if (here.size() < size) return more(size);

  const Bytes bytes = in.bytes(captured);
  constexpr std::uint8_t kMicro = 6, kTenthOfMicro = 7;
  TimeNs time_ns = time_of(micros + start_micros_, kMicro, start_s_);
  if (minor_ >= 1) link_number_ = link_number_of(in.u16());
  if (minor_ >= 3) {
    constexpr std::int64_t kEpochSince1601 = 11'644'473'600;
    in.skip(4);  // process
    time_ns = time_of(in.u64(), kTenthOfMicro, -kEpochSince1601);
  }
  fill(out, bytes, on_wire, time_ns);
  ++done_;
  go_to_next();
  return Step::frame;
}

}  // namespace

std::unique_ptr<RecordReader> netmon_reader() { return std::make_unique<NetmonReader>(); }

}  // namespace wirelag::ingest
