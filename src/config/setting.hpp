// One key of the configuration: how it is read from TOML, printed and described. The functions
// below make a setting from a member of its owner: the kinds of values there are.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <wirelag/base/types.hpp>

// A member of the owner, as the functions below want it.
#define MEMBER(path) \
  [](auto& owner) -> auto& { return owner.path; }

namespace wirelag::config {

inline constexpr std::int64_t kMega = 1 << 20;

template <class Owner>
struct Setting {
  std::string_view name;     ///< "idle_timeout_s"
  std::string_view unit;     ///< "seconds", may be empty
  std::string_view meaning;  ///< one line
  std::string expected;      ///< "an integer from 1 to 128"
  /// False: the node is not what is expected, nothing was changed.
  std::function<bool(const toml::node&, Owner&)> read;
  /// The value as TOML.
  std::function<std::string(const Owner&)> print;
  bool required = false;
};

template <class Owner>
struct Section {
  std::string_view name;  ///< "tcp", "rule.dns-redundant-fanout"
  std::string_view meaning;
  std::vector<Setting<Owner>> settings;
  std::string_view source = {};  ///< where its thresholds come from: "RFC 6298 section 2.1"
};

/// A value as TOML writes it, with its quotes and escapes.
template <class Node>
std::string as_toml(const Node& node) {
  std::ostringstream out;
  out << toml::toml_formatter(node, toml::format_flags::quote_dates_and_times);
  return out.str();
}

// In all of these `member` is a generic lambda from the owner to the member.

template <class Owner, class Member>
Setting<Owner> integer(std::string_view name, std::string_view unit, std::int64_t low,
                       std::int64_t high, std::string_view meaning, Member member) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) return false;
    auto& target = member(owner);
    target = static_cast<std::remove_reference_t<decltype(target)>>(*value);
    return true;
  };
  const auto print = [=](const Owner& owner) { return fmt::format("{}", member(owner)); };
  return {name, unit, meaning, fmt::format("an integer from {} to {}", low, high), read, print};
}

template <class Owner, class Member>
Setting<Owner> number(std::string_view name, std::string_view unit, double low, double high,
                      std::string_view meaning, Member member) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto value = node.is_number() ? node.value<double>() : std::optional<double>();
    if (!value || !(*value >= low && *value <= high)) return false;
    member(owner) = *value;
    return true;
  };
  const auto print = [=](const Owner& owner) { return fmt::format("{}", member(owner)); };
  return {name, unit, meaning, fmt::format("a number from {} to {}", low, high), read, print};
}

/// A DurationNs, in TOML a number of seconds, milliseconds or microseconds.
template <class Owner, class Member>
Setting<Owner> duration(std::string_view name, DurationNs unit_ns, double low, double high,
                        std::string_view meaning, Member member) {
  const auto scale = static_cast<double>(unit_ns);
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto value = node.is_number() ? node.value<double>() : std::optional<double>();
    if (!value || !(*value >= low && *value <= high)) return false;
    member(owner) = static_cast<DurationNs>(std::llround(*value * scale));
    return true;
  };
  const auto print = [=](const Owner& owner) {
    return fmt::format("{}", static_cast<double>(member(owner)) / scale);
  };
  const std::string_view unit = unit_ns == kSecondNs        ? "seconds"
                                : unit_ns == kMillisecondNs ? "milliseconds"
                                                            : "microseconds";
  return {name, unit, meaning, fmt::format("a number from {} to {}", low, high), read, print};
}

template <class Owner, class Member>
Setting<Owner> flag(std::string_view name, std::string_view meaning, Member member) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto value = node.value_exact<bool>();
    if (value) member(owner) = *value;
    return value.has_value();
  };
  const auto print = [=](const Owner& owner) { return member(owner) ? "true" : "false"; };
  return {name, "", meaning, "true or false", read, print};
}

/// A text that `accept` (std::string_view -> bool) takes, `expected` says which.
template <class Owner, class Member, class Accept>
Setting<Owner> text(std::string_view name, std::string expected, std::string_view meaning,
                    Member member, Accept accept) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto value = node.value_exact<std::string>();
    if (!value || !accept(*value)) return false;
    member(owner) = *value;
    return true;
  };
  const auto print = [=](const Owner& owner) { return as_toml(toml::value(member(owner))); };
  return {name, "", meaning, std::move(expected), read, print};
}

template <class Owner, class Member>
Setting<Owner> texts(std::string_view name, std::string_view meaning, Member member) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const toml::array* list = node.as_array();
    if (list == nullptr) return false;
    std::vector<std::string> values;
    for (const toml::node& item : *list) {
      const auto value = item.value_exact<std::string>();
      if (!value) return false;
      values.push_back(*value);
    }
    member(owner) = std::move(values);
    return true;
  };
  const auto print = [=](const Owner& owner) {
    toml::array list;
    for (const std::string& value : member(owner)) list.push_back(value);
    return as_toml(list);
  };
  return {name, "", meaning, "a list of texts", read, print};
}

template <class Owner, class Member>
Setting<Owner> marks(std::string_view name, std::string_view meaning, Member member) {
  const auto read = [=](const toml::node& node, Owner& owner) {
    const toml::array* list = node.as_array();
    if (list == nullptr) return false;
    std::vector<Mark> values;
    for (const toml::node& item : *list) {
      std::optional<Mark> mark = parse_mark(item.value_exact<std::string>().value_or(""));
      if (!mark) return false;
      values.push_back(std::move(*mark));
    }
    member(owner) = std::move(values);
    return true;
  };
  const auto print = [=](const Owner& owner) {
    toml::array list;
    for (const Mark& mark : member(owner)) list.push_back(print_mark(mark));
    return as_toml(list);
  };
  return {name, "",   meaning, "a list of texts like \"2026-01-31T09:30:00Z http2 on\", in UTC",
          read, print};
}

template <class Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

template <class Owner, class Value, class Member>
Setting<Owner> choice(std::string_view name, const Choices<Value>& choices,
                      std::string_view meaning, Member member) {
  std::vector<std::string> names;
  for (const auto& [text, value] : choices) names.push_back(fmt::format("\"{}\"", text));
  const auto read = [=](const toml::node& node, Owner& owner) {
    const auto given = node.value_exact<std::string>();
    for (const auto& [text, value] : choices) {
      if (!given || *given != text) continue;
      member(owner) = value;
      return true;
    }
    return false;
  };
  const auto print = [=](const Owner& owner) {
    const auto at = std::find_if(choices.begin(), choices.end(),
                                 [&](const auto& c) { return c.second == member(owner); });
    return fmt::format("\"{}\"", at == choices.end() ? "" : at->first);
  };
  return {name, "", meaning, fmt::format("one of {}", fmt::join(names, ", ")), read, print};
}

}  // namespace wirelag::config
