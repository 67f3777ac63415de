// How the report writes numbers, times and text from the wire. One place, so that every table and
// every sentence reads the same, and so that nothing from the wire reaches a terminal or a JSON
// parser as more than text.
//
// Control thread; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/ip.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag::report {

/// "-" stands for what was not seen or cannot be measured. It is never written as 0.
inline constexpr std::string_view kNone = "-";

/// Milliseconds with three decimals, rounded half away from zero, no unit: "6.062", "-0.074".
[[nodiscard]] std::string ms_number(DurationNs duration_ns);
/// The same with its unit; from 10 seconds on in seconds: "6.062 ms", "12.500 s".
[[nodiscard]] std::string duration(DurationNs duration_ns);
/// Three significant digits: "0.342 ms", "108 ms", "5.03 s"; from two hours on "2.5 h", "12 days".
[[nodiscard]] std::string rounded(DurationNs duration_ns);
/// Part of a whole as "99.2 %"; "-" when the whole is 0.
[[nodiscard]] std::string share(std::uint64_t part, std::uint64_t whole);
/// "2018-04-11 04:13:20.000000000 UTC"
[[nodiscard]] std::string utc(TimeNs time_ns);
/// "9474 B", "145.4 kB", "1.2 MB" (powers of 1000).
[[nodiscard]] std::string bytes(std::uint64_t n);
/// "1 packet", "116 packets"; `plural` when it is not the singular with an s.
[[nodiscard]] std::string count(std::uint64_t n, std::string_view noun,
                                std::string_view plural = {});

/// "8", "8-10", "-" for none.
[[nodiscard]] std::string frames(FrameSpan span);
/// "8,11,15", "-" when none is known (live traffic has no frame numbers).
[[nodiscard]] std::string frames(const std::vector<FrameNumber>& list);
/// A bounded list, with "+n" for those that no longer fitted.
template <class List>
[[nodiscard]] std::string frame_list(const List& list) {
  std::vector<FrameNumber> numbers;
  for (const FrameNumber f : list) {
    if (f != 0) numbers.push_back(f);
  }
  std::string text = frames(numbers);
  if (list.left_out() > 0 && !numbers.empty()) text += "+" + std::to_string(list.left_out());
  return text;
}

/// Printable ASCII only, for a terminal: every other byte becomes \xNN. Control characters cannot
/// move the cursor, set a colour or start a new line.
[[nodiscard]] std::string safe(std::string_view wire);
/// Valid UTF-8, for JSON: well-formed sequences (RFC 3629) stay, every other byte becomes the four
/// characters \xNN. ASCII stays as it is; the JSON library escapes control characters.
[[nodiscard]] std::string utf8(std::string_view wire);

/// Shortened at the end or in the middle with ".." so that it is at most `width` characters long.
[[nodiscard]] std::string clip_end(std::string_view text, std::size_t width);
[[nodiscard]] std::string clip_middle(std::string_view text, std::size_t width);
/// Likewise, of a text too long: a third of the width from its beginning, then the word that `at` is in
/// and what follows, as far as it fits.
[[nodiscard]] std::string clip_around(std::string_view text, std::size_t width, std::size_t at);

}  // namespace wirelag::report
