// What the client sends: startup, bursts, statements.
#include <wirelag/base/cursor.hpp>
#include <wirelag/track/postgres/tracker.hpp>

#include "messages.hpp"

namespace wirelag {
namespace {

constexpr std::uint64_t kNoName = fnv1a64("");

bool ends_burst(char type) { return type == 'Q' || type == 'F' || type == 'S' || type == 'H'; }

}  // namespace

// -------------------------------------------------------------------------------------- startup

bool PostgresTracker::begin_startup(Connection& c) {
  Reader& r = c.reader[index(Direction::c2s)];
  ByteCursor cursor{Bytes(r.header)};
  const std::uint32_t length = cursor.u32();
  const std::uint32_t code = cursor.u32();
  if (length < 8 || length > 10000) return false;  // the server's own limit
  const bool version = code >> 16 == 3;
  if (!version && code != postgres::kSslRequest && code != postgres::kGssRequest &&
      code != postgres::kCancelRequest) {
    return false;
  }
  r.type = '\0';
  r.left = length - 8;
  c.startup_kind = version                            ? Startup::version
                   : code == postgres::kCancelRequest ? Startup::cancel
                                                      : Startup::encryption;
  c.burst_begun = true;
  c.parameter.clear();
  c.names = 0;
  c.sending = exchanges_.take(c.base);
  if (c.sending == kNone) return true;
  DatabaseExchange& e = exchanges_[c.sending];
  e.operation.append(version                         ? "startup"
                     : code == postgres::kSslRequest ? "SSLRequest"
                     : code == postgres::kGssRequest ? "GSSENCRequest"
                                                     : "CancelRequest");
  e.facts.login = version;
  e.facts.round_trips = version ? 1 : 0;
  e.facts.no_reply = c.startup_kind == Startup::cancel;
  return true;
}

/// "user" 0 "ann" 0 "database" 0 "shop" 0 ... 0
void PostgresTracker::startup_parameter(Connection& c, std::string_view piece) {
  for (const char ch : piece) {
    const bool is_key = c.names % 2 == 0;
    if (ch == '\0') {
      ++c.names;
      if (!is_key) c.parameter.clear();
    } else if (is_key) {
      c.parameter.push(ch);
    } else if (c.parameter.view() == "user") {
      c.base.user.push(ch);
    } else if (c.parameter.view() == "database") {
      c.base.database.push(ch);
    }
  }
}

/// One byte in clear text: encryption follows, or it does not.
void PostgresTracker::answer_to_encryption(Connection& c, const StreamChunk& chunk, Bytes& rest) {
  const char answer = static_cast<char>(rest.front());
  c.encryption_asked = false;
  if (answer == 'E') return;  // an ErrorResponse of a server that does not know the request
  MessageArrival arrival;
  arrival.add(chunk, chunk.bytes.size() - rest.size(), 1);
  rest = rest.subspan(1);
  if (exchanges_.answering(c.base, arrival) != kNone) exchanges_.finish(c.base, arrival);
  if (answer != 'S' && answer != 'G') return;
  c.encrypted = true;
  counters_.add(Counter::database_not_followed);
}

// --------------------------------------------------------------------------------------- bursts

void PostgresTracker::begin_client_message(Connection& c) {
  const char type = c.reader[index(Direction::c2s)].type;
  c.names = 0;
  c.name = kNoName;
  c.sql = SqlFingerprint();
  c.text.clear();
  if (type == 'B') c.bound.clear();
  if (type == 'X' || type == 'p' || c.copy_in || c.burst_begun) return;
  if (type == 'd' || type == 'c' || type == 'f') return;  // COPY has failed, its data still comes
  c.burst_begun = true;
  if (c.flushed != kNone) {
    const bool waited_for = c.answering && c.flushed == c.base.first && known(c.reply.first_ns);
    if (!waited_for) {
      c.sending = c.flushed;  // it goes on
      return;
    }
    end_answer(c, true);
    c.flushed = kNone;
  }
  c.sending = exchanges_.take(c.base);
  if (c.sending != kNone) exchanges_[c.sending].facts.statements = 0;
}

/// Names and SQL of Query, Parse, Bind and Close; the rest is not looked at.
void PostgresTracker::client_text(Connection& c, char type, std::string_view piece) {
  if (type == 'C') return close_text(c, piece);
  if (type != 'Q' && type != 'P' && type != 'B') return;
  const std::uint8_t names = type == 'P' ? 1 : type == 'B' ? 2 : 0;
  while (c.names < names && !piece.empty()) {
    const char ch = piece.front();
    piece.remove_prefix(1);
    if (ch == '\0') {
      name_end(c, type);
    } else {
      c.name = fnv1a64({&ch, 1}, c.name);
      if (type == 'B' && c.names == 1) c.bound.push(ch);
    }
  }
  if (type == 'B' || piece.empty() || c.names > names) return;
  const std::size_t end = piece.find('\0');
  c.sql.feed(c.text, piece.substr(0, end));
  if (end != std::string_view::npos) c.names = UINT8_MAX;
}

/// Parse: statement, SQL. Bind: portal, statement, values. `c.name` is left at the statement's.
void PostgresTracker::name_end(Connection& c, char type) {
  ++c.names;
  if (type == 'P') return;
  if (c.names == 2) {
    c.portal_statement = c.name;
    bind(c);
  }
  c.name = kNoName;
}

/// 'S' or 'P', then the name of what is closed.
void PostgresTracker::close_text(Connection& c, std::string_view piece) {
  constexpr std::uint8_t kStatement = 1;
  constexpr std::uint8_t kOther = 2;
  for (const char ch : piece) {
    if (c.names == 0) {
      c.names = ch == 'S' ? kStatement : kOther;
    } else if (ch == '\0') {
      if (c.names == kStatement) statements_.erase(c.owner, c.name);
      c.names = kOther;
    } else {
      c.name = fnv1a64({&ch, 1}, c.name);
    }
  }
}

/// Of several statements in a burst, the first one that is executed stands for it.
void PostgresTracker::bind(Connection& c) {
  if (c.sending == kNone || !c.burst_begun) return;
  DatabaseExchange& e = exchanges_[c.sending];
  if (e.facts.statements > 0) return;
  const Fingerprint* text = statements_.find(c.owner, c.portal_statement);
  e.facts.name_only = text == nullptr;
  if (text != nullptr) {
    e.fingerprint = *text;
  } else {
    e.fingerprint.clear();
    e.fingerprint.append(c.bound.view());
  }
}

void PostgresTracker::end_client_message(Connection& c) {
  Reader& r = c.reader[index(Direction::c2s)];
  if (r.type == '\0') {
    c.burst.add(r.arrival);
    c.startup = c.encryption_asked = c.startup_kind == Startup::encryption;
    c.in_login = c.startup_kind == Startup::version;
    end_burst(c);
    if (c.startup_kind == Startup::cancel) exchanges_.release_all(c.base);
    return;
  }
  if (r.type == 'X') return;
  if (r.type == 'p' || c.copy_in || !c.burst_begun) {
    if (c.base.first == kNone) return;
    DatabaseTransaction& t = exchanges_[c.base.first].facts;
    t.request_bytes += r.arrival.bytes;
    if (r.type == 'p' && t.login) ++t.round_trips;
    return;
  }
  c.burst.add(r.arrival);
  end_statement(c, r.type);
  if (ends_burst(r.type)) end_burst(c);
}

void PostgresTracker::end_statement(Connection& c, char type) {
  if (type == 'Q' || type == 'P') c.sql.end(c.text);
  if (type == 'P') statements_.set(c.owner, c.name, c.text);
  if (c.sending == kNone) return;
  DatabaseExchange& e = exchanges_[c.sending];
  const bool first = e.facts.statements == 0;
  if (first && (type == 'Q' || type == 'P')) {
    e.fingerprint = c.text;
    e.facts.name_only = false;
  }
  if (first && type == 'E' && e.fingerprint.empty()) bind(c);  // of a portal bound in another burst
  if (type == 'E' || type == 'Q') ++e.facts.statements;
  if (type == 'F') e.operation.assign("FunctionCall");
}

void PostgresTracker::end_burst(Connection& c) {
  const bool flush = c.reader[index(Direction::c2s)].type == 'H';
  const std::uint32_t i = c.sending;
  c.burst_begun = false;
  c.sending = kNone;
  if (i != kNone) {
    DatabaseExchange& e = exchanges_[i];
    if (i == c.flushed) e.operation.clear();
    if (e.facts.name_only && e.facts.statements == 0) {  // bound, and not executed yet
      e.fingerprint.clear();
      e.facts.name_only = false;
    }
    if (e.operation.empty() && e.facts.statements > 0) {
      if (!e.facts.name_only) append_verb(e.operation, e.fingerprint.view());
      if (e.operation.empty()) e.operation.append(postgres::kUnknownStatement);
    } else if (e.operation.empty()) {
      e.operation.append(e.fingerprint.empty() ? "Sync" : "Parse");
    }
  }
  if (i != kNone && i == c.flushed) {  // it was in the FIFO already
    DatabaseTransaction& t = exchanges_[i].facts;
    t.request_frames.last = c.burst.frames.last;
    t.request_last_ns = c.burst.last_ns;
    t.request_bytes += c.burst.bytes;
  } else {
    exchanges_.push(c.base, i, c.burst, Protocol::postgres);
  }
  c.flushed = flush ? i : kNone;
  c.burst = {};
}

/// The exchange that Flush ended has left the FIFO.
void PostgresTracker::forget_flushed(Connection& c) {
  if (c.sending == c.flushed) c.sending = kNone;
  c.flushed = kNone;
}

}  // namespace wirelag
