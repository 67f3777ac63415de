#include <wirelag/base/prefetch.hpp>
#include <wirelag/track/database/key_pattern.hpp>
#include <wirelag/track/redis/tracker.hpp>

#include "commands.hpp"

namespace wirelag {
namespace {

/// DatabaseExchange::kind: what its reply changes on the connection.
enum Kind : std::uint16_t { kOther, kAuth, kExec, kMonitor, kSubscribe, kUnsubscribe, kReset };

Kind kind_of(std::string_view command) {
  if (command == "AUTH" || command == "HELLO") return kAuth;
  if (command == "EXEC") return kExec;
  if (command == "MONITOR") return kMonitor;
  if (command == "RESET") return kReset;
  if (redis::subscribes(command)) return kSubscribe;
  if (redis::unsubscribes(command)) return kUnsubscribe;
  return kOther;
}

/// An error's first word: "WRONGTYPE", "MOVED".
std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

/// Names in fingerprints come from commands: letters, and what joins them.
bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '|';
  });
}

}  // namespace

RedisTracker::RedisTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
                           Counters& counters)
    : exchanges_(exchanges), counters_(counters), connections_(limits.connections) {}

StreamTracker::Handle RedisTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::database_streams_full);
    return kNone;
  }
  Connection& c = connections_[handle];
  c.base.context = context;
  c.base.doubt = !context.from_start;
  c.multi_known = context.from_start;
  c.lost = {!context.from_start, !context.from_start};
  return handle;
}

void RedisTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  Bytes rest = chunk.bytes;
  if (c.lost[index(d)]) {
    if (!may_begin_redis(rest, d)) {
      counters_.add(Counter::database_bytes_skipped, rest.size());
      return;
    }
    c.lost[index(d)] = false;
  }
  MessageArrival& arrival = c.arrival[index(d)];
  while (!rest.empty() && !c.replication) {
    const std::size_t before = rest.size();
    const RedisStep step = d == Direction::c2s ? c.request.read(rest) : c.reply.read(rest);
    const bool idle = d == Direction::c2s ? c.request.idle() : c.reply.idle();
    if (step == RedisStep::malformed) {
      counters_.add(Counter::database_malformed);
      counters_.add(Counter::database_bytes_skipped, rest.size());
      return lose(c, d);
    }
    if (step == RedisStep::message || !idle) {
      arrival.add(chunk, chunk.bytes.size() - before, before - rest.size());
    }
    if (step == RedisStep::message) d == Direction::c2s ? on_command(c) : on_reply(c);
    if (step == RedisStep::message || idle) arrival = {};
  }
}

void RedisTracker::prefetch(Handle handle, Direction direction) const {
  const Connection& c = connections_[handle];
  prefetch_lines<sizeof c.base>(&c.base);
  prefetch_line(direction == Direction::c2s ? static_cast<const void*>(&c.request) : &c.reply);
  prefetch_lines<sizeof c.arrival>(&c.arrival);
  prefetch_line(&c.lost);
}

void RedisTracker::on_gap(Handle handle, Direction direction, std::uint64_t missing) {
  Connection& c = connections_[handle];
  const bool within = direction == Direction::c2s ? c.request.skip(missing) : c.reply.skip(missing);
  if (within) {
    c.arrival[index(direction)].bytes += missing;
  } else {
    lose(c, direction);
  }
}

void RedisTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  const RedisStep step = d == Direction::c2s ? c.request.cut(missing) : c.reply.cut(missing);
  if (step == RedisStep::malformed) return lose(c, d);
  MessageArrival& arrival = c.arrival[index(d)];
  arrival.add(chunk, 0, missing);
  if (step == RedisStep::more) return;
  d == Direction::c2s ? on_command(c) : on_reply(c);
  arrival = {};
}

void RedisTracker::on_fin(Handle handle, Direction direction, TimeNs, FrameNumber) {
  Connection& c = connections_[handle];
  if (direction == Direction::s2c) exchanges_.release_all(c.base);
}

