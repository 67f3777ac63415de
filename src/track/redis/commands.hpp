// What has to be known of a Redis command to describe and pair it.
#pragma once

#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag::redis {

/// What its first argument is.
enum class First : std::uint8_t {
  key,         ///< of every command that is not listed here
  nothing,     ///< neither key nor name: it is left out
  subcommand,  ///< a word that says what is to be done
  script,      ///< digest or name of a script
};

[[nodiscard]] First first_argument(std::string_view command);
/// Waits until something happens or its time is over.
[[nodiscard]] bool waits(std::string_view command, bool block);
/// SUBSCRIBE and its kin; with `un`: UNSUBSCRIBE and its kin.
[[nodiscard]] bool subscribes(std::string_view command);
[[nodiscard]] bool unsubscribes(std::string_view command);
/// The word of a confirmation ("psubscribe"), which is the command's in lower case.
[[nodiscard]] bool confirms(std::string_view word);

}  // namespace wirelag::redis
