// What the client sends: its login, commands, files.
#include <charconv>

#include <wirelag/track/mysql/tracker.hpp>

#include "packets.hpp"

namespace wirelag {
namespace {

/// Bytes of a login before the user: flags, longest packet, character set, filler.
constexpr std::uint32_t kLoginFixed = 32;

bool has_statement_number(std::uint8_t command) {
  return command == mysql::kStmtExecute || command == mysql::kBulkExecute ||
         command == mysql::kStmtFetch || command == mysql::kStmtReset ||
         command == mysql::kStmtClose || command == mysql::kStmtSendLongData;
}

bool has_text(std::uint8_t command) {
  return command == mysql::kQuery || command == mysql::kStmtPrepare;
}

}  // namespace

// ---------------------------------------------------------------------------------------- login

/// Flags (4), 28 bytes, user 0, length of the secret, secret, database 0. The secret is skipped.
void MysqlTracker::login_bytes(Connection& c, std::string_view piece) {
  for (const char ch : piece) {
    const auto byte = static_cast<std::uint8_t>(ch);
    switch (c.login_part) {
      case LoginPart::fixed: {
        const std::uint32_t at = kLoginFixed - c.login_left;
        if (at < 4) c.client_flags |= std::uint32_t{byte} << (8 * at);
        if (--c.login_left > 0) break;
        c.login_part =
            (c.client_flags & mysql::kProtocol41) != 0 ? LoginPart::user : LoginPart::rest;
        break;
      }
      case LoginPart::user:
        if (ch == '\0') {
          c.login_part = LoginPart::secret_length;
        } else {
          c.base.user.push(ch);
        }
        break;
      case LoginPart::secret_length:
      case LoginPart::secret: {
        const bool counted =
            (c.client_flags & (mysql::kSecureConnection | mysql::kLengthEncodedSecret)) != 0;
        if (!counted) {  // ends with a zero
          if (ch == '\0') c.login_part = LoginPart::database;
          break;
        }
        if (c.login_part == LoginPart::secret_length) {
          c.login_left = byte;
          c.login_part = byte > 250 ? LoginPart::rest : LoginPart::secret;
          if (byte == 0) c.login_part = LoginPart::database;
          break;
        }
        if (--c.login_left == 0) c.login_part = LoginPart::database;
        break;
      }
      case LoginPart::database:
        if (ch == '\0' || (c.client_flags & mysql::kConnectWithDb) == 0) {
          c.login_part = LoginPart::rest;
        } else {
          c.base.database.push(ch);
        }
        break;
      case LoginPart::rest: return;
    }
  }
}

void MysqlTracker::end_login(Connection& c) {
  const Reader& r = c.reader[index(Direction::c2s)];
  const std::uint32_t both = c.client_flags & c.server_flags;
  if (r.length <= kLoginFixed && (c.client_flags & mysql::kSsl) != 0) {
    c.encrypted = true;
    counters_.add(Counter::database_not_followed);
    return;
  }
  if (c.server_flags != 0) {
    c.eof_packets = (both & mysql::kDeprecateEof) != 0 ? TriState::no : TriState::yes;
  }
  c.phase = Phase::authentication;
  const std::uint32_t i = exchanges_.take(c.base);
  if (i != kNone) {
    DatabaseExchange& e = exchanges_[i];
    e.operation.append("login");
    e.kind = mysql::kLogin;
    e.facts.login = true;
    e.facts.round_trips = 1;
  }
  exchanges_.push(c.base, i, r.arrival, Protocol::mysql);
}

// ------------------------------------------------------------------------------------- commands

void MysqlTracker::begin_command(Connection& c) {
  end_definitions(c);
  c.passing_over = false;
  c.sql_part = SqlPart::counts;
  c.sending = exchanges_.take(c.base);
}

/// More of a command from its `offset` on: of queries and statements the SQL, else a name.
void MysqlTracker::command_bytes(Connection& c, std::string_view piece, std::size_t offset) {
  const auto command = static_cast<std::uint8_t>(c.reader[index(Direction::c2s)].head.view()[0]);
  if (!has_text(command) && command != mysql::kInitDb) return;
  if (offset == 0 && has_text(command)) {
    c.sql = SqlFingerprint(SqlFingerprint::Dialect::mysql);
    c.text.clear();
    c.text_prepared = command == mysql::kStmtPrepare;
  }
  for (; offset == 0 && !piece.empty(); ++offset) piece.remove_prefix(1);
  // Query attributes: their number and that of their sets stand before the SQL, which never begins
  // with a control character. With attributes it is not looked for.
  while (command == mysql::kQuery && c.sql_part == SqlPart::counts && offset < 3 &&
         !piece.empty() && static_cast<std::uint8_t>(piece.front()) < 8) {
    if (offset == 1 && piece.front() != '\0') c.sql_part = SqlPart::behind_attributes;
    piece.remove_prefix(1);
    ++offset;
  }
  if (c.sql_part == SqlPart::behind_attributes || piece.empty()) return;
  c.sql_part = SqlPart::text;
  if (command == mysql::kInitDb) {
    if (offset == 1) c.base.database.clear();
    return c.base.database.append(piece);
  }
  c.sql.feed(c.text, piece);
}

void MysqlTracker::end_client_message(Connection& c) {
  const Reader& r = c.reader[index(Direction::c2s)];
  if (c.phase == Phase::login) return end_login(c);
  if (c.phase == Phase::commands && r.sequence == 0) return end_command(c);
  if (c.base.first == kNone) return;  // a secret, or a file
  DatabaseTransaction& t = exchanges_[c.base.first].facts;
  t.request_bytes += r.arrival.bytes;
  if (t.login) ++t.round_trips;
}

void MysqlTracker::end_command(Connection& c) {
  const Reader& r = c.reader[index(Direction::c2s)];
  const auto command = static_cast<std::uint8_t>(r.head.view()[0]);
  const std::uint32_t i = c.sending;
  const bool silent = mysql::has_no_answer(command);
  c.sending = kNone;
  c.passing_over = false;
  if (has_text(command)) c.sql.end(c.text);
  if (i == kNone) {
    if (!silent) exchanges_.push(c.base, i, r.arrival, Protocol::mysql);
    return;
  }
  DatabaseExchange& e = exchanges_[i];
  name_command(c, e, command);
  if (command == mysql::kStmtClose) statements_.erase(c.owner, mysql::little(r.head.view(), 1, 4));
  e.kind = mysql::answer_of(command);
  e.may_be_silent = e.facts.no_reply = silent;
  e.facts.waits_by_design = e.kind == mysql::kStream;
  if (command == mysql::kChangeUser) {
    e.facts.login = true;
    e.facts.round_trips = 1;
    c.phase = Phase::authentication;
    c.base.user.clear();
    c.base.database.clear();
    statements_.release(c.owner);
  }
  exchanges_.push(c.base, i, r.arrival, Protocol::mysql);
  pass_silent(c);
}

void MysqlTracker::name_command(Connection& c, DatabaseExchange& e, std::uint8_t command) {
  const Reader& r = c.reader[index(Direction::c2s)];
  const std::string_view name = mysql::command_name(command);
  e.operation.append(name.empty() ? "COM_UNKNOWN" : name);
  if (has_text(command)) e.fingerprint = c.text;
  if (!has_statement_number(command)) return;
  const std::uint64_t number = mysql::little(r.head.view(), 1, 4);
  if (const Fingerprint* text = statement(c, number)) {
    e.fingerprint = *text;
    return;
  }
  std::array<char, 20> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::int32_t>(number))
          .ptr;
  e.fingerprint.append({digits.data(), static_cast<std::size_t>(end - digits.data())});
  e.facts.name_only = true;
}

/// nullptr when its text is not known.
const Fingerprint* MysqlTracker::statement(const Connection& c, std::uint64_t number) const {
  if (number != mysql::kLastPrepared) return statements_.find(c.owner, number);
  return c.text_prepared ? &c.text : nullptr;
}

}  // namespace wirelag