StreamInterest RedisTracker::interest(Handle handle) const {
  return connections_[handle].replication ? StreamInterest::nothing : StreamInterest::bytes;
}

void RedisTracker::close(Handle handle) {
  Connection& c = connections_[handle];
  const MessageArrival& reply = c.arrival[index(Direction::s2c)];
  if (reply.bytes > 0 && c.base.first != DatabaseExchanges::kNone && !c.base.doubt) {
    set_response(exchanges_[c.base.first].facts, reply);  // the part of it that was seen
  }
  exchanges_.release_all(c.base);
  connections_.give(handle);
}

/// It is not known any more where messages begin and end.
void RedisTracker::lose(Connection& c, Direction direction) {
  if (direction == Direction::c2s) {
    c.request.reset();
    c.multi_known = false;
    c.base.database.clear();  // a SELECT may have been among it
  } else {
    c.reply.reset();
  }
  c.arrival[index(direction)] = {};
  c.lost[index(direction)] = true;
  exchanges_.lost(c.base, direction);
}

// ------------------------------------------------------------------------------------- commands

void RedisTracker::on_command(Connection& c) {
  const RedisCommand& command = c.request.command();
  const std::string_view name = command.name.view();
  if (name == "SYNC" || name == "PSYNC") {
    counters_.add(Counter::database_not_followed);
    c.replication = true;
    return;
  }
  if (name == "REPLCONF" && command.first.view() == "ACK") return;  // has no reply

  if (name == "MULTI") c.multi = true;
  const DatabaseExchanges::Index i = exchanges_.take(c.base);
  const bool silent = silenced(c, command);
  if (i == DatabaseExchanges::kNone) {
    if (!silent) exchanges_.push(c.base, i, c.arrival[index(Direction::c2s)], Protocol::redis);
    return;
  }
  DatabaseExchange& e = exchanges_[i];
  describe(e, command);
  e.kind = kind_of(name);
  e.facts.login = e.kind == kAuth;
  e.facts.round_trips = e.facts.login ? 1 : 0;
  e.facts.waits_by_design = redis::waits(name, command.block);
  if (c.multi_known) {
    e.facts.status = c.multi ? DatabaseStatus::in_transaction : DatabaseStatus::idle;
  }
  if (name == "EXEC" || name == "DISCARD" || name == "RESET") {
    c.multi = false;
    c.multi_known = true;
  }
  if (e.kind == kAuth) c.offered_user.assign(command.user.view());
  if (e.kind == kSubscribe || (e.kind == kUnsubscribe && command.arguments > 1)) {
    e.replies = command.arguments - 1;
  }
  exchanges_.push(c.base, i, c.arrival[index(Direction::c2s)], Protocol::redis);
  if (name == "SELECT" && command.first.size() <= 5 && !command.first.cut())
    c.base.database.assign(command.first.view());
  if (!silent) return;
  // Nothing that is unanswered may stand before it: it is not told apart by order.
  e.facts.no_reply = true;
  e.may_be_silent = true;
  if (c.base.open == 1) exchanges_.pass_over(c.base);
}

/// Whether the server keeps silent about it (CLIENT REPLY).
bool RedisTracker::silenced(Connection& c, const RedisCommand& command) {
  const bool client_reply = command.name.view() == "CLIENT" && command.first.size() == 5 &&
                            upper(command.first.view()[0]) == 'R' &&
                            upper(command.first.view()[4]) == 'Y';
  if (!client_reply) {
    if (c.silence == Silence::skip_next) {
      c.silence = Silence::none;
      return true;
    }
    return c.silence == Silence::off;
  }
  const char mode = command.second.size() > 1 ? upper(command.second.view()[1]) : '\0';
  if (mode == 'N') {  // ON: has a reply
    c.silence = Silence::none;
    return false;
  }
  if (mode == 'F') c.silence = Silence::off;
  if (mode == 'K' && c.silence == Silence::none) c.silence = Silence::skip_next;
  return true;
}

