#include "finding_words.hpp"

#include <fmt/format.h>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {

std::string interval(const Interval& saving) {
  const std::string low = rounded(saving.low_ns);
  const std::string high = rounded(saving.high_ns);
  if (low == high) return high;
  const auto unit = [](const std::string& s) { return s.substr(s.find(' ')); };
  if (unit(low) != unit(high)) return low + " .. " + high;
  return low.substr(0, low.find(' ')) + " .. " + high;
}

std::string saving(const Finding& f) {
  if (f.capacity_only) return "saves load, not time";
  if (f.saving.low_ns == f.saving.high_ns) return "saves " + duration(f.saving.low_ns);
  return fmt::format("saves {} .. {}", ms_number(f.saving.low_ns), duration(f.saving.high_ns));
}

std::string confidence_word(const Finding& f) {
  return f.confidence == "A"   ? "A: seen directly, often enough"
         : f.confidence == "B" ? "B: good, with a reservation"
                               : "C: a first hint";
}

std::string affected(const Finding& f) {
  const double percent = 100 * f.affected_share;
  const bool hardly_any = f.affected_actions > 0 && percent < 1;
  return fmt::format("{} ({} % of {})",
                     count(f.affected_actions, f.capacity_only ? "action" : "visit"),
                     hardly_any ? "under 1" : fmt::format("{:.0f}", percent),
                     f.capacity_only ? "those it looked at" : "all");
}

std::string evidence_line(const Report& r, const Evidence& e) {
  std::string text = safe(e.what);
  if (e.connection != Dataset::kNone)
    text += fmt::format(" (#{})", Dataset::connection_id(e.connection));
  const std::string numbers = frames(e.frames);
  if (numbers != kNone) text += ": frames " + numbers;
  if (known(e.time_ns)) text += fmt::format(", at {} ms", at_ms(r, e.time_ns));
  if (known(e.duration_ns)) text += fmt::format(", took {}", duration(e.duration_ns));
  return text;
}

}  // namespace wirelag::report
