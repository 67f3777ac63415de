// Open requests to databases: one FIFO per connection, from one pool for all protocols and
// connections of a worker. A protocol's tracker reads messages; this decides which request a reply
// answers and emits it.
//
//   take() -> fill in -> push()      the request is complete: it goes to the back
//   answering()                      the request that a reply answers: the oldest
//   finish()                         its reply is complete: emitted, taken off the front
//
// Doubt. Behind a hole, and on a connection that was open before the capture, replies may belong to requests that were
// not seen; to pair by order would then shift every answer. Requests that were complete before a hole in the client's
// bytes still have their turn; then, and behind a hole in the server's at once, sequence numbers must tell: a reply is
// that of the request whose client had received all before it and no more, when it was the first that the client sent
// then. It was when nothing is missing between it and the request before, which acknowledged less, or when the server
// had all before it as it sent the reply before. That ends the doubt. Anything else stays unpaired and is counted.
// Clients that were seen to go on asking while answers were due (`overlaps`) show none of this: behind a hole they stay
// in doubt.
//
// Limits (DatabaseLimits): open_requests; one connection gets at most a quarter of them. What finds
// no room is counted (database_requests_full), and so many replies are passed over.
//
// One thread; no allocation after construction.
#pragma once

#include <wirelag/base/counters.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/track/database/text.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag {

inline constexpr std::size_t kFingerprintBytes = 512;

/// Where a message lies in its direction's sequence space.
struct MessagePlace {
  std::uint32_t seq = 0;      ///< its first byte
  std::uint32_t end_seq = 0;  ///< behind the last segment that brought some of it
  std::uint32_t ack = 0;      ///< what its first segment acknowledges
  bool known = false;
};

/// Where and when the bytes of a message came: lowest and highest frame and time of its segments.
struct MessageArrival {
  FrameSpan frames;
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
  std::uint64_t bytes = 0;
  TransferMarks marks;
  MessagePlace place = {};

  /// `n` more bytes of the message came, the chunk's from `at` on.
  void add(const StreamChunk& chunk, std::size_t at, std::uint64_t n) {
    if (n == 0) return;
    const std::uint32_t seq = chunk.seq + static_cast<std::uint32_t>(at);
    if (bytes == 0) place = {seq, seq, chunk.ack, chunk.acks};
    place.end_seq =
        chunk.seq + static_cast<std::uint32_t>(std::max<std::uint64_t>(chunk.bytes.size(), n));
    marks.add(chunk.progress, chunk.other_progress);
    if (bytes == 0 || chunk.frame < frames.first) frames.first = chunk.frame;
    if (bytes == 0 || chunk.frame > frames.last) frames.last = chunk.frame;
    if (bytes == 0 || chunk.time_ns < first_ns) first_ns = chunk.time_ns;
    if (bytes == 0 || chunk.time_ns > last_ns || !known(chunk.time_ns)) last_ns = chunk.time_ns;
    bytes += n;
  }
  void add(const MessageArrival& more) {
    if (more.bytes == 0) return;
    if (bytes == 0) {
      *this = more;
      return;
    }
    frames = {std::min(frames.first, more.frames.first), std::max(frames.last, more.frames.last)};
    first_ns = std::min(first_ns, more.first_ns);
    last_ns = known(more.last_ns) ? std::max(last_ns, more.last_ns) : kUnknownNs;
    bytes += more.bytes;
    marks.add(more.marks);
    place.end_seq = more.place.end_seq;
  }
};

