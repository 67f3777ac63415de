// How the states follow each other is drawn in parser.hpp. Every step() consumes bytes or leaves
// the states that read; feed() repeats it until the chunk is used up. Heads are read in
// parser_head.cpp.
#include <algorithm>

#include "feed.hpp"

namespace wirelag {
namespace {

using State = HttpStream::State;

constexpr std::uint64_t kLargestChunk = 1ULL << 60;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Of a hole behind the last `rest` bytes of a message.
HttpHole hidden_behind(std::uint64_t rest, std::uint64_t missing) {
  return missing > rest + kNoMessageBytes ? HttpHole::hides_begin : HttpHole::may_hide;
}

}  // namespace

HttpParser::HttpParser(const HttpLimits& limits, Counters& counters, HttpEvents& events)
    : limits_(limits),
      counters_(counters),
      events_(events),
      buffers_(limits.header_buffers),
      // Not zeroed: a page is touched only when its buffer is used.
      buffer_bytes_(new char[std::size_t{limits.header_buffers} * limits.header_bytes]) {}

void HttpParser::feed(HttpStream& stream, const StreamChunk& chunk) {
  Feed feed{stream, chunk, as_text(chunk.bytes)};
  if (stream.state == State::unread && begins_next(chunk)) end_unread(stream, chunk.direction);
  if (stream.state == State::lost || stream.tentative) look_for_message(feed);
  while (!feed.rest.empty() && stream.state != State::lost && stream.state != State::ended) {
    step(feed);
  }
  report_bytes(feed);
  if (stream.state == State::lost && !feed.rest.empty()) {
    events_.on_skipped(chunk.direction, feed.rest.size());
  }
}

/// Whether the search for a message ends with this chunk. A guess that an earlier chunk was the
/// beginning of a request line is given up when this one begins with a whole line that certainly is
/// one.
void HttpParser::look_for_message(Feed& feed) {
  HttpStream& s = feed.stream;
  const std::string_view text = without_line_ends(feed.rest);
  if (s.state == State::lost) {
    if (text.empty() || !may_begin_message(text, feed.chunk.direction)) return;
    s.state = State::between;
    s.tentative = true;
  } else if (s.buffer != HttpStream::kNoBuffer && feed.chunk.direction == Direction::c2s &&
             text.size() == feed.rest.size()) {
    const auto request = parse_request_line(text.substr(0, text.find_first_of("\r\n")));
    if (request && is_common_method(request->method)) give_up_start_line(s, feed.chunk.direction);
  }
}

/// What was kept of a start line in pieces, if anything, is in no message.
void HttpParser::give_up_start_line(HttpStream& s, Direction direction) {
  if (s.state != State::between || s.buffer == HttpStream::kNoBuffer) return;
  events_.on_skipped(direction, buffers_[s.buffer].arrival.bytes);
  give_buffer(s);
}

void HttpParser::step(Feed& feed) {
  switch (feed.stream.state) {
    case State::between: return start_line(feed);
    case State::head: return head_line(feed);
    case State::body_length:
    case State::body_until_close:
    case State::chunk_data: return body(feed);
    case State::chunk_size: return chunk_size(feed);
    case State::chunk_extension: return skip_chunk_extension(feed);
    case State::chunk_end: return chunk_end(feed);
    case State::trailers: return trailers(feed);
    case State::unread: feed.take(feed.rest.size()); return;
    case State::lost:
    case State::ended: return;
  }
}

// -------------------------------------------------------------------------------------- body

void HttpParser::body(Feed& feed) {
  HttpStream& s = feed.stream;
  std::size_t n = feed.rest.size();
  if (s.state != State::body_until_close) {
    n = static_cast<std::size_t>(std::min<std::uint64_t>(n, s.remaining));
    s.remaining -= n;
  }
  feed.take(n);
  feed.body += n;
  if (s.state == State::body_until_close || s.remaining > 0) return;
  if (s.state == State::chunk_data) {
    s.state = State::chunk_end;
  } else {
    end_message(feed);
  }
}

/// RFC 9112 section 7.1: hex digits, then blanks, an extension or the line end.
void HttpParser::chunk_size(Feed& feed) {
  HttpStream& s = feed.stream;
  const char c = feed.take(1).front();
  const int digit = hex_digit(c);
  if (digit >= 0) {
    if (s.remaining >= kLargestChunk / 16) return not_http(feed);
    s.remaining = s.remaining * 16 + static_cast<std::uint64_t>(digit);
    s.size_digits = true;
  } else if (c == ' ' || c == '\t') {
    if (s.size_digits) s.state = State::chunk_extension;
  } else if (!s.size_digits) {
    not_http(feed);
  } else if (c == '\n') {
    end_chunk_size(feed);
  } else if (c == ';' || c == '\r') {
    s.state = State::chunk_extension;
  } else {
    not_http(feed);
  }
}

void HttpParser::skip_chunk_extension(Feed& feed) {
  const std::size_t lf = feed.rest.find('\n');
  feed.take(lf == std::string_view::npos ? feed.rest.size() : lf + 1);
  if (lf != std::string_view::npos) end_chunk_size(feed);
}

void HttpParser::end_chunk_size(Feed& feed) {
  // The last chunk has size 0; from there on `remaining` counts the characters of a trailer line.
  feed.stream.state = feed.stream.remaining > 0 ? State::chunk_data : State::trailers;
}

void HttpParser::chunk_end(Feed& feed) {
  HttpStream& s = feed.stream;
  const char c = feed.take(1).front();
  if (c == '\r') return;
  if (c != '\n') return not_http(feed);
  s.state = State::chunk_size;
  s.remaining = 0;
  s.size_digits = false;
}

/// Header lines that nobody reads, up to an empty one.
void HttpParser::trailers(Feed& feed) {
  HttpStream& s = feed.stream;
  const std::size_t lf = feed.rest.find('\n');
  if (lf == std::string_view::npos) {
    const std::string_view part = feed.take(feed.rest.size());
    s.remaining +=
        part.size() - static_cast<std::size_t>(std::count(part.begin(), part.end(), '\r'));
    return;
  }
  const std::string_view line = feed.take(lf + 1);
  const bool empty = s.remaining == 0 && without_line_ends(line).empty();
  s.remaining = 0;
  if (empty) end_message(feed);
}

// ---------------------------------------------------------------------- ends, holes, nonsense

void HttpParser::report_bytes(Feed& feed) {
  if (feed.bytes > 0 && feed.stream.state != State::between) {
    events_.on_message_bytes(feed.chunk, feed.bytes, feed.body);
  }
  feed.bytes = feed.body = 0;
}

void HttpParser::end_message(Feed& feed) {
  HttpStream& s = feed.stream;
  report_bytes(feed);
  s.state = State::between;
  s.tentative = s.connect;  // after CONNECT another protocol may follow before it is granted
  events_.on_message_end(feed.chunk.direction, HttpEnd::complete);
}

/// Something else stands where HTTP should. A guess that was wrong is no fault.
void HttpParser::not_http(Feed& feed) {
  HttpStream& s = feed.stream;
  if (!s.tentative) {
    counters_.add(Counter::http_malformed);
    if (s.nonsense < kNonsenseLimit) ++s.nonsense;
  }
  if (const std::uint64_t unread = unread_bytes(feed)) {
    events_.on_skipped(feed.chunk.direction, unread);
  }
  report_bytes(feed);
  leave(s, feed.chunk.direction, s.nonsense >= kNonsenseLimit ? State::ended : State::lost);
}

/// Of a start line or head that turns out to be none.
std::uint64_t HttpParser::unread_bytes(const Feed& feed) const {
  const HttpStream& s = feed.stream;
  if (s.state == State::head) return s.head_bytes;
  if (s.state != State::between) return 0;
  const bool split = s.buffer != HttpStream::kNoBuffer;
  return feed.bytes + (split ? buffers_[s.buffer].arrival.bytes : 0);
}

/// The message that is being read, if any, ends here without its end.
void HttpParser::leave(HttpStream& s, Direction direction, State next) {
  give_buffer(s);
  const State before = s.state;
  s.state = next;
  s.tentative = false;
  if (before == State::head) {
    events_.on_message_end(direction, HttpEnd::in_head);
  } else if (before > State::head && before < State::ended) {
    events_.on_message_end(direction, HttpEnd::cut);
  }
}

HttpHole HttpParser::gap(HttpStream& s, Direction direction, std::uint64_t missing) {
  HttpHole hole = HttpHole::may_hide;
  switch (s.state) {
    case State::ended: return HttpHole::in_step;
    case State::body_until_close:
      events_.on_missing_bytes(direction, missing);
      return HttpHole::in_step;
    case State::unread: events_.on_missing_bytes(direction, missing); return hole;
    case State::head: hole = HttpHole::hides_begin; break;
    case State::between:
      if (!s.tentative || s.buffer != HttpStream::kNoBuffer) hole = hidden_behind(0, missing);
      break;
    case State::chunk_data:
      if (missing > s.remaining) break;
      events_.on_missing_bytes(direction, missing);
      s.remaining -= missing;
      if (s.remaining == 0) s.state = State::chunk_end;
      return HttpHole::in_step;
    case State::body_length:
      hole = hidden_behind(s.remaining, missing);
      if (missing > s.remaining) break;
      events_.on_missing_bytes(direction, missing);
      s.remaining -= missing;
      if (s.remaining > 0) return HttpHole::in_step;
      s.state = State::between;
      events_.on_message_end(direction, HttpEnd::cut);
      return HttpHole::in_step;
    default: break;
  }
  give_up_start_line(s, direction);
  leave(s, direction, State::lost);
  s.behind_hole = true;
  return hole;
}

void HttpParser::finish(HttpStream& s, Direction direction) {
  if (s.state != State::body_until_close && s.state != State::unread) return abort(s, direction);
  // A server that gives up in the middle closes as well, and nobody knows how much there was to come.
  const bool whole = s.state == State::body_until_close || direction == Direction::c2s;
  s.state = State::ended;
  events_.on_message_end(direction, whole ? HttpEnd::complete : HttpEnd::cut);
}

void HttpParser::abort(HttpStream& s, Direction direction) {
  give_up_start_line(s, direction);
  leave(s, direction, State::ended);
}

}  // namespace wirelag
