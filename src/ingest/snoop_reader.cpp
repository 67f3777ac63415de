// snoop, the format of Solaris (RFC 1761): a header of 16 bytes, then records; all numbers are
// big-endian.
//
//   header  "snoop\0\0\0", version, link type
//   record  length on the wire, captured length, length of the record, drops, seconds, microseconds,
//           the frame, padding
#include <fmt/format.h>

#include "number_cursor.hpp"
#include "record_readers.hpp"

namespace wirelag::ingest {
namespace {

constexpr std::uint32_t kHeader = 16, kRecordHeader = 24;

/// Types 0 to 9 are RFC 1761's, the others Solaris's.
std::uint32_t link_number_of(std::uint32_t snoop_type) {
  switch (snoop_type) {
    case 0:               // IEEE 802.3
    case 4: return 1;     // Ethernet
    case 2: return 6;     // token ring
    case 8: return 10;    // FDDI
    case 18: return 123;  // SunATM
    case 26: return 242;  // IP over InfiniBand
    default: return kSnoopLinkTypes + snoop_type;
  }
}

class SnoopReader final : public RecordReader {
 public:
  Step next(Bytes here, Frame& out) override { return begun_ ? record(here, out) : header(here); }

 private:
  Step header(Bytes here);
  Step record(Bytes here, Frame& out);
};

RecordReader::Step SnoopReader::header(Bytes here) {
  if (here.size() < kHeader) return more(kHeader);
  ByteCursor in(here);
  in.skip(8);
  const std::uint32_t version = in.u32();
  if (version != 2) return damaged(fmt::format("is of version {} (2 is known)", version));
  link_number_ = link_number_of(in.u32());
  position_ = kHeader;
  begun_ = true;
  return Step::skipped;
}

RecordReader::Step SnoopReader::record(Bytes here, Frame& out) {
  if (here.size() < kRecordHeader) return more(kRecordHeader);
  ByteCursor in(here);
  const std::uint32_t on_wire = in.u32(), captured = in.u32(), length = in.u32();
  in.skip(4);
  const std::uint32_t seconds = in.u32(), micros = in.u32();
  if (captured > kLargestRecord || length < kRecordHeader + captured) {
    return damaged(fmt::format("claims {} captured bytes in a record of {}", captured, length));
  }
  if (here.size() < kRecordHeader + captured) return more(kRecordHeader + captured);
  fill_at(out, here.subspan(kRecordHeader, captured), on_wire, seconds, micros * kMicrosecondNs);
  position_ += length;
  return Step::frame;
}

}  // namespace

std::unique_ptr<RecordReader> snoop_reader() { return std::make_unique<SnoopReader>(); }

}  // namespace wirelag::ingest
