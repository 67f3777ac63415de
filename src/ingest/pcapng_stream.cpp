#include "pcapng_stream.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "ordered_cursor.hpp"

namespace wirelag {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;  // the same in both byte orders
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint32_t kInterface = 1, kOldPacket = 2, kSimplePacket = 3, kEnhancedPacket = 6;
constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kLargestSnaplen = 256 * 1024;  // what libpcap takes
/// More interfaces are not remembered: a file of nothing else must not fill the memory.
constexpr std::size_t kMostInterfaces = 1 << 16;

}  // namespace

std::FILE* PcapngStream::open() {
  const auto read_some = [](void* self, char* to, std::size_t size) {
    return static_cast<ssize_t>(
        static_cast<PcapngStream*>(self)->read(reinterpret_cast<std::uint8_t*>(to), size));
  };
  return fopencookie(this, "rb", cookie_io_functions_t{read_some, nullptr, nullptr, nullptr});
}

std::optional<std::uint16_t> PcapngStream::next_link_type() {
  if (frames_.empty()) return std::nullopt;
  const std::uint16_t link_type = frames_.front();
  frames_.pop_front();
  return link_type;
}

std::uint64_t PcapngStream::position_bytes() const {
  const off_t at = ftello(file_.get());
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

std::size_t PcapngStream::read(std::uint8_t* to, std::size_t size) {
  if (head_passed_ == head_size_ && body_left_ == 0) begin_block();
  if (head_passed_ < head_size_) {
    const std::size_t n = std::min(size, head_size_ - head_passed_);
    std::memcpy(to, &head_[head_passed_], n);
    head_passed_ += n;
    return n;
  }
  const std::size_t n = std::fread(to, 1, std::min<std::uint64_t>(size, body_left_), file_.get());
  body_left_ -= n;
  return n;
}

/// Reads as much of the next block's head as there is to know about it. A block that contradicts
/// itself, and all behind it, passes through as it is: libpcap will say what is wrong.
void PcapngStream::begin_block() {
  head_size_ = head_passed_ = 0;
  body_left_ = kToTheEnd;
  if (!look_at(8)) return;
  OrderedCursor in(Bytes(head_).first(8), swapped_);
  const std::uint32_t type = in.u32();
  std::uint32_t length = in.u32();

  if (type == kSectionHeader) {
    if (!look_at(12)) return;
    swapped_ = ByteCursor(Bytes(head_).subspan(8)).u32() != kByteOrder;
    length = OrderedCursor(Bytes(head_).subspan(4), swapped_).u32();
    interfaces_.clear();
  } else if (type == kInterface) {
    if (!look_at(16)) return;
    describe_interface();
  } else if (type == kEnhancedPacket) {
    if (!look_at(12)) return;
    note_frame(OrderedCursor(Bytes(head_).subspan(8), swapped_).u32());
  } else if (type == kOldPacket) {
    if (!look_at(12)) return;
    note_frame(OrderedCursor(Bytes(head_).subspan(8), swapped_).u16());
  } else if (type == kSimplePacket) {
    if (!look_at(12)) return;
    shorten_simple_packet();
    note_frame(0);
  }
  if (length >= head_size_) body_left_ = length - head_size_;
}

/// The first `bytes` of the block into `head_`; false when the file ends before.
bool PcapngStream::look_at(std::size_t bytes) {
  head_size_ += std::fread(&head_[head_size_], 1, bytes - head_size_, file_.get());
  return head_size_ == bytes;
}

void PcapngStream::describe_interface() {
  OrderedCursor in(Bytes(head_).subspan(8), swapped_);
  Interface interface;
  interface.link_type = in.u16();
  in.skip(2);  // reserved
  interface.snaplen = in.u32();
  if (interfaces_.size() < kMostInterfaces) interfaces_.push_back(interface);
  if (!first_) first_ = interface;
  put(8, first_->link_type, 2);
  put(12, kLargestSnaplen, 4);
}

/// A simple packet block does not say how much was captured: its length on the wire or the snapshot
/// length, whichever is less. libpcap no longer knows the latter, so it gets the answer.
void PcapngStream::shorten_simple_packet() {
  const std::uint32_t wire_length = OrderedCursor(Bytes(head_).subspan(8), swapped_).u32();
  const std::uint32_t snaplen = interfaces_.empty() ? 0 : interfaces_.front().snaplen;
  if (snaplen > 0 && wire_length > snaplen) put(8, snaplen, 4);
}

void PcapngStream::note_frame(std::size_t interface) {
  const bool known = interface < interfaces_.size();
  frames_.push_back(known ? interfaces_[interface].link_type : UINT16_MAX);
}

/// A number into the head, in the section's byte order.
void PcapngStream::put(std::size_t at, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t place = swapped_ ? i : bytes - 1 - i;
    head_[at + place] = static_cast<std::uint8_t>(value >> 8 * i);
  }
}

}  // namespace wirelag
