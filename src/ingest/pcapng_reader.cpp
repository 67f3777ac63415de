// pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body and the length again.
//
//   section header     the byte order of what follows; the interfaces begin anew
//   interface          link type, snaplen, options: time resolution and offset
//   enhanced packet    a frame of an interface, with its time
//   packet (obsolete)  the same with a shorter interface number
//   simple packet      a frame of interface 0 without a time
//   anything else      skipped; Wireshark gives some of them a frame number, so they count here too
//
// A block that is not skipped is read whole, so both lengths are compared before its frame is given.
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "number_cursor.hpp"
#include "record_readers.hpp"
#include "ticks.hpp"

namespace wirelag::ingest {
namespace {

namespace block {
constexpr std::uint32_t section = 0x0a0d0d0a, interface = 1, packet = 2, simple_packet = 3,
                        enhanced_packet = 6;
}
constexpr std::uint32_t kAround = 12;  ///< type and the two lengths
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
/// More interfaces are not remembered: a file of nothing else must not fill the memory.
constexpr std::size_t kMostInterfaces = 1 << 16;

/// Blocks that are no packets and that Wireshark numbers among the frames all the same: system calls,
/// a journal entry, custom data.
bool has_frame_number(std::uint32_t type) {
  switch (type) {
    case 0x0009:
    case 0x0204:
    case 0x0216:
    case 0x0221:
    case 0x0bad:
    case 0x4000'0bad: return true;
    default: return false;
  }
}

struct Interface {
  std::uint32_t link_number = 0;
  std::uint32_t snaplen = 0;    ///< 0 = no limit
  std::uint8_t resolution = 6;  ///< if_tsresol
  std::int64_t offset_s = 0;    ///< if_tsoffset
};

/// Hands every option to `use`; false when one is longer than what is left.
template <class Use>
bool each_option(NumberCursor& in, Use&& use) {
  constexpr std::uint16_t kEnd = 0;
  while (in.remaining() >= 4) {
    const std::uint16_t code = in.u16(), length = in.u16();
    if (code == kEnd) break;
    const Bytes padded = in.bytes((length + 3U) & ~3U);
    if (!in.ok()) return false;
    use(code, padded.first(length));
  }
  return true;
}

class PcapngReader final : public RecordReader {
 public:
  Step next(Bytes here, Frame& out) override;

 private:
  Step section(Bytes body);
  Step interface(Bytes body);
  Step enhanced_packet(Bytes body, Frame& out);
  Step packet(Bytes body, Frame& out);
  Step simple_packet(Bytes body, Frame& out);
  Step whole_block(std::uint32_t type, Bytes body, Frame& out);
  Step timed_frame(NumberCursor in, std::uint32_t interface, Frame& out);
  Step frame(const Interface& from, NumberCursor in, std::uint32_t captured, std::uint32_t on_wire,
             TimeNs time_ns, Frame& out);
  Step skip_block(std::uint32_t type, std::uint32_t length);
  Step skipped_to_the_end(Bytes here);
  Step lengths_differ(std::uint32_t first, std::uint32_t second) {
    return damaged(fmt::format("has a block whose two lengths differ ({} and {})", first, second));
  }

