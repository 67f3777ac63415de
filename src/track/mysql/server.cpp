// What the server sends: its greeting and answers.
#include <charconv>

#include <wirelag/track/mysql/tracker.hpp>

#include "packets.hpp"

namespace wirelag {
namespace {

constexpr std::uint8_t kOkHeader = 0x00;
constexpr std::uint8_t kMoreData = 0x01;
constexpr std::uint8_t kFileHeader = 0xfb;
constexpr std::uint8_t kEofHeader = 0xfe;
constexpr std::uint8_t kErrorHeader = 0xff;

std::uint8_t header_of(std::string_view head) {
  return static_cast<std::uint8_t>(mysql::little(head, 0, 1));
}

struct Ok {
  std::uint64_t rows = 0;
  std::uint16_t status = 0;
};

/// OK, or EOF in either of its forms.
Ok read_ok(std::string_view head, std::uint64_t length) {
  Ok ok;
  if (header_of(head) == kEofHeader && length < 7) {
    ok.status = static_cast<std::uint16_t>(mysql::little(head, 3, 2));
    return ok;
  }
  std::size_t at = 1;
  ok.rows = mysql::length_encoded(head, at);
  (void)mysql::length_encoded(head, at);  // last insert id
  ok.status = static_cast<std::uint16_t>(mysql::little(head, at, 2));
  return ok;
}

void add_rows(DatabaseTransaction& t, std::uint64_t n) {
  t.rows = t.rows == DatabaseTransaction::kUnknownRows ? n : t.rows + n;
}

void set_status(DatabaseTransaction& t, std::uint16_t status) {
  t.status =
      (status & mysql::kInTransaction) != 0 ? DatabaseStatus::in_transaction : DatabaseStatus::idle;
}

void set_error(DatabaseExchange& e, std::string_view head) {
  std::array<char, 8> digits{};
  const auto number = static_cast<unsigned>(mysql::little(head, 1, 2));
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  e.facts.error = true;
  e.error_code.assign({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

/// How far MariaDB has got with a statement: an error with a number that none has. The answer comes later.
[[nodiscard]] bool is_progress(std::string_view head) {
  constexpr std::uint64_t kProgress = 0xffff;
  return header_of(head) == kErrorHeader && mysql::little(head, 1, 2) == kProgress;
}

}  // namespace

/// Version 10: its version 0, thread (4), salt (8), 0, flags (2), character set, status (2), flags.
void MysqlTracker::greeting(Connection& c) {
  const std::string_view head = c.reader[index(Direction::s2c)].head.view();
  const std::size_t end = head.find('\0', 1);
  if (header_of(head) != 10 || end == std::string_view::npos) return;  // refused: ERR
  const auto low = static_cast<std::uint32_t>(mysql::little(head, end + 14, 2));
  const auto high = static_cast<std::uint32_t>(mysql::little(head, end + 19, 2));
  c.server_flags = high << 16 | low;
  c.phase = Phase::login;
}

void MysqlTracker::end_server_message(Connection& c) {
  const Reader& r = c.reader[index(Direction::s2c)];
  if (c.phase == Phase::greeting) return greeting(c);
  if (c.passing_over || is_progress(r.head.view())) return;
  // The next answer, to a command that did not wait for this one; or its EOF.
  if (r.sequence == 1 && !(header_of(r.head.view()) == kEofHeader && r.length == 5)) {
    end_definitions(c);
  }
  if (!c.answering) {
    pass_silent(c);
    // EOF packets behind definitions whose end was taken for the answer's.
    if (c.base.first == kNone && header_of(r.head.view()) == kEofHeader && r.length == 5) return;
    if (exchanges_.answering(c.base, r.arrival) == kNone) {
      c.passing_over = true;
      return;
    }
    c.answering = true;
    c.reply = {};
    c.stage = exchanges_[c.base.first].kind == mysql::kRows ? Stage::rows : Stage::first;
  }
  c.reply.add(r.arrival);
  DatabaseExchange& e = exchanges_[c.base.first];
  const std::uint8_t header = header_of(r.head.view());
  const bool may_fail = c.stage != Stage::columns && c.stage != Stage::definitions;
  if (header == kErrorHeader && may_fail && e.kind != mysql::kText) {
    set_error(e, r.head.view());
    if (e.kind == mysql::kLogin) c.phase = Phase::commands;
    return end_answer(c, true);
  }
  switch (e.kind) {
    case mysql::kLogin: return authentication(c, e, r);
    case mysql::kResult:
    case mysql::kRows: return result(c, e, r);
    case mysql::kPrepared: return prepared(c, e, r);
    case mysql::kFields:
      if (header == kEofHeader) end_answer(c, true);
      return;
    case mysql::kStream: return;
    case mysql::kText: return end_answer(c, true);
    default: {
      const Ok ok = read_ok(r.head.view(), r.length);
      set_status(e.facts, ok.status);
      return end_answer(c, true);
    }
  }
}

/// OK ends it. A switch of method and more data go on: the client answers, or more comes.
void MysqlTracker::authentication(Connection& c, DatabaseExchange& e, const Reader& r) {
  const std::uint8_t header = header_of(r.head.view());
  if (header == kEofHeader || header == kMoreData) return;
  set_status(e.facts, read_ok(r.head.view(), r.length).status);
  c.phase = Phase::commands;
  if ((c.client_flags & c.server_flags & (mysql::kCompress | mysql::kZstd)) != 0) {
    c.compressed = true;
    counters_.add(Counter::database_not_followed);
  }
  end_answer(c, true);
}

void MysqlTracker::result(Connection& c, DatabaseExchange& e, const Reader& r) {
  const std::uint8_t header = header_of(r.head.view());
  switch (c.stage) {
    case Stage::first: return first_of_result(c, e, r);
    case Stage::columns:
      if (--c.columns == 0) c.stage = Stage::after_columns;
      return;
    case Stage::after_columns:
      c.stage = Stage::rows;
      if (header == kEofHeader && r.length == 5 && c.eof_packets != TriState::no) {
        c.eof_packets = TriState::yes;
        const Ok eof = read_ok(r.head.view(), r.length);
        if ((eof.status & mysql::kCursor) != 0) next_or_end(c, eof.status);  // rows: COM_STMT_FETCH
        return;
      }
      c.eof_packets = TriState::no;
      [[fallthrough]];
    case Stage::rows:
      if (header == kEofHeader && r.length < mysql::kLongestPacket) {
        return next_or_end(c, read_ok(r.head.view(), r.length).status);
      }
      return add_rows(e.facts, 1);
    case Stage::definitions: return;
  }
}

/// OK, a request for a file, or the number of columns.
void MysqlTracker::first_of_result(Connection& c, DatabaseExchange& e, const Reader& r) {
  const std::uint8_t header = header_of(r.head.view());
  if (header == kFileHeader) return;  // the client sends it, then OK or ERR comes
  if (header == kOkHeader || (header == kEofHeader && r.length < 9)) {
    const Ok ok = read_ok(r.head.view(), r.length);
    add_rows(e.facts, ok.rows);
    return next_or_end(c, ok.status);
  }
  std::size_t at = 0;
  c.columns = mysql::length_encoded(r.head.view(), at);
  const bool described = r.length <= at || r.head.view()[at] != '\0';
  c.stage = described && c.columns > 0 ? Stage::columns : Stage::after_columns;
  add_rows(e.facts, 0);
}

/// OK with the statement's number, then definitions of parameters and columns, EOF behind each.
void MysqlTracker::prepared(Connection& c, DatabaseExchange& e, const Reader& r) {
  const std::string_view head = r.head.view();
  if (c.stage == Stage::first) {
    const std::uint64_t columns = mysql::little(head, 5, 2);
    const std::uint64_t parameters = mysql::little(head, 7, 2);
    statements_.set(c.owner, mysql::little(head, 1, 4), e.fingerprint);
    c.columns = columns + parameters;
    c.eofs = static_cast<std::uint8_t>((columns > 0 ? 1 : 0) + (parameters > 0 ? 1 : 0));
    c.stage = Stage::definitions;
  } else if (header_of(head) == kEofHeader && r.length == 5) {
    c.eof_packets = TriState::yes;
    if (c.eofs > 0) --c.eofs;
  } else if (c.columns > 0) {
    --c.columns;
  }
  if (c.columns == 0 && (c.eofs == 0 || c.eof_packets == TriState::no)) end_answer(c, true);
}

/// Definitions that were complete but for EOF packets that this server does not send.
void MysqlTracker::end_definitions(Connection& c) {
  if (!c.answering || c.stage != Stage::definitions || c.columns > 0) return;
  c.eof_packets = TriState::no;
  end_answer(c, true);
}

void MysqlTracker::next_or_end(Connection& c, std::uint16_t status) {
  set_status(exchanges_[c.base.first].facts, status);
  c.stage = Stage::first;
  if ((status & mysql::kMoreResults) == 0) end_answer(c, true);
}

/// The answer that is coming is over, or nothing more of it will be seen.
void MysqlTracker::end_answer(Connection& c, bool complete) {
  if (c.answering && c.base.first != kNone) {
    if (complete) {
      exchanges_.finish(c.base, c.reply);
    } else {
      c.reply.add(c.reader[index(Direction::s2c)].arrival);
      set_response(exchanges_[c.base.first].facts, c.reply);
      exchanges_.pass_over(c.base);
    }
  }
  c.answering = c.passing_over = false;
  c.stage = Stage::first;
  c.reply = {};
  pass_silent(c);
}

/// Commands that have no answer stand in the order of the others only.
void MysqlTracker::pass_silent(Connection& c) {
  while (c.base.first != kNone && exchanges_[c.base.first].may_be_silent) {
    exchanges_.pass_over(c.base);
  }
}

}  // namespace wirelag
