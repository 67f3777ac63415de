// Framing of both directions, and what comes from outside. What the messages mean: client.cpp and
// server.cpp.
#include <wirelag/base/cursor.hpp>
#include <wirelag/track/postgres/tracker.hpp>

#include "messages.hpp"

namespace wirelag {

PostgresTracker::PostgresTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
                                 DatabaseStatements& statements, Counters& counters)
    : exchanges_(exchanges),
      statements_(statements),
      counters_(counters),
      connections_(limits.connections) {}

StreamTracker::Handle PostgresTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::database_streams_full);
    return StreamTracker::kNone;
  }
  Connection& c = connections_[handle];
  c.base.context = context;
  c.base.doubt = !context.from_start;
  c.owner.id = std::uint64_t{handle} << 8 | static_cast<std::uint64_t>(Protocol::postgres);
  c.startup = context.from_start;
  for (Reader& r : c.reader) r.lost = !context.from_start;
  return handle;
}

void PostgresTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  Connection& c = connections_[handle];
  Reader& r = c.reader[index(chunk.direction)];
  if (r.lost) {
    if (!postgres::may_begin(chunk.bytes, chunk.direction)) {
      counters_.add(Counter::database_bytes_skipped, chunk.bytes.size());
      return;
    }
    r.lost = false;
  }
  read(c, chunk);
}

void PostgresTracker::read(Connection& c, const StreamChunk& chunk) {
  const Direction d = chunk.direction;
  Reader& r = c.reader[index(d)];
  Bytes rest = chunk.bytes;
  while (!rest.empty() && !c.encrypted && !r.lost) {
    if (d == Direction::s2c && c.encryption_asked) {
      answer_to_encryption(c, chunk, rest);
      continue;
    }
    if (!r.in_body) {
      const std::uint8_t size = d == Direction::c2s && c.startup ? 8 : 5;
      r.header[r.have++] = rest.front();
      r.arrival.add(chunk, chunk.bytes.size() - rest.size(), 1);
      rest = rest.subspan(1);
      if (r.have < size) continue;
      r.have = 0;
      if (!begin_message(c, d)) {
        counters_.add(Counter::database_malformed);
        counters_.add(Counter::database_bytes_skipped, rest.size());
        return lose(c, d);
      }
      r.in_body = true;
    }
    const Bytes piece = rest.first(std::min<std::size_t>(rest.size(), r.left));
    r.arrival.add(chunk, chunk.bytes.size() - rest.size(), piece.size());
    rest = rest.subspan(piece.size());
    r.left -= static_cast<std::uint32_t>(piece.size());
    if (!piece.empty()) body(c, d, as_text(piece));
    if (r.left > 0) continue;
    r.in_body = false;
    end_message(c, d);
    r.arrival = {};
  }
}

/// The header is complete. False when it is not one.
bool PostgresTracker::begin_message(Connection& c, Direction d) {
  Reader& r = c.reader[index(d)];
  r.head.clear();
  r.cut = false;
  if (d == Direction::c2s && c.startup) return begin_startup(c);
  ByteCursor cursor(Bytes(r.header).first(5));
  r.type = static_cast<char>(cursor.u8());
  const std::uint32_t length = cursor.u32();
  if (!postgres::is_type(r.type, d) || length < 4 || length > postgres::kLongestMessage) {
    return false;
  }
  r.left = length - 4;
  d == Direction::c2s ? begin_client_message(c) : begin_server_message(c);
  return true;
}

void PostgresTracker::body(Connection& c, Direction d, std::string_view piece) {
  Reader& r = c.reader[index(d)];
  if (r.cut) return;
  if (d == Direction::s2c) {
    if (r.type == 'E' || r.type == 'C' || r.type == 'Z') r.head.append(piece);
  } else if (r.type == '\0') {
    startup_parameter(c, piece);
  } else {
    client_text(c, r.type, piece);
  }
}

void PostgresTracker::end_message(Connection& c, Direction d) {
  d == Direction::c2s ? end_client_message(c) : end_server_message(c);
}

