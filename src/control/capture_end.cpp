#include <algorithm>

#include <wirelag/control/capture_end.hpp>

namespace wirelag {
namespace {

constexpr DurationNs kFirstQueryTimeoutNs = 5 * kSecondNs;
constexpr DurationNs kAnswerDueNs = 1 * kSecondNs;
/// Questions sent this close together are one attempt, as in LookupLimits::other_type_ns.
constexpr DurationNs kOneAttemptNs = 100 * kMillisecondNs;

/// When the capture ended, less than `timeout_ns` had passed since.
bool too_early(const Dataset& data, TimeNs since_ns, DurationNs timeout_ns) {
  const DurationNs waited_ns = elapsed_ns(since_ns, data.ended_ns());
  return known(waited_ns) && waited_ns < timeout_ns;
}

const Connection* connection_of(const Dataset& data, ConnectionKey number) {
  const std::size_t i = data.connection_index(number);
  return i == Dataset::kNone ? nullptr : &data.connections()[i];
}

/// No answer can come any more. After the client's FIN alone one can (RFC 9293 section 3.6).
bool is_over(const Connection& c) {
  const bool waits = c.close == CloseKind::open || c.close == CloseKind::fin_client;
  return !waits || c.end == ConnectionEnd::port_reused;
}

}  // namespace

TimeNs watched_until_ns(const Dataset& data, const Connection& c) {
  return is_over(c) ? c.last_time_ns : data.ended_ns();
}

bool may_be_answered(const Dataset& data, const Connection& c, TimeNs last_ns) {
  return c.end == ConnectionEnd::capture_end && !is_over(c) &&
         too_early(data, last_ns, kAnswerDueNs);
}

bool unfinished(const Dataset& data, const Connection& c) {
  const bool still_open = c.end == ConnectionEnd::capture_end && c.close == CloseKind::open;
  if (!still_open || c.syns() > 1 || c.syn_acks() > 1) return false;
  switch (c.state) {
    case ConnectionState::syn_unanswered:
      return !server_not_captured(c) && too_early(data, c.start_time_ns, kFirstSynTimeoutNs);
    case ConnectionState::syn_no_synack:
      return too_early(data, c.start_time_ns, kFirstSynTimeoutNs);
    case ConnectionState::synack_no_ack:  // the server's timer runs from its SYN-ACK
      return too_early(data, c.last_time_ns, kFirstSynTimeoutNs);
    default: return false;
  }
}

bool unfinished(const Dataset& data, const HttpTransaction& h) {
  if (!h.request_seen || h.resynchronised || h.response_complete) return false;
  const Connection* const c = connection_of(data, h.connection);
  return c != nullptr && may_be_answered(data, *c, std::max(h.request_last_ns, h.response_last_ns));
}

bool unfinished(const Dataset& data, const DatabaseTransaction& t) {
  if (t.no_reply || t.response_complete) return false;
  if (t.resynchronised && !known(t.response_first_ns)) return false;
  const Connection* const c = connection_of(data, t.connection);
  return c != nullptr && may_be_answered(data, *c, std::max(t.request_last_ns, t.response_last_ns));
}

bool unfinished(const Dataset& data, const TlsHandshake& t) {
  if (t.alert_frame != 0 || t.complete()) return false;
  const Connection* const c = connection_of(data, t.connection);
  return c != nullptr && may_be_answered(data, *c, std::max(t.client_hello_ns, t.server_hello_ns));
}

bool unfinished(const Dataset& data, const DnsTransaction& t) {
  if (t.outcome != DnsOutcome::unanswered || t.resent() > 0) return false;
  if (!too_early(data, t.first_query_ns, kFirstQueryTimeoutNs)) return false;
  const Connection* const c = connection_of(data, t.connection);
  return c == nullptr || (c->end == ConnectionEnd::capture_end && !is_over(*c));
}

bool unfinished(const Dataset& data, const Lookup& l) {
  if (l.outcome != DnsOutcome::unanswered) return false;
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = data.dns()[m.transaction];
    if (t.outcome != DnsOutcome::unanswered) continue;
    if (!unfinished(data, t)) return false;
    first_ns = known(first_ns) ? std::min(first_ns, t.first_query_ns) : t.first_query_ns;
    last_ns = std::max(last_ns, t.first_query_ns);
  }
  return known(first_ns) && last_ns - first_ns <= kOneAttemptNs;
}

bool unfinished(const Dataset& data, const Lookup& l, const DnsTransaction& t) {
  return unfinished(data, t) &&
         std::none_of(l.members.begin(), l.members.end(), [&](const LookupMember& m) {
           const TimeNs asked_ns = data.dns()[m.transaction].first_query_ns;
           return elapsed_ns(t.first_query_ns, asked_ns) > kOneAttemptNs;
         });
}

}  // namespace wirelag
