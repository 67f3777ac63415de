// What the two halves of the parser share.
#pragma once

#include <wirelag/track/http/parser.hpp>

namespace wirelag {

/// After so many times something else than HTTP a direction is not looked at any more.
inline constexpr std::uint8_t kNonsenseLimit = 16;

[[nodiscard]] inline std::string_view without_line_ends(std::string_view text) {
  while (!text.empty() && (text.front() == '\r' || text.front() == '\n')) text.remove_prefix(1);
  return text;
}

/// RFC 9112 section 6.3, in its order.
[[nodiscard]] HttpBody response_body(const HttpStream& stream, HttpRequestKind request);

/// What is left of the chunk that feed() was given, and what of it has not been reported yet.
struct HttpParser::Feed {
  HttpStream& stream;
  const StreamChunk& chunk;
  std::string_view rest;
  std::uint64_t bytes = 0;  ///< consumed for the current message
  std::uint64_t body = 0;   ///< of these, content

  std::string_view take(std::size_t n) {
    const std::string_view taken = rest.substr(0, n);
    rest.remove_prefix(n);
    bytes += n;
    return taken;
  }
};

}  // namespace wirelag
