// DNS, HTTP, TLS and database items of the JSON report.
#include <algorithm>

#include <fmt/format.h>

#include <wirelag/track/dns/message.hpp>
#include <wirelag/track/http/parser.hpp>

#include "format.hpp"
#include "json_values.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

Json answers_json(const DnsTransaction& t) {
  Json out = Json::array();
  for (const DnsRecord& r : decode_answers(t.response)) {
    out.push_back(Json{{"name", utf8(r.name)},
                       {"type", r.type},
                       {"class", r.klass},
                       {"ttl", r.ttl},
                       {"data", utf8(r.data)}});
  }
  return out;
}

Json tri_state(TriState t) {
  if (t == TriState::unknown) return nullptr;
  return t == TriState::yes;
}

/// The estimate of the server's own time: the wait at the probe without the shortest round trip between
/// probe and server that the connection has shown.
Json think_or_null(const Report& report, ConnectionKey key, DurationNs server_wait_ns) {
  const std::size_t id = report.data.connection_index(key);
  if (id == Dataset::kNone || !known(server_wait_ns)) return nullptr;
  const Connection& c = report.data.connections()[id];
  const DurationNs handshake_ns = c.rtt_probe_server_ns, data_ns = c.rtt_probe_server.min_ns;
  const bool both = known(handshake_ns) && known(data_ns);
  // kUnknownNs is less than any duration.
  const DurationNs rtt_ns =
      both ? std::min(handshake_ns, data_ns) : std::max(handshake_ns, data_ns);
  return known(rtt_ns) ? Json(std::max<DurationNs>(server_wait_ns - rtt_ns, 0)) : Json(nullptr);
}

Json nonzero_or_null(std::uint64_t n) { return n != 0 ? Json(n) : Json(nullptr); }

/// null when nothing was measured; gaps and flights null when there was no round trip to hold them
/// against.
Json shape_json(const TransferShape& s) {
  if (s.segments == 0) return nullptr;
  const auto if_known = [](bool is_known, std::uint64_t n) {
    return is_known ? Json(n) : Json(nullptr);
  };
  const bool flights = s.flights != 0;
  const bool windows = s.smallest_window_bytes != TransferShape::kUnknownWindow;
  return Json{{"rtt_ns", ns_or_null(s.rtt_ns)},
              {"segments", s.segments},
              {"resent_segments", s.resent_segments},
              {"flights", nonzero_or_null(s.flights)},
              {"bursts", nonzero_or_null(s.bursts)},
              {"first_burst_bytes", if_known(flights, s.first_burst_bytes)},
              {"first_burst_segments", if_known(flights, s.first_burst_segments)},
              {"first_burst_shared", flights ? Json(s.first_burst_shared) : Json(nullptr)},
              {"largest_burst_bytes", if_known(flights, s.largest_burst_bytes)},
              {"rounds_ns", ns_or_null(s.rounds_ns)},
              {"pause_ns", ns_or_null(s.pause_ns)},
              {"resend_stall_ns", ns_or_null(s.resend_stall_ns)},
              {"window_stall_ns", ns_or_null(s.window_stall_ns)},
              {"held_ns", ns_or_null(s.held_ns)},
              {"window_limited_bursts", if_known(windows, s.window_limited_bursts)},
              {"smallest_window_bytes", if_known(windows, s.smallest_window_bytes)}};
}

Json stalls_json(const ExchangeStalls& s) {
  return Json{{"request_held_ns", ns_or_null(s.request_held_ns)},
              {"request_resend_ns", ns_or_null(s.request_resend_ns)},
              {"response_held_ns", ns_or_null(s.response_held_ns)},
              {"response_resend_ns", ns_or_null(s.response_resend_ns)},
              {"earlier_resend_ns", ns_or_null(s.earlier_resend_ns)},
              {"request_queued_ns", ns_or_null(s.request_queued_ns)}};
}

}  // namespace

Json dns_json(const Report& report, const DnsTransaction& t) {
  const bool answered = known(t.response_ns);
  return Json{{"client", endpoint(t.client)},
              {"server", endpoint(t.resolver)},
              {"transport", std::string(name(t.transport))},
              {"id", t.id},
              {"qname", text_or_null(t.qname)},
              {"qtype", t.has_question() ? Json(t.qtype) : Json(nullptr)},
              {"qclass", t.has_question() ? Json(t.qclass) : Json(nullptr)},
              {"edns_udp_size", nonzero_or_null(t.edns_size)},
              {"query_frames", frame_numbers(t.query_frames)},
              {"response_frame", frame_or_null(t.response_frame)},
              {"duplicate_response_frames", frame_numbers(t.duplicate_response_frames)},
              {"mirror_duplicates",
               Json{{"c2s", t.mirror_duplicates.c2s}, {"s2c", t.mirror_duplicates.s2c}}},
              {"query_time_ns", ns_or_null(t.first_query_ns)},
              {"response_time_ns", ns_or_null(t.response_ns)},
              {"rcode", answered ? Json(t.rcode & 0xf) : Json(nullptr)},
              {"rcode_extended", answered ? Json(t.rcode) : Json(nullptr)},
              {"answers", answers_json(t)},
              {"truncated", answered ? Json(t.truncated) : Json(nullptr)},
              {"malformed", t.malformed},
              {"latency_ns", ns_or_null(t.latency_ns())},
              {"resolver_ns", ns_or_null(t.resolver_ns())},
              {"outcome", std::string(name(t.outcome))},
              {"connection", connection_id(report.data.connection_index(t.connection))},
              {"service", text_or_null(service_name(report, t.service))}};
}

