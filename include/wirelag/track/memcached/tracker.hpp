// memcached's requests and replies on the connections of one worker: text, meta and binary.
//
// Replies come in the order of the requests. Some requests are answered by silence: `noreply`, the
// quiet commands of the binary protocol and those with flag q of the meta commands, which speak up
// only in the other case. Such requests wait in the order with the others; a reply passes over those
// that it cannot be of, by its result (text, meta), and by opcode and opaque (binary).
//
// The fingerprint is the command and the pattern of the (first) key: docs/protocols/memcached.md.
// Limits and doubt: database/exchanges.hpp.
#pragma once

#include <wirelag/track/database/exchanges.hpp>
#include <wirelag/track/memcached/messages.hpp>

namespace wirelag {

class MemcachedTracker final : public StreamTracker {
 public:
  /// The references must outlive the tracker.
  MemcachedTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges, Counters& counters);

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  [[nodiscard]] ServiceId service(Handle) const override { return kNoService; }
  void close(Handle handle) override;

  [[nodiscard]] std::size_t connections_in_use() const { return connections_.in_use(); }

 private:
  struct Connection {
    DatabaseConnection base;
    std::array<MemcachedReader, 2> reader{MemcachedReader(Direction::c2s),
                                          MemcachedReader(Direction::s2c)};
    std::array<MessageArrival, 2> arrival;
    std::array<bool, 2> lost{};
  };

  void on_request(Connection& c);
  void on_reply(Connection& c);
  [[nodiscard]] bool can_answer(const DatabaseExchange& e, const MemcachedReader& reply) const;
  void settle(DatabaseExchange& e, const MemcachedReader& reply) const;
  void lose(Connection& c, Direction direction);

  DatabaseExchanges& exchanges_;
  Counters& counters_;
  Pool<Connection> connections_;
};

}  // namespace wirelag
