// A capture told in a few lines: who opened a connection, asked a name or sent a request, and when.
// Times are milliseconds from the beginning; a frame's number is its time in microseconds plus one,
// so that order of frames and order of time agree unless a test says otherwise.
#pragma once

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <wirelag/control/correlate.hpp>
#include <wirelag/track/database/text.hpp>
#include <wirelag/track/dns/message.hpp>

#include "../../support/kept.hpp"

namespace wirelag::test {

inline constexpr TimeNs kBegin = 1'700'000'000 * kSecondNs;

inline TimeNs at_ms(double ms) { return kBegin + static_cast<TimeNs>(ms * 1e6 + 0.5); }
inline FrameNumber frame_at(double ms) {  // the days before and after wrap around
  return static_cast<FrameNumber>(static_cast<std::int64_t>(ms * 1000 + 0.5) + 1);
}

inline IpAddress ip(std::string_view text) {
  IpAddress address;
  if (!parse_ip(text, address)) throw std::invalid_argument(std::string(text));
  return address;
}
inline Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {ip(address), port};
}

class Story {
 public:
  static constexpr double kNever = -1;

  // ---------------------------------------------------------------------------------- DNS

  struct Question {
    std::string client;
    std::string resolver;
    std::string name;
    std::uint16_t type = 1;
  };

  /// A question at `query_ms`, answered at `response_ms` (kNever: not at all).
  DnsTransaction& dns(const Question& q, double query_ms, double response_ms,
                      DnsOutcome outcome = DnsOutcome::answered,
                      const std::vector<std::string>& addresses = {}) {
    DnsTransaction& d = dns_.emplace_back();
    d.client = {ip(q.client), next_port_};
    d.resolver = endpoint(q.resolver, 53);
    d.id = next_port_++;
    d.qname = text(q.name);
    d.qtype = q.type;
    d.qclass = 1;
    test::push(d.query_frames, frame_at(query_ms));
    d.first_query_ns = d.last_query_ns = at_ms(query_ms);
    d.outcome = DnsOutcome::unanswered;
    if (response_ms == kNever) return d;
    d.outcome = outcome;
    d.response_frame = frame_at(response_ms);
    d.response_ns = at_ms(response_ms);
    const bool hints = q.type == dns_type::https && !addresses.empty();
    d.response = as_bytes(text(hints ? hinting(addresses) : message(addresses)));
    return d;
  }

  // ---------------------------------------------------------------------------------- TCP

  /// A connection opened cleanly at `syn_ms`: `rtt_ms` later the client's ACK completes it.
  Connection& connection(std::string_view client, std::uint16_t port, std::string_view server,
                         std::uint16_t server_port, double syn_ms, double rtt_ms) {
    Connection& c = connections_.emplace_back();
    c.key = connections_.size();
    c.client = endpoint(client, port);
    c.server = endpoint(server, server_port);
    c.state = ConnectionState::complete;
    c.basis = ClientBasis::syn;
    c.protocol = Protocol::http1;
    c.first_frame = frame_at(syn_ms);
    c.ack_frame = c.last_frame = frame_at(syn_ms + rtt_ms);
    test::push(c.syn_frames, c.first_frame);
    test::push(c.syn_ack_frames, frame_at(syn_ms + rtt_ms * 0.99));
    c.start_time_ns = at_ms(syn_ms);
    c.established_time_ns = c.last_time_ns = at_ms(syn_ms + rtt_ms);
    c.syn_wait_ns = c.synack_wait_ns = 0;
    c.connect_time_ns = c.handshake_rtt_ns = c.established_time_ns - c.start_time_ns;
    c.rtt_probe_server_ns = at_ms(syn_ms + rtt_ms * 0.99) - c.start_time_ns;
    c.rtt_probe_client_ns = c.connect_time_ns - c.rtt_probe_server_ns;
    return c;
  }

  Connection& close(Connection& c, double ms, CloseKind kind = CloseKind::fin_both) {
    c.close = kind;
    c.end = ConnectionEnd::closed;
    c.last_frame = frame_at(ms);
    c.last_time_ns = at_ms(ms);
    return c;
  }

