// Framing of both directions, and what comes from outside. What the messages mean: client.cpp and
// server.cpp.
#include <wirelag/track/mysql/tracker.hpp>

#include "packets.hpp"

namespace wirelag {

MysqlTracker::MysqlTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
                           DatabaseStatements& statements, Counters& counters)
    : exchanges_(exchanges),
      statements_(statements),
      counters_(counters),
      connections_(limits.connections) {}

StreamTracker::Handle MysqlTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::database_streams_full);
    return StreamTracker::kNone;
  }
  Connection& c = connections_[handle];
  c.base.context = context;
  c.base.doubt = !context.from_start;
  c.owner.id = std::uint64_t{handle} << 8 | static_cast<std::uint64_t>(Protocol::mysql);
  if (!context.from_start) c.phase = Phase::commands;
  for (Reader& r : c.reader) r.lost = !context.from_start;
  return handle;
}

void MysqlTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  Reader& r = c.reader[index(d)];
  if (r.lost) {
    if (!mysql::may_begin(chunk.bytes, d)) {
      counters_.add(Counter::database_bytes_skipped, chunk.bytes.size());
      return;
    }
    r.lost = false;
  }
  Bytes rest = chunk.bytes;
  while (!rest.empty() && !c.encrypted && !c.compressed && !r.lost) {
    if (!r.in_body) {
      r.header[r.have++] = rest.front();
      r.arrival.add(chunk, chunk.bytes.size() - rest.size(), 1);
      rest = rest.subspan(1);
      if (r.have < r.header.size()) continue;
      r.have = 0;
      if (!begin_packet(c, d)) {
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
    r.length += piece.size();
    if (r.left > 0) continue;
    r.in_body = false;
    if (!r.goes_on) end_message(c, d);
  }
}

/// The header is complete. False when this cannot be a packet.
bool MysqlTracker::begin_packet(Connection& c, Direction d) {
  Reader& r = c.reader[index(d)];
  r.left = static_cast<std::uint32_t>(mysql::little(as_text(r.header), 0, 3));
  const bool first = !r.begun;
  r.begun = true;
  r.goes_on = r.left == mysql::kLongestPacket;
  if (!first) return true;
  r.sequence = r.header[3];
  r.length = 0;
  r.cut = false;
  r.head.clear();
  if (d == Direction::s2c) return true;
  if (c.phase == Phase::greeting) return false;  // the server speaks first
  if (c.phase != Phase::commands || r.sequence != 0) return true;
  if (r.left == 0) return false;
  begin_command(c);
  return true;
}

void MysqlTracker::body(Connection& c, Direction d, std::string_view piece) {
  Reader& r = c.reader[index(d)];
  if (r.cut) return;
  if (d == Direction::s2c) return r.head.append(piece);
  if (c.phase == Phase::login) return login_bytes(c, piece);
  if (c.phase == Phase::commands && r.sequence == 0) {
    // The command and the number of a statement: nothing else is kept as it is.
    if (r.head.size() < 5) r.head.append(piece.substr(0, 5 - r.head.size()));
    command_bytes(c, piece, r.length);
  }
}

void MysqlTracker::end_message(Connection& c, Direction d) {
  Reader& r = c.reader[index(d)];
  d == Direction::c2s ? end_client_message(c) : end_server_message(c);
  r.begun = false;
  r.arrival = {};
}

void MysqlTracker::on_gap(Handle handle, Direction d, std::uint64_t missing) {
  Connection& c = connections_[handle];
  Reader& r = c.reader[index(d)];
  // Within a row, or a file that is sent: what is read of it stands at its beginning.
  const bool row = d == Direction::s2c && c.answering && c.stage == Stage::rows && r.length > 0;
  const bool file = d == Direction::c2s && c.phase == Phase::commands && r.sequence != 0;
  if (r.lost || !r.in_body || (!row && !file) || missing > r.left) return lose(c, d);
  r.left -= static_cast<std::uint32_t>(missing);
  r.length += missing;
  r.arrival.bytes += missing;
  if (r.left > 0) return;
  r.in_body = false;
  if (!r.goes_on) end_message(c, d);
}

/// Packets tell their lengths: the place is known where the rest of one is cut off, and most of what that
/// one says.
void MysqlTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  Reader& r = c.reader[index(d)];
  if (r.lost || !r.in_body || missing > r.left || !is_told(c, d)) return lose(c, d);
  r.cut = true;
  if (d == Direction::c2s) c.text.mark_cut();
  r.left -= static_cast<std::uint32_t>(missing);
  r.length += missing;
  r.arrival.add(chunk, 0, missing);
  if (r.left > 0) return;
  r.in_body = false;
  if (!r.goes_on) end_message(c, d);
}

/// Whether the message that is being read can be told without its end.
bool MysqlTracker::is_told(const Connection& c, Direction d) {
  const Reader& r = c.reader[index(d)];
  if (r.cut) return true;
  const bool definition_or_row = c.answering && c.stage != Stage::first;
  if (d == Direction::s2c) return definition_or_row && r.length > 0;
  if (c.phase != Phase::commands) return false;
  if (r.sequence != 0) return true;  // a file that is sent
  return !r.head.empty() &&
         mysql::is_told_by(static_cast<std::uint8_t>(r.head.view()[0]), r.length);
}

/// It is not known any more where messages begin and end.
void MysqlTracker::lose(Connection& c, Direction d) {
  if (d == Direction::c2s && c.sending != kNone) {
    exchanges_.give(c.sending);
    c.sending = kNone;
  }
  if (d == Direction::c2s) {
    c.text_prepared = false;
    c.base.database.clear();  // another may have been chosen
  }
  if (d == Direction::s2c) end_answer(c, false);
  c.reader[index(d)] = {};
  c.reader[index(d)].lost = true;
  c.phase = Phase::commands;
  exchanges_.lost(c.base, d);
}

void MysqlTracker::on_fin(Handle handle, Direction d, TimeNs, FrameNumber) {
  Connection& c = connections_[handle];
  if (d == Direction::c2s) return;
  end_answer(c, false);
  exchanges_.release_all(c.base);
}

StreamInterest MysqlTracker::interest(Handle handle) const {
  const Connection& c = connections_[handle];
  if (c.encrypted) return StreamInterest::other_protocol;
  return c.compressed ? StreamInterest::nothing : StreamInterest::bytes;
}

void MysqlTracker::close(Handle handle) {
  Connection& c = connections_[handle];
  if (c.sending != kNone) exchanges_.give(c.sending);
  end_answer(c, false);
  exchanges_.release_all(c.base);
  statements_.release(c.owner);
  connections_.give(handle);
}

}  // namespace wirelag