void PostgresTracker::on_gap(Handle handle, Direction d, std::uint64_t missing) {
  Connection& c = connections_[handle];
  Reader& r = c.reader[index(d)];
  // Rows and data of COPY may have holes; in what is read, they would make up another text.
  const bool skippable =
      d == Direction::s2c ? r.type == 'D' || r.type == 'd' || r.type == 'T' : r.type == 'd';
  if (r.lost || !r.in_body || !skippable || missing > r.left) return lose(c, d);
  r.left -= static_cast<std::uint32_t>(missing);
  r.arrival.bytes += missing;
  if (r.left > 0) return;
  r.in_body = false;
  end_message(c, d);
  r.arrival = {};
}

/// Messages tell their lengths: the place is known where the rest of one is cut off, and most of what that
/// one says.
void PostgresTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  Reader& r = c.reader[index(d)];
  if (r.lost || !r.in_body || missing > r.left || !is_told(c, d)) return lose(c, d);
  r.cut = true;
  if (d == Direction::s2c && r.type == 'C') r.head.clear();  // half a number of rows
  if (r.type == 'Q' || r.type == 'P') c.text.mark_cut();
  r.left -= static_cast<std::uint32_t>(missing);
  r.arrival.add(chunk, 0, missing);
  if (r.left > 0) return;
  r.in_body = false;
  end_message(c, d);
  r.arrival = {};
}

/// Whether the message that is being read can be told without its end: its names are there.
bool PostgresTracker::is_told(const Connection& c, Direction d) {
  const char type = c.reader[index(d)].type;
  if (d == Direction::s2c) return true;
  if (type == 'P') return c.names >= 1;
  if (type == 'B') return c.names >= 2;
  return type != 'C' && type != '\0';
}

/// Of the user or the database whose name is being read.
void PostgresTracker::forget_half_a_name(Connection& c) {
  const Reader& r = c.reader[index(Direction::c2s)];
  const bool in_value = r.in_body && r.type == '\0' && c.names % 2 == 1;
  if (!in_value) return;
  if (c.parameter.view() == "user") c.base.user.clear();
  if (c.parameter.view() == "database") c.base.database.clear();
}

/// It is not known any more where messages begin and end.
void PostgresTracker::lose(Connection& c, Direction d) {
  if (d == Direction::c2s) forget_half_a_name(c);
  c.reader[index(d)] = {};
  c.reader[index(d)].lost = true;
  if (d == Direction::c2s) {
    if (c.sending != kNone && c.sending != c.flushed) exchanges_.give(c.sending);
    c.sending = c.flushed = kNone;
    c.burst_begun = c.startup = false;
    c.burst = {};
    c.sql = SqlFingerprint();
    statements_.release(c.owner);  // names may have been given to others
  }
  if (d == Direction::s2c) {
    end_answer(c, false);
    c.encryption_asked = false;
  }
  c.copy_in = false;
  exchanges_.lost(c.base, d);
}

void PostgresTracker::on_fin(Handle handle, Direction d, TimeNs, FrameNumber) {
  Connection& c = connections_[handle];
  if (d == Direction::c2s) return;
  // A server that refuses says so and closes: that was the whole answer.
  const bool refused = c.answering && c.base.first != kNone && exchanges_[c.base.first].facts.error;
  end_answer(c, refused);
  forget_flushed(c);
  exchanges_.release_all(c.base);
}

StreamInterest PostgresTracker::interest(Handle handle) const {
  return connections_[handle].encrypted ? StreamInterest::other_protocol : StreamInterest::bytes;
}

void PostgresTracker::close(Handle handle) {
  Connection& c = connections_[handle];
  if (c.sending != kNone && c.sending != c.flushed) exchanges_.give(c.sending);
  end_answer(c, false);
  exchanges_.release_all(c.base);
  statements_.release(c.owner);
  connections_.give(handle);
}

}  // namespace wirelag
