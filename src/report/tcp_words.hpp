// A connection in a table's words. Used by text and HTML.
#pragma once

#include <string>

#include <wirelag/control/phases.hpp>
#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// It was not opened within the capture.
[[nodiscard]] bool unopened(const Connection& connection);
/// It could not be opened: that, unless it was unfinished when the capture ended.
[[nodiscard]] bool failed(const Report& report, const Connection& connection);
/// Why it was not opened: "refused", "not answered", "capture ended".
[[nodiscard]] std::string not_opened(const Report& report, const Connection& connection);
/// Failed ones first, then by connect time.
[[nodiscard]] bool costs_more(const Report& report, const Connection& a, const Connection& b);
/// "complete", "refused", "capture ended".
[[nodiscard]] std::string state(const Report& report, const Connection& connection);
/// SYN / SYN-ACK / ACK: "8 / 9 / 10".
[[nodiscard]] std::string handshake_frames(const Connection& connection);
/// Waiting for resends in the handshake in milliseconds; empty when there was none.
[[nodiscard]] std::string resend_wait(const Connection& connection);
/// "5"; "-" for what TLS hides.
[[nodiscard]] std::string task_count(const Channel& channel);
/// Bytes and packets both ways, resends, how it was closed.
[[nodiscard]] std::string traffic(const Connection& connection);
/// The phases that took time, in the order of their names: "connect 6.062 ms, request 0.2 ms, ...".
[[nodiscard]] std::string whereabouts(const ConnectionPhases& phases);
/// What a connection without HTTP and DNS was for, or why no task is known of it.
[[nodiscard]] std::string other_tasks(const Connection& connection, const Channel& channel);
/// "5 connections: 5 complete. 8 HTTP requests on 3 of them; 2 carried none."
[[nodiscard]] std::string channel_totals(const Report& report);

}  // namespace wirelag::report