Json lookup_json(const Lookup& l) {
  Json transactions = Json::array();
  Json members = Json::array();
  for (const LookupMember& m : l.members) {
    const std::size_t transaction = m.transaction;
    transactions.push_back(transaction);
    members.push_back(Json{{"transaction", transaction},
                           {"role", std::string(name(m.role))},
                           {"answer", std::string(name(m.answer))}});
  }
  Json addresses = Json::array();
  for (const IpAddress& ip : l.addresses) addresses.push_back(ip.text());
  return Json{{"client_ip", l.client_ip.text()},
              {"qname", utf8(l.qname)},
              {"qtypes", l.qtypes},
              {"transactions", std::move(transactions)},
              {"members", std::move(members)},
              {"first_frame", frame_or_null(l.first_frame)},
              {"last_frame", frame_or_null(l.last_frame)},
              {"start_time_ns", ns_or_null(l.start_time_ns)},
              {"end_time_ns", ns_or_null(l.end_time_ns)},
              {"wait_ns", ns_or_null(l.wait_ns)},
              {"outcome", std::string(name(l.outcome))},
              {"released_by",
               l.released_by == Dataset::kNone ? Json(nullptr) : Json(std::size_t{l.released_by})},
              {"addresses", std::move(addresses)},
              {"addresses_left_out", l.addresses_left_out}};
}

Json body_bytes_or_null(const HttpTransaction& t) {
  const bool counted = known(t.response_first_ns) && t.response_body_bytes != kUnknownBodyBytes;
  return counted ? Json(t.response_body_bytes) : Json(nullptr);
}

/// Not known of a response whose framing the snaplen cut off and that the connection ended.
Json response_complete_or_null(const HttpTransaction& t) {
  const bool end_known = t.response_complete || t.response_body_bytes != kUnknownBodyBytes;
  return t.status != 0 && end_known ? Json(t.response_complete) : Json(nullptr);
}

/// `yes`, or what "no" is worth: nothing where it may lie in what was not captured.
Json yes_or(bool yes, bool no_is_known) { return yes || no_is_known ? Json(yes) : Json(nullptr); }

Json http_json(const Report& report, const HttpTransaction& t) {
  const bool responded = known(t.response_first_ns);
  return Json{{"connection", connection_id(report.data.connection_index(t.connection))},
              {"client", endpoint(t.client)},
              {"server", endpoint(t.server)},
              {"method", text_or_null(t.method)},
              {"host", text_or_null(t.host)},
              {"target", text_or_null(t.target)},
              {"status", nonzero_or_null(t.status)},
              {"request_frames", span_or_null(t.request_frames)},
              {"response_frames", span_or_null(t.response_frames)},
              {"request_time_ns", ns_or_null(t.request_first_ns)},
              {"request_ns", ns_or_null(t.request_ns())},
              {"server_wait_ns", ns_or_null(t.server_wait_ns())},
              {"server_think_ns", think_or_null(report, t.connection, t.server_wait_ns())},
              {"transfer_ns", ns_or_null(t.transfer_ns())},
              {"total_ns", ns_or_null(t.total_ns())},
              {"request_unreadable", t.request_unreadable},
              {"request_bytes", t.request_seen ? Json(t.request_bytes) : Json(nullptr)},
              {"response_bytes", responded ? Json(t.response_bytes) : Json(nullptr)},
              {"response_body_bytes", body_bytes_or_null(t)},
              {"response_shape", shape_json(t.response_shape)},
              {"stalls", stalls_json(t.stalls())},
              {"pipelined", yes_or(t.pipelined, t.request_seen && !t.resynchronised)},
              {"complete", t.request_complete && t.response_complete},
              {"request_complete", t.request_seen ? Json(t.request_complete) : Json(nullptr)},
              {"response_complete", response_complete_or_null(t)},
              {"resynchronised", t.resynchronised},
              {"early_response", yes_or(t.early_response, t.request_complete && responded)},
              {"keep_alive", t.keep_alive && t.status == 0 ? Json(nullptr) : Json(t.keep_alive)},
              {"ends_with_close", t.status == 0 ? Json(nullptr) : Json(t.ends_with_close)},
              {"interim_responses", t.interim_responses},
              {"content_type", text_or_null(t.content_type)},
              {"location", text_or_null(t.location)},
              {"referer", text_or_null(t.referer)},
              {"service", text_or_null(service_name(report, t.service))}};
}

Json alert_json(const TlsHandshake& t) {
  if (t.alert_frame == 0) return nullptr;
  return Json{{"from", t.alert_by_client ? "client" : "server"},
              {"description", t.alert},
              {"name", text_or_null(tls_alert(t.alert))},
              {"frame", t.alert_frame}};
}

