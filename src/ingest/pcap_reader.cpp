// pcap (draft-ietf-opsawg-pcap), the format of libpcap: a header of 24 bytes, then records.
//
//   header  magic, version, zone and accuracy (both unused), snaplen, link type
//   record  seconds, fraction, captured length, length on the wire; the modified format of patched
//           libpcaps (magic a1b2cd34) adds interface, protocol and packet type
//
// The magic tells byte order, resolution and record format. Writers of versions before 2.3 have the
// two lengths the other way round; version 2.3 was written both ways; so was DG/UX's 543.0.
#include <fmt/format.h>

#include "number_cursor.hpp"
#include "record_readers.hpp"

namespace wirelag::ingest {
namespace {

constexpr std::uint32_t kHeader = 24, kRecordHeader = 16, kModifiedRecordHeader = 24;
constexpr std::uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d, kModified = 0xa1b2cd34;

class PcapReader final : public RecordReader {
 public:
  Step next(Bytes here, Frame& out) override { return begun_ ? record(here, out) : header(here); }

 private:
  enum class Lengths : std::uint8_t { captured_first, wire_first, smaller_is_captured };

  Step header(Bytes here);
  Step record(Bytes here, Frame& out);

  ByteOrder order_ = ByteOrder::big;
  Lengths lengths_ = Lengths::captured_first;
  std::uint32_t record_header_ = kRecordHeader;
  TimeNs tick_ns_ = kMicrosecondNs;
};

RecordReader::Step PcapReader::header(Bytes here) {
  if (here.size() < kHeader) return more(kHeader);
  std::uint32_t magic = NumberCursor(here, ByteOrder::big).u32();
  if (magic != kMicro && magic != kNano && magic != kModified) {
    order_ = ByteOrder::little;
    magic = __builtin_bswap32(magic);
  }
  NumberCursor in(here, order_);
  in.skip(4);
  const std::uint16_t major = in.u16(), minor = in.u16();
  in.skip(12);
  const std::uint32_t link = in.u32();

  constexpr std::uint16_t kDgUx = 543;
  if ((major != 2 || minor > 4) && (major != kDgUx || minor != 0)) {
    return damaged(fmt::format("is of version {}.{} (2.0 to 2.4 are known)", major, minor));
  }
  // Of the link type's field 16 bits are the type; the top 6 tell the length of the FCS, which lies
  // behind what IP says is its packet.
  constexpr std::uint32_t kReserved = 0x03ff'0000, kType = 0xffff;
  if ((link & kReserved) != 0) {
    return damaged(
        fmt::format("sets reserved bits in the field of the link type ({:#010x})", link));
  }
  if (major == kDgUx || minor < 3) lengths_ = Lengths::wire_first;
  if (major == 2 && minor == 3) lengths_ = Lengths::smaller_is_captured;
  if (magic == kNano) tick_ns_ = 1;
  if (magic == kModified) record_header_ = kModifiedRecordHeader;
  link_number_ = link & kType;
  position_ = kHeader;
  begun_ = true;
  return Step::skipped;
}

RecordReader::Step PcapReader::record(Bytes here, Frame& out) {
  if (here.size() < record_header_) return more(record_header_);
  NumberCursor in(here, order_);
  const std::uint32_t seconds = in.u32(), fraction = in.u32();
  std::uint32_t captured = in.u32(), on_wire = in.u32();
  if (lengths_ == Lengths::wire_first ||
      (lengths_ == Lengths::smaller_is_captured && captured > on_wire)) {
    std::swap(captured, on_wire);
  }
  if (captured > kLargestRecord) {
    return damaged(fmt::format("claims {} captured bytes, more than any writer stores ({})",
                               captured, kLargestRecord));
  }
  const std::size_t size = std::size_t{record_header_} + captured;
  if (here.size() < size) return more(size);

  fill_at(out, here.subspan(record_header_, captured), on_wire, seconds, fraction * tick_ns_);
  position_ += size;
  return Step::frame;
}

}  // namespace

std::unique_ptr<RecordReader> pcap_reader() { return std::make_unique<PcapReader>(); }

}  // namespace wirelag::ingest
