// The application protocols wirelag can tell apart, and how they are recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wirelag {

/// One line per protocol: symbol, name in reports, meaning.
#define WIRELAG_PROTOCOLS(X)                                \
  X(dns, "dns", "RFC 1035, RFC 7766")                       \
  X(http1, "http", "HTTP/1.x, RFC 9112")                    \
  X(http2, "http2", "HTTP/2 in clear text, RFC 9113")       \
  X(tls, "tls", "TLS and SSL 3, RFC 8446, RFC 5246")        \
  X(redis, "redis", "RESP2 and RESP3")                      \
  X(memcached, "memcached", "text, meta and binary")        \
  X(postgres, "postgres", "PostgreSQL, protocol version 3") \
  X(mysql, "mysql", "MySQL and MariaDB, classic protocol")  \
  X(dtls, "dtls", "DTLS 1.0 and 1.2, RFC 6347: counted")

enum class Protocol : std::uint8_t {
  unknown,
#define X(symbol, name, meaning) symbol,
  WIRELAG_PROTOCOLS(X)
#undef X
};

/// Number of enumerators, Protocol::unknown included: the size of a table indexed by Protocol.
inline constexpr std::size_t kProtocols = 1
#define X(symbol, name, meaning) +1
    WIRELAG_PROTOCOLS(X)
#undef X
    ;

[[nodiscard]] std::string_view name(Protocol protocol);

}  // namespace wirelag
