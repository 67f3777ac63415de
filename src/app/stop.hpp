// Signals as flags. A handler only sets a flag; the loops look at it between bursts.
#pragma once

namespace wirelag::app {

/// SIGINT and SIGTERM ask for a clean stop, SIGUSR1 for a full report, SIGHUP for reopened logs.
void catch_stop_signals();
void catch_live_signals();

[[nodiscard]] bool stop_requested();
/// True once per signal received since the last call.
[[nodiscard]] bool take_report_request();
[[nodiscard]] bool take_reopen_request();

}  // namespace wirelag::app
