// What is counted for one service: counts and duration histograms, declared once here. A line
// becomes an enumerator, a key in the summary log, JSON and Prometheus, and a row of
// docs/metrics.md.
//
// A service is what a [[service]] rule of the configuration names; what no rule names is counted by
// the server's address and port (TCP) or by the resolver's (DNS).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/ip.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/summary/histogram.hpp>

namespace wirelag {

/// Symbol, unit, what it counts, what a value above 0 tells the operator.
#define WIRELAG_SERVICE_COUNTS(X)                                                               \
  X(connections, "connections", "TCP connections that ended", "")                               \
  X(handshakes_complete, "connections", "SYN, SYN-ACK and ACK seen", "")                        \
  X(refused, "connections", "a RST answered the SYN", "nobody listens on the port")             \
  X(syn_unanswered, "connections", "no answer to the SYN",                                      \
    "the server is down, its backlog is full, or a firewall drops")                             \
  X(synack_unanswered, "connections", "the client never acknowledged the SYN-ACK",              \
    "a SYN flood, or a path that loses one direction")                                          \
  X(syn_resent, "segments", "SYNs sent again", "each costs the user a second or more")          \
  X(synack_resent, "segments", "SYN-ACKs sent again", "loss on the path to the client")         \
  X(resets, "connections", "closed by RST", "")                                                 \
  X(retransmissions, "segments", "data sent again: RTO, fast, tail probe, spurious",            \
    "loss on the path; keep-alives, probes and mirror duplicates are not in it")                \
  X(zero_windows, "events", "a receiver closed its window", "the receiver reads too slowly")    \
  X(bytes_c2s, "bytes", "payload of ended connections, client to server", "")                   \
  X(bytes_s2c, "bytes", "payload of ended connections, server to client", "")                   \
  X(http_requests, "requests", "HTTP requests", "")                                             \
  X(http_4xx, "requests", "answered with 400 to 499", "")                                       \
  X(http_5xx, "requests", "answered with 500 to 599", "the server failed")                      \
  X(http_unanswered, "requests", "without a response",                                          \
    "users gave up, or the server dropped them")                                                \
  X(dns_queries, "queries", "DNS questions; a copy sent again is not another one", "")          \
  X(dns_nxdomain, "queries", "answered: no such name", "search lists, typing errors, malware")  \
  X(dns_failed, "queries", "answered with an error other than NXDOMAIN", "the resolver failed") \
  X(dns_unanswered, "queries", "without a response", "each costs the user seconds")             \
  X(dns_resent, "queries", "copies sent again", "the resolver is slow or loses queries")        \
  X(tls_handshakes, "handshakes", "TLS handshakes begun", "")                                   \
  X(tls_resumed, "handshakes", "resumed from an earlier session", "")                           \
  X(database_requests, "requests", "requests to databases and caches, logins included", "")     \
  X(database_errors, "requests", "refused or failed by the database", "")                       \
  X(database_unanswered, "requests", "without a response", "the database was given up or died")

/// Symbol, from -> to (docs/metrics.md).
#define WIRELAG_SERVICE_DURATIONS(X)                                                            \
  X(connect, "first SYN -> completing ACK (connect_time_ns)")                                   \
  X(rtt_probe_server, "answered SYN -> SYN-ACK, when unambiguous (rtt_probe_server_ns)")        \
  X(data_rtt_probe_server, "live: client's data -> first ACK covering it, Karn's rule kept")    \
  X(data_rtt_probe_client, "live: server's data -> first ACK covering it, Karn's rule kept")    \
  X(timestamp_rtt_probe_server, "live: client's data -> echo of its TSval (RFC 7323)")          \
  X(timestamp_rtt_probe_client, "live: server's data -> echo of its TSval (RFC 7323)")          \
  X(server_wait, "last byte of a request -> first byte of its final response (server_wait_ns)") \
  X(dns_latency, "first copy of a query -> first response (latency_ns)")                        \
  X(tls_hello, "ClientHello -> ServerHello (hello_ns)")                                         \
  X(database_wait, "request -> first byte of its response, blocking commands left out")

enum class ServiceCount : std::uint8_t {
#define X(symbol, unit, what, nonzero) symbol,
  WIRELAG_SERVICE_COUNTS(X)
#undef X
};
enum class ServiceDuration : std::uint8_t {
#define X(symbol, what) symbol,
  WIRELAG_SERVICE_DURATIONS(X)
#undef X
};

struct ServiceCountInfo {
  std::string_view symbol;
  std::string_view unit;
  std::string_view what;
  std::string_view nonzero;
};
struct ServiceDurationInfo {
  std::string_view symbol;
  std::string_view what;
};

inline constexpr ServiceCountInfo kServiceCounts[] = {
#define X(symbol, unit, what, nonzero) {#symbol, unit, what, nonzero},
    WIRELAG_SERVICE_COUNTS(X)
#undef X
};
inline constexpr ServiceDurationInfo kServiceDurations[] = {
#define X(symbol, what) {#symbol, what},
    WIRELAG_SERVICE_DURATIONS(X)
#undef X
};

/// Names a row. Ordered by kind, then service or endpoint.
struct ServiceKey {
  enum class Kind : std::uint8_t {
    service,  ///< a [[service]] rule matched: `service` counts, `endpoint` is empty
    tcp,      ///< a server's address and port
    dns,      ///< a resolver's address and port
    other,    ///< what found no row of its own
  };
  Kind kind = Kind::other;
  ServiceId service = kNoService;
  Endpoint endpoint;

  [[nodiscard]] static ServiceKey of_server(ServiceId service, const Endpoint& server) {
    return of(Kind::tcp, service, server);
  }
  [[nodiscard]] static ServiceKey of_resolver(ServiceId service, const Endpoint& resolver) {
    return of(Kind::dns, service, resolver);
  }
  /// "service/shop", "tcp/192.0.2.1:443", "dns/192.0.2.53:53", "other". `service_names` by id.
  [[nodiscard]] std::string text(const std::vector<std::string>& service_names) const;

  auto operator<=>(const ServiceKey&) const = default;

 private:
  [[nodiscard]] static ServiceKey of(Kind kind, ServiceId service, const Endpoint& endpoint) {
    if (service != kNoService) return {Kind::service, service, {}};
    return {kind, kNoService, endpoint};
  }
};

struct ServiceSummary {
  std::array<std::uint64_t, std::size(kServiceCounts)> counts{};
  std::array<Histogram, std::size(kServiceDurations)> durations{};

  void add(ServiceCount c, std::uint64_t n = 1) { counts[static_cast<std::size_t>(c)] += n; }
  void record(ServiceDuration d, DurationNs ns) {
    durations[static_cast<std::size_t>(d)].record(ns);
  }
  [[nodiscard]] std::uint64_t of(ServiceCount c) const {
    return counts[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] const Histogram& of(ServiceDuration d) const {
    return durations[static_cast<std::size_t>(d)];
  }
  void merge(const ServiceSummary& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    for (std::size_t i = 0; i < durations.size(); ++i) durations[i].merge(other.durations[i]);
  }
  bool operator==(const ServiceSummary&) const = default;
};

}  // namespace wirelag
