#include <wirelag/base/cursor.hpp>
#include <wirelag/track/memcached/messages.hpp>

namespace wirelag {
namespace {

constexpr std::uint64_t kLongestData = 1ULL << 30;  // the server's limit: item_size_max
constexpr std::uint8_t kRequestMagic = 0x80;
constexpr std::uint8_t kReplyMagic = 0x81;

bool is_storage(std::string_view word) {
  return word == "set" || word == "add" || word == "replace" || word == "append" ||
         word == "prepend" || word == "cas";
}

bool is_meta(std::string_view word) { return word.size() == 2 && word.front() == 'm'; }

/// Which token of a line is the length of the data that follows it; 0 = none does.
std::uint32_t length_token(std::string_view word, Direction direction) {
  if (direction == Direction::s2c) return word == "VALUE" ? 3 : word == "VA" ? 1 : 0;
  return is_storage(word) ? 4 : word == "ms" ? 2 : 0;
}

std::uint32_t hash32(std::string_view text) {
  return static_cast<std::uint32_t>(fnv1a64(text) >> 32) | 1U;
}

}  // namespace

MemcachedStep MemcachedReader::read(Bytes& rest) {
  while (!rest.empty()) {
    MemcachedStep step = MemcachedStep::more;
    switch (state_) {
      case State::start: {
        const std::uint8_t magic = direction_ == Direction::c2s ? kRequestMagic : kReplyMagic;
        const char c = static_cast<char>(rest.front());
        const bool letter = is_letter(c) || is_digit(c);
        if (rest.front() != magic && !letter) return MemcachedStep::malformed;
        if (rest.front() == magic && begun_) return MemcachedStep::malformed;
        if (!begun_) begin();
        binary_ = rest.front() == magic;
        state_ = binary_ ? State::header : State::line;
        begin_token();
        token_ = 0;
        first_.clear();
        number_ = 0;
        number_ok_ = true;
        break;
      }
      case State::line: {
        const char c = static_cast<char>(rest.front());
        rest = rest.subspan(1);
        if (c == '\n') {
          end_token();
          step = end_line();
        } else if (c == ' ') {
          end_token();
        } else if (c != '\r') {
          token_byte(c);
        }
        break;
      }
      case State::data: {
        const std::uint64_t n = std::min<std::uint64_t>(left_, rest.size());
        rest = rest.subspan(n);
        left_ -= n;
        if (left_ == 0) step = end_data();
        break;
      }
      case State::header:
        step = header_byte(rest.front());
        rest = rest.subspan(1);
        break;
      case State::body: step = body_bytes(rest); break;
    }
    if (step == MemcachedStep::more) continue;
    begun_ = false;
    state_ = State::start;
    return step;
  }
  return MemcachedStep::more;
}

/// VALUE is followed by more lines, VA and a request's data are the message's end.
MemcachedStep MemcachedReader::end_data() {
  state_ = State::start;
  const bool ends = direction_ == Direction::c2s || first_.view() == "VA";
  return ends ? MemcachedStep::message : MemcachedStep::more;
}

bool MemcachedReader::in_data() const {
  return state_ == State::data || (state_ == State::body && extras_ + key_left_ == 0);
}

bool MemcachedReader::skip(std::uint64_t missing) {
  if (!in_data() || missing >= left_) return false;
  left_ -= missing;
  return true;
}

MemcachedStep MemcachedReader::cut(std::uint64_t missing, bool one_value) {
  constexpr std::uint64_t kEndLine = 5;  // END CR LF
  if (skip(missing)) return MemcachedStep::more;
  const bool and_end = one_value && first_.view() == "VALUE" && missing == left_ + kEndLine;
  if (!in_data() || (missing != left_ && !and_end)) return MemcachedStep::malformed;
  left_ = 0;
  if (and_end) word_.assign("END");
  const bool ends = and_end || state_ == State::body;
  const MemcachedStep step = ends ? MemcachedStep::message : end_data();
  if (step == MemcachedStep::more) return step;
  begun_ = false;
  state_ = State::start;
  return step;
}

void MemcachedReader::begin() {
  reset();
  begun_ = true;
}

// ----------------------------------------------------------------------------------------- lines

void MemcachedReader::begin_token() { last_.clear(); }

void MemcachedReader::token_byte(char c) {
  last_.push(c);
  if (token_ == 0) return first_.push(c);
  const std::uint32_t length = length_token(first_.view(), direction_);
  if (token_ == length && length != 0) {
    number_ok_ = number_ok_ && is_digit(c) && number_ <= kLongestData;
    if (number_ok_) number_ = number_ * 10 + static_cast<std::uint64_t>(c - '0');
  }
  const bool expiry_first = first_.view() == "gat" || first_.view() == "gats";
  if (direction_ == Direction::c2s && token_ == (expiry_first ? 2U : 1U)) key_.push(c);
}

void MemcachedReader::end_token() {
  if (last_.empty()) return;
  const std::string_view token = last_.view();
  if (direction_ == Direction::c2s) {
    noreply_ = token == "noreply";
    if (is_meta(first_.view()) && token_ > 1) {
      quiet_ = quiet_ || token == "q";
      key_flag_ = key_flag_ || token == "k";
      if (token.front() == 'O') opaque_ = hash32(token.substr(1));
    }
  } else if (token_ > 0 && first_.size() == 2 && opaque_ == 0) {  // HD, VA, EN ...
    if (token.front() == 'O' || token.front() == 'k') opaque_ = hash32(token.substr(1));
  }
  ++token_;
  begin_token();
}

MemcachedStep MemcachedReader::end_line() {
  const std::string_view first = first_.view();
  if (first.empty()) return MemcachedStep::malformed;
  if (direction_ == Direction::c2s) {
    word_ = first_;
    if (key_flag_ && opaque_ == 0) opaque_ = hash32(key_.view());
  } else {
    const bool item =
        first == "VALUE" || first == "STAT" || first == "VA" || first.starts_with("key=");
    if (item) ++values_;
    if (item && first != "VALUE" && first != "VA") {
      state_ = State::start;
      return MemcachedStep::more;
    }
    word_ = first_;
  }
  const std::uint32_t length = length_token(first, direction_);
  if (length == 0 || token_ <= length || !number_ok_) return MemcachedStep::message;
  left_ = number_ + 2;
  state_ = State::data;
  return MemcachedStep::more;
}

// ---------------------------------------------------------------------------------------- binary

MemcachedStep MemcachedReader::header_byte(std::uint8_t byte) {
  header_[have_++] = byte;
  if (have_ < header_.size()) return MemcachedStep::more;
  have_ = 0;
  ByteCursor cursor{Bytes(header_)};
  cursor.skip(1);
  opcode_ = cursor.u8();
  key_left_ = cursor.u16();
  extras_ = cursor.u8();
  cursor.skip(1);
  status_ = cursor.u16();
  body_ = cursor.u32();
  opaque_ = cursor.u32();
  const std::uint32_t named = std::uint32_t{extras_} + key_left_;
  if (body_ > kLongestData || named > body_) return MemcachedStep::malformed;
  left_ = body_;
  state_ = State::body;
  return left_ == 0 ? MemcachedStep::message : MemcachedStep::more;
}

MemcachedStep MemcachedReader::body_bytes(Bytes& rest) {
  const auto take = [&](std::uint64_t most) {
    const Bytes taken = rest.first(std::min<std::uint64_t>(most, rest.size()));
    rest = rest.subspan(taken.size());
    left_ -= taken.size();
    return taken;
  };
  if (extras_ > 0) {
    extras_ = static_cast<std::uint16_t>(extras_ - take(extras_).size());
  } else if (key_left_ > 0) {
    const Bytes piece = take(key_left_);
    key_left_ = static_cast<std::uint16_t>(key_left_ - piece.size());
    key_.append(as_text(piece));
  } else {
    (void)take(left_);
  }
  return left_ == 0 ? MemcachedStep::message : MemcachedStep::more;
}

bool may_begin_memcached(Bytes bytes, Direction direction) {
  if (bytes.size() < 3) return false;
  if (direction == Direction::c2s && bytes[0] == kRequestMagic) return bytes[1] <= 0x24;
  if (direction == Direction::s2c && bytes[0] == kReplyMagic) return bytes[1] <= 0x24;
  const std::string_view text = as_text(bytes);
  const std::string_view word = text.substr(0, text.find_first_of(" \r"));
  if (direction == Direction::c2s) {
    return is_storage(word) || is_meta(word) || word == "get" || word == "gets" ||
           word == "delete" || word == "incr" || word == "decr" || word == "touch";
  }
  return word == "VALUE" || word == "END" || word == "STORED" || word == "HD" || word == "VA" ||
         word == "EN" || word == "DELETED" || word == "NOT_FOUND";
}

}  // namespace wirelag