Json tls_json(const Report& report, const TlsHandshake& t) {
  return Json{
      {"connection", connection_id(report.data.connection_index(t.connection))},
      {"client", endpoint(t.client)},
      {"server", endpoint(t.server)},
      {"sni", text_or_null(t.sni)},
      {"version", nonzero_or_null(t.version)},
      {"client_version", nonzero_or_null(t.client_version)},
      {"alpn", text_or_null(t.alpn)},
      {"alpn_offered", text_or_null(t.alpn_offered)},
      {"cipher", nonzero_or_null(t.cipher)},
      {"client_hello_frame", frame_or_null(t.client_hello_frames.last)},
      {"server_hello_frame", frame_or_null(t.server_hello_frames.last)},
      {"client_hello_frames", span_or_null(t.client_hello_frames)},
      {"server_hello_frames", span_or_null(t.server_hello_frames)},
      {"hello_retry_frame", frame_or_null(t.hello_retry_frame)},
      {"client_hello_time_ns", ns_or_null(t.client_hello_ns)},
      {"hello_ns", ns_or_null(t.hello_ns())},
      {"handshake_ns", ns_or_null(t.handshake_ns())},
      {"server_finished_ns", ns_or_null(elapsed_ns(t.client_hello_ns, t.server_finished_ns))},
      {"client_finished_ns", ns_or_null(elapsed_ns(t.client_hello_ns, t.client_finished_ns))},
      {"first_client_data_ns", ns_or_null(elapsed_ns(t.client_hello_ns, t.first_client_data_ns))},
      {"first_server_data_ns", ns_or_null(elapsed_ns(t.client_hello_ns, t.first_server_data_ns))},
      {"round_trips", nonzero_or_null(t.round_trips)},
      {"complete", t.complete()},
      {"alert", alert_json(t)},
      {"resumed", tri_state(t.resumed)},
      {"hello_retry", tri_state(t.hello_retry)},
      {"early_data_offered", tri_state(t.early_data_offered)},
      {"early_data_accepted", tri_state(t.early_data_accepted)},
      {"psk_offered", tri_state(t.psk_offered)},
      {"ech_offered", tri_state(t.ech_offered)},
      {"certificate_bytes", nonzero_or_null(t.certificate_bytes)},
      {"service", text_or_null(service_name(report, t.service))}};
}

Json database_json(const Report& report, const DatabaseTransaction& t) {
  const bool responded = known(t.response_first_ns);
  const bool rows = t.rows != DatabaseTransaction::kUnknownRows;
  const Json hash = fmt::format("{:016x}", t.fingerprint_hash);
  return Json{
      {"connection", connection_id(report.data.connection_index(t.connection))},
      {"client", endpoint(t.client)},
      {"server", endpoint(t.server)},
      {"protocol", std::string(name(t.protocol))},
      {"operation", text_or_null(t.operation)},
      {"fingerprint", text_or_null(t.fingerprint)},
      {"statement_name", t.name_only ? Json(std::string(t.statement_name)) : Json(nullptr)},
      {"fingerprint_hash", t.fingerprint_hash != 0 ? hash : Json(nullptr)},
      {"user", text_or_null(t.user)},
      {"database", text_or_null(t.database)},
      {"request_frames", span_or_null(t.request_frames)},
      {"response_frames", span_or_null(t.response_frames)},
      {"request_time_ns", ns_or_null(t.request_first_ns)},
      {"request_ns", ns_or_null(t.request_ns())},
      {"server_wait_ns", ns_or_null(t.server_wait_ns())},
      {"server_think_ns",
       t.waits_by_design ? Json(nullptr) : think_or_null(report, t.connection, t.server_wait_ns())},
      {"transfer_ns", ns_or_null(t.transfer_ns())},
      {"total_ns", ns_or_null(t.total_ns())},
      {"request_bytes", t.request_bytes},
      {"response_bytes", responded ? Json(t.response_bytes) : Json(nullptr)},
      {"stalls", stalls_json(t.stalls())},
      {"rows", rows ? Json(t.rows) : Json(nullptr)},
      {"error", responded ? yes_or(t.error, t.response_complete) : Json(nullptr)},
      {"error_code", text_or_null(t.error_code)},
      {"transaction_status",
       t.status != DatabaseStatus::unknown ? Json(std::string(name(t.status))) : Json(nullptr)},
      {"statements", t.statements},
      {"login", t.login},
      {"round_trips", t.login ? Json(t.round_trips) : Json(nullptr)},
      {"pipelined", yes_or(t.pipelined, !t.resynchronised)},
      {"depth", t.resynchronised ? Json(nullptr) : Json(t.depth)},
      {"waits_by_design", t.waits_by_design},
      {"no_reply", t.no_reply},
      {"complete", t.response_complete},
      {"resynchronised", t.resynchronised},
      {"text_cut", t.text_cut},
      {"service", text_or_null(service_name(report, t.service))}};
}

}  // namespace wirelag::report
