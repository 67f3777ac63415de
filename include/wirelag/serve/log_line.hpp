// One line of the summary log, before it is text or JSON: both are drawn from the same fields, so
// they cannot disagree.
//
//   text: 2026-01-02T03:04:05.678Z service scope=tcp/192.0.2.80:80 connections=12
//   connect_p50_us=6062.1 JSON:
//   {"time":"2026-01-02T03:04:05.678Z","kind":"service","scope":"tcp/192.0.2.80:80",
//          "connections":12,"connect_p50_ns":6062080}
//
// In text a duration is in microseconds (key ends in _us) and a range of durations in milliseconds
// (_ms, low..high); in JSON both are integer nanoseconds (_ns). What is not known has no field.
// A text value that holds blanks, quotes, '=' or anything beyond printable ASCII stands in quotes,
// with the escapes of a JSON string.
//
// Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag {

class LogLine {
 public:
  /// `kind`: "appliance", "service", "finding", "more".
  LogLine(TimeNs time_ns, std::string_view kind) : time_ns_(time_ns), kind_(kind) {}

  LogLine& text(std::string_view key, std::string_view value);
  LogLine& number(std::string_view key, std::int64_t value);
  /// `decimals` are shown in text; JSON has the number as it is.
  LogLine& real(std::string_view key, double value, int decimals);
  /// `key` without a unit; nothing is added when the duration is unknown.
  LogLine& duration(std::string_view key, DurationNs ns);
  LogLine& range(std::string_view key, DurationNs low_ns, DurationNs high_ns);

  /// Both end with a newline.
  [[nodiscard]] std::string as_text() const;
  [[nodiscard]] std::string as_json() const;

 private:
  struct Real {
    double value;
    int decimals;
  };
  struct Duration {
    DurationNs ns;
  };
  struct Range {
    DurationNs low_ns;
    DurationNs high_ns;
  };
  struct Field {
    std::string key;
    std::variant<std::string, std::int64_t, Real, Duration, Range> value;
  };

  LogLine& add(std::string_view key, decltype(Field::value) value);

  TimeNs time_ns_;
  std::string kind_;
  std::vector<Field> fields_;
};

/// RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z. Unknown: "unknown".
[[nodiscard]] std::string rfc3339(TimeNs time_ns);

}  // namespace wirelag
