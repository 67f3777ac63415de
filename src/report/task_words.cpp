#include "task_words.hpp"

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/track/http/parser.hpp>

#include "database_words.hpp"
#include "format.hpp"
#include "tcp_words.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

/// What is known of a request without a response: silence is only claimed where it could be heard.
std::string unanswered(const Report& r, const HttpTransaction& t) {
  if (t.resynchronised) return "not known";
  const std::size_t i = r.data.connection_index(t.connection);
  if (i == Dataset::kNone) return "no answer yet";
  const Connection& c = r.data.connections()[i];
  if (c.half.s2c.packets == 0) return "not captured";
  return std::string(unfinished(r.data, t) ? kCaptureEnded : "no answer");
}

/// Empty where the response is complete, or may be.
std::string how_it_ended(const Report& r, const HttpTransaction& t) {
  if (t.status == 0) return unanswered(r, t);
  const bool end_known = t.response_body_bytes != kUnknownBodyBytes;
  if (t.response_complete || !end_known) return "";
  return std::string(unfinished(r.data, t) ? kCaptureEnded : "cut off");
}

std::string how_it_ended(const Report& r, const TlsHandshake& t) {
  if (t.alert_frame != 0) return "ended by an alert";
  if (unfinished(r.data, t)) return std::string(kCaptureEnded);
  return known(t.server_hello_ns) ? "cut off" : "no answer";
}

/// Of what cannot be read: the first exchange.
std::string how_it_ended(const Report& r, const Connection& c, const VisitNode& n) {
  return std::string(may_be_answered(r.data, c, n.start_ns) ? kCaptureEnded : "no answer");
}

}  // namespace

bool costs_more(const Report& r, const HttpTransaction& a, const HttpTransaction& b) {
  const auto in_vain = [&r](const HttpTransaction& t) {
    return t.unanswered() && !unfinished(r.data, t);
  };
  if (in_vain(a) != in_vain(b)) return in_vain(a);
  return a.total_ns() > b.total_ns();
}

std::string request(const HttpTransaction& t) {
  if (t.request_seen) return safe(t.method) + " " + safe(t.target);
  return t.request_unreadable ? "(request not readable)" : "(request not captured)";
}

std::string status(const Report& r, const HttpTransaction& t) {
  const std::string missing = how_it_ended(r, t);
  if (t.status == 0) return missing;
  std::string text = std::to_string(t.status);
  if (!missing.empty()) return text + ", " + missing;
  if (t.early_response) return text + ", early";
  if (t.pipelined) return text + ", pipelined";
  return text;
}

std::string how_it_ended(const Report& r, const VisitNode& n) {
  if (n.ended) return "";
  switch (n.kind) {
    case VisitNode::Kind::dns: return "";
    case VisitNode::Kind::connect: return not_opened(r, r.data.connections()[n.item]);
    case VisitNode::Kind::tls: return how_it_ended(r, r.data.tls()[n.item]);
    case VisitNode::Kind::query:
      return std::string(missing_response(r.data, r.data.database()[n.item]));
    case VisitNode::Kind::request:
      return n.item == Dataset::kNone ? how_it_ended(r, r.data.connections()[n.connection], n)
                                      : how_it_ended(r, r.data.http()[n.item]);
  }
  return "";
}

std::string tls_words(const TlsHandshake& t) {
  std::string text = tls_version(t.version != 0 ? t.version : t.client_version);
  if (t.version == 0) text += " offered";
  if (!t.sni.empty()) text += " with " + safe(t.sni);
  if (!t.alpn.empty()) text += ", ALPN " + safe(t.alpn);
  text += fmt::format(": ClientHello to ServerHello {} (frames {} / {})", duration(t.hello_ns()),
                      frames(t.client_hello_frames), frames(t.server_hello_frames));
  if (known(t.handshake_ns())) text += fmt::format(", handshake {}", duration(t.handshake_ns()));
  if (t.round_trips != 0) {
    text += fmt::format(" in {} round trip{}", t.round_trips, t.round_trips == 1 ? "" : "s");
  }
  if (t.resumed == TriState::yes) text += ", resumed";
  if (t.hello_retry == TriState::yes) text += ", one round trip more for a HelloRetryRequest";
  if (t.early_data_accepted == TriState::no) text += ", 0-RTT data refused";
  if (t.alert_frame != 0) {
    const std::string why = tls_alert(t.alert);
    text += fmt::format(", ended by the {}'s alert {} (frame {})",
                        t.alert_by_client ? "client" : "server",
                        why.empty() ? std::to_string(t.alert) : why, t.alert_frame);
  } else if (!known(t.server_hello_ns)) {
    text += ", no ServerHello captured";
  }
  return text;
}

}  // namespace wirelag::report
