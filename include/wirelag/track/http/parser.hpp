// HTTP/1.x messages of one direction of a connection, from in-order chunks (RFC 9112).
//
//            empty lines                 Content-Length          last byte
//   lost -> between -> head -+---------> body_length ----------------------------> between
//     ^                      +- chunked -> chunk_size -> chunk_data -> chunk_end -> chunk_size ...
//     |                      |                  +- size 0 -> trailers ------------> between
//     |                      +---------> body_until_close ----------- FIN ---------> ended
//     |                      +- no body -------------------------------------------> between
//     +-- hole, nonsense     +- 101, CONNECT 2xx ----------------------------------> ended
//     |
//     +------ a chunk that begins like a message ------ unread <-- the snaplen cut off where a head
//                                                                  or a chunk ends
//
// A head is read line by line: a line that lies within one chunk is read in place, only a line
// split over chunks is put together in a buffer from a pool. Bytes of a body are counted and never
// looked at. How the bytes are cut into chunks makes no difference to the events, except in `lost`:
// there the next chunk that begins like a message ends the search.
//
// The state of a direction is a 24-byte value owned by the caller; the parser owns the buffers.
// Called by HttpTracker on the worker's thread; no allocation after construction.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include <wirelag/base/counters.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/track/http/head.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag {

/// Where and when the bytes of a message came. Segments may have overtaken each other, so first and
/// last are the lowest and highest frame and time of all its segments.
struct HttpArrival {
  /// Where in the connection it begins. Valid with `acks`.
  struct Place {
    std::uint32_t seq = 0;  ///< of its first byte
    std::uint32_t ack = 0;  ///< what the segment with its first byte acknowledges
    bool acks = false;
  };

  Place place;
  FrameSpan frames;
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
  std::uint64_t bytes = 0;
  TransferMeter meter;
  TransferMarks marks;

  /// The `n` bytes before the last `after` of the chunk.
  void add(const StreamChunk& chunk, std::uint64_t n, std::uint64_t after = 0) {
    if (bytes == 0) {
      const std::uint64_t offset = chunk.bytes.size() - std::min(chunk.bytes.size(), n + after);
      place = {chunk.seq + static_cast<std::uint32_t>(offset), chunk.ack, chunk.acks};
    }
    if (bytes == 0 || chunk.frame < frames.first) frames.first = chunk.frame;
    if (bytes == 0 || chunk.frame > frames.last) frames.last = chunk.frame;
    if (bytes == 0 || chunk.time_ns < first_ns) first_ns = chunk.time_ns;
    if (bytes == 0 || chunk.time_ns > last_ns || !known(chunk.time_ns)) last_ns = chunk.time_ns;
    bytes += n;
    meter.add(chunk.progress, chunk.burst, n);
    marks.add(chunk.progress, chunk.other_progress);
  }
};

/// A message begins. The views die when on_start() returns.
struct HttpStart {
  std::string_view method;   ///< c2s
  std::string_view target;   ///< c2s
  std::uint16_t status = 0;  ///< s2c
  bool cut = false;  ///< only its beginning: longer than http.header_bytes, or cut by the snaplen
  HttpArrival arrival;  ///< of the start line
};

/// How the end of a message is found (RFC 9112 section 6.3).
enum class HttpBody : std::uint8_t {
  none,
  length,
  chunked,
  until_close,
  tunnel,  ///< what follows is another protocol
};

struct HttpHeadEnd {
  HttpBody body = HttpBody::none;
  bool persistent = true;  ///< by version and Connection (RFC 9112 section 9.3)
};

/// How a message ended.
enum class HttpEnd : std::uint8_t {
  complete,  ///< its last byte was seen (a response that ends with the connection: its FIN)
  cut,       ///< its last byte was not seen
  in_head,   ///< not even its headers are complete (RFC 9112 section 8: it conveyed nothing)
};

/// What bytes that will never come mean for where messages begin and end.
enum class HttpHole : std::uint8_t {
  in_step,      ///< it is known as before
  may_hide,     ///< not any more; whether a message begins in the hole is not known
  hides_begin,  ///< not any more; at least one message began there, or was not told for its sake
};

/// So many bytes behind a body are none: line ends that old clients and scripts send (RFC 9112 section 2.2).
inline constexpr std::uint32_t kNoMessageBytes = 4;

/// HttpTransaction::response_body_bytes when the snaplen cut off where the body begins or goes on.
inline constexpr std::uint64_t kUnknownBodyBytes = UINT64_MAX;

/// What of a request decides about its response's body.
enum class HttpRequestKind : std::uint8_t { ordinary, head, connect };

/// Receives what the parser finds, in order: on_start, then fields and bytes, on_head_end, bytes,
/// on_message_end. Must not call feed(), gap() or finish(); may abort() the other direction.
class HttpEvents {
 public:
  virtual ~HttpEvents() = default;
  virtual void on_start(Direction direction, const HttpStart& start) = 0;
  /// host, referer, content_type or location; `continued`: more of the value before (obs-fold).
  virtual void on_field(Direction direction, HttpField field, std::string_view value,
                        bool continued) = 0;
  /// The request that the response whose head ends now answers.
  [[nodiscard]] virtual HttpRequestKind answered_request() const = 0;
  virtual void on_head_end(Direction direction, const HttpHeadEnd& head) = 0;
  /// `bytes` more of the message came with `chunk`, `body` of them content (chunks unpacked).
  virtual void on_message_bytes(const StreamChunk& chunk, std::uint64_t bytes,
                                std::uint64_t body) = 0;
  /// How many bytes of the message are content cannot be told any more.
  virtual void on_body_unknown(Direction direction) = 0;
  /// `bytes` of the body fell into a hole.
  virtual void on_missing_bytes(Direction direction, std::uint64_t bytes) = 0;
  virtual void on_message_end(Direction direction, HttpEnd end) = 0;
  /// `bytes` in which no message could be recognised.
  virtual void on_skipped(Direction direction, std::uint64_t bytes) = 0;
  /// Whether what looks like a status line behind bytes that could not be followed may be one.
  [[nodiscard]] virtual bool may_respond(const HttpArrival& status_line) = 0;
};