struct DatabaseExchange {
  DatabaseTransaction facts;  ///< all but the views
  TransferMarks request_marks;
  MessagePlace request_place;
  BoundedText<kFingerprintBytes> fingerprint;  ///< facts.name_only: the statement's name
  BoundedText<32> operation;
  BoundedText<24> error_code;
  std::uint32_t next = UINT32_MAX;
  std::uint32_t replies = 1;  ///< that it still waits for
  std::uint32_t opaque = 0;   ///< the protocol's own number of it
  /// Of facts.depth, with those of all before it: not unanswered any more when it was sent.
  std::int32_t answered_before = 0;
  std::uint16_t kind = 0;  ///< the protocol's own
  bool begins_turn =
      false;  ///< the client had received something since its request before, and nothing is missing
  bool first_seen = false;         ///< of the connection, of which the capture lacks the beginning
  bool hole_follows = false;       ///< bytes of the client are missing behind it
  bool may_be_silent = false;      ///< the server only answers in some cases
  bool first_result_seen = false;  ///< of the first statement of a burst
};

/// What a tracker keeps per connection for its exchanges.
struct DatabaseConnection {
  StreamContext context;
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = UINT32_MAX;
  std::uint32_t open = 0;
  std::uint32_t untracked = 0;  ///< requests after `last` that found no room
  std::uint32_t sent_after =
      UINT32_MAX;                    ///< the first sent after a reply that was handed over late
  std::int32_t answered_before = 0;  ///< of all open ones together
  TimeNs latest_reply_ns = kUnknownNs;
  bool doubt = false;  ///< which request is answered next is not known
  bool holes = false;
  bool requests_missing = false;  ///< since the latest request: bytes of the client
  bool replies_missing = false;   ///< since the latest reply: bytes of the server
  bool overlaps = false;          ///< the client asks more while answers are due
  MessagePlace latest_reply;
  MessagePlace latest_request;
  BoundedText<64> user;
  BoundedText<64> database;
};

class DatabaseExchanges {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  /// `sink` and `counters` must outlive this.
  DatabaseExchanges(const DatabaseLimits& limits, TransactionSink& sink, Counters& counters)
      : per_connection_(std::max<std::uint32_t>(1, limits.open_requests / 4)),
        sink_(sink),
        counters_(counters),
        exchanges_(limits.open_requests) {}

  /// An exchange for a request of this connection; kNone when there is no room.
  [[nodiscard]] Index take(const DatabaseConnection& connection);
  void give(Index i) { exchanges_.give(i); }
  [[nodiscard]] DatabaseExchange& operator[](Index i) { return exchanges_[i]; }

  /// The request is complete and waits for its reply. kNone: a request without room.
  void push(DatabaseConnection& connection, Index i, const MessageArrival& request,
            Protocol protocol);
  /// The request that a reply answers whose first bytes came with `reply`; kNone when it has none,
  /// which is counted.
  [[nodiscard]] Index answering(DatabaseConnection& connection, const MessageArrival& reply);
  /// The front one has its whole reply.
  void finish(DatabaseConnection& connection, const MessageArrival& reply);
  /// The front one gets no reply (any more).
  void pass_over(DatabaseConnection& connection);
  /// No request of the connection will be answered any more.
  void release_all(DatabaseConnection& connection);
  /// Bytes are missing in which messages may have begun or ended.
  void lost(DatabaseConnection& connection, Direction direction);

  [[nodiscard]] std::size_t in_use() const { return exchanges_.in_use(); }

 private:
  [[nodiscard]] bool find_turn(DatabaseConnection& c, const MessagePlace& before,
                               const MessagePlace& reply);
  void restart_depth(DatabaseConnection& c);
  void note_sent_after(DatabaseConnection& c, TimeNs reply_last_ns);
  void note_overlap(DatabaseConnection& c, const MessagePlace& request,
                    const MessagePlace& reply) const;
  void emit_first(DatabaseConnection& connection, const ExchangeStalls& stalls = {});
  void emit_unpaired(DatabaseConnection& connection);

  std::uint32_t per_connection_;
  TransactionSink& sink_;
  Counters& counters_;
  Pool<DatabaseExchange> exchanges_;
};

/// The reply's arrival becomes the exchange's response; called again, it grows.
void set_response(DatabaseTransaction& t, const MessageArrival& reply);

}  // namespace wirelag
