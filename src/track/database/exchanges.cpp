#include <bit>
#include <utility>

#include <wirelag/base/hash.hpp>
#include <wirelag/track/database/exchanges.hpp>

namespace wirelag {

std::string_view name(DatabaseStatus s) {
  switch (s) {
    case DatabaseStatus::unknown: return "unknown";
    case DatabaseStatus::idle: return "idle";
    case DatabaseStatus::in_transaction: return "in_transaction";
    case DatabaseStatus::failed_transaction: return "failed_transaction";
  }
  return "";
}

void set_response(DatabaseTransaction& t, const MessageArrival& reply) {
  t.response_frames = reply.frames;
  t.response_first_ns = reply.first_ns;
  t.response_last_ns = reply.last_ns;
  t.response_bytes = reply.bytes;
}

DatabaseExchanges::Index DatabaseExchanges::take(const DatabaseConnection& c) {
  // Order decides who gets which reply: behind an untracked request all are untracked.
  if (c.untracked > 0 || c.open >= per_connection_) return kNone;
  return exchanges_.take();
}

void DatabaseExchanges::push(DatabaseConnection& c, Index i, const MessageArrival& request,
                             Protocol protocol) {
  const MessagePlace before = std::exchange(c.latest_request, request.place);
  const TimeNs before_ns = std::exchange(c.asked_ns, request.last_ns);
  const bool hole = std::exchange(c.requests_missing, false);
  if (i == kNone) {
    counters_.add(Counter::database_requests_full);
    if (!c.doubt) {
      ++c.untracked;
    } else if (c.last != kNone) {
      exchanges_[c.last].hole_follows = true;
    } else {
      doubt(c);
    }
    return;
  }
  DatabaseExchange& e = exchanges_[i];
  DatabaseTransaction& t = e.facts;
  t.connection = c.context.connection;
  t.client = c.context.client;
  t.server = c.context.server;
  t.protocol = protocol;
  t.request_frames = request.frames;
  t.request_first_ns = request.first_ns;
  t.request_last_ns = request.last_ns;
  t.request_bytes = request.bytes;
  e.request_marks = request.marks;
  e.request_place = request.place;
  e.first_seen = !before.known && !c.holes && c.doubt;
  e.begins_turn = !hole && (before.known ? request.place.ack != before.ack : !c.holes);
  if (!hole) e.asked_before_ns = before_ns;
  t.depth = c.open + 1;
  t.pipelined = c.open > 0;
  (c.first == kNone ? c.first : exchanges_[c.last].next) = i;
  c.last = i;
  ++c.open;
}

namespace {

/// The server had not got the request as it sent the reply, or the client had the reply as it asked.
bool cannot_answer(const DatabaseExchange& e, const MessagePlace& reply) {
  const MessagePlace& request = e.request_place;
  if (!request.known || !reply.known) return false;
  return seq_distance(request.ack, reply.seq) < 0 || seq_distance(request.seq, reply.ack) <= 0;
}

}  // namespace

DatabaseExchanges::Index DatabaseExchanges::answering(DatabaseConnection& c,
                                                      const MessageArrival& reply) {
  MessagePlace before = std::exchange(c.latest_reply, reply.place);
  const bool contiguous = !std::exchange(c.replies_missing, false);
  if (!contiguous) before.known = false;
  if (c.first == kNone && c.untracked > 0 && !c.doubt) {
    --c.untracked;
    return kNone;
  }
  // A request that was sent after the reply came cannot be meant.
  const bool none = c.first == kNone || exchanges_[c.first].facts.request_first_ns > reply.first_ns;
  if (!c.doubt && c.trusted && !none && cannot_answer(exchanges_[c.first], reply.place)) {
    c.overlaps = true;
    doubt(c);
  }
  if (none && !c.doubt) doubt(c);
  if (!c.doubt) return c.first;
  const bool certain =
      c.waits && !c.overlaps ? find_turn(c, before, reply.place) : ends_doubt(c, reply, contiguous);
  if (!certain) {
    counters_.add(Counter::database_replies_unpaired);
    return kNone;
  }
  restart_depth(c);
  c.doubt = false;
  c.trusted = c.waits && !c.overlaps;
  exchanges_[c.first].facts.resynchronised = c.holes;
  c.holes = false;
  return c.first;
}

void DatabaseExchanges::told(DatabaseConnection& c, const MessageArrival& message) const {
  c.told_ns = std::max(c.told_ns, message.last_ns);
}

/// From now on it is not known which request is answered next.
void DatabaseExchanges::doubt(DatabaseConnection& c) {
  c.doubt = c.fresh = true;
  c.out_of_turn = 0;
  c.ahead = DatabaseConnection::kUnknownAhead;
  c.evidence = 0;
  c.spans = {};
  c.usual_wait_ns = kUnknownNs;
  if (c.untracked > 0 && c.last != kNone) exchanges_[c.last].hole_follows = true;
  c.untracked = 0;
}

namespace {

/// The server may have had the request as it sent the reply, and the client not yet the reply as it asked.
bool may_answer(const DatabaseExchange& e, const MessageArrival& reply) {
  if (!e.request_place.known || !reply.place.known) return false;
  return e.facts.request_first_ns <= reply.first_ns && !cannot_answer(e, reply.place);
}

bool received_all_before(const DatabaseExchange& e, const MessageArrival& reply) {
  return e.request_place.ack == reply.place.seq;
}

constexpr DurationNs kShortestPauseNs = 1 * kMillisecondNs;
constexpr DurationNs kLongPauseNs = 50 * kMillisecondNs;
constexpr DurationNs kClockStepNs = 10'000;
constexpr int kEnough = 12 * 4;
constexpr int kLongOutOfTurn = 64;

constexpr int log2_of(std::uint64_t n) { return static_cast<int>(std::bit_width(n)) - 1; }

/// How long a time is, in kSpans steps: 0 is shorter than the shortest pause, each other one four times the one before.
std::size_t span_of(DurationNs time) {
  const auto doublings = std::bit_width(static_cast<std::uint64_t>(time / kShortestPauseNs));
  return std::min<std::size_t>((static_cast<std::size_t>(doublings) + 1) / 2,
                               DatabaseConnection::kSpans - 1);
}

/// An earlier request, still unanswered, would have been worked on all through the pause: how unlikely that is among the
/// spans so far, in quarters of a bit. (n + 1) / (longer + 1) is an e-value whatever the server's times are, as long as
/// the client's pauses do not depend on them.
int outlasting(const DatabaseConnection& c, DurationNs pause) {
  std::uint64_t n = 1;
  std::uint64_t longer = 1;
  for (std::size_t i = 0; i < c.spans.size(); ++i) {
    n += c.spans[i];
    if (i >= span_of(pause)) longer += c.spans[i];
  }
  return log2_of(n * n * n * n / (longer * longer * longer * longer));
}

/// And it would have ended just then, n doublings closer to the request than the pause is long: one time in 2^n.
/// Likewise: 1/4 + 3/4 of 2^(7n/8 - 3), which comes to less than 1 over all n.
int ending_then(DurationNs pause, DurationNs wait) {
  static constexpr int kQuarterBits[] = {-7, -5, -4, -2, 1, 4, 7, 11, 14, 17, 21, 24, 28};
  const auto parts = static_cast<std::uint64_t>(pause / std::max(wait, kClockStepNs)) + 1;
  return kQuarterBits[std::min<std::size_t>(static_cast<std::size_t>(log2_of(parts)),
                                            std::size(kQuarterBits) - 1)];
}

void count_span(DatabaseConnection& c, DurationNs span) {
  std::uint8_t& n = c.spans[span_of(span)];
  if (++n < UINT8_MAX) return;
  for (std::uint8_t& each : c.spans) each /= 2;
}

/// The client asked when both sides had been silent for long, and then the reply came. Long is what can tell something:
/// many times as long as replies have taken so far. (That no reply was ready and held back until the request acknowledged
/// the one before it, RFC 9293 section 3.7.4, is taken for granted: the servers of all four protocols switch that off.)
void note_pause(DatabaseConnection& c, const DatabaseExchange& e, const MessageArrival& reply) {
  constexpr DurationNs kTelling = 32;
  if (!known(e.asked_before_ns) || !known(c.told_ns)) return;
  const DurationNs pause = e.facts.request_first_ns - std::max(e.asked_before_ns, c.told_ns);
  const DurationNs wait = reply.first_ns - e.facts.request_first_ns;
  if (pause < 0 || wait < 0) return;
  const bool tells = known(c.usual_wait_ns) && pause / kTelling >= c.usual_wait_ns;
  if (pause >= kLongPauseNs || (pause >= kShortestPauseNs && tells)) {
    const int evidence = c.evidence + outlasting(c, pause) + ending_then(pause, wait);
    c.evidence = static_cast<std::uint8_t>(std::clamp(evidence, 0, 2 * kEnough));
  }
  c.usual_wait_ns = known(c.usual_wait_ns) ? c.usual_wait_ns + (wait - c.usual_wait_ns) / 8 : wait;
  count_span(c, pause + wait);
}

}  // namespace

namespace {

/// Whether this reply certainly is that of the request, which began a turn of a client that waits.
bool is_turn(const DatabaseExchange& e, bool alone, const MessagePlace& before,
             const MessagePlace& reply) {
  const MessagePlace& request = e.request_place;
  if (!request.known || !reply.known || reply.seq != request.ack) return false;
  if (seq_distance(request.seq, reply.ack) <= 0) return false;  // the server had not got it
  if (e.first_seen) return alone && seq_distance(request.end_seq, reply.ack) <= 0;
  return e.begins_turn || (before.known && seq_distance(request.seq, before.ack) >= 0);
}

/// Whether the server owed an earlier reply as the client, which had just received something, asked.
bool was_early(const DatabaseExchange& e, const MessagePlace& reply) {
  const MessagePlace& request = e.request_place;
  if (!e.begins_turn || e.first_seen || !request.known || !reply.known) return false;
  return seq_distance(request.ack, reply.seq) >= 0 && seq_distance(request.seq, reply.ack) <= 0;
}

}  // namespace

/// Lets go of the requests whose reply can only have come before, until this reply's stands at the front.
bool DatabaseExchanges::find_turn(DatabaseConnection& c, const MessagePlace& before,
                                  const MessagePlace& reply) {
  bool silent = false;  // what may have had no answer leaves it open whose the next is
  while (c.first != kNone) {
    const DatabaseExchange& e = exchanges_[c.first];
    silent = silent || e.may_be_silent;
    const bool alone = c.open == 1;
    if (!silent && is_turn(e, alone, before, reply)) return true;
    if (before.known && was_early(e, reply)) {
      c.overlaps = true;
      doubt(c);
      return false;
    }
    const bool later =
        reply.known && e.request_place.known && seq_distance(reply.seq, e.request_place.ack) > 0;
    if (later) return false;
    emit_first(c);
  }
  return false;
}

/// Lets go of what is before the latest request that the reply may answer. That becomes the front one when the client had
/// received all before the reply and no more: then the reply is not the rest of one that began in a hole.
void DatabaseExchanges::find_front(DatabaseConnection& c, const MessageArrival& reply) {
  std::uint32_t latest = 0;
  std::uint32_t n = 0;
  for (Index i = c.first; i != kNone; i = exchanges_[i].next) {
    const DatabaseExchange& e = exchanges_[i];
    ++n;
    if (e.always_silent) continue;
    if (!may_answer(e, reply)) break;
    latest = n;
  }
  if (latest == 0) return;
  for (; latest > 1; --latest) {
    const bool answered = !exchanges_[c.first].always_silent;
    emit_first(c);
    if (answered && c.ahead != DatabaseConnection::kUnknownAhead) ++c.ahead;
  }
  c.fresh = !received_all_before(exchanges_[c.first], reply);
}

/// Whether the reply certainly is that of the front one. If not, it is counted off.
bool DatabaseExchanges::ends_doubt(DatabaseConnection& c, const MessageArrival& reply,
                                   bool contiguous) {
  if (c.fresh) find_front(c, reply);
  if (c.fresh) return false;
  while (c.first != kNone && exchanges_[c.first].always_silent) emit_first(c);
  if (c.first == kNone ||
      !may_answer(exchanges_[c.first], reply)) {  // it is that of an earlier one
    const bool expected = c.ahead > 0 && c.ahead != DatabaseConnection::kUnknownAhead;
    c.ahead = expected ? c.ahead - 1 : DatabaseConnection::kUnknownAhead;
    c.evidence = 0;
    c.spans = {};
    return false;
  }
  const DatabaseExchange& e = exchanges_[c.first];
  if (received_all_before(e, reply)) {
    if (c.ahead == 0) return true;
    if (contiguous) note_pause(c, e, reply);
    if (c.evidence >= kEnough) return true;
    c.out_of_turn = 0;
  }
  ++c.out_of_turn;
  emit_first(c);
  if (c.out_of_turn >= kLongOutOfTurn)
    doubt(c);  // look for the front anew: it may have fallen behind
  return false;
}

/// The front one was asked when nothing else was.
void DatabaseExchanges::restart_depth(DatabaseConnection& c) {
  std::uint32_t depth = 0;
  for (Index i = c.first; i != kNone; i = exchanges_[i].next) {
    DatabaseTransaction& t = exchanges_[i].facts;
    t.depth = ++depth;
    t.pipelined = depth > 1;
  }
}

void DatabaseExchanges::finish(DatabaseConnection& c, const MessageArrival& reply) {
  DatabaseExchange& e = exchanges_[c.first];
  DatabaseTransaction& t = e.facts;
  set_response(t, reply);
  t.response_complete = true;
  if (c.last != c.first) note_overlap(c, e.request_place, reply.place);
  emit_first(c, TransferMarks::stalls(e.request_marks, reply.marks));
}

/// Whether the client, after this request and before the reply to it, received something and asked more.
void DatabaseExchanges::note_overlap(DatabaseConnection& c, const MessagePlace& request,
                                     const MessagePlace& reply) const {
  const MessagePlace& latest = exchanges_[c.last].request_place;
  if (!request.known || !latest.known || !reply.known) return;
  if (seq_distance(request.ack, latest.ack) <= 0) return;
  if (seq_distance(latest.ack, reply.seq) >= 0) c.overlaps = true;
}

void DatabaseExchanges::pass_over(DatabaseConnection& c) { emit_first(c); }

void DatabaseExchanges::release_all(DatabaseConnection& c) {
  while (c.first != kNone) emit_first(c);
  c.untracked = 0;
}

void DatabaseExchanges::lost(DatabaseConnection& c, Direction direction, MissingReply missing) {
  c.holes = true;
  const bool untracked = std::exchange(c.untracked, 0U) > 0;
  if (direction == Direction::c2s) {
    c.requests_missing = true;
    if (c.first == kNone) return doubt(c);
    exchanges_[c.last].hole_follows = true;
    return;
  }
  if (untracked && c.first != kNone) exchanges_[c.last].hole_follows = true;
  const bool in_order = c.first == kNone ? !untracked : true;
  const std::uint8_t ahead = c.doubt ? c.ahead : 0;
  const bool partly =
      !c.doubt && c.first != kNone && known(exchanges_[c.first].facts.response_first_ns);
  doubt(c);
  c.replies_missing = true;
  if (in_order && missing != MissingReply::unknown) c.ahead = ahead;
  if (partly || (c.first != kNone && c.ahead == 0 && missing == MissingReply::beginning))
    emit_first(c);
}

namespace {

std::uint64_t hash_of(const DatabaseTransaction& t, std::string_view text) {
  const std::uint64_t protocol = fnv1a64(name(t.protocol));
  if (!t.name_only) return text.empty() ? 0 : fnv1a64(text, protocol);
  const auto* address = reinterpret_cast<const char*>(t.client.ip.bytes.data());
  const std::uint64_t client =
      combine64(fnv1a64({address, t.client.ip.bytes.size()}, protocol), t.client.port);
  return fnv1a64(text, client);
}

}  // namespace

void DatabaseExchanges::emit_first(DatabaseConnection& c, const ExchangeStalls& stalls) {
  const Index i = c.first;
  DatabaseExchange& e = exchanges_[i];
  DatabaseTransaction& t = e.facts;
  const std::string_view text = e.fingerprint.view();
  t.text_cut = e.fingerprint.cut();
  t.fingerprint_hash = hash_of(t, text);
  t.views() =
      std::tuple(shown(stalls), e.operation.view(), t.name_only ? "" : text,
                 t.name_only ? text : "", e.error_code.view(), c.user.view(), c.database.view());
  sink_.emit(&t);
  if (e.hole_follows || (c.doubt && e.may_be_silent && !e.always_silent)) doubt(c);
  c.first = e.next;
  if (c.first == kNone) c.last = kNone;
  --c.open;
  exchanges_.give(i);
}

}  // namespace wirelag
