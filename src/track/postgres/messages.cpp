#include "messages.hpp"

#include <wirelag/base/cursor.hpp>

namespace wirelag::postgres {

bool is_type(char type, Direction direction) {
  const std::string_view known =
      direction == Direction::c2s ? "BCdcDEHFfPpQSX" : "RKSdcGHWDCIEVnNAt123sTZv";
  return known.find(type) != std::string_view::npos;
}

bool out_of_turn(char type) { return type == 'N' || type == 'A' || type == 'S'; }

bool may_begin(Bytes bytes, Direction direction) {
  ByteCursor cursor(bytes);
  bool one = false;
  while (cursor.remaining() >= 5) {
    const char type = static_cast<char>(cursor.u8());
    const std::uint32_t length = cursor.u32();
    if (!is_type(type, direction) || length < 4 || length > kLongestMessage) return false;
    one = true;
    if (length - 4 > cursor.remaining()) return true;
    cursor.skip(length - 4);
  }
  return one;
}

std::string_view sqlstate(std::string_view body) {
  while (!body.empty() && body.front() != '\0') {
    const char field = body.front();
    const std::size_t end = body.find('\0');
    if (end == std::string_view::npos) return {};
    if (field == 'C') return body.substr(1, end - 1);
    body.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace wirelag::postgres
