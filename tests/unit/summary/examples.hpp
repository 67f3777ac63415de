// Hand-made transactions for the summary tests.
#pragma once

#include <string_view>

#include <wirelag/track/transaction.hpp>

#include "../../support/kept.hpp"

namespace wirelag::examples {

inline Endpoint at(std::string_view ip, std::uint16_t port) {
  Endpoint e;
  (void)parse_ip(ip, e.ip);
  e.port = port;
  return e;
}

inline const Endpoint kWeb = at("192.0.2.80", 80);
inline const Endpoint kMail = at("192.0.2.25", 25);
inline const Endpoint kResolver = at("192.0.2.53", 53);

inline Connection connection(ConnectionKey key, const Endpoint& server,
                             ConnectionState state = ConnectionState::complete) {
  Connection c;
  c.key = key;
  c.server = server;
  c.state = state;
  if (state == ConnectionState::complete) {
    c.established_time_ns = 100 * kSecondNs;
    c.connect_time_ns = 6 * kMillisecondNs;
    c.rtt_probe_server_ns = 5 * kMillisecondNs;
  }
  return c;
}

inline HttpTransaction request(ConnectionKey key, const Endpoint& server, std::uint16_t status) {
  HttpTransaction h;
  h.connection = key;
  h.server = server;
  h.request_seen = true;
  h.status = status;
  return h;
}

inline DnsTransaction query(DnsOutcome outcome, int copies = 1) {
  DnsTransaction d;
  d.resolver = kResolver;
  d.outcome = outcome;
  for (int i = 0; i < copies; ++i) test::push(d.query_frames, 0);
  return d;
}

/// Remembers how many transactions of each kind went by.
struct Passed : TransactionSink {
  std::size_t of_kind[std::tuple_size_v<TransactionKinds>] = {};
  void emit(TransactionRef t) override { ++of_kind[t.index()]; }
};

}  // namespace wirelag::examples
