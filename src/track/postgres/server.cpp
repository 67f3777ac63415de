// What the server sends: answers up to ReadyForQuery, and what comes out of turn.
#include <charconv>

#include <wirelag/track/postgres/tracker.hpp>

#include "messages.hpp"

namespace wirelag {
namespace {

/// The number at the end of a command tag: "INSERT 0 5", "SELECT 12".
bool rows_of(std::string_view tag, std::uint64_t& rows) {
  const std::size_t blank = tag.rfind(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view number = tag.substr(blank + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rows);
  return error == std::errc{} && end == number.data() + number.size();
}

DatabaseStatus status_of(char c) {
  if (c == 'I') return DatabaseStatus::idle;
  if (c == 'T') return DatabaseStatus::in_transaction;
  if (c == 'E') return DatabaseStatus::failed_transaction;
  return DatabaseStatus::unknown;
}

}  // namespace

void PostgresTracker::begin_server_message(Connection& c) {
  Reader& r = c.reader[index(Direction::s2c)];
  if (c.answering || c.passing_over) return;
  if (postgres::out_of_turn(r.type) && !c.in_login) return;
  if (exchanges_.answering(c.base, r.arrival) == kNone) {
    c.passing_over = true;
    if (c.base.first == kNone) forget_flushed(c);
  } else {
    c.answering = true;
    c.reply = {};
  }
}

void PostgresTracker::end_server_message(Connection& c) {
  Reader& r = c.reader[index(Direction::s2c)];
  if (postgres::out_of_turn(r.type) && !c.answering) {
    counters_.add(Counter::database_pushes);
    return;
  }
  if (!c.answering) {  // what it belonged to may have ended while it came
    if (r.type == 'Z') c.passing_over = false;
    return;
  }
  c.reply.add(r.arrival);
  DatabaseExchange& e = exchanges_[c.base.first];
  switch (r.type) {
    case 'E':
      e.facts.error = true;
      if (e.error_code.empty()) e.error_code.assign(postgres::sqlstate(r.head.view()));
      break;
    case 'C': command_complete(e, r.head.view()); break;
    case 'I':
    case 's': e.first_result_seen = true; break;
    case 'G':
    case 'W': c.copy_in = true; break;
    case 'Z':
      c.copy_in = c.in_login = false;
      if (!r.head.empty()) e.facts.status = status_of(r.head.view().front());
      end_answer(c, true);
      break;
    default: break;
  }
}

void PostgresTracker::command_complete(DatabaseExchange& e, std::string_view tag) const {
  tag = tag.substr(0, tag.find('\0'));
  const bool unknown = e.facts.name_only && e.operation.view() == postgres::kUnknownStatement;
  if (unknown && !e.first_result_seen && !tag.empty()) {
    e.operation.assign(tag.substr(0, tag.find(' ')));
  }
  e.first_result_seen = true;
  std::uint64_t rows = 0;
  if (!rows_of(tag, rows)) return;
  const bool first = e.facts.rows == DatabaseTransaction::kUnknownRows;
  e.facts.rows = first ? rows : e.facts.rows + rows;
}

/// The answer that is coming is over, or nothing more of it will be seen.
void PostgresTracker::end_answer(Connection& c, bool complete) {
  if (c.answering && c.base.first != kNone) {
    if (c.base.first == c.flushed) forget_flushed(c);
    if (!complete) c.reply.add(c.reader[index(Direction::s2c)].arrival);
    if (complete) {
      exchanges_.finish(c.base, c.reply);
    } else {
      set_response(exchanges_[c.base.first].facts, c.reply);
      exchanges_.pass_over(c.base);
    }
  }
  c.answering = c.passing_over = false;
  c.reply = {};
}

}  // namespace wirelag
