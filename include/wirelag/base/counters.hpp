// The counters of one worker or dispatcher: plain integers written by one thread. Declared in
// counters.def; copied into the Summary at an interval's end, so no other thread reads them here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wirelag {

enum class Counter : std::uint8_t {
#define X(symbol, unit, what, nonzero) symbol,
#include <wirelag/base/counters.def>
#undef X
  kCount
};

struct CounterInfo {
  std::string_view symbol;
  std::string_view unit;
  std::string_view what;
  std::string_view nonzero;  ///< what a value above 0 tells the operator, may be empty
};

[[nodiscard]] const CounterInfo& info(Counter counter);

struct Counters {
  std::array<std::uint64_t, static_cast<std::size_t>(Counter::kCount)> values{};

  void add(Counter c, std::uint64_t n = 1) { values[static_cast<std::size_t>(c)] += n; }
  [[nodiscard]] std::uint64_t of(Counter c) const { return values[static_cast<std::size_t>(c)]; }
  void merge(const Counters& other) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += other.values[i];
  }
};

}  // namespace wirelag