void RedisTracker::describe(DatabaseExchange& e, const RedisCommand& command) const {
  const std::string_view name = is_word(command.name.view()) ? command.name.view() : "?";
  const std::string_view first = command.first.view();
  e.operation.append(name);
  e.fingerprint.append(name);
  switch (redis::first_argument(name)) {
    case redis::First::nothing: return;
    case redis::First::subcommand:
      if (command.arguments < 2) return;
      e.fingerprint.push(' ');
      if (!is_word(first)) return e.fingerprint.push('?');
      for (const char c : first) e.fingerprint.push(upper(c));
      return;
    case redis::First::script:
      if (command.arguments < 2) return;
      e.fingerprint.push(' ');
      e.fingerprint.append(is_word(first) ? first : "?");
      return;
    case redis::First::key:
      if (command.arguments < 2) return;
      e.fingerprint.push(' ');
      append_key_pattern(e.fingerprint, first, command.first.cut());
      return;
  }
}

// -------------------------------------------------------------------------------------- replies

/// Sent without having been asked for.
bool RedisTracker::is_push(Connection& c, const RedisReply& reply) const {
  const bool waiting = c.base.first != DatabaseExchanges::kNone;
  const std::string_view word = reply.head.view();
  const bool confirmation = (reply.type == '>' || reply.type == '*') && redis::confirms(word);
  if (confirmation && (reply.type == '>' || c.subscribed || waiting)) {
    if (!waiting) return true;
    const std::uint16_t kind = exchanges_[c.base.first].kind;
    if (kind == kSubscribe || kind == kUnsubscribe) return false;
    return reply.type == '>' || c.subscribed;
  }
  if (reply.type == '>') return true;
  if (c.subscribed && reply.type == '*') {
    return word == "message" || word == "pmessage" || word == "smessage";
  }
  return c.monitor && reply.type == '+' && !word.empty() && is_digit(word.front());
}

void RedisTracker::on_reply(Connection& c) {
  const RedisReply& reply = c.reply.reply();
  const MessageArrival& arrival = c.arrival[index(Direction::s2c)];
  if (is_push(c, reply)) {
    counters_.add(Counter::database_pushes);
    return;
  }
  while (c.base.first != DatabaseExchanges::kNone && exchanges_[c.base.first].may_be_silent) {
    exchanges_.pass_over(c.base);
  }
  const bool first_part = c.base.first == DatabaseExchanges::kNone ||
                          !known(exchanges_[c.base.first].facts.response_first_ns);
  const DatabaseExchanges::Index i =
      first_part ? exchanges_.answering(c.base, arrival) : c.base.first;
  if (i == DatabaseExchanges::kNone) return;
  DatabaseExchange& e = exchanges_[i];
  settle(c, e, reply);

  MessageArrival whole = arrival;
  if (!first_part) {
    whole.frames.first = e.facts.response_frames.first;
    whole.first_ns = e.facts.response_first_ns;
    whole.bytes += e.facts.response_bytes;
  }
  if (e.replies > 1 && !e.facts.error) {
    --e.replies;
    return set_response(e.facts, whole);
  }
  exchanges_.finish(c.base, whole);
}

/// What the reply says, and what it changes.
void RedisTracker::settle(Connection& c, DatabaseExchange& e, const RedisReply& reply) {
  const bool error = reply.type == '-' || reply.type == '!';
  if (error) {
    e.facts.error = true;
    e.error_code.assign(first_word(reply.head.view()));
  }
  if (!error && !reply.null && (reply.type == '*' || reply.type == '~')) {
    e.facts.rows = reply.elements;
  }
  if (e.kind == kAuth) {
    if (!error && !c.offered_user.empty()) c.base.user = c.offered_user;
    c.offered_user.clear();
  }
  if (error) return;
  if (e.kind == kMonitor) c.monitor = true;
  if (e.kind == kSubscribe) c.subscribed = true;
  if (e.kind == kReset) c.subscribed = c.monitor = false;
}

}  // namespace wirelag
