// TCP options: RFC 9293 section 3.2 (end, no-operation, MSS), RFC 7323 (window scale, timestamps),
// RFC 2018 (SACK permitted).
#include <wirelag/base/cursor.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {
namespace {

enum Kind : std::uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kTimestamps = 8
};

}  // namespace

TcpOptions parse_options(Bytes bytes) {
  TcpOptions options;
  ByteCursor at(bytes);
  while (at.remaining() > 0) {
    const std::uint8_t kind = at.u8();
    if (kind == kEnd) break;
    if (kind == kNop) continue;
    const std::uint8_t length = at.u8();
    if (!at.ok() || length < 2) break;
    ByteCursor value(at.bytes(length - 2U));
    if (!at.ok()) break;
    switch (kind) {
      case kMss:
        if (length == 4) options.mss = value.u16();
        break;
      case kWindowScale:
        if (length == 3) options.window_scale = static_cast<std::int8_t>(value.u8() & 0x1f);
        break;
      case kSackPermitted: options.sack_permitted = true; break;
      case kTimestamps:
        if (length == 10) {
          options.timestamps = true;
          options.tsval = value.u32();
          options.tsecr = value.u32();
        }
        break;
      default: break;
    }
  }
  return options;
}

}  // namespace wirelag::tcp