  Connection& fail(Connection& c, ConnectionState state, double last_ms) {
    c.state = state;
    c.ack_frame = 0;
    c.established_time_ns = c.connect_time_ns = c.handshake_rtt_ns = kUnknownNs;
    c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
    c.last_frame = frame_at(last_ms);
    c.last_time_ns = at_ms(last_ms);
    c.protocol = Protocol::unknown;
    return c;
  }

  Connection& midstream(Connection& c) {
    c.state = ConnectionState::midstream;
    c.basis = ClientBasis::port;
    c.syn_frames = {};
    c.syn_ack_frames = {};
    c.ack_frame = 0;
    c.established_time_ns = c.connect_time_ns = c.handshake_rtt_ns = kUnknownNs;
    c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
    return c;
  }

  // --------------------------------------------------------------------------------- HTTP

  /// A request in one segment at `from_ms`, its response complete at `to_ms` (kNever: not at all).
  HttpTransaction& http(Connection& c, std::string_view target, double from_ms, double to_ms) {
    HttpTransaction& h = http_.emplace_back();
    h.connection = c.key;
    h.client = c.client;
    h.server = c.server;
    h.request_seen = h.request_complete = true;
    h.method = "GET";
    h.host = "www.example.com";
    h.target = text(std::string(target));
    h.request_frames = {frame_at(from_ms), frame_at(from_ms)};
    h.request_first_ns = h.request_last_ns = at_ms(from_ms);
    h.request_bytes = 400;
    c.half.c2s.payload_bytes += 400;
    if (!known(c.half.c2s.first_payload_ns)) c.half.c2s.first_payload_ns = at_ms(from_ms);
    if (to_ms == kNever) return h;
    h.status = 200;
    h.response_complete = true;
    h.response_frames = {frame_at(to_ms - 0.1), frame_at(to_ms)};
    h.response_first_ns = at_ms(to_ms - 0.1);
    h.response_last_ns = at_ms(to_ms);
    c.half.s2c.payload_bytes += 1000;
    c.last_time_ns = std::max(c.last_time_ns, at_ms(to_ms));
    c.last_frame = std::max(c.last_frame, frame_at(to_ms));
    return h;
  }

  TlsHandshake& tls(Connection& c, std::string_view sni, std::uint16_t version, double hello_ms,
                    double finished_ms, double data_ms) {
    TlsHandshake& t = tls_.emplace_back();
    t.connection = c.key;
    t.client = c.client;
    t.server = c.server;
    t.sni = text(std::string(sni));
    t.version = version;
    t.client_hello_frames = {frame_at(hello_ms), frame_at(hello_ms)};
    t.client_hello_ns = at_ms(hello_ms);
    t.client_finished_ns = t.server_finished_ns = at_ms(finished_ms);
    t.server_hello_ns = at_ms((hello_ms + finished_ms) / 2);
    if (data_ms != kNever) t.first_client_data_ns = at_ms(data_ms);
    c.protocol = Protocol::tls;
    c.half.c2s.payload_bytes = c.half.s2c.payload_bytes = 3000;
    c.half.c2s.first_payload_ns = at_ms(hello_ms);
    return t;
  }

  // ---------------------------------------------------------------------------- databases

