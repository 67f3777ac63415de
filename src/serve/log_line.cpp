#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <wirelag/serve/log_line.hpp>

namespace wirelag {
namespace {

using nlohmann::ordered_json;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

/// Bytes that are not UTF-8 become U+FFFD; the rest beyond ASCII is escaped.
std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string quoted_when_odd(const std::string& value) {
  bool plain = !value.empty();
  for (const char c : value)
    plain = plain && c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  return plain ? value : dump(value);
}

double milliseconds(DurationNs ns) {
  return static_cast<double>(ns) / static_cast<double>(kMillisecondNs);
}

}  // namespace

LogLine& LogLine::add(std::string_view key, decltype(Field::value) value) {
  fields_.push_back({std::string(key), std::move(value)});
  return *this;
}

LogLine& LogLine::text(std::string_view key, std::string_view value) {
  return add(key, std::string(value));
}
LogLine& LogLine::number(std::string_view key, std::int64_t value) { return add(key, value); }
LogLine& LogLine::real(std::string_view key, double value, int decimals) {
  return add(key, Real{value, decimals});
}
LogLine& LogLine::duration(std::string_view key, DurationNs ns) {
  return known(ns) ? add(key, Duration{ns}) : *this;
}
LogLine& LogLine::range(std::string_view key, DurationNs low_ns, DurationNs high_ns) {
  return add(key, Range{low_ns, high_ns});
}

std::string LogLine::as_text() const {
  std::string line = rfc3339(time_ns_) + ' ' + kind_;
  for (const Field& field : fields_) {
    line += ' ' + field.key;
    line += std::visit(
        Overloaded{
            [](const std::string& v) { return '=' + quoted_when_odd(v); },
            [](std::int64_t v) { return fmt::format("={}", v); },
            [](const Real& v) { return fmt::format("={:.{}f}", v.value, v.decimals); },
            [](const Duration& v) { return fmt::format("_us={:.1f}", milliseconds(v.ns) * 1000); },
            [](const Range& v) {
              return fmt::format("_ms={:.1f}..{:.1f}", milliseconds(v.low_ns),
                                 milliseconds(v.high_ns));
            },
        },
        field.value);
  }
  return line + '\n';
}

std::string LogLine::as_json() const {
  ordered_json line = {{"time", rfc3339(time_ns_)}, {"kind", kind_}};
  for (const Field& field : fields_) {
    std::visit(Overloaded{
                   [&](const std::string& v) { line[field.key] = v; },
                   [&](std::int64_t v) { line[field.key] = v; },
                   [&](const Real& v) { line[field.key] = v.value; },
                   [&](const Duration& v) { line[field.key + "_ns"] = v.ns; },
                   [&](const Range& v) {
                     line[field.key + "_low_ns"] = v.low_ns;
                     line[field.key + "_high_ns"] = v.high_ns;
                   },
               },
               field.value);
  }
  return dump(line) + '\n';
}

std::string rfc3339(TimeNs time_ns) {
  if (!known(time_ns)) return "unknown";
  TimeNs ns_of_second = time_ns % kSecondNs;
  if (ns_of_second < 0) ns_of_second += kSecondNs;
  const auto seconds = static_cast<std::time_t>((time_ns - ns_of_second) / kSecondNs);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     ns_of_second / kMillisecondNs);
}

}  // namespace wirelag
