// Lines, and the heads made of them: from the start line to the decision how the body ends.
#include <algorithm>
#include <cstring>

#include "feed.hpp"

namespace wirelag {
namespace {

using State = HttpStream::State;

constexpr std::uint16_t kSwitchingProtocols = 101;

void begin_head(HttpStream& stream) {
  stream.remaining = 0;
  stream.head_bytes = 0;
  stream.status = 0;
  stream.last_field = HttpField::other;
  stream.has_length = stream.coded = stream.chunked = false;
  stream.connect = stream.too_long = false;
}

HttpBody request_body(const HttpStream& s) {
  if (s.connect) return HttpBody::none;
  if (s.chunked) return HttpBody::chunked;
  return s.has_length && s.remaining > 0 ? HttpBody::length : HttpBody::none;
}

}  // namespace

HttpBody response_body(const HttpStream& s, HttpRequestKind request) {
  if (s.status == kSwitchingProtocols) return HttpBody::tunnel;
  if (request == HttpRequestKind::connect && s.status / 100 == 2) return HttpBody::tunnel;
  if (request == HttpRequestKind::head) return HttpBody::none;
  if (s.status < 200 || s.status == 204 || s.status == 304) return HttpBody::none;
  if (s.chunked) return HttpBody::chunked;
  if (s.coded || !s.has_length) return HttpBody::until_close;
  return s.remaining > 0 ? HttpBody::length : HttpBody::none;
}

// ------------------------------------------------------------------------------------- lines

/// The next line without its line end; nullopt when the chunk ends before it does (its part is
/// kept) or when there is no buffer to keep it in (the direction is lost). give_buffer() when done
/// with it.
std::optional<std::string_view> HttpParser::next_line(Feed& feed) {
  HttpStream& s = feed.stream;
  const std::size_t lf = feed.rest.find('\n');
  const bool whole = lf != std::string_view::npos;
  std::string_view line = feed.take(whole ? lf + 1 : feed.rest.size());
  if (whole) line.remove_suffix(1);

  if (!whole || s.buffer != HttpStream::kNoBuffer) {
    if (!keep(s, line)) {
      report_bytes(feed);
      leave(s, feed.chunk.direction, State::lost);
      return std::nullopt;
    }
    if (!whole) return std::nullopt;
    line = kept(s);
  } else if (line.size() > limits_.header_bytes) {
    line = line.substr(0, limits_.header_bytes);
    count_too_long(s);
  }
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

/// False when all buffers are in use. What does not fit into the buffer is cut off.
bool HttpParser::keep(HttpStream& s, std::string_view piece) {
  if (s.buffer == HttpStream::kNoBuffer) {
    s.buffer = buffers_.take();
    if (s.buffer == HttpStream::kNoBuffer) {
      counters_.add(Counter::http_header_buffers_full);
      return false;
    }
  }
  LineBuffer& line = buffers_[s.buffer];
  const std::size_t room = limits_.header_bytes - line.length;
  if (piece.size() > room) {
    piece = piece.substr(0, room);
    count_too_long(s);
  }
  if (piece.empty()) return true;
  std::memcpy(&buffer_bytes_[std::size_t{s.buffer} * limits_.header_bytes + line.length],
              piece.data(), piece.size());
  line.length += static_cast<std::uint32_t>(piece.size());
  return true;
}

std::string_view HttpParser::kept(const HttpStream& s) const {
  return {&buffer_bytes_[std::size_t{s.buffer} * limits_.header_bytes], buffers_[s.buffer].length};
}

void HttpParser::give_buffer(HttpStream& s) {
  if (s.buffer == HttpStream::kNoBuffer) return;
  buffers_.give(s.buffer);
  s.buffer = HttpStream::kNoBuffer;
}

void HttpParser::count_too_long(HttpStream& s) {
  if (!s.too_long) counters_.add(Counter::http_headers_too_long);
  s.too_long = true;
}

// -------------------------------------------------------------------------------------- head

void HttpParser::start_line(Feed& feed) {
  HttpStream& s = feed.stream;
  if (s.buffer == HttpStream::kNoBuffer) {
    feed.rest = without_line_ends(feed.rest);
    if (feed.rest.empty()) return;
    if (!may_begin_message(feed.rest, feed.chunk.direction)) return not_http(feed);
    begin_head(s);
  }
  const auto line = next_line(feed);
  if (!line) {
    if (s.buffer == HttpStream::kNoBuffer) return;
    buffers_[s.buffer].arrival.add(feed.chunk, feed.bytes, feed.rest.size());
    feed.bytes = 0;
    if (!may_begin_message(kept(s), feed.chunk.direction)) not_http(feed);
    return;
  }
  if (begin_message(feed, *line)) {
    give_buffer(s);
  } else {
    not_http(feed);
  }
}

/// False when the line is no start line.
bool HttpParser::begin_message(Feed& feed, std::string_view line) {
  HttpStream& s = feed.stream;
  HttpStart start;
  if (s.buffer != HttpStream::kNoBuffer) start.arrival = buffers_[s.buffer].arrival;
  start.arrival.add(feed.chunk, feed.bytes, feed.rest.size());
  std::uint8_t major = 1;
  std::uint8_t minor = 1;
  if (feed.chunk.direction == Direction::c2s) {
    const auto request = s.too_long ? parse_cut_request_line(line) : parse_request_line(line);
    if (!request) return false;
    // "ET / HTTP/1.1" is the rest of a request, not the method ET.
    if (s.behind_hole && !is_common_method(request->method)) return false;
    start.method = request->method;
    start.target = request->target;
    major = request->major;
    minor = request->minor;
    s.connect = request->method == "CONNECT";
  } else {
    const auto status = parse_status_line(line);
    if (!status || (s.tentative && !events_.may_respond(start.arrival))) return false;
    start.status = s.status = status->status;
    major = status->major;
    minor = status->minor;
  }
  s.tentative = s.behind_hole = false;
  s.persistent = major > 1 || minor >= 1;
  if (major == 2 && start.method == "PRI") {  // the preface of HTTP/2, RFC 9113 section 3.4
    s.state = State::ended;
    feed.bytes = 0;
    return true;
  }
  s.state = State::head;
  start.cut = s.too_long;
  s.head_bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(start.arrival.bytes, UINT32_MAX));
  feed.bytes = 0;
  events_.on_start(feed.chunk.direction, start);
  return true;
}

void HttpParser::head_line(Feed& feed) {
  HttpStream& s = feed.stream;
  const std::size_t before = feed.rest.size();
  const auto line = next_line(feed);
  const std::uint64_t head_bytes = std::uint64_t{s.head_bytes} + (before - feed.rest.size());
  s.head_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(head_bytes, UINT32_MAX));
  if (!line) return;
  if (line->empty()) {
    give_buffer(s);
    end_head(feed);
  } else if (read_field(feed, *line)) {
    give_buffer(s);
  } else {
    not_http(feed);
  }
}