  /// A query in one segment at `from_ms`, its answer complete at `to_ms` (kNever: not at all); nothing
  /// was lost or held back.
  DatabaseTransaction& query(Connection& c, Protocol protocol, std::string_view fingerprint,
                             double from_ms, double to_ms) {
    DatabaseTransaction& d = database_.emplace_back();
    c.protocol = protocol;
    d.connection = c.key;
    d.client = c.client;
    d.server = c.server;
    d.protocol = protocol;
    d.operation = text(std::string(fingerprint.substr(0, fingerprint.find(' '))));
    d.fingerprint = text(std::string(fingerprint));
    d.fingerprint_hash = fnv1a64(fingerprint);
    d.request_frames = {frame_at(from_ms), frame_at(from_ms)};
    d.request_first_ns = d.request_last_ns = at_ms(from_ms);
    c.half.c2s.payload_bytes += 40;
    if (!known(c.half.c2s.first_payload_ns)) c.half.c2s.first_payload_ns = at_ms(from_ms);
    if (to_ms == kNever) return d;
    d.response_complete = true;
    d.response_frames = {frame_at(to_ms), frame_at(to_ms)};
    d.response_first_ns = d.response_last_ns = at_ms(to_ms);
    test::stalls(d) = {0, 0, 0, 0, 0};
    c.half.s2c.payload_bytes += 40;
    c.last_time_ns = std::max(c.last_time_ns, at_ms(to_ms));
    c.last_frame = std::max(c.last_frame, frame_at(to_ms));
    return d;
  }

  // ------------------------------------------------------------------------------ the dataset

  /// The capture's last frame is at `ms`. Until it is said, that is not known.
  void ends(double ms) { ended_ns_ = at_ms(ms); }

  /// Sealed; emitted in an order that `seed` shuffles (0: as told).
  [[nodiscard]] Dataset dataset(unsigned seed = 0, DatasetLimits limits = {}) const {
    std::vector<TransactionRef> all;
    for (const auto& t : dns_) all.emplace_back(&t);
    for (const auto& t : connections_) all.emplace_back(&t);
    for (const auto& t : http_) all.emplace_back(&t);
    for (const auto& t : tls_) all.emplace_back(&t);
    for (const auto& t : database_) all.emplace_back(&t);
    if (seed != 0) std::shuffle(all.begin(), all.end(), std::mt19937(seed));
    Dataset data(limits);
    for (const TransactionRef t : all) data.emit(t);
    data.seal({}, ended_ns_);
    return data;
  }

  std::deque<DnsTransaction>& all_dns() { return dns_; }
  std::deque<Connection>& all_connections() { return connections_; }
  std::deque<HttpTransaction>& all_http() { return http_; }
  std::deque<TlsHandshake>& all_tls() { return tls_; }
  std::deque<DatabaseTransaction>& all_queries() { return database_; }

 private:
  std::string_view text(std::string value) { return texts_.emplace_back(std::move(value)); }

  /// A response with an A or AAAA record per address, all for the root name.
  /// A response with one HTTPS record that hints at IPv4 addresses: priority 1, target ".", key 4.
  static std::string hinting(const std::vector<std::string>& addresses) {
    const char size = static_cast<char>(4 * addresses.size());
    std::string m("\0\1\x81\x80\0\0\0\1\0\0\0\0\0\0\x41\0\1\0\0\0\x3c\0", 22);
    m += static_cast<char>(2 + 1 + 4 + size);
    m += std::string("\0\1\0\0\4\0", 6) + size;
    for (const std::string& address : addresses) {
      m.append(reinterpret_cast<const char*>(ip(address).bytes.data()) + 12, 4);
    }
    return m;
  }
  static std::string message(const std::vector<std::string>& addresses) {
    std::string m("\0\1\x81\x80\0\0\0", 7);
    m += static_cast<char>(addresses.size());
    m += std::string(4, '\0');
    for (const std::string& address : addresses) {
      const IpAddress a = ip(address);
      const bool v4 = a.is_v4();
      m += std::string("\0\0", 2) + (v4 ? '\1' : '\x1c') + std::string("\0\1\0\0\0\x3c\0", 7);
      m += v4 ? '\4' : '\x10';
      m.append(reinterpret_cast<const char*>(a.bytes.data()) + (v4 ? 12 : 0), v4 ? 4 : 16);
    }
    return m;
  }

  TimeNs ended_ns_ = kUnknownNs;
  std::deque<std::string> texts_;
  std::deque<DnsTransaction> dns_;
  std::deque<Connection> connections_;
  std::deque<HttpTransaction> http_;
  std::deque<TlsHandshake> tls_;
  std::deque<DatabaseTransaction> database_;
  std::uint16_t next_port_ = 20001;
};

}  // namespace wirelag::test
