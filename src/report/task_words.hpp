// What a connection was used for, in a table's words. Used by text and HTML.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// A request without a response first, then by how long it took.
[[nodiscard]] bool costs_more(const Report& report, const HttpTransaction& a,
                              const HttpTransaction& b);
/// Method and target, or why they are not known.
[[nodiscard]] std::string request(const HttpTransaction& transaction);
/// "200", "404, cut off", "no answer", "capture ended".
[[nodiscard]] std::string status(const Report& report, const HttpTransaction& transaction);
/// What became of a step of a visit that did not end, as status() and the tables of its kind say it: "cut off",
/// "no answer", "capture ended". Empty where it ended, or where that is not known.
[[nodiscard]] std::string how_it_ended(const Report& report, const VisitNode& node);
/// One clause: version, name, times, round trips, how it failed.
[[nodiscard]] std::string tls_words(const TlsHandshake& handshake);

}  // namespace wirelag::report