/// One direction of one connection. A plain value; give it to abort() before it is dropped.
struct HttpStream {
  enum class State : std::uint8_t {
    lost,  ///< waits for a chunk that begins a message: at first, and after a hole
    between,
    head,
    body_length,
    body_until_close,
    chunk_size,
    chunk_extension,
    chunk_data,
    chunk_end,
    trailers,
    unread,  ///< of a message whose end cannot be told: all up to the next message
    ended,   ///< FIN, another protocol, or given up: bytes are ignored
  };
  static constexpr std::uint32_t kNoBuffer = UINT32_MAX;

  std::uint64_t remaining =
      0;  ///< head: Content-Length; body, chunk: bytes to come; trailers: of line
  std::uint32_t buffer = kNoBuffer;  ///< holds a line that is split over chunks
  std::uint32_t head_bytes = 0;
  std::uint16_t status = 0;
  State state = State::lost;
  HttpField last_field = HttpField::other;
  std::uint8_t nonsense = 0;   ///< times that something else stood where HTTP should
  bool tentative : 1 = false;  ///< the message is a guess until its start line is read
  bool connect : 1 = false;
  bool has_length : 1 = false;
  bool coded : 1 = false;    ///< has Transfer-Encoding
  bool chunked : 1 = false;  ///< its last coding is chunked
  bool persistent : 1 = true;
  bool too_long : 1 = false;     ///< head longer than http.header_bytes, counted
  bool size_digits : 1 = false;  ///< a digit of the chunk size was seen
  bool behind_hole : 1 = false;  ///< what comes next may be the rest of something
};
static_assert(sizeof(HttpStream) == 24);

class HttpParser {
 public:
  /// `counters` and `events` must outlive the parser.
  HttpParser(const HttpLimits& limits, Counters& counters, HttpEvents& events);

  void feed(HttpStream& stream, const StreamChunk& chunk);
  [[nodiscard]] HttpHole gap(HttpStream& stream, Direction direction, std::uint64_t missing);
  /// The same for the last `missing` bytes of the segment that brought `chunk`: they belong to the
  /// message whose beginning is there.
  [[nodiscard]] HttpHole cut(HttpStream& stream, const StreamChunk& chunk, std::uint64_t missing);
  /// The peer has answered, or sent its next message: one whose end cannot be told has ended.
  void end_unread(HttpStream& stream, Direction direction);
  /// FIN: a body that ends with the connection is complete, any other message is not.
  void finish(HttpStream& stream, Direction direction);
  /// Ignores this direction from here on: the connection is over or speaks another protocol.
  void abort(HttpStream& stream, Direction direction);

  [[nodiscard]] std::size_t buffers_in_use() const { return buffers_.in_use(); }

 private:
  struct Feed;
  struct LineBuffer {
    std::uint32_t length = 0;
    HttpArrival arrival;  ///< of the part of a start line that lies in earlier chunks
  };

  void look_for_message(Feed& feed);
  void step(Feed& feed);
  void start_line(Feed& feed);
  [[nodiscard]] bool begin_message(Feed& feed, std::string_view line);
  void head_line(Feed& feed);
  [[nodiscard]] bool read_field(Feed& feed, std::string_view line);
  void framing_field(HttpStream& stream, HttpField field, std::string_view value);
  void end_head(Feed& feed);
  void body(Feed& feed);
  void chunk_size(Feed& feed);
  void end_chunk_size(Feed& feed);
  void skip_chunk_extension(Feed& feed);
  void chunk_end(Feed& feed);
  void trailers(Feed& feed);

  [[nodiscard]] std::optional<std::string_view> next_line(Feed& feed);
  [[nodiscard]] bool keep(HttpStream& stream, std::string_view piece);
  [[nodiscard]] std::string_view kept(const HttpStream& stream) const;
  void give_buffer(HttpStream& stream);
  void count_too_long(HttpStream& stream);
  void report_bytes(Feed& feed);
  void end_message(Feed& feed);
  void not_http(Feed& feed);
  void give_up_start_line(HttpStream& stream, Direction direction);
  [[nodiscard]] std::uint64_t unread_bytes(const Feed& feed) const;
  void leave(HttpStream& stream, Direction direction, HttpStream::State next);
  [[nodiscard]] bool cut_start_line(HttpStream& stream, const StreamChunk& chunk);
  [[nodiscard]] bool begins_next(const StreamChunk& chunk);
  void cut_head(HttpStream& stream, const StreamChunk& chunk, std::uint64_t missing);
  void cut_body(HttpStream& stream, const StreamChunk& chunk, std::uint64_t& missing);

  HttpLimits limits_;
  Counters& counters_;
  HttpEvents& events_;
  Pool<LineBuffer> buffers_;
  std::unique_ptr<char[]> buffer_bytes_;
};

}  // namespace wirelag
