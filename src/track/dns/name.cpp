// Domain names: RFC 1035 section 3.1 (labels) and 4.1.4 (compression).
//
//   label    00LLLLLL  then L bytes; L = 0 ends the name
//   pointer  11PPPPPP PPPPPPPP  the rest of the name begins at message[P]
//
// A jump lands before the start of the run of labels it ends; one that does not is followed too, and
// said. Reading ends after at most 255 octets of labels and kMaxPointers jumps.
#include <wirelag/track/dns/message.hpp>

namespace wirelag {
namespace {

constexpr std::uint8_t kPointer = 0xc0;

bool is_plain(std::uint8_t c) { return c > ' ' && c < 0x7f && c != '.' && c != '\\'; }

char lower(std::uint8_t c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

}  // namespace

void DnsName::append_label(Bytes label) {
  if (length_ > 0) text_[length_++] = '.';
  for (const std::uint8_t c : label) {
    if (is_plain(c)) {
      text_[length_++] = lower(c);
    } else {
      text_[length_++] = '\\';
      text_[length_++] = static_cast<char>('0' + c / 100);
      text_[length_++] = static_cast<char>('0' + c / 10 % 10);
      text_[length_++] = static_cast<char>('0' + c % 10);
    }
  }
}

DnsDefect DnsName::read(Bytes message, std::size_t at, std::size_t& end) {
  clear();
  const auto fail = [this](DnsDefect why) {
    clear();
    return why;
  };
  std::size_t run_start = at;  // where the current run of labels began
  std::size_t octets = 1;      // of the name uncompressed, the root's 0 included
  DnsDefect defect = DnsDefect::none;
  int jumps = 0;
  while (at < message.size()) {
    const std::uint8_t head = message[at];
    if (head == 0) {
      if (jumps == 0) end = at + 1;
      if (length_ == 0) text_[length_++] = '.';
      return defect;
    }
    if ((head & kPointer) == kPointer) {
      if (at + 1 >= message.size()) return fail(DnsDefect::ended_early);
      const std::size_t target = static_cast<std::size_t>(head & ~kPointer) << 8 | message[at + 1];
      if (target < DnsHeader::kSize || jumps == kMaxPointers) return fail(DnsDefect::bad_name);
      if (target >= run_start) defect = DnsDefect::odd_pointer;
      if (jumps++ == 0) end = at + 2;
      at = run_start = target;
      continue;
    }
    if ((head & kPointer) != 0) return fail(DnsDefect::bad_name);
    if (message.size() - at - 1 < head) return fail(DnsDefect::ended_early);
    octets += 1U + head;
    if (octets > kMaxWireOctets) return fail(DnsDefect::bad_name);
    append_label(message.subspan(at + 1, head));
    at += 1U + head;
  }
  return fail(DnsDefect::ended_early);
}

}  // namespace wirelag
