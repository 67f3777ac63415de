// MySQL's and MariaDB's classic protocol on the connections of one worker.
// https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
//
//   server: greeting -> client: [request for TLS: handed on] login -> ... -> OK
//   client: command -> server: OK | ERR | columns, [EOF], rows, EOF or OK, next result ... | ...
//
// A packet of 2^24 - 1 bytes goes on in the next one; together they are one message. What ends an
// answer depends on the command (DatabaseExchange::kind) and on what the answer says: more results,
// a cursor, a request for a file. Whether EOF packets stand behind columns (CLIENT_DEPRECATE_EOF)
// is known from the login, or learned from the first answer that shows it.
//
// An execution has the fingerprint of the statement that was prepared under its number, or last
// (MariaDB: sent at once, before the number is known). Passwords and values are skipped. A
// compressed connection is not followed after its login.
//
// Limits and doubt: database/exchanges.hpp, database/statements.hpp.
#pragma once

#include <wirelag/track/database/exchanges.hpp>
#include <wirelag/track/database/sql.hpp>
#include <wirelag/track/database/statements.hpp>

namespace wirelag {

class MysqlTracker final : public StreamTracker {
 public:
  /// The references must outlive the tracker.
  MysqlTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
               DatabaseStatements& statements, Counters& counters);

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  /// `other_protocol` once the client has asked for TLS, `nothing` when packets are compressed.
  [[nodiscard]] StreamInterest interest(Handle handle) const override;
  [[nodiscard]] ServiceId service(Handle) const override { return kNoService; }
  void close(Handle handle) override;

  [[nodiscard]] std::size_t connections_in_use() const { return connections_.in_use(); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  enum class Phase : std::uint8_t { greeting, login, authentication, commands };
  /// Where in an answer the server is.
  enum class Stage : std::uint8_t { first, columns, after_columns, rows, definitions };
  /// Of a query: the numbers of attributes and their sets, or what follows.
  enum class SqlPart : std::uint8_t { counts, behind_attributes, text };
  enum class LoginPart : std::uint8_t { fixed, user, secret_length, secret, database, rest };

  /// One direction: a packet's header, then its payload; several packets may be one message.
  struct Reader {
    std::array<std::uint8_t, 4> header{};
    std::uint8_t have = 0;
    std::uint8_t sequence = 0;  ///< of the message's first packet
    bool in_body = false;
    bool begun = false;    ///< a packet of the message was begun
    bool goes_on = false;  ///< this packet is not its last
    bool lost = false;
    bool cut = false;          ///< of the message something is missing: the rest of it is not read
    std::uint32_t left = 0;    ///< of the packet
    std::uint64_t length = 0;  ///< of the message so far
    MessageArrival arrival;
    BoundedText<96> head;
  };

  struct Connection {
    DatabaseConnection base;
    DatabaseStatements::Owner owner;
    std::array<Reader, 2> reader;
    MessageArrival reply;
    std::uint32_t sending = kNone;
    std::uint32_t login_left = 32;   ///< of the part of the login that is skipped
    std::uint32_t server_flags = 0;  ///< capabilities
    std::uint32_t client_flags = 0;
    std::uint64_t columns = 0;  ///< still to come
    std::uint8_t eofs = 0;      ///< likewise, behind definitions
    SqlFingerprint sql{SqlFingerprint::Dialect::mysql};
    Fingerprint text;  ///< of the last query or statement that was prepared
    Phase phase = Phase::greeting;
    Stage stage = Stage::first;
    LoginPart login_part = LoginPart::fixed;
    SqlPart sql_part = SqlPart::counts;
    TriState eof_packets = TriState::unknown;  ///< behind columns
    bool text_prepared = false;                ///< `text` is what was prepared last
    bool answering = false;
    bool passing_over = false;
    bool encrypted = false;
    bool compressed = false;
  };

  [[nodiscard]] bool begin_packet(Connection& c, Direction direction);
  void body(Connection& c, Direction direction, std::string_view piece);
  void end_message(Connection& c, Direction direction);
  [[nodiscard]] static bool is_told(const Connection& c, Direction d);
  void lose(Connection& c, Direction direction);

  void greeting(Connection& c);
  void login_bytes(Connection& c, std::string_view piece);
  void end_login(Connection& c);
  void begin_command(Connection& c);
  void command_bytes(Connection& c, std::string_view piece, std::size_t offset);
  void end_client_message(Connection& c);
  void end_command(Connection& c);
  void name_command(Connection& c, DatabaseExchange& e, std::uint8_t command);
  [[nodiscard]] const Fingerprint* statement(const Connection& c, std::uint64_t number) const;

  void end_server_message(Connection& c);
  void authentication(Connection& c, DatabaseExchange& e, const Reader& r);
  void result(Connection& c, DatabaseExchange& e, const Reader& r);
  void first_of_result(Connection& c, DatabaseExchange& e, const Reader& r);
  void prepared(Connection& c, DatabaseExchange& e, const Reader& r);
  void end_definitions(Connection& c);
  void next_or_end(Connection& c, std::uint16_t status);
  void end_answer(Connection& c, bool complete);
  void pass_silent(Connection& c);

  DatabaseExchanges& exchanges_;
  DatabaseStatements& statements_;
  Counters& counters_;
  Pool<Connection> connections_;
};

}  // namespace wirelag
