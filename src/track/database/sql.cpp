#include <wirelag/track/database/sql.hpp>

namespace wirelag {
namespace {

bool begins_word(char c) { return is_letter(c) || c == '_' || static_cast<signed char>(c) < 0; }
bool in_word(char c) { return begins_word(c) || is_digit(c) || c == '$'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

}  // namespace

void SqlFingerprint::feed(Fingerprint& out, std::string_view piece) {
  for (const char c : piece) {
    if (out.cut()) return;
    while (!step(out, c)) {
    }
  }
}

void SqlFingerprint::end(Fingerprint& out) {
  if (!out.cut()) (void)step(out, ' ');
  if (state_ == State::string || state_ == State::string_escape || state_ == State::dollar_string) {
    value(out);  // it was cut off
  }
  *this = SqlFingerprint(dialect_);
}

/// False when the character ended something and has to be looked at again.
bool SqlFingerprint::step(Fingerprint& out, char c) {
  switch (state_) {
    case State::plain: return plain(out, c);
    case State::word:
      if (in_word(c)) {
        out.push(lower(c));
        if (word_ < UINT8_MAX) ++word_;
        return true;
      }
      state_ = State::plain;
      if (c == '\'' && word_ == 1) {
        const char prefix = out.back();  // E'...', X'...', B'...', N'...'
        if (prefix == 'e' || prefix == 'x' || prefix == 'b' || prefix == 'n') {
          out.pop();
          begin_string(out, c);
          escapes_ = escapes_ || prefix == 'e';
          return true;
        }
      }
      return false;
    case State::number: {
      const bool exponent = (c == '+' || c == '-') && lower(previous_) == 'e';
      previous_ = c;
      if (in_word(c) || c == '.' || exponent) return true;
      state_ = State::plain;
      value(out);
      return false;
    }
    case State::string:
      if (c == '\\' && escapes_) {
        state_ = State::string_escape;
      } else if (c == quote_) {
        state_ = State::string_end;
      }
      return true;
    case State::string_escape: state_ = State::string; return true;
    case State::string_end:
      if (c == quote_) {  // doubled: one of the string's characters
        state_ = State::string;
        return true;
      }
      state_ = State::plain;
      value(out);
      return false;
    case State::name:
      out.push(c);
      if (c == quote_) state_ = State::plain;
      return true;
    case State::dash:
      state_ = c == '-' ? State::line_comment : State::plain;
      if (c == '-') return true;
      punctuation(out, '-');
      return false;
    case State::slash:
      state_ = c == '*' ? State::block_comment : State::plain;
      depth_ = 1;
      previous_ = '\0';
      if (c == '*') return true;
      punctuation(out, '/');
      return false;
    case State::line_comment:
      if (c == '\n') state_ = State::plain;
      space_ = true;
      return true;
    case State::block_comment: comment(c); return true;
    case State::dollar: return dollar(out, c);
    case State::dollar_string: dollar_string(out, c); return true;
  }
  return true;
}

bool SqlFingerprint::plain(Fingerprint& out, char c) {
  const bool mysql = dialect_ == Dialect::mysql;
  if (is_blank(c)) {
    space_ = true;
  } else if (begins_word(c)) {
    space(out);
    out.push(lower(c));
    word_ = 1;
    state_ = State::word;
  } else if (is_digit(c)) {
    previous_ = c;
    state_ = State::number;
  } else if (c == '\'' || (mysql && c == '"')) {
    begin_string(out, c);
  } else if (c == '"' || (mysql && c == '`')) {
    space(out);
    out.push(c);
    quote_ = c;
    state_ = State::name;
  } else if (c == '-') {
    state_ = State::dash;
  } else if (c == '/') {
    state_ = State::slash;
  } else if (mysql && c == '#') {
    state_ = State::line_comment;
  } else if (!mysql && c == '$') {
    tag_.clear();
    state_ = State::dollar;
  } else if (c == '?') {
    value(out);
  } else {
    punctuation(out, c);
  }
  return true;
}

void SqlFingerprint::begin_string(Fingerprint&, char quote) {
  quote_ = quote;
  escapes_ = dialect_ == Dialect::mysql;
  state_ = State::string;
}

/// What stands between the last character and the next one.
void SqlFingerprint::space(Fingerprint& out) {
  if (semicolon_) {
    out.append("; ");
  } else if (space_ && !out.empty() && out.back() != '(') {
    out.push(' ');
  }
  space_ = semicolon_ = false;
}

void SqlFingerprint::value(Fingerprint& out) {
  space(out);
  out.push('?');
  if (out.view().ends_with("?, ?")) out.shorten(out.size() - 3);
}

void SqlFingerprint::punctuation(Fingerprint& out, char c) {
  if (c == ';') {
    semicolon_ = !out.empty();
    return;
  }
  if (c == ',' || c == ')') space_ = false;
  space(out);
  out.push(c);
  if (c == ',') space_ = true;
  if (c == ')' && out.view().ends_with("(?), (?)")) out.shorten(out.size() - 5);
}

void SqlFingerprint::comment(char c) {
  if (previous_ == '*' && c == '/') {
    previous_ = '\0';
    if (--depth_ == 0) state_ = State::plain;
    space_ = true;
    return;
  }
  if (previous_ == '/' && c == '*' && dialect_ == Dialect::postgres && depth_ < UINT8_MAX) {
    ++depth_;
    c = '\0';
  }
  previous_ = c;
}

/// Behind a $: $1 is a parameter, $tag$ begins a string.
bool SqlFingerprint::dollar(Fingerprint& out, char c) {
  if (tag_.empty() && is_digit(c)) {
    previous_ = c;
    state_ = State::number;
    return true;
  }
  if (c == '$') {
    matched_ = 0;
    state_ = State::dollar_string;
    return true;
  }
  if (begins_word(c) || (is_digit(c) && !tag_.empty())) {
    tag_.push(c);
    return true;
  }
  state_ = State::plain;
  punctuation(out, '$');
  out.append(tag_.view());
  return false;
}

void SqlFingerprint::dollar_string(Fingerprint& out, char c) {
  const auto expected = [this](std::size_t i) {
    return i == 0 || i == tag_.size() + 1 ? '$' : tag_.view()[i - 1];
  };
  matched_ = c == expected(matched_) ? static_cast<std::uint8_t>(matched_ + 1)
             : c == '$'              ? std::uint8_t{1}
                                     : std::uint8_t{0};
  if (matched_ < tag_.size() + 2) return;
  state_ = State::plain;
  value(out);
}

void append_verb(BoundedText<32>& out, std::string_view fingerprint) {
  while (fingerprint.starts_with('(')) fingerprint.remove_prefix(1);
  for (const char c : fingerprint) {
    if (!is_letter(c)) return;
    out.push(upper(c));
  }
}

}  // namespace wirelag
