// When the operator changed something, so that the report can hold what came after against what was before.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag {

struct Mark {
  TimeNs time_ns = kUnknownNs;
  std::string what;  ///< in the operator's words: "http2 on"
  bool operator==(const Mark&) const = default;
};

/// "2018-04-11T04:13:20.05Z http2 on": a time in UTC (RFC 3339 section 5.6, up to nanoseconds), a blank, some
/// words. Nothing when it is anything else.
[[nodiscard]] std::optional<Mark> parse_mark(std::string_view text);
/// The same again, with nine digits behind the second.
[[nodiscard]] std::string print_mark(const Mark& mark);

}  // namespace wirelag
