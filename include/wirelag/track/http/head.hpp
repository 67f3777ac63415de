// The lines of an HTTP/1.x message head: what a start line says, which field a header line holds,
// and whether bytes look like the beginning of a message at all. Pure functions over one line
// (without its line end); the views they return point into that line.
//
// Tolerant where real senders are (several blanks, tabs, spaces inside the target, a missing
// version or reason phrase, ICY), strict enough to tell a message from the middle of a body. RFC
// 9112 sections 3, 4 and 5.
#pragma once

#include <optional>
#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag {

struct HttpRequestLine {
  std::string_view method;  ///< any token of at most 32 characters
  std::string_view target;  ///< origin, absolute, authority or asterisk form, as sent; may be empty
  std::uint8_t major = 1;
  std::uint8_t minor = 1;
};

struct HttpStatusLine {
  std::uint16_t status = 0;  ///< 1 .. 999: the digits there are ("2XX" is 2)
  std::uint8_t major = 1;    ///< ICY counts as HTTP/1.0
  std::uint8_t minor = 1;
};

/// A line without version is one only when method and target leave no doubt ("GET /x").
[[nodiscard]] std::optional<HttpRequestLine> parse_request_line(std::string_view line);
/// The same for a line that was cut before its version, common methods only: the target is what is
/// left of it.
[[nodiscard]] std::optional<HttpRequestLine> parse_cut_request_line(std::string_view line);
[[nodiscard]] std::optional<HttpStatusLine> parse_status_line(std::string_view line);

/// Whether `prefix` can be the beginning of a request (c2s) or status line (s2c). True as long as
/// nothing speaks against it, so also for a prefix that is too short to tell.
[[nodiscard]] bool may_begin_message(std::string_view prefix, Direction direction);

/// GET, POST, HEAD, PUT, DELETE, OPTIONS, PATCH.
[[nodiscard]] bool is_common_method(std::string_view method);

/// The fields wirelag reads.
enum class HttpField : std::uint8_t {
  other,
  host,
  referer,
  content_type,
  location,
  content_length,
  transfer_encoding,
  connection,
};

struct HttpFieldLine {
  HttpField field = HttpField::other;
  std::string_view value;  ///< without the blanks around it
};

/// nullopt when the line has no colon.
[[nodiscard]] std::optional<HttpFieldLine> parse_field_line(std::string_view line);

/// `text` without blanks and tabs at both ends.
[[nodiscard]] std::string_view trim_blanks(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view text, std::string_view lower_case);

/// First number of a Content-Length value ("42", "42, 42"); nullopt when it is none or overflows.
[[nodiscard]] std::optional<std::uint64_t> parse_content_length(std::string_view value);
/// The last element of a comma-separated list, without parameters: "gzip, chunked" -> "chunked".
[[nodiscard]] std::string_view last_list_element(std::string_view list);
/// Whether a comma-separated list has this element; `lower_case` is compared ignoring case.
[[nodiscard]] bool list_has(std::string_view list, std::string_view lower_case);

}  // namespace wirelag
