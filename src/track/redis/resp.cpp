#include <charconv>
#include <optional>

#include <wirelag/track/redis/resp.hpp>

namespace wirelag {
namespace {

constexpr std::uint64_t kMostArguments = 1U << 20;    // the server's own limit
constexpr std::uint64_t kLongestBulk = 512ULL << 20;  // likewise: proto-max-bulk-len
constexpr std::uint64_t kMostValues = std::uint64_t{1} << 32;
constexpr std::uint64_t kLineEnd = 2;  // CR LF

/// A number that is all of `text`; -1 (null) only where `null` says so.
std::optional<std::int64_t> number(std::string_view text, std::int64_t least) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < least) return std::nullopt;
  return n;
}

/// The line without its CR.
std::string_view trimmed(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

char take(Bytes& rest) {
  const char c = static_cast<char>(rest.front());
  rest = rest.subspan(1);
  return c;
}

Bytes take(Bytes& rest, std::uint64_t most) {
  const Bytes taken = rest.first(std::min<std::uint64_t>(most, rest.size()));
  rest = rest.subspan(taken.size());
  return taken;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

// ------------------------------------------------------------------------------------- requests

void RedisRequestReader::reset() { *this = {}; }

RedisStep RedisRequestReader::read(Bytes& rest) {
  while (!rest.empty()) {
    RedisStep step = RedisStep::more;
    switch (state_) {
      case State::start: {
        const char c = take(rest);
        if (c == '\r' || c == '\n') break;  // an empty line belongs to no message
        if (c == '*') {
          reset();
          state_ = State::count;
        } else if (is_letter(c)) {
          reset();
          state_ = State::inline_line;
          command_.arguments = 1;
          inline_byte(c);
        } else {
          return RedisStep::malformed;
        }
        break;
      }
      case State::count:
      case State::bulk_line: {
        const char c = take(rest);
        if (c != '\n') {
          line_.push(c);
          break;
        }
        step = state_ == State::count ? array_line() : bulk_line();
        line_.clear();
        break;
      }
      case State::bulk: {
        const Bytes piece = take(rest, left_);
        keep(as_text(piece));
        left_ -= piece.size();
        if (left_ == 0) state_ = State::bulk_end;
        break;
      }
      case State::bulk_end:
        if (take(rest) == '\n') step = bulk_end();
        break;
      case State::inline_line: {
        const char c = take(rest);
        if (c == '\n') {
          end_argument();
          return end_message();
        }
        inline_byte(c);
        break;
      }
    }
    if (step != RedisStep::more || idle()) return step;
  }
  return RedisStep::more;
}

RedisStep RedisRequestReader::array_line() {
  const auto n = number(trimmed(line_.view()), -1);
  if (!n || *n > static_cast<std::int64_t>(kMostArguments)) return RedisStep::malformed;
  if (*n <= 0) {  // the server ignores an empty command
    reset();
    return RedisStep::more;
  }
  command_.arguments = static_cast<std::uint32_t>(*n);
  state_ = State::bulk_line;
  return RedisStep::more;
}

RedisStep RedisRequestReader::bulk_line() {
  const std::string_view line = trimmed(line_.view());
  const auto n = line.starts_with('$') ? number(line.substr(1), 0) : std::nullopt;
  if (!n || *n > static_cast<std::int64_t>(kLongestBulk)) return RedisStep::malformed;
  left_ = static_cast<std::uint64_t>(*n);
  word_.clear();
  state_ = left_ > 0 ? State::bulk : State::bulk_end;
  return RedisStep::more;
}

RedisStep RedisRequestReader::bulk_end() {
  end_argument();
  if (++index_ == command_.arguments) return end_message();
  state_ = State::bulk_line;
  return RedisStep::more;
}

/// More bytes of argument `index_`.
void RedisRequestReader::keep(std::string_view piece) {
  const std::string_view name = command_.name.view();
  const auto upper_into = [piece](auto& text) {
    for (const char c : piece.substr(0, text.kCapacity + 1 - text.size())) text.push(upper(c));
  };
  if (index_ == 0) return upper_into(command_.name);
  if (name == "AUTH") {  // with two arguments, the first is the user
    if (index_ == 1 && command_.arguments == 3 && state_ == State::bulk)
      command_.user.append(piece);
    return;
  }
  if (name == "HELLO") {  // HELLO 3 AUTH user password
    if (index_ == 2) upper_into(command_.second);
    if (index_ == 3 && command_.second.view() == "AUTH") command_.user.append(piece);
    return;
  }
  if (index_ == 1 && !command_.first.cut()) command_.first.append(piece);
  if (index_ == 2 && !command_.second.cut()) command_.second.append(piece);
  upper_into(word_);
}

void RedisRequestReader::inline_byte(char c) {
  if (c == '\r') return;
  if (!is_blank(c)) return keep({&c, 1});
  const bool within = index_ == 0 || word_.size() > 0 || command_.name.view() == "AUTH";
  if (!within) return;  // several blanks
  end_argument();
  ++index_;
  ++command_.arguments;
}

void RedisRequestReader::end_argument() {
  if (word_.view() == "BLOCK" && !word_.cut()) command_.block = true;
  word_.clear();
}

RedisStep RedisRequestReader::end_message() {
  state_ = State::start;
  return RedisStep::message;
}

/// Of argument `index_`, which was begun, bytes are missing.
void RedisRequestReader::mark_hole() {
  if (index_ == 1) command_.first.mark_cut();
  if (index_ == 2) command_.second.mark_cut();
  command_.user.clear();
  word_.mark_cut();
}

/// Without its name a command cannot be told.
bool RedisRequestReader::skip(std::uint64_t missing) {
  if (state_ != State::bulk || missing > left_ || index_ == 0) return false;
  mark_hole();
  left_ -= missing;
  if (left_ == 0) state_ = State::bulk_end;
  return true;
}

RedisStep RedisRequestReader::cut(std::uint64_t missing) {
  if (skip(missing)) return RedisStep::more;
  const bool to_its_end = state_ == State::bulk && missing == left_ + kLineEnd;
  if (!to_its_end || index_ == 0) return RedisStep::malformed;
  mark_hole();
  left_ = 0;
  return bulk_end();
}

// -------------------------------------------------------------------------------------- replies

void RedisReplyReader::reset() { *this = {}; }

RedisStep RedisReplyReader::read(Bytes& rest) {
  while (!rest.empty()) {
    RedisStep step = RedisStep::more;
    switch (state_) {
      case State::type:
        type_ = take(rest);
        if (std::string_view("+-:_#,($=!*~>%|").find(type_) == std::string_view::npos) {
          // Keep-alives of a server that makes a client wait for PSYNC are empty lines.
          if (type_ == '\n' && !begun_) break;
          return RedisStep::malformed;
        }
        if (!begun_) {
          reply_ = {};
          head_done_ = false;
          values_ = 1;
          if (type_ != '|') reply_.type = type_;
        } else if (reply_.type == '\0' && values_ == 1 && type_ != '|') {
          reply_.type = type_;  // behind an attribute
        }
        begun_ = true;
        line_.clear();
        state_ = State::line;
        break;
      case State::line: {
        const char c = take(rest);
        if (c != '\n') {
          line_.push(c);
          break;
        }
        step = line_end();
        break;
      }
      case State::bulk: {
        const Bytes piece = take(rest, left_);
        if (!head_done_ && reply_.type != '\0') reply_.head.append(as_text(piece));
        left_ -= piece.size();
        if (left_ == 0) state_ = State::bulk_end;
        break;
      }
      case State::bulk_end:
        if (take(rest) != '\n') break;
        head_done_ = head_done_ || reply_.type != '\0';
        step = value_end();
        break;
    }
    if (step != RedisStep::more || idle()) return step;
  }
  return RedisStep::more;
}

RedisStep RedisReplyReader::line_end() {
  const std::string_view line = trimmed(line_.view());
  const bool outermost = values_ == 1 && type_ == reply_.type && !head_done_;
  switch (type_) {
    case '$':
    case '=':
    case '!': {
      const auto n = number(line, -1);
      if (!n || *n > static_cast<std::int64_t>(kLongestBulk)) return RedisStep::malformed;
      if (*n < 0) {
        if (outermost) reply_.null = true;
        return value_end();
      }
      left_ = static_cast<std::uint64_t>(*n);
      state_ = left_ > 0 ? State::bulk : State::bulk_end;
      return RedisStep::more;
    }
    case '*':
    case '~':
    case '>':
    case '%':
    case '|': {
      const auto n = number(line, -1);
      if (!n) return RedisStep::malformed;
      const std::uint64_t pairs = type_ == '%' || type_ == '|' ? 2 : 1;
      const std::uint64_t inside = *n < 0 ? 0 : static_cast<std::uint64_t>(*n);
      if (inside > kMostValues || values_ > kMostValues) return RedisStep::malformed;
      if (outermost && *n < 0) reply_.null = true;
      if (outermost && reply_.elements == 0) reply_.elements = inside;
      values_ += pairs * inside;
      if (type_ == '|') {  // stands before the value that it describes
        state_ = State::type;
        return RedisStep::more;
      }
      return value_end();
    }
    default:
      if (!head_done_ && reply_.type != '\0') {
        reply_.head.assign(line);
        head_done_ = true;
      }
      return value_end();
  }
}

RedisStep RedisReplyReader::value_end() {
  state_ = State::type;
  if (--values_ > 0) return RedisStep::more;
  begun_ = false;
  return RedisStep::message;
}

/// The first string of an array tells what it is: an answer, or a message of a channel.
bool RedisReplyReader::is_told() const {
  return state_ == State::bulk && (head_done_ || reply_.type == '$' || reply_.type == '=');
}

bool RedisReplyReader::skip(std::uint64_t missing) {
  if (!is_told() || missing > left_) return false;
  left_ -= missing;
  if (left_ == 0) state_ = State::bulk_end;
  return true;
}

RedisStep RedisReplyReader::cut(std::uint64_t missing) {
  if (skip(missing)) return RedisStep::more;
  if (!is_told() || missing != left_ + kLineEnd) return RedisStep::malformed;
  left_ = 0;
  head_done_ = head_done_ || reply_.type != '\0';
  return value_end();
}

bool may_begin_redis(Bytes bytes, Direction direction) {
  if (bytes.size() < 4) return false;
  if (direction == Direction::c2s) return bytes[0] == '*' && is_digit(static_cast<char>(bytes[1]));
  const char type = static_cast<char>(bytes[0]);
  const char next = static_cast<char>(bytes[1]);
  if (type == '+' || type == '-') return is_letter(next);
  if (type == ':' || type == '$' || type == '*' || type == '%' || type == '~') {
    return is_digit(next) || next == '-';
  }
  return false;
}

}  // namespace wirelag
