// Plain words for what the transactions say in names and numbers: why a connection was opened, how
// a handshake ended, what a DNS answer did for the user. Used by text and JSON.
#pragma once

#include <string>
#include <string_view>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// As a table cell: what was unfinished when the capture ended (control/capture_end.hpp).
inline constexpr std::string_view kCaptureEnded = "capture ended";
/// The same in a sentence.
inline constexpr std::string_view kUnfinished = "unfinished when the capture ended";

/// Milliseconds since the first packet of the capture, as a table cell.
[[nodiscard]] std::string at_ms(const Report& report, TimeNs time_ns);

/// "TLS 1.3", "0x7f1c" for a version without a name here.
[[nodiscard]] std::string tls_version(std::uint16_t version);
/// "handshake_failure" (RFC 8446 section 6, RFC 5246 section 7.2); empty without a name here.
[[nodiscard]] std::string tls_alert(std::uint8_t description);
/// "SYN, ACK" in the order people say them; "none" without any.
[[nodiscard]] std::string tcp_flags(std::uint8_t flags);

/// Why the connection was opened, one clause: "others busy: the one open connection to this server
/// was waiting for a response, ...".
[[nodiscard]] std::string why_opened(const Report& report, const Channel& channel);
/// How an opening that did not complete ended, one clause; empty for a complete handshake.
[[nodiscard]] std::string why_incomplete(const Report& report, const Connection& connection);

/// Host, SNI or looked-up name of the connection's server, safe to print; may be empty.
[[nodiscard]] std::string server_name(const Report& report, std::size_t connection);
/// Name of the service a rule of the configuration gave it; empty when none did.
[[nodiscard]] std::string_view service_name(const Report& report, ServiceId service);

/// Index of the complete handshake with the largest connect time; without one, the first connection
/// of which any opening segment was kept; Dataset::kNone when there is neither.
[[nodiscard]] std::size_t slowest_handshake(const Report& report);

}  // namespace wirelag::report