/// False when this cannot be a head any more.
bool HttpParser::read_field(Feed& feed, std::string_view line) {
  HttpStream& s = feed.stream;
  const bool continued = line.front() == ' ' || line.front() == '\t';  // obs-fold, section 5.2
  HttpFieldLine field{s.last_field, trim_blanks(line)};
  if (!continued) {
    const auto parsed = parse_field_line(line);
    if (!parsed && ++s.nonsense >= kNonsenseLimit) return false;
    field = parsed.value_or(HttpFieldLine{});
    s.last_field = field.field;
  }
  if (s.head_bytes > limits_.header_bytes) count_too_long(s);
  switch (field.field) {
    case HttpField::other: break;
    case HttpField::content_length:
    case HttpField::transfer_encoding:
    case HttpField::connection: framing_field(s, field.field, field.value); break;
    case HttpField::host:
    case HttpField::referer:
    case HttpField::content_type:
    case HttpField::location:
      if (s.head_bytes <= limits_.header_bytes) {
        events_.on_field(feed.chunk.direction, field.field, field.value, continued);
      }
      break;
  }
  return true;
}

void HttpParser::framing_field(HttpStream& s, HttpField field, std::string_view value) {
  if (field == HttpField::content_length) {
    const auto length = parse_content_length(value);
    if (!length) return;  // the last one counts when they differ
    s.has_length = true;
    s.remaining = *length;
  } else if (field == HttpField::transfer_encoding) {
    if (value.empty()) return;
    s.chunked = equal_ignoring_case(last_list_element(value), "chunked");
    s.coded = s.chunked || !equal_ignoring_case(value, "identity");
  } else {
    if (list_has(value, "close")) s.persistent = false;
    if (list_has(value, "keep-alive")) s.persistent = true;
  }
}

void HttpParser::end_head(Feed& feed) {
  HttpStream& s = feed.stream;
  const Direction direction = feed.chunk.direction;
  report_bytes(feed);
  const HttpBody body =
      direction == Direction::c2s ? request_body(s) : response_body(s, events_.answered_request());
  events_.on_head_end(direction, {body, s.persistent && body != HttpBody::until_close});
  switch (body) {
    case HttpBody::none: return end_message(feed);
    case HttpBody::length: s.state = State::body_length; return;
    case HttpBody::until_close: s.state = State::body_until_close; return;
    case HttpBody::chunked:
      s.state = State::chunk_size;
      s.remaining = 0;
      s.size_digits = false;
      return;
    case HttpBody::tunnel:
      end_message(feed);
      s.state = State::ended;
      return;
  }
}

}  // namespace wirelag
