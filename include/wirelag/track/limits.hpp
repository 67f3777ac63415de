// Sizes and timeouts of the trackers, per worker. The configuration fills them in; the defaults
// suit a replay at a desk. Every limit has a policy when reached and a counter (base/counters.def).
#pragma once

#include <wirelag/base/types.hpp>

namespace wirelag {

/// Silence this long is none: times so far apart come from two clocks (the interfaces of a pcapng file,
/// a damaged time stamp, frames without a time before the first that has one), and what waits goes on.
inline constexpr DurationNs kTwoClocksNs = 365 * 24 * 3600 * kSecondNs;

struct TcpLimits {
  std::uint32_t connections = 1U << 17;           ///< live connections kept at once
  DurationNs idle_timeout_ns = 3600 * kSecondNs;  ///< silence after which a connection is over
  DurationNs half_open_timeout_ns =
      300 * kSecondNs;                             ///< the same while the handshake is incomplete
  DurationNs closed_timeout_ns = 120 * kSecondNs;  ///< stragglers are known after FINs or RST
  std::uint32_t reorder_segments = 1U << 13;  ///< out-of-order segments kept at once (2 KiB each)
  /// Of one direction of one connection: as many as a window of 1.4 MB has, kMostReordered at most.
  std::uint32_t reorder_per_direction = 1024;
  static constexpr std::uint32_t kMostReordered = (1U << 14) - 1;
  /// Sides of connections that a mirror delivers twice, of which copies behind many segments are recognised.
  static constexpr std::uint32_t kMostMirroredSides = 8192;
  std::uint32_t classify_segments = 8;  ///< payload segments looked at to recognise a protocol
};

struct DnsLimits {
  std::uint32_t pending_queries = 1U << 16;        ///< unanswered queries kept at once
  DurationNs query_timeout_ns = 30 * kSecondNs;    ///< then a query is unanswered
  DurationNs duplicate_window_ns = 5 * kSecondNs;  ///< how long later responses are recognised
  std::uint32_t tcp_streams = 1U << 12;            ///< DNS over TCP connections at once
  std::uint64_t hash_seed = 0;                     ///< base/hash.hpp
};

struct HttpLimits {
  std::uint32_t connections = 1U << 16;
  std::uint32_t open_requests = 1U << 16;   ///< unanswered requests of all connections
  std::uint32_t header_bytes = 16 * 1024;   ///< of one message's start line and headers
  std::uint32_t header_buffers = 1U << 12;  ///< messages whose headers are being put together
};

struct TlsLimits {
  std::uint32_t connections = 1U << 16;
  std::uint32_t hello_bytes = 16 * 1024;  ///< of one handshake message that is put together
  std::uint32_t hello_buffers = 1U << 12;
};

/// Redis, memcached, PostgreSQL and MySQL.
struct DatabaseLimits {
  std::uint32_t connections = 1U << 14;    ///< of each protocol
  std::uint32_t open_requests = 1U << 16;  ///< unanswered requests of all connections
  std::uint32_t statements = 1U << 14;     ///< prepared statements of all connections
};

}  // namespace wirelag
