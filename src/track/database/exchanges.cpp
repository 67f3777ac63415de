#include <algorithm>
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
  const bool hole = std::exchange(c.requests_missing, false);
  if (i == kNone) {
    ++c.untracked;
    counters_.add(Counter::database_requests_full);
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
  t.depth = c.open + 1;
  e.answered_before = -std::exchange(c.answered_before, 0);
  (c.first == kNone ? c.first : exchanges_[c.last].next) = i;
  c.last = i;
  ++c.open;
}

DatabaseExchanges::Index DatabaseExchanges::answering(DatabaseConnection& c,
                                                      const MessageArrival& reply) {
  c.latest_reply_ns = std::max(c.latest_reply_ns, reply.first_ns);
  MessagePlace before = std::exchange(c.latest_reply, reply.place);
  if (std::exchange(c.replies_missing, false)) before.known = false;
  if (c.first == kNone && c.untracked > 0 && !c.doubt) {
    --c.untracked;
    return kNone;
  }
  // A request that was sent after the reply came cannot be meant.
  const bool none = c.first == kNone || exchanges_[c.first].facts.request_first_ns > reply.first_ns;
  if (none) {
    counters_.add(Counter::database_replies_unpaired);
    if (c.first == kNone) c.untracked = 0;  // how many of those wait is no longer known
    c.doubt = true;
    return kNone;
  }
  if (!c.doubt) return c.first;
  if (!find_turn(c, before, reply.place)) {
    counters_.add(Counter::database_replies_unpaired);
    return kNone;
  }
  restart_depth(c);
  c.doubt = false;
  exchanges_[c.first].facts.resynchronised = c.holes;
  c.holes = false;
  return c.first;
}

namespace {

/// Whether this reply is certainly that of the request, which began a turn of the client's.
bool is_turn(const DatabaseExchange& e, bool alone, const MessagePlace& before,
             const MessagePlace& reply) {
  const MessagePlace& request = e.request_place;
  if (!request.known || !reply.known || reply.seq != request.ack) return false;
  if (seq_distance(request.seq, reply.ack) <= 0) return false;  // the server had not got it
  if (e.first_seen) return alone && seq_distance(request.end_seq, reply.ack) <= 0;
  return e.begins_turn || (before.known && seq_distance(request.seq, before.ack) >= 0);
}

}  // namespace

/// Lets go of the requests whose reply can only have come before, until this reply's stands at the front.
bool DatabaseExchanges::find_turn(DatabaseConnection& c, const MessagePlace& before,
                                  const MessagePlace& reply) {
  bool silent = false;  // what may have had no answer leaves it open whose the next is
  while (c.first != kNone) {
    const DatabaseExchange& e = exchanges_[c.first];
    silent = silent || e.may_be_silent;
    const bool alone = c.open == 1 && c.untracked == 0;
    if (!silent && !c.overlaps && is_turn(e, alone, before, reply)) return true;
    const bool later =
        reply.known && e.request_place.known && seq_distance(reply.seq, e.request_place.ack) > 0;
    if (later) return false;
    emit_unpaired(c);
  }
  c.untracked = 0;
  return false;
}

/// The front one was asked when nothing else was.
void DatabaseExchanges::restart_depth(DatabaseConnection& c) {
  std::uint32_t depth = 0;
  for (Index i = c.first; i != kNone; i = exchanges_[i].next) {
    exchanges_[i].facts.depth = ++depth;
    exchanges_[i].answered_before = 0;
  }
  c.answered_before = 0;
  c.sent_after = kNone;
}

/// What waited behind a hole is handed over late: requests that were sent after this reply may be here already, and
/// were not sent while its request was unanswered. Counted at the first of them, for it and all behind it.
void DatabaseExchanges::note_sent_after(DatabaseConnection& c, TimeNs reply_last_ns) {
  const auto after = [&](Index i) { return exchanges_[i].facts.request_first_ns > reply_last_ns; };
  if (!known(reply_last_ns) || c.last == c.first || !after(c.last)) return;
  if (c.sent_after == kNone) c.sent_after = exchanges_[c.first].next;
  while (!after(c.sent_after)) c.sent_after = exchanges_[c.sent_after].next;
  ++exchanges_[c.sent_after].answered_before;
  ++c.answered_before;
}

void DatabaseExchanges::finish(DatabaseConnection& c, const MessageArrival& reply) {
  DatabaseExchange& e = exchanges_[c.first];
  DatabaseTransaction& t = e.facts;
  set_response(t, reply);
  t.response_complete = true;
  if (c.last != c.first) note_overlap(c, e.request_place, reply.place);
  note_sent_after(c, reply.last_ns);
  c.latest_reply_ns = std::max(c.latest_reply_ns, reply.last_ns);
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
  while (c.first != kNone) {
    const bool something_came = c.latest_reply_ns > exchanges_[c.first].facts.request_first_ns;
    if (c.doubt && (c.holes || something_came)) {
      emit_unpaired(c);
    } else {
      emit_first(c);
    }
  }
  c.untracked = 0;
}

void DatabaseExchanges::lost(DatabaseConnection& c, Direction direction) {
  c.holes = true;
  if (direction == Direction::c2s) {
    c.requests_missing = true;
    if (c.first == kNone || c.untracked > 0) {
      c.doubt = true;
    } else {
      exchanges_[c.last].hole_follows = true;
    }
    return;
  }
  c.replies_missing = c.doubt = true;
  const bool answered_in_part =
      c.first != kNone && known(exchanges_[c.first].facts.response_first_ns);
  if (answered_in_part) emit_first(c);
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

/// Its reply may have come, and be missing.
void DatabaseExchanges::emit_unpaired(DatabaseConnection& c) {
  DatabaseTransaction& t = exchanges_[c.first].facts;
  t.resynchronised = t.resynchronised || !t.no_reply;
  emit_first(c);
}

void DatabaseExchanges::emit_first(DatabaseConnection& c, const ExchangeStalls& stalls) {
  const Index i = c.first;
  DatabaseExchange& e = exchanges_[i];
  DatabaseTransaction& t = e.facts;
  t.depth = static_cast<std::uint32_t>(std::max<std::int64_t>(1, t.depth - e.answered_before));
  t.pipelined = t.depth > 1;
  if (e.next != kNone) {
    exchanges_[e.next].answered_before += e.answered_before;
  } else {
    c.answered_before = 0;
  }
  if (c.sent_after == i) c.sent_after = e.next;
  const std::string_view text = e.fingerprint.view();
  t.text_cut = e.fingerprint.cut();
  t.fingerprint_hash = hash_of(t, text);
  t.views() =
      std::tuple(shown(stalls), e.operation.view(), t.name_only ? "" : text,
                 t.name_only ? text : "", e.error_code.view(), c.user.view(), c.database.view());
  sink_.emit(&t);
  c.doubt = c.doubt || e.hole_follows;
  c.first = e.next;
  if (c.first == kNone) c.last = kNone;
  --c.open;
  exchanges_.give(i);
}

}  // namespace wirelag
