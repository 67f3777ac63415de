// What the snaplen cuts off at the end of segments. When it came is known, and how much it was: a
// body stays in step. Where a head or a chunk ends is not: what follows belongs to that message
// (State::unread) until a chunk begins like the next one.
#include <algorithm>

#include "feed.hpp"

namespace wirelag {
namespace {

using State = HttpStream::State;

constexpr std::uint16_t kLowestStatus = 100;

}  // namespace

/// Whether a chunk behind a message whose end cannot be told begins the next one. Content may well begin like
/// a start line: nearly all of one has to be there, and a request that it could answer.
bool HttpParser::begins_next(const StreamChunk& chunk) {
  const std::string_view text = without_line_ends(as_text(chunk.bytes));
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (chunk.direction == Direction::c2s) {
    return parse_request_line(line) || parse_cut_request_line(line);
  }
  const auto status = parse_status_line(line);
  if (!status || status->status < kLowestStatus) return false;
  HttpArrival arrival;
  arrival.add(chunk, line.size(), text.size() - line.size());
  return events_.may_respond(arrival);
}

HttpHole HttpParser::cut(HttpStream& s, const StreamChunk& chunk, std::uint64_t missing) {
  switch (s.state) {
    case State::ended: return HttpHole::in_step;
    case State::lost: return HttpHole::may_hide;
    case State::between:
      if (!cut_start_line(s, chunk)) return gap(s, chunk.direction, missing);
      [[fallthrough]];
    case State::head:
      cut_head(s, chunk, missing);
      return s.state == State::ended ? HttpHole::in_step : HttpHole::may_hide;
    case State::body_length:
    case State::chunk_data:
      cut_body(s, chunk, missing);
      if (missing == 0) return HttpHole::in_step;
      if (s.state == State::between) return gap(s, chunk.direction, missing);
      break;
    default: break;
  }
  events_.on_message_bytes(chunk, missing, s.state == State::body_until_close ? missing : 0);
  if (s.state == State::body_until_close) return HttpHole::in_step;
  if (s.state != State::unread) events_.on_body_unknown(chunk.direction);
  s.state = State::unread;
  return HttpHole::may_hide;
}

/// Whether what was kept is enough of a start line to begin a message with.
bool HttpParser::cut_start_line(HttpStream& s, const StreamChunk& chunk) {
  if (s.buffer == HttpStream::kNoBuffer) return false;
  const std::string_view line = kept(s);
  if (chunk.direction == Direction::s2c) {
    const auto status = parse_status_line(line);
    if (!status || status->status < kLowestStatus) return false;
  }
  s.too_long = true;  // the target is what is left of it
  Feed nothing_more{s, chunk, {}};
  return begin_message(nothing_more, line) && s.state == State::head;
}

void HttpParser::cut_head(HttpStream& s, const StreamChunk& chunk, std::uint64_t missing) {
  give_buffer(s);
  const Direction direction = chunk.direction;
  const HttpBody body =
      direction == Direction::s2c ? response_body(s, events_.answered_request()) : HttpBody::none;
  const bool tunnel = body == HttpBody::tunnel;
  if (body != HttpBody::none && !tunnel) events_.on_body_unknown(direction);
  events_.on_head_end(direction, {tunnel ? body : HttpBody::none, s.persistent});
  events_.on_message_bytes(chunk, missing, 0);
  s.state = tunnel ? State::ended : State::unread;
  if (tunnel) events_.on_message_end(direction, HttpEnd::complete);
}

/// Takes off `missing` what belongs to the body or chunk.
void HttpParser::cut_body(HttpStream& s, const StreamChunk& chunk, std::uint64_t& missing) {
  const std::uint64_t n = std::min(missing, s.remaining);
  events_.on_message_bytes(chunk, n, n);
  missing -= n;
  s.remaining -= n;
  if (s.remaining > 0) return;
  if (s.state == State::chunk_data) {
    s.state = State::chunk_end;
    return;
  }
  s.state = State::between;
  s.tentative = s.connect;
  events_.on_message_end(chunk.direction, HttpEnd::complete);
}

void HttpParser::end_unread(HttpStream& s, Direction direction) {
  if (s.state != State::unread) return;
  s.state = State::lost;
  events_.on_message_end(direction, HttpEnd::complete);
}

}  // namespace wirelag