  ByteOrder order_ = ByteOrder::little;
  std::vector<Interface> interfaces_;
  std::uint32_t skipped_length_ = 0;  ///< of the block whose end position_ has reached, 0 = none
};

RecordReader::Step PcapngReader::next(Bytes here, Frame& out) {
  if (skipped_length_ != 0) return skipped_to_the_end(here);
  if (here.size() < kAround) return more(kAround);
  ByteOrder order = order_;
  std::uint32_t type = NumberCursor(here, order).u32();
  if (type == block::section) {  // the same in both byte orders
    const std::uint32_t magic = ByteCursor(here.subspan(8)).u32();
    if (magic != kByteOrderMagic && magic != __builtin_bswap32(kByteOrderMagic)) {
      return damaged(fmt::format("has a section without a byte order ({:#010x})", magic));
    }
    order = magic == kByteOrderMagic ? ByteOrder::big : ByteOrder::little;
  }
  NumberCursor in(here, order);
  in.skip(4);
  const std::uint32_t length = in.u32();
  if (length < kAround || length % 4 != 0) {
    return damaged(fmt::format("has a block of type {:#x} that claims {} bytes", type, length));
  }
  const bool wanted = type == block::section || type == block::interface || type == block::packet ||
                      type == block::simple_packet || type == block::enhanced_packet;
  if (!wanted) return skip_block(type, length);
  if (length > kMostNeeded) {
    return damaged(fmt::format("has a block of type {:#x} that claims {} bytes", type, length));
  }
  if (here.size() < length) return more(length);
  const std::uint32_t again = NumberCursor(here.subspan(length - 4), order).u32();
  if (again != length) return lengths_differ(length, again);

  order_ = order;
  const Step step = whole_block(type, here.subspan(8, length - kAround), out);
  if (step == Step::frame || step == Step::skipped) position_ += length;
  return step;
}

RecordReader::Step PcapngReader::whole_block(std::uint32_t type, Bytes body, Frame& out) {
  switch (type) {
    case block::section: return section(body);
    case block::interface: return interface(body);
    case block::packet: return packet(body, out);
    case block::simple_packet: return simple_packet(body, out);
    default: return enhanced_packet(body, out);
  }
}

RecordReader::Step PcapngReader::skip_block(std::uint32_t type, std::uint32_t length) {
  if (has_frame_number(type)) ++number_;
  skipped_length_ = length;
  between_records_ = false;
  position_ += length - 4;
  return Step::skipped;
}

RecordReader::Step PcapngReader::skipped_to_the_end(Bytes here) {
  if (here.size() < 4) return more(4);
  const std::uint32_t again = NumberCursor(here, order_).u32();
  if (again != skipped_length_) return lengths_differ(skipped_length_, again);
  skipped_length_ = 0;
  between_records_ = true;
  position_ += 4;
  return Step::skipped;
}

RecordReader::Step PcapngReader::section(Bytes body) {
  NumberCursor in(body, order_);
  in.skip(4);
  const std::uint16_t major = in.u16(), minor = in.u16();
  in.skip(8);  // length of the section: the next header tells it as well
  if (!in.ok()) return damaged("has a section header that is too short");
  if (major != 1 || (minor != 0 && minor != 2)) {  // 1.2 was written, and is 1.0
    return damaged(fmt::format("is of version {}.{} (1.0 is known)", major, minor));
  }
  if (!each_option(in, [](std::uint16_t, Bytes) {})) {
    return damaged("has an option that is longer than its block");
  }
  interfaces_.clear();
  begun_ = true;
  return Step::skipped;
}

RecordReader::Step PcapngReader::interface(Bytes body) {
  constexpr std::uint16_t kResolution = 9, kOffset = 14;
  NumberCursor in(body, order_);
  Interface interface;
  interface.link_number = in.u16();
  in.skip(2);
  interface.snaplen = in.u32();
  if (!in.ok()) return damaged("has an interface description that is too short");
  const bool whole = each_option(in, [&](std::uint16_t code, Bytes value) {
    if (code == kResolution && !value.empty()) interface.resolution = value[0];
    if (code == kOffset && value.size() == 8) {
      interface.offset_s = static_cast<std::int64_t>(NumberCursor(value, order_).u64());
    }
  });
  if (!whole) return damaged("has an option that is longer than its block");
  if (interfaces_.size() < kMostInterfaces) interfaces_.push_back(interface);
  if (number_ == 0 && interfaces_.size() == 1) link_number_ = interface.link_number;
  return Step::skipped;
}

RecordReader::Step PcapngReader::enhanced_packet(Bytes body, Frame& out) {
  NumberCursor in(body, order_);
  const std::uint32_t interface = in.u32();
  return timed_frame(in, interface, out);
}

RecordReader::Step PcapngReader::packet(Bytes body, Frame& out) {
  NumberCursor in(body, order_);
  const std::uint32_t interface = in.u16();
  in.skip(2);  // drops
  return timed_frame(in, interface, out);
}

RecordReader::Step PcapngReader::timed_frame(NumberCursor in, std::uint32_t interface, Frame& out) {
  const std::uint64_t high = in.u32();
  const std::uint64_t ticks = high << 32 | in.u32();
  const std::uint32_t captured = in.u32(), on_wire = in.u32();
  if (!in.ok()) return damaged("is too short for a packet block");
  if (interface >= interfaces_.size()) {
    return damaged(fmt::format("comes from interface {}, which is not described", interface));
  }
  const Interface& from = interfaces_[interface];
  return frame(from, in, captured, on_wire, time_of(ticks, from.resolution, from.offset_s), out);
}

RecordReader::Step PcapngReader::simple_packet(Bytes body, Frame& out) {
  NumberCursor in(body, order_);
  const std::uint32_t on_wire = in.u32();
  if (!in.ok()) return damaged("is too short for a packet block");
  if (interfaces_.empty()) return damaged("comes from interface 0, which is not described");
  const Interface& from = interfaces_.front();
  const std::uint32_t captured = from.snaplen != 0 ? std::min(on_wire, from.snaplen) : on_wire;
  const Step step = frame(from, in, captured, on_wire, last_time_ns_, out);
  if (step == Step::frame) {
    out.untimed = true;
    ++frames_without_time_;
  }
  return step;
}

RecordReader::Step PcapngReader::frame(const Interface& from, NumberCursor in,
                                       std::uint32_t captured, std::uint32_t on_wire,
                                       TimeNs time_ns, Frame& out) {
  if (captured > kLargestRecord || captured > in.remaining()) {
    return damaged(fmt::format("claims {} captured bytes in a block that has room for {}", captured,
                               in.remaining()));
  }
  fill(out, in.bytes(captured), on_wire, time_ns);
  link_number_ = from.link_number;
  last_time_ns_ = time_ns;
  return Step::frame;
}

}  // namespace

std::unique_ptr<RecordReader> pcapng_reader() { return std::make_unique<PcapngReader>(); }

}  // namespace wirelag::ingest
