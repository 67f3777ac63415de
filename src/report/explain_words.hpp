// A segment of a handshake in words. Used by text and HTML.
#pragma once

#include <string>

#include "explain.hpp"

namespace wirelag::report {

/// "seq 0 (raw 1852), no data"
[[nodiscard]] std::string numbers_words(const ExplainedSegment& segment);
[[nodiscard]] std::string window_words(const ExplainedSegment& segment);
/// "MSS 1460 B, SACK permitted, ..."; "none".
[[nodiscard]] std::string options_words(const TcpOptions& options, bool syn);
/// "client SYN-SENT -> ESTABLISHED, server SYN-RECEIVED"
[[nodiscard]] std::string states_words(const ExplainedSegment& segment);
/// The connect time and its parts; empty when it is not known.
[[nodiscard]] std::string connect_sum(const Connection& connection);
/// The half that is nearly nothing tells which side the capture point is at; empty when a half is
/// missing.
[[nodiscard]] std::string position(const Connection& connection);

}  // namespace wirelag::report
