// What a connection was used for, in a table's words. Used by text and HTML.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// A request without a response first, then by how long it took.
[[nodiscard]] bool costs_more(const HttpTransaction& a, const HttpTransaction& b);
/// Method and target, or why they are not known.
[[nodiscard]] std::string request(const HttpTransaction& transaction);
/// "200", "404, cut off", "no answer", "capture ended".
[[nodiscard]] std::string status(const Report& report, const HttpTransaction& transaction);
/// One clause: version, name, times, round trips, how it failed.
[[nodiscard]] std::string tls_words(const TlsHandshake& handshake);

}  // namespace wirelag::report
