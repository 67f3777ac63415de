#include "record_reader.hpp"

#include <cstring>

namespace wirelag::tls {
namespace {

constexpr std::uint32_t kLongestRecord = 16384 + 2048;  // RFC 5246 section 6.2.3
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kSsl2Header = 2;
constexpr std::uint8_t kLowestHandshakeVersion = 0, kHighestHandshakeVersion = 4;

constexpr bool is_hello(MessageType type) {
  return type == MessageType::client_hello || type == MessageType::server_hello ||
         type == MessageType::hello_retry_request || type == MessageType::ssl2;
}

std::uint16_t record_length(const std::uint8_t* header) {
  return static_cast<std::uint16_t>(header[3] << 8 | header[4]);
}

/// Type, version 3.0 to 3.4 and length of a record that can be.
bool plausible(const std::uint8_t* header) {
  return header[0] >= static_cast<std::uint8_t>(RecordType::change_cipher_spec) &&
         header[0] <= static_cast<std::uint8_t>(RecordType::heartbeat) && header[1] == 3 &&
         header[2] >= kLowestHandshakeVersion && header[2] <= kHighestHandshakeVersion &&
         record_length(header) <= kLongestRecord;
}

Bytes take(Bytes& rest, std::size_t most) {
  const Bytes taken = rest.first(std::min(rest.size(), most));
  rest = rest.subspan(taken.size());
  return taken;
}

}  // namespace

RecordReader::Event RecordReader::read(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers,
                                       Counters& counters) {
  if (!body_.empty()) {
    body_ = {};
    release(buffers);
  }
  for (;;) {
    Event event = Event::none;
    switch (stage_) {
      case Stage::broken: rest = {}; return Event::none;
      case Stage::resync:
        if (rest.size() < kRecordHeader || !plausible(rest.data())) {
          counters.add(Counter::tls_bytes_skipped, rest.size());
          rest = {};
          return Event::none;
        }
        stage_ = Stage::header;
        header_size_ = 0;
        break;
      case Stage::header:
        if (rest.empty()) return Event::none;
        event = read_header(rest, chunk, buffers, counters);
        break;
      case Stage::payload:
        if (in_message_ && message_left_ == 0) {
          event = end_message(buffers);
        } else if (record_left_ == 0) {
          event = end_record();
        } else {
          if (rest.empty()) return Event::none;
          event = read_payload(rest, chunk, buffers, counters);
        }
        break;
    }
    if (event != Event::none) return event;
  }
}

RecordReader::Event RecordReader::read_header(Bytes& rest, const StreamChunk& chunk,
                                              HelloBuffers& buffers, Counters& counters) {
  if (header_size_ == 0) {
    record_ = Extent::of(chunk);
  } else {
    record_.add(chunk);
  }
  const bool ssl2 = !any_record_ && ((header_size_ > 0 ? header_[0] : rest[0]) & 0x80) != 0;
  const std::size_t size = ssl2 ? kSsl2Header : kRecordHeader;
  const Bytes part = take(rest, size - header_size_);
  std::memcpy(&header_[header_size_], part.data(), part.size());
  header_size_ = static_cast<std::uint8_t>(header_size_ + part.size());
  if (header_size_ < size) return Event::none;

  header_size_ = 0;
  any_record_ = true;
  if (ssl2) {
    begin_ssl2_record();
    return Event::none;
  }
  if (plausible(header_.data())) return begin_record();
  if (had_hole_) {  // what was taken for a record header after the hole was none
    lose_place(buffers);
    counters.add(Counter::tls_bytes_skipped, kRecordHeader + rest.size());
    rest = {};
    return Event::none;
  }
  stage_ = Stage::broken;
  rest = {};
  return Event::broken;
}

RecordReader::Event RecordReader::begin_record() {
  stage_ = Stage::payload;
  record_type_ = static_cast<RecordType>(header_[0]);
  record_length_ = record_left_ = wirelag::tls::record_length(header_.data());
  alert_size_ = 0;
  opaque_ = record_type_ != RecordType::handshake || encrypted_;
  return Event::record_begins;
}

void RecordReader::begin_ssl2_record() {
  stage_ = Stage::payload;
  record_type_ = RecordType::handshake;
  record_length_ = record_left_ = static_cast<std::uint16_t>((header_[0] & 0x7f) << 8 | header_[1]);
  opaque_ = false;
  message_ = record_;
  begin_message(MessageType::ssl2, record_left_);
}

RecordReader::Event RecordReader::end_record() {
  stage_ = Stage::header;
  if (hello_in_record_) hello_.add(record_);
  hello_in_record_ = false;
  return Event::record_ends;
}

RecordReader::Event RecordReader::read_payload(Bytes& rest, const StreamChunk& chunk,
                                               HelloBuffers& buffers, Counters& counters) {
  record_.add(chunk);
  if (!opaque_) {
    if (!in_message_) return read_message_header(rest, chunk);
    read_message_body(rest, chunk, buffers, counters);
    return Event::none;
  }
  const Bytes part = take(rest, record_left_);
  record_left_ = static_cast<std::uint16_t>(record_left_ - part.size());
  for (std::size_t i = 0; i < part.size() && alert_size_ < alert_.size(); ++i) {
    alert_[alert_size_++] = part[i];
  }
  return Event::none;
}

RecordReader::Event RecordReader::read_message_header(Bytes& rest, const StreamChunk& chunk) {
  if (message_header_size_ == 0) {
    message_ = Extent::of(chunk);
  } else {
    message_.add(chunk);
  }
  const std::size_t wanted = message_header_.size() - message_header_size_;
  const Bytes part = take(rest, std::min<std::size_t>(wanted, record_left_));
  std::memcpy(&message_header_[message_header_size_], part.data(), part.size());
  message_header_size_ = static_cast<std::uint8_t>(message_header_size_ + part.size());
  record_left_ = static_cast<std::uint16_t>(record_left_ - part.size());
  if (message_header_size_ < message_header_.size()) return Event::none;

  message_header_size_ = 0;
  const auto type = static_cast<MessageType>(message_header_[0]);
  const std::uint32_t length = static_cast<std::uint32_t>(message_header_[1]) << 16 |
                               static_cast<std::uint32_t>(message_header_[2]) << 8 |
                               message_header_[3];
  if (place_lost_ && (!is_hello(type) || length > UINT16_MAX)) {
    opaque_ = true;
    return Event::none;
  }
  place_lost_ = false;
  begin_message(type, length);
  return Event::message;
}

void RecordReader::begin_message(MessageType type, std::uint32_t length) {
  in_message_ = true;
  message_holed_ = body_cut_ = false;
  message_type_ = type;
  message_length_ = message_left_ = length;
  collecting_ = is_hello(type);
}

void RecordReader::read_message_body(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers,
                                     Counters& counters) {
  message_.add(chunk);
  const Bytes part = take(rest, std::min<std::size_t>(record_left_, message_left_));
  if (collecting_) collect(part, buffers, counters);
  record_left_ = static_cast<std::uint16_t>(record_left_ - part.size());
  message_left_ -= static_cast<std::uint32_t>(part.size());
}

void RecordReader::collect(Bytes bytes, HelloBuffers& buffers, Counters& counters) {
  if (bytes.size() == message_length_) {  // all in one piece
    body_ = bytes;
    return;
  }
  if (buffer_ == HelloBuffers::kNone) {
    if (message_length_ > buffers.bytes_each()) {
      counters.add(Counter::tls_hellos_too_long);
    } else if ((buffer_ = buffers.take()) == HelloBuffers::kNone) {
      counters.add(Counter::tls_hello_buffers_full);
    }
  }
  if (buffer_ == HelloBuffers::kNone) {
    collecting_ = false;
    return;
  }
  const std::size_t at = message_length_ - message_left_;
  std::memcpy(&buffers[buffer_][at], bytes.data(), bytes.size());
}

RecordReader::Event RecordReader::end_message(HelloBuffers& buffers) {
  in_message_ = false;
  if (!is_hello(message_type_) || message_holed_) {
    release(buffers);
    return Event::none;
  }
  if (buffer_ != HelloBuffers::kNone) {
    body_ = buffers[buffer_].first(body_cut_ ? collected_ : message_length_);
  }
  hello_ = message_;
  hello_in_record_ = true;
  return Event::hello;
}

bool RecordReader::skip_hole(std::uint64_t missing, HelloBuffers& buffers) {
  if (stage_ == Stage::broken) return true;
  had_hole_ = true;
  if (stage_ != Stage::payload || missing > record_left_) {
    lose_place(buffers);
    return false;
  }
  // The records stay in step; so do the messages when the hole lies within one.
  if (!opaque_ && in_message_ && missing <= message_left_) {
    message_left_ -= static_cast<std::uint32_t>(missing);
    message_holed_ = true;
    collecting_ = false;
    release(buffers);
  } else if (!opaque_) {
    lose_messages(buffers);
  }
  record_left_ = static_cast<std::uint16_t>(record_left_ - missing);
  if (record_left_ > 0) return true;
  stage_ = Stage::header;  // its end was not seen: it has no time
  hello_in_record_ = false;
  return false;
}

void RecordReader::cut(std::uint64_t missing, const StreamChunk& chunk, HelloBuffers& buffers) {
  if (stage_ != Stage::payload) {
    cut_beyond_record_ = stage_ != Stage::broken;
    skip_hole(missing, buffers);
    return;
  }
  record_.add(chunk);
  const auto in_record = static_cast<std::uint16_t>(std::min<std::uint64_t>(missing, record_left_));
  cut_beyond_record_ = missing > in_record;
  if (!opaque_ && in_message_) {
    const std::uint32_t in_message = std::min<std::uint32_t>(in_record, message_left_);
    cut_message(in_message, chunk);
    if (in_record > in_message) opaque_ = place_lost_ = had_hole_ = true;
  } else if (!opaque_) {
    had_hole_ = true;
    lose_messages(buffers);
  }
  record_left_ = static_cast<std::uint16_t>(record_left_ - in_record);
}

/// The beginning of a hello is kept; what it says further on is missed.
void RecordReader::cut_message(std::uint32_t missing, const StreamChunk& chunk) {
  message_.add(chunk);
  if (is_hello(message_type_)) had_hole_ = true;
  if (collecting_) {
    collecting_ = false;
    body_cut_ = true;
    collected_ = message_length_ - message_left_;
  }
  if (message_type_ == MessageType::ssl2) message_holed_ = true;
  message_left_ -= missing;
}

bool RecordReader::end_cut(HelloBuffers& buffers) {
  if (!cut_beyond_record_) return false;
  cut_beyond_record_ = false;
  had_hole_ = true;
  lose_place(buffers);
  return true;
}

/// Within a handshake record it is not known any more where messages begin.
void RecordReader::lose_messages(HelloBuffers& buffers) {
  in_message_ = false;
  message_header_size_ = 0;
  place_lost_ = opaque_ = true;
  release(buffers);
}

void RecordReader::lose_place(HelloBuffers& buffers) {
  stage_ = Stage::resync;
  any_record_ = true;
  place_lost_ = true;
  in_message_ = false;
  hello_in_record_ = false;
  message_header_size_ = 0;
  header_size_ = 0;
  release(buffers);
}

void RecordReader::release(HelloBuffers& buffers) {
  if (buffer_ != HelloBuffers::kNone) buffers.give(buffer_);
  buffer_ = HelloBuffers::kNone;
}

}  // namespace wirelag::tls
