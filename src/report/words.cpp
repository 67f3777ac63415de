#include "words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>

#include "format.hpp"

namespace wirelag::report {
namespace {

std::string tries(const Connection& c) {
  const std::uint64_t syns = c.syns();
  if (syns == 1) return "1 SYN";
  return fmt::format("{} over {}", count(syns, "SYN"),
                     duration(elapsed_ns(c.start_time_ns, c.last_time_ns)));
}

/// Last SYN before the RST that answered it -> that RST.
DurationNs refused_after_ns(const Connection& c) {
  TimeNs syn = kUnknownNs;
  for (const HandshakeSegment& s : c.handshake()) {
    if (s.direction == Direction::c2s && (s.flags & tcp_flag::syn)) syn = s.time_ns;
    if (s.direction == Direction::s2c && (s.flags & tcp_flag::rst))
      return elapsed_ns(syn, s.time_ns);
  }
  return kUnknownNs;
}

/// "both other connections to this server were busy", "1 of 3 other connections ... was busy".
/// Busy: a request unanswered or a handshake going on.
std::string others(std::size_t some, std::size_t open, std::string_view was,
                   std::string_view were) {
  if (open == 1 && some == 1) return fmt::format("the other connection to this server {}", was);
  if (some < open) {
    return fmt::format("{} of {} other connections to this server {}", some, open,
                       some == 1 ? was : were);
  }
  return fmt::format("{} other connections to this server {}",
                     open == 2 ? std::string("both") : fmt::format("all {}", open), were);
}

}  // namespace

std::string at_ms(const Report& report, TimeNs time_ns) {
  if (!known(time_ns) || !known(report.capture.first_time_ns)) return std::string(kNone);
  return ms_number(time_ns - report.capture.first_time_ns);
}

std::string tls_alert(std::uint8_t description) {
  switch (description) {
    case 10: return "unexpected_message";
    case 20: return "bad_record_mac";
    case 22: return "record_overflow";
    case 40: return "handshake_failure";
    case 42: return "bad_certificate";
    case 43: return "unsupported_certificate";
    case 44: return "certificate_revoked";
    case 45: return "certificate_expired";
    case 46: return "certificate_unknown";
    case 47: return "illegal_parameter";
    case 48: return "unknown_ca";
    case 49: return "access_denied";
    case 50: return "decode_error";
    case 51: return "decrypt_error";
    case 70: return "protocol_version";
    case 71: return "insufficient_security";
    case 80: return "internal_error";
    case 86: return "inappropriate_fallback";
    case 109: return "missing_extension";
    case 110: return "unsupported_extension";
    case 112: return "unrecognized_name";
    case 113: return "bad_certificate_status_response";
    case 115: return "unknown_psk_identity";
    case 116: return "certificate_required";
    case 120: return "no_application_protocol";
    default: return {};
  }
}

std::string tls_version(std::uint16_t version) {
  switch (version) {
    case 0: return std::string(kNone);
    case 0x0002: return "SSL 2";
    case 0x0300: return "SSL 3";
    case 0x0301: return "TLS 1.0";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    default: break;
  }
  // RFC 8446 section 4.2.1.1 of its drafts: 0x7f then the number of the draft.
  if (version >> 8 == 0x7f) return fmt::format("TLS 1.3 draft {}", version & 0xff);
  return fmt::format("0x{:04x}", version);
}

std::string tcp_flags(std::uint8_t flags) {
  static constexpr struct {
    std::uint8_t bit;
    std::string_view name;
  } kNames[] = {{tcp_flag::syn, "SYN"}, {tcp_flag::fin, "FIN"}, {tcp_flag::rst, "RST"},
                {tcp_flag::psh, "PSH"}, {tcp_flag::ack, "ACK"}, {tcp_flag::urg, "URG"},
                {tcp_flag::ece, "ECE"}, {tcp_flag::cwr, "CWR"}};
  std::string text;
  for (const auto& flag : kNames) {
    if (!(flags & flag.bit)) continue;
    if (!text.empty()) text += ", ";
    text += flag.name;
  }
  return text.empty() ? "none" : text;
}

std::string why_opened(const Report& report, const Channel& channel) {
  const Connection& c = report.data.connections()[channel.connection];
  switch (channel.purpose) {
    case ChannelPurpose::first_contact:
      return "first contact: this client had no connection to this server yet";
    case ChannelPurpose::others_busy:
      return fmt::format(
          "others busy: {}{}",
          others(channel.others_busy, channel.others_open, "was busy", "were busy"),
          c.protocol == Protocol::http1
              ? "; HTTP/1.1 answers in order, so fetching more at once takes another connection"
              : "");
    case ChannelPurpose::parallel:
      return "parallel: opened although " +
             others(channel.others_open - std::min(channel.others_busy, channel.others_open),
                    channel.others_open, "was idle", "were idle");
    case ChannelPurpose::reopened:
      return "reopened: an earlier connection to this server had been closed";
    case ChannelPurpose::unused:
      if (channel.others_open == 0) {
        return "opened and not used: it carried no request before the capture ended";
      }
      return fmt::format(
          "opened and not used: it carried no request before the capture ended; at its "
          "SYN {} of {} to this server {} busy",
          channel.others_busy, count(channel.others_open, "other connection"),
          channel.others_busy == 1 ? "was" : "were");
    case ChannelPurpose::retry_after_failure:
      return "retry: the attempt before was refused or unanswered";
    case ChannelPurpose::unknown:
      if (c.state == ConnectionState::midstream) {
        return "not known: the connection was open before the capture began";
      }
      return channel.others_open > 0
                 ? "not known: what the client's other connections were doing cannot be seen"
                 : "not known: the connections to this server before it fell silent without an end";
  }
  return "not known";
}

std::string why_incomplete(const Report& r, const Connection& c) {
  if (unfinished(r.data, c)) {
    return fmt::format("{}: {} {} before that", kUnfinished,
                       !c.syn_ack_seen() ? "its SYN was sent" : "it began",
                       duration(elapsed_ns(c.start_time_ns, r.data.ended_ns())));
  }
  switch (c.state) {
    case ConnectionState::complete: return "";
    case ConnectionState::synack_no_ack:
      return "the server answered the SYN, but the client never acknowledged the SYN-ACK";
    case ConnectionState::refused: {
      const DurationNs after = refused_after_ns(c);
      return known(after) ? fmt::format("refused: RST answered the SYN after {}", duration(after))
                          : "refused: RST answered the SYN";
    }
    case ConnectionState::syn_unanswered:
      if (server_not_captured(c)) {
        return "only the client's packets were captured: it went on as if it had been answered";
      }
      return fmt::format("unanswered: {}, nothing came back", tries(c));
    case ConnectionState::syn_no_synack:
      return "packets came from the server, but no SYN-ACK was captured";
    case ConnectionState::simultaneous_open:
      return "simultaneous open: both sides sent a SYN (RFC 9293 section 3.5)";
    case ConnectionState::no_syn_seen:
      return "the capture has the SYN-ACK, but not the SYN before it";
    case ConnectionState::midstream: return "midstream: it was open before the capture began";
  }
  return "";
}

std::string server_name(const Report& report, std::size_t connection) {
  if (connection >= report.correlation.channels.size()) return "";
  return safe(report.correlation.channels[connection].name);
}

std::string_view service_name(const Report& report, ServiceId service) {
  return service < report.service_names.size() ? std::string_view(report.service_names[service])
                                               : std::string_view();
}

std::size_t slowest_handshake(const Report& report) {
  const Transactions<Connection>& all = report.data.connections();
  std::size_t slowest = Dataset::kNone;
  std::size_t any = Dataset::kNone;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Connection& c = all[i];
    const bool opening_seen =
        c.state != ConnectionState::midstream && (!c.opened.empty() || !c.segments.empty());
    if (any == Dataset::kNone && opening_seen) any = i;
    if (c.state != ConnectionState::complete || !known(c.connect_time_ns)) continue;
    if (slowest == Dataset::kNone || c.connect_time_ns > all[slowest].connect_time_ns) slowest = i;
  }
  return slowest != Dataset::kNone ? slowest : any;
}

}  // namespace wirelag::report
