// The fingerprint of an SQL statement: the statement without its values, so that two that differ in
// values only are the same. Read piece by piece, of any length; nothing but the fingerprint is kept.
//
//   SELECT * FROM users WHERE id IN (1, 2,3) AND name='Ann' -- by name
//   select * from users where id in (?) and name=?
//
//   values            numbers, strings, $1, ? become ?; several in a row, and several rows of
//                     VALUES, become one
//   comments, blanks  one blank; none after ( and before ) and comma; one after a comma
//   case              folded to lower case, but not of "quoted" and `quoted` names
//   NULL, TRUE ...    stay
// MySQL: "..." is a string, \ escapes, # begins a comment. PostgreSQL: "..." is a name, $tag$ ...
// $tag$ a string, comments nest, \ escapes in E'...' only.
#pragma once

#include <wirelag/track/database/exchanges.hpp>

namespace wirelag {

using Fingerprint = BoundedText<kFingerprintBytes>;

class SqlFingerprint {
 public:
  enum class Dialect : std::uint8_t { postgres, mysql };

  SqlFingerprint() = default;
  explicit SqlFingerprint(Dialect dialect) : dialect_(dialect) {}

  /// More of the statement; what it comes to is added to `out`, always the same one.
  void feed(Fingerprint& out, std::string_view piece);
  /// The statement is over.
  void end(Fingerprint& out);

 private:
  enum class State : std::uint8_t {
    plain,
    word,
    number,
    string,
    string_escape,
    string_end,
    name,
    dash,
    slash,
    line_comment,
    block_comment,
    dollar,
    dollar_string,
  };

  [[nodiscard]] bool step(Fingerprint& out, char c);
  [[nodiscard]] bool plain(Fingerprint& out, char c);
  void begin_string(Fingerprint& out, char quote);
  void space(Fingerprint& out);
  void value(Fingerprint& out);
  void punctuation(Fingerprint& out, char c);
  void comment(char c);
  [[nodiscard]] bool dollar(Fingerprint& out, char c);
  void dollar_string(Fingerprint& out, char c);

  BoundedText<32> tag_;  ///< of a $tag$ string
  Dialect dialect_;
  State state_ = State::plain;
  char quote_ = '\'';
  char previous_ = '\0';      ///< within a comment or a number
  std::uint8_t depth_ = 0;    ///< of comments
  std::uint8_t matched_ = 0;  ///< of the tag that ends a string
  std::uint8_t word_ = 0;     ///< length, saturated
  bool escapes_ = false;      ///< \ escapes within the string
  bool space_ = false;        ///< blanks since the last character
  bool semicolon_ = false;    ///< likewise, written when something follows
};

/// "SELECT": the first word of a fingerprint.
void append_verb(BoundedText<32>& out, std::string_view fingerprint);

}  // namespace wirelag
