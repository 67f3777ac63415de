// memcached's protocols, message by message from bytes that may be cut anywhere: text and meta
// commands, which are lines, and binary, which has a header of 24 bytes.
// https://github.com/memcached/memcached/blob/master/doc/protocol.txt
// https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped
//
//   request   command key ... CRLF [data CRLF]           0x80 opcode lengths opaque ... key value
//   reply     lines up to one that is not VALUE or STAT  0x81 likewise, with a status
//
// Data and values are skipped. The readers are plain values owned by the caller. One thread.
#pragma once

#include <wirelag/track/database/text.hpp>

namespace wirelag {

enum class MemcachedStep : std::uint8_t { more, message, malformed };

/// Reads one direction; which one decides what a message looks like.
class MemcachedReader {
 public:
  explicit MemcachedReader(Direction direction = Direction::c2s) : direction_(direction) {}

  [[nodiscard]] MemcachedStep read(Bytes& rest);
  [[nodiscard]] bool idle() const { return state_ == State::start && !begun_; }
  /// Whether the hole lies within data, which then goes on behind it.
  [[nodiscard]] bool skip(std::uint64_t missing);
  /// The same of a hole that ends with its segment: data may end with it, and the message. `one_value`: END follows.
  [[nodiscard]] MemcachedStep cut(std::uint64_t missing, bool one_value);
  void reset() { *this = MemcachedReader(direction_); }

  // Of the message that is complete.
  [[nodiscard]] std::string_view word() const { return word_.view(); }  ///< command or result
  [[nodiscard]] const BoundedText<256>& key() const { return key_; }
  [[nodiscard]] std::uint32_t words() const { return token_; }  ///< of the last line
  [[nodiscard]] bool noreply() const { return noreply_; }
  [[nodiscard]] bool quiet() const { return quiet_; }             ///< of a meta command
  [[nodiscard]] std::uint32_t values() const { return values_; }  ///< VALUE, STAT, VA
  /// What the request and its reply have in common: binary and meta; 0 = nothing.
  [[nodiscard]] std::uint32_t opaque() const { return opaque_; }
  [[nodiscard]] bool binary() const { return binary_; }
  [[nodiscard]] std::uint8_t opcode() const { return opcode_; }
  [[nodiscard]] std::uint16_t status() const { return status_; }
  [[nodiscard]] bool has_body() const { return body_ > 0; }

 private:
  enum class State : std::uint8_t { start, line, data, header, body };

  void begin();
  [[nodiscard]] bool in_data() const;
  [[nodiscard]] MemcachedStep end_data();
  void begin_token();
  void token_byte(char c);
  void end_token();
  MemcachedStep end_line();
  MemcachedStep header_byte(std::uint8_t byte);
  MemcachedStep body_bytes(Bytes& rest);

  Direction direction_;
  State state_ = State::start;
  bool begun_ = false;
  bool binary_ = false;
  bool noreply_ = false;
  bool quiet_ = false;
  bool key_flag_ = false;
  bool number_ok_ = true;
  std::uint8_t opcode_ = 0;
  std::uint8_t have_ = 0;  ///< of the header
  std::uint16_t status_ = 0;
  std::uint16_t extras_ = 0;  ///< still to come before the key
  std::uint16_t key_left_ = 0;
  std::uint32_t token_ = 0;  ///< index in the line
  std::uint32_t values_ = 0;
  std::uint32_t opaque_ = 0;
  std::uint32_t body_ = 0;    ///< binary: its length
  std::uint64_t number_ = 0;  ///< the length of data that the line announces
  std::uint64_t left_ = 0;    ///< of data or body
  BoundedText<16> word_;
  BoundedText<16> first_;  ///< first word of the line being read
  BoundedText<32> last_;   ///< token being read
  BoundedText<256> key_;
  std::array<std::uint8_t, 24> header_{};
};

/// Whether bytes at the beginning of a segment can be that of a message: to find the way back.
[[nodiscard]] bool may_begin_memcached(Bytes bytes, Direction direction);

}  // namespace wirelag
