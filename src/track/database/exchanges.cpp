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
  e.waited = !before.known || !request.place.known || request.place.ack != before.ack;
  t.depth = c.open + 1;
  t.pipelined = c.open > 0;
  (c.first == kNone ? c.first : exchanges_[c.last].next) = i;
  c.last = i;
  ++c.open;
}

DatabaseExchanges::Index DatabaseExchanges::answering(DatabaseConnection& c,
                                                      const MessageArrival& reply) {
  const TimeNs before = c.latest_reply_ns;
  c.latest_reply_ns = std::max(before, reply.first_ns);
  const bool of_hidden = std::exchange(c.request_hidden, false);
  const MessagePlace reply_before = std::exchange(c.latest_reply, reply.place);
  if (c.first == kNone && c.untracked > 0 && !c.doubt) {
    --c.untracked;
    return kNone;
  }
  // A request that was sent after the reply came cannot be meant.
  const bool none = c.first == kNone || exchanges_[c.first].facts.request_first_ns > reply.first_ns;
  if (none) {
    counters_.add(Counter::database_replies_unpaired);
    c.doubt = c.doubt || c.first != kNone;
    return kNone;
  }
  if (!c.doubt) return c.first;

  DatabaseTransaction& t = exchanges_[c.first].facts;
  const bool turn = !of_hidden && c.open == 1 && c.untracked == 0 && t.request_first_ns >= before &&
                    exchanges_[c.first].waited &&
                    alone_between(c, reply_before, exchanges_[c.first].request_place, reply.place);
  if (!turn) {
    c.requests_missing = c.replies_missing = false;
    counters_.add(Counter::database_replies_unpaired);
    release_all(c);
    return kNone;
  }
  c.doubt = false;
  t.resynchronised = c.holes;
  c.holes = c.requests_missing = c.replies_missing = false;
  return c.first;
}

/// Whether the client sent nothing but this request between the reply before and this one. Where both sides' bytes are
/// missing nobody can tell.
bool DatabaseExchanges::alone_between(const DatabaseConnection& c, const MessagePlace& before,
                                      const MessagePlace& request, const MessagePlace& reply) {
  if (c.requests_missing && c.replies_missing) return false;
  if (!request.known || !reply.known) return true;
  const bool has_it = seq_distance(request.seq, reply.ack) > 0;
  const bool has_more = seq_distance(request.end_seq, reply.ack) > 0;
  const bool came_first = seq_distance(reply.seq, request.ack) > 0;
  const bool sent_more = c.requests_missing && before.known && !c.replies_missing &&
                         seq_distance(before.ack, request.seq) > 0;
  return has_it && !has_more && !came_first && !sent_more;
}

void DatabaseExchanges::finish(DatabaseConnection& c, const MessageArrival& reply) {
  DatabaseExchange& e = exchanges_[c.first];
  DatabaseTransaction& t = e.facts;
  set_response(t, reply);
  t.stalls = TransferMarks::stalls(e.request_marks, reply.marks);
  t.response_complete = true;
  c.latest_reply_ns = std::max(c.latest_reply_ns, reply.last_ns);
  emit_first(c);
}

void DatabaseExchanges::pass_over(DatabaseConnection& c) { emit_first(c); }

void DatabaseExchanges::release_all(DatabaseConnection& c) {
  while (c.first != kNone) emit_first(c);
  c.untracked = 0;
}

void DatabaseExchanges::lost(DatabaseConnection& c, Direction direction) {
  if (direction == Direction::c2s) c.request_hidden = true;
  (direction == Direction::c2s ? c.requests_missing : c.replies_missing) = true;
  c.doubt = true;
  c.holes = true;
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

void DatabaseExchanges::emit_first(DatabaseConnection& c) {
  const Index i = c.first;
  DatabaseExchange& e = exchanges_[i];
  DatabaseTransaction& t = e.facts;
  const std::string_view text = e.fingerprint.view();
  t.text_cut = e.fingerprint.cut();
  t.fingerprint_hash = hash_of(t, text);
  t.views() = std::tuple(e.operation.view(), t.name_only ? "" : text, t.name_only ? text : "",
                         e.error_code.view(), c.user.view(), c.database.view());
  sink_.emit(&t);
  c.first = e.next;
  if (c.first == kNone) c.last = kNone;
  --c.open;
  exchanges_.give(i);
}

}  // namespace wirelag
