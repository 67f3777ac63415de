// Redis commands and their replies on the connections of one worker, RESP2 and RESP3.
//
// Replies come in the order of the commands, one each, so a reply is matched when it is complete:
// only then is it plain whether it was one. Out of the order come pushes: RESP3's `>`, in RESP2 the
// messages of a connection that has subscribed, and what MONITOR shows; they are counted
// (database_pushes) and answer nothing. A subscription is confirmed once for every channel, and
// these confirmations together are its reply. CLIENT REPLY OFF and SKIP silence the server.
//
// The fingerprint is the command, of a container its subcommand ("CLIENT SETNAME"), and the pattern
// of the first key (database/key_pattern.hpp): docs/protocols/redis.md. Passwords are never kept.
//
// Limits and doubt: database/exchanges.hpp. connections: open() returns kNone, counted
// (database_streams_full). Bytes that are not RESP: database_malformed, and the next segment that
// begins like a message is where reading goes on.
#pragma once

#include <wirelag/track/database/exchanges.hpp>
#include <wirelag/track/redis/resp.hpp>

namespace wirelag {

class RedisTracker final : public StreamTracker {
 public:
  /// The references must outlive the tracker.
  RedisTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges, Counters& counters);

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  void prefetch(Handle handle, Direction direction) const override;
  /// `nothing` once a replica has asked for the stream of changes.
  [[nodiscard]] StreamInterest interest(Handle handle) const override;
  [[nodiscard]] ServiceId service(Handle) const override { return kNoService; }
  void close(Handle handle) override;

  [[nodiscard]] std::size_t connections_in_use() const { return connections_.in_use(); }

 private:
  enum class Silence : std::uint8_t { none, skip_next, off };

  struct Connection {
    DatabaseConnection base;
    RedisRequestReader request;
    RedisReplyReader reply;
    std::array<MessageArrival, 2> arrival;
    std::array<bool, 2> lost{};
    BoundedText<64> offered_user;  ///< of the AUTH that waits for its reply
    Silence silence = Silence::none;
    bool multi = false;       ///< between MULTI and EXEC
    bool multi_known = true;  ///< it would have been seen
    bool subscribed = false;
    bool monitor = false;
    bool replication = false;
  };

  void on_command(Connection& c);
  void describe(DatabaseExchange& e, const RedisCommand& command) const;
  [[nodiscard]] bool silenced(Connection& c, const RedisCommand& command);
  void on_reply(Connection& c);
  [[nodiscard]] bool is_push(Connection& c, const RedisReply& reply) const;
  void settle(Connection& c, DatabaseExchange& e, const RedisReply& reply);
  void lose(Connection& c, Direction direction);

  DatabaseExchanges& exchanges_;
  Counters& counters_;
  Pool<Connection> connections_;
};

}  // namespace wirelag
