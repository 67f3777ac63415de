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
// bytes still have their turn. What ends the doubt is who asks:
//
// Clients that wait (`waits`: SQL) have all answers before they ask more, alone or several at once. Sequence numbers
// tell the reply to the first that they ask then: it begins where the client had received all, the server had got the
// request, and the request acknowledged more than the one before it, or the server had all before it as it sent the
// reply before. One that was seen to ask on while answers were due (`overlaps`) is from then on one of the others.
//
// Others may ask on at any time, and while requests wait at a busy server every reply looks like that of the request
// that came just before it. So replies are counted: the front of the queue is the latest request that the next one may
// answer, and a reply that comes too early for it answers an earlier one. The front is never an earlier request than
// the one that is answered; it is a later one while some before it are unanswered. That none are is shown by
//
//   pauses   Both sides were silent for long, with all received, then the client asked, and the reply came. The reply to
//            an earlier request would have missed the whole pause. Pauses are weighed until chance is less than one
//            in 4096 (note_pause() in exchanges.cpp).
//   order    Only bytes of the server are missing, and until then the order was known. The oldest request's reply began
//            in the hole; counted from there, so many before the front are unanswered at most (`ahead`), one less
//            with each reply that was too early for it. At 0 it is the one, once the client shows that the reply
//            is not the rest of another: it had received all before and no more.
//
// Anything else stays unpaired and is counted.
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
  std::uint16_t kind = 0;     ///< the protocol's own
  bool begins_turn =
      false;  ///< the client had received something since its request before, and nothing is missing
  bool first_seen = false;  ///< of the connection, of which the capture lacks the beginning
  TimeNs asked_before_ns =
      kUnknownNs;                  ///< end of the request before, when nothing is missing between
  bool hole_follows = false;       ///< bytes of the client are missing behind it
  bool may_be_silent = false;      ///< the server only answers in some cases
  bool always_silent = false;      ///< not even then
  bool first_result_seen = false;  ///< of the first statement of a burst
};

/// What a tracker keeps per connection for its exchanges.
struct DatabaseConnection {
  StreamContext context;
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = UINT32_MAX;
  std::uint32_t open = 0;
  std::uint32_t untracked = 0;   ///< requests after `last` that found no room
  TimeNs asked_ns = kUnknownNs;  ///< the latest request's end
  TimeNs told_ns = kUnknownNs;   ///< the end of what the server said last
  MessagePlace latest_reply;
  MessagePlace latest_request;
  bool waits = false;     ///< clients of the protocol ask more when they have all answers
  bool overlaps = false;  ///< this one does not
  bool trusted = false;   ///< that it waits has ended a doubt
  bool doubt = false;     ///< which request is answered next is not known
  bool fresh = true;      ///< in doubt: no reply has shown yet which may be the front one
  bool holes = false;
  bool requests_missing = false;  ///< since the latest request: bytes of the client
  bool replies_missing = true;    ///< since the server said something: bytes of it
  std::uint8_t evidence = 0;  ///< in doubt: that the front one is asked next, in quarters of a bit
  std::uint8_t out_of_turn = 0;  ///< in doubt: replies since one that may be in turn
  /// In doubt: so many requests before the front one may be unanswered, at most.
  std::uint8_t ahead = kUnknownAhead;
  static constexpr std::uint8_t kUnknownAhead = UINT8_MAX;
  DurationNs usual_wait_ns = kUnknownNs;  ///< in doubt: a mean of what seem to be waits for a reply
  static constexpr std::size_t kSpans = 8;
  std::array<std::uint8_t, kSpans> spans{};  ///< in doubt: from reply to reply, counted by length
  BoundedText<64> user;
  BoundedText<64> database;
};

/// What is missing in the server's bytes of the reply to the oldest request that has not been let go.
enum class MissingReply : std::uint8_t { beginning, nothing, unknown };

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
  /// A message of the server has come to its end, whatever it was.
  void told(DatabaseConnection& connection, const MessageArrival& message) const;
  /// The front one has its whole reply.
  void finish(DatabaseConnection& connection, const MessageArrival& reply);
  /// The front one gets no reply (any more).
  void pass_over(DatabaseConnection& connection);
  /// No request of the connection will be answered any more.
  void release_all(DatabaseConnection& connection);
  /// Bytes are missing in which messages may have begun or ended.
  void lost(DatabaseConnection& connection, Direction direction,
            MissingReply missing = MissingReply::unknown);

  [[nodiscard]] std::size_t in_use() const { return exchanges_.in_use(); }

 private:
  void doubt(DatabaseConnection& c);
  [[nodiscard]] bool find_turn(DatabaseConnection& c, const MessagePlace& before,
                               const MessagePlace& reply);
  [[nodiscard]] bool ends_doubt(DatabaseConnection& c, const MessageArrival& reply,
                                bool contiguous);
  void find_front(DatabaseConnection& c, const MessageArrival& reply);
  void restart_depth(DatabaseConnection& c);
  void note_overlap(DatabaseConnection& c, const MessagePlace& request,
                    const MessagePlace& reply) const;
  void emit_first(DatabaseConnection& connection, const ExchangeStalls& stalls = {});

  std::uint32_t per_connection_;
  TransactionSink& sink_;
  Counters& counters_;
  Pool<DatabaseExchange> exchanges_;
};

/// The reply's arrival becomes the exchange's response; called again, it grows.
void set_response(DatabaseTransaction& t, const MessageArrival& reply);

}  // namespace wirelag
