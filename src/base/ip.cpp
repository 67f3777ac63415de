#include <arpa/inet.h>

#include <wirelag/base/ip.hpp>

namespace wirelag {

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  IpAddress one;
  one.bytes[15] = 1;
  return *this == one;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = "";
  if (is_v4()) {
    inet_ntop(AF_INET, &bytes[12], buffer, sizeof buffer);
  } else {
    inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
  }
  return buffer;
}

std::string Endpoint::text() const {
  std::string text;
  if (!ip.is_v4()) text += '[';
  text += ip.text();
  if (!ip.is_v4()) text += ']';
  text += ':';
  text += std::to_string(port);
  return text;
}

bool parse_ip(std::string_view text, IpAddress& out) {
  const std::string copy(text);
  std::uint8_t four[4];
  if (inet_pton(AF_INET, copy.c_str(), four) == 1) {
    out = IpAddress::v4(four);
    return true;
  }
  return inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1;
}

}  // namespace wirelag
