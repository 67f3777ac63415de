#include "format.hpp"

#include <ctime>

#include <fmt/format.h>

namespace wirelag::report {
namespace {

void append_escaped(std::string& out, std::uint8_t byte) { out += fmt::format("\\x{:02x}", byte); }

/// Length of the well-formed UTF-8 sequence that starts at `at` (RFC 3629 section 4), 0 when none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint8_t {
    return at + i < text.size() ? static_cast<std::uint8_t>(text[at + i]) : 0;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// `value / unit` with three decimals, rounded half away from zero, without floating point.
std::string thousandths(std::int64_t value, std::int64_t unit) {
  const bool negative = value < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto step = static_cast<std::uint64_t>(unit / 1000);
  const std::uint64_t rounded = (magnitude + step / 2) / step;
  return fmt::format("{}{}.{:03}", negative && rounded > 0 ? "-" : "", rounded / 1000,
                     rounded % 1000);
}

}  // namespace

std::string ms_number(DurationNs duration_ns) {
  if (!known(duration_ns)) return std::string(kNone);
  return thousandths(duration_ns, kMillisecondNs);
}

std::string duration(DurationNs duration_ns) {
  if (!known(duration_ns)) return std::string(kNone);
  if (duration_ns >= 10 * kSecondNs) return thousandths(duration_ns, kSecondNs) + " s";
  return ms_number(duration_ns) + " ms";
}

std::string rounded(DurationNs duration_ns) {
  if (!known(duration_ns)) return std::string(kNone);
  constexpr DurationNs kHour = 3600 * kSecondNs;
  const double hours = static_cast<double>(duration_ns) / static_cast<double>(kHour);
  if (hours >= 48) return fmt::format("{:.0f} days", hours / 24);
  if (hours >= 2) return fmt::format("{:.1f} h", hours);
  const bool in_seconds = duration_ns >= kSecondNs || duration_ns <= -kSecondNs;
  const double value = static_cast<double>(duration_ns) /
                       static_cast<double>(in_seconds ? kSecondNs : kMillisecondNs);
  const double magnitude = value < 0 ? -value : value;
  const int decimals = magnitude >= 99.95    ? 0
                       : magnitude >= 9.995  ? 1
                       : magnitude >= 0.9995 ? 2
                                             : 3;
  if (magnitude < 0.0005) return "0 ms";
  return fmt::format("{:.{}f} {}", value, decimals, in_seconds ? "s" : "ms");
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::string(kNone);
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string utc(TimeNs time_ns) {
  if (!known(time_ns)) return std::string(kNone);
  std::int64_t seconds = time_ns / kSecondNs;
  std::int64_t rest = time_ns % kSecondNs;
  if (rest < 0) {
    --seconds;
    rest += kSecondNs;
  }
  const std::time_t t = seconds;
  std::tm parts{};
  if (gmtime_r(&t, &parts) == nullptr) return std::string(kNone);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09} UTC", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest);
}

std::string bytes(std::uint64_t n) {
  if (n < 10'000) return fmt::format("{} B", n);
  static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(n) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string count(std::uint64_t n, std::string_view noun, std::string_view plural) {
  if (n == 1) return fmt::format("1 {}", noun);
  return plural.empty() ? fmt::format("{} {}s", n, noun) : fmt::format("{} {}", n, plural);
}

std::string frames(FrameSpan span) {
  if (span.first == 0) return std::string(kNone);
  if (span.first == span.last || span.last == 0) return fmt::format("{}", span.first);
  return fmt::format("{}-{}", span.first, span.last);
}

std::string frames(const std::vector<FrameNumber>& list) {
  std::string text;
  for (const FrameNumber f : list) {
    if (f == 0) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(f);
  }
  return text.empty() ? std::string(kNone) : text;
}

std::string safe(std::string_view wire) {
  std::string out;
  out.reserve(wire.size());
  for (const char c : wire) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      append_escaped(out, byte);
    }
  }
  return out;
}

std::string utf8(std::string_view wire) {
  std::string out;
  out.reserve(wire.size());
  for (std::size_t i = 0; i < wire.size();) {
    const std::size_t length = utf8_length(wire, i);
    if (length == 0) {
      append_escaped(out, static_cast<std::uint8_t>(wire[i++]));
    } else {
      out.append(wire.substr(i, length));
      i += length;
    }
  }
  return out;
}

std::string clip_end(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width <= 2) return std::string(width, '.');
  return std::string(text.substr(0, width - 2)) + "..";
}

std::string clip_middle(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width <= 2) return std::string(width, '.');
  const std::size_t head = (width - 2) / 2;
  const std::size_t tail = width - 2 - head;
  return std::string(text.substr(0, head)) + ".." + std::string(text.substr(text.size() - tail));
}

std::string clip_around(std::string_view text, std::size_t width, std::size_t at) {
  if (text.size() <= width) return std::string(text);
  if (width <= 2) return std::string(width, '.');
  const std::size_t head = width / 3;
  const std::size_t room = width - 2 - head;
  const std::size_t space = text.substr(0, at).rfind(' ');
  std::size_t from = space == std::string_view::npos ? at : space + 1;
  if (at - from + 2 >= room) from = at;  // the word alone is too long
  from = std::min(std::max(from, head), text.size() - room);
  return std::string(text.substr(0, head)) + ".." + clip_end(text.substr(from), room);
}

}  // namespace wirelag::report
