#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include <wirelag/report/mark.hpp>

namespace wirelag {
namespace {

/// Takes `digits` digits and the character behind them off `text`; -1 when they are not there.
int take_number(std::string_view& text, std::size_t digits, char behind) {
  int value = -1;
  const char* end = text.data() + digits;
  if (text.size() <= digits || *end != behind || text[0] == '-') return -1;
  if (const auto read = std::from_chars(text.data(), end, value); read.ptr != end) return -1;
  text.remove_prefix(digits + 1);
  return value;
}

/// Up to nine digits behind the point, as nanoseconds; -1 when it is none.
DurationNs fraction_ns(std::string_view digits) {
  constexpr std::size_t kDigits = 9;
  if (digits.empty() || digits.size() > kDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return -1;
  }
  DurationNs value = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return value;
}

}  // namespace

std::optional<Mark> parse_mark(std::string_view text) {
  using namespace std::chrono;
  const std::size_t zone = text.find("Z ");
  if (zone == std::string_view::npos) return std::nullopt;
  if (text.find_first_not_of(" \t", zone + 2) == std::string_view::npos) return std::nullopt;
  std::string what(text.substr(zone + 2));
  std::string time(text.substr(0, zone));
  DurationNs part_ns = 0;
  if (const std::size_t point = time.find('.'); point != std::string::npos) {
    part_ns = fraction_ns(std::string_view(time).substr(point + 1));
    time.resize(point);
  }
  time += 'Z';
  std::string_view rest = time;
  const int y = take_number(rest, 4, '-');
  const int mon = take_number(rest, 2, '-');
  const int d = take_number(rest, 2, 'T');
  const int h = take_number(rest, 2, ':');
  const int min = take_number(rest, 2, ':');
  const int s = take_number(rest, 2, 'Z');
  if (y < 1970 || mon < 0 || d < 0 || h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59 ||
      part_ns < 0 || !rest.empty()) {
    return std::nullopt;
  }
  const year_month_day date{year(y), month(static_cast<unsigned>(mon)),
                            day(static_cast<unsigned>(d))};
  constexpr int kLastYear = 2200;  // nanoseconds in 64 bits end in 2262
  if (!date.ok() || y > kLastYear) return std::nullopt;
  const seconds since = sys_days(date).time_since_epoch() + hours(h) + minutes(min) + seconds(s);
  return Mark{since.count() * kSecondNs + part_ns, std::move(what)};
}

std::string print_mark(const Mark& mark) {
  using namespace std::chrono;
  const sys_seconds at{seconds(mark.time_ns / kSecondNs)};
  const sys_days days = floor<std::chrono::days>(at);
  const year_month_day date{days};
  const hh_mm_ss clock{at - days};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z {}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     mark.time_ns % kSecondNs, mark.what);
}

}  // namespace wirelag
