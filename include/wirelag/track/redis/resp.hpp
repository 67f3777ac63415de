// Redis' protocol, RESP2 and RESP3, message by message from bytes that may be cut anywhere.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
//
//   request   *2 CRLF $3 CRLF GET CRLF $1 CRLF k CRLF     or an inline line "GET k" CRLF
//   reply     one value: + - : _ # , (  a line        $ = !  length, bytes
//                        * ~ > n values               % n pairs       | n pairs, then the value
//
// Values of any size and depth are skipped without being kept: all that is needed of a nested value
// is how many values are still to come. Kept are the command's name, its first arguments as far as
// they can tell the key, and of a reply its line or first bulk string. Passwords are passed over.
//
// The readers are plain values owned by the caller. One thread.
#pragma once

#include <wirelag/track/database/text.hpp>

namespace wirelag {

enum class RedisStep : std::uint8_t {
  more,       ///< everything was read, or up to a place between two messages: idle()
  message,    ///< a message is complete; what follows it is left in `rest`
  malformed,  ///< this is not RESP
};

struct RedisCommand {
  BoundedText<32> name;         ///< upper case
  BoundedText<128> first;       ///< argument 1
  BoundedText<16> second;       ///< argument 2
  BoundedText<64> user;         ///< of AUTH and HELLO
  std::uint32_t arguments = 0;  ///< the name included
  bool block = false;           ///< one of them is BLOCK
};

class RedisRequestReader {
 public:
  [[nodiscard]] RedisStep read(Bytes& rest);
  [[nodiscard]] const RedisCommand& command() const { return command_; }
  /// Between two messages.
  [[nodiscard]] bool idle() const { return state_ == State::start; }
  /// Whether the hole lies within an argument's bytes, which then go on behind it.
  [[nodiscard]] bool skip(std::uint64_t missing);
  /// The same of a hole that ends with its segment: an argument may end with it, and the message.
  [[nodiscard]] RedisStep cut(std::uint64_t missing);
  void reset();

 private:
  enum class State : std::uint8_t { start, count, bulk_line, bulk, bulk_end, inline_line };

  RedisStep array_line();
  RedisStep bulk_line();
  RedisStep bulk_end();
  void mark_hole();
  void keep(std::string_view piece);
  void inline_byte(char c);
  void end_argument();
  RedisStep end_message();

  RedisCommand command_;
  BoundedText<32> line_;
  BoundedText<8> word_;
  std::uint64_t left_ = 0;  ///< of the argument
  std::uint32_t index_ = 0;
  State state_ = State::start;
};

struct RedisReply {
  BoundedText<32> head;        ///< the line of a simple value, or the first string of any other
  char type = '\0';            ///< '+', '*', ...
  std::uint64_t elements = 0;  ///< of the outermost value
  bool null = false;
};

class RedisReplyReader {
 public:
  [[nodiscard]] RedisStep read(Bytes& rest);
  [[nodiscard]] const RedisReply& reply() const { return reply_; }
  [[nodiscard]] bool idle() const { return state_ == State::type && !begun_; }
  [[nodiscard]] bool skip(std::uint64_t missing);
  [[nodiscard]] RedisStep cut(std::uint64_t missing);
  void reset();

 private:
  enum class State : std::uint8_t { type, line, bulk, bulk_end };

  RedisStep line_end();
  RedisStep value_end();
  [[nodiscard]] bool is_told() const;

  RedisReply reply_;
  BoundedText<32> line_;
  std::uint64_t left_ = 0;    ///< of the bulk string
  std::uint64_t values_ = 1;  ///< still to come
  char type_ = '\0';
  bool begun_ = false;      ///< a value of this reply was begun
  bool head_done_ = false;  ///< reply_.head is complete
  State state_ = State::type;
};

/// Whether bytes at the beginning of a segment can be that of a message: to find the way back.
[[nodiscard]] bool may_begin_redis(Bytes bytes, Direction direction);

}  // namespace wirelag
