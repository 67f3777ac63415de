// What the messages of PostgreSQL's protocol are called on the wire.
#pragma once

#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag::postgres {

inline constexpr std::uint32_t kSslRequest = 80877103;
inline constexpr std::uint32_t kGssRequest = 80877104;
inline constexpr std::uint32_t kCancelRequest = 80877102;
/// No message is longer than what the server allocates for one.
inline constexpr std::uint32_t kLongestMessage = 1U << 30;
/// The operation of an execution whose statement is not known.
inline constexpr std::string_view kUnknownStatement = "Execute";

[[nodiscard]] bool is_type(char type, Direction direction);
/// Sent out of turn: notice, notification, parameter status.
[[nodiscard]] bool out_of_turn(char type);
/// Whether bytes at the beginning of a segment can be that of messages: to find the way back.
[[nodiscard]] bool may_begin(Bytes bytes, Direction direction);
/// The SQLSTATE of an ErrorResponse whose body begins like this; "" when it is not there.
[[nodiscard]] std::string_view sqlstate(std::string_view body);

}  // namespace wirelag::postgres
