// PostgreSQL's frontend/backend protocol, version 3, on the connections of one worker.
// https://www.postgresql.org/docs/current/protocol.html
//
//   startup    [SSLRequest -> S: handed to TLS, N: in clear text]  StartupMessage ... ReadyForQuery
//   simple     Query -> ... ReadyForQuery
//   extended   Parse Bind Describe Execute ... Sync -> ... ReadyForQuery
//
// A transaction is a burst: what the client sends up to Query, FunctionCall or Sync, and what the
// server answers up to ReadyForQuery. Bursts may be pipelined; every Sync has its ReadyForQuery,
// after an error too, so order pairs them. A burst that ends with Flush is one of its own when the
// client waits for its answer, else it goes on. Data of COPY belongs to the burst that began it.
// A login is one transaction, with its round trips counted. Notices, notifications and parameters
// that the server reports come out of turn and answer nothing.
//
// An Execute has the fingerprint of the statement that was bound, by the name it was prepared
// under; where its Parse was not captured, the name is all that is known of it, with the verb that the
// server's command tag says. What a login or a Bind carries is not looked at: no password and no value is kept.
//
// Limits and doubt: database/exchanges.hpp, database/statements.hpp.
#pragma once

#include <wirelag/track/database/exchanges.hpp>
#include <wirelag/track/database/sql.hpp>
#include <wirelag/track/database/statements.hpp>

namespace wirelag {

class PostgresTracker final : public StreamTracker {
 public:
  /// The references must outlive the tracker.
  PostgresTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
                  DatabaseStatements& statements, Counters& counters);

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  /// `other_protocol` once the server has agreed to encrypt.
  [[nodiscard]] StreamInterest interest(Handle handle) const override;
  [[nodiscard]] ServiceId service(Handle) const override { return kNoService; }
  void close(Handle handle) override;

  [[nodiscard]] std::size_t connections_in_use() const { return connections_.in_use(); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// One direction: a message's header, then its body.
  struct Reader {
    std::array<std::uint8_t, 8> header{};
    std::uint8_t have = 0;  ///< bytes of the header
    bool in_body = false;
    bool lost = false;
    bool cut = false;        ///< of its body something is missing: the rest of it is not read
    char type = '\0';        ///< '\0': a startup packet
    std::uint32_t left = 0;  ///< of the body
    MessageArrival arrival;  ///< of this message
    BoundedText<96> head;    ///< of the body, where it is read
  };

  enum class Startup : std::uint8_t { version, encryption, cancel };

  struct Connection {
    DatabaseConnection base;
    DatabaseStatements::Owner owner;
    std::array<Reader, 2> reader;
    MessageArrival burst;           ///< what the client has sent of the burst that it is sending
    MessageArrival reply;           ///< what has come of the first open one's answer
    std::uint32_t sending = kNone;  ///< its exchange
    std::uint32_t flushed = kNone;  ///< ended by Flush: the last one in the FIFO
    std::uint64_t name = 0;         ///< hash of the name that is being read
    std::uint64_t portal_statement = 0;  ///< of the portal that was bound last
    BoundedText<64> bound;               ///< likewise, the name as it is
    SqlFingerprint sql;
    Fingerprint text;  ///< of the Query or Parse that is being read
    Startup startup_kind = Startup::version;
    std::uint8_t names = 0;  ///< zero-terminated texts read of this message
    bool burst_begun = false;
    bool answering = false;     ///< `reply` has begun
    bool passing_over = false;  ///< the answer that is coming has no request
    bool startup = false;       ///< the client's next packet has no type
    bool in_login = false;
    bool copy_in = false;
    bool encryption_asked = false;
    bool encrypted = false;
    BoundedText<16> parameter;
  };

  void read(Connection& c, const StreamChunk& chunk);
  [[nodiscard]] bool begin_message(Connection& c, Direction direction);
  void body(Connection& c, Direction direction, std::string_view piece);
  void end_message(Connection& c, Direction direction);
  [[nodiscard]] static bool is_told(const Connection& c, Direction d);
  void lose(Connection& c, Direction direction);

  [[nodiscard]] bool begin_startup(Connection& c);
  void startup_parameter(Connection& c, std::string_view piece);
  static void forget_half_a_name(Connection& c);
  void answer_to_encryption(Connection& c, const StreamChunk& chunk, Bytes& rest);
  void begin_client_message(Connection& c);
  void client_text(Connection& c, char type, std::string_view piece);
  void close_text(Connection& c, std::string_view piece);
  void name_end(Connection& c, char type);
  void end_client_message(Connection& c);
  void end_statement(Connection& c, char type);
  void end_burst(Connection& c);
  void bind(Connection& c);
  void forget_flushed(Connection& c);
  void begin_server_message(Connection& c);
  void end_server_message(Connection& c);
  void command_complete(DatabaseExchange& e, std::string_view tag) const;
  void end_answer(Connection& c, bool complete);

  DatabaseExchanges& exchanges_;
  DatabaseStatements& statements_;
  Counters& counters_;
  Pool<Connection> connections_;
};

}  // namespace wirelag
