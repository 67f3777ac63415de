// One direction of a TLS connection as a sequence of events: records and, while they travel in
// clear text, handshake messages. Bytes may be split anywhere: records over segments, messages over
// records.
//
//   header -> payload -> header ...            RFC 8446 section 5.1, RFC 5246 section 6.2
//      ^         |  hole within the payload: skipped, the records after it are found by its length
//      |         v  hole beyond it
//      +---- resync: a segment that begins with a record header
//
// A hello that lies in one chunk is read where it lies; only one in pieces is copied
// (HelloBuffers). All other messages and all other records are counted off, never stored. The first
// record may be an SSL 2 hello (two-byte header): it is one message.
#pragma once

#include <algorithm>
#include <array>

#include <wirelag/base/counters.hpp>
#include <wirelag/track/stream_tracker.hpp>

#include "hello_buffers.hpp"

namespace wirelag::tls {

enum class RecordType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
  heartbeat = 24,
};

/// The handshake messages somebody asks about.
enum class MessageType : std::uint8_t {
  client_hello = 1,
  server_hello = 2,
  hello_retry_request = 6,  ///< TLS 1.3 up to draft 21
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  ssl2 = 0xff,  ///< an SSL 2 record: its first byte tells the type
};

/// The segments that carried a run of bytes.
struct Extent {
  FrameSpan frames;
  TimeNs first_ns = kUnknownNs;
  TimeNs last_ns = kUnknownNs;

  [[nodiscard]] static Extent of(const StreamChunk& chunk) {
    return {{chunk.frame, chunk.frame}, chunk.time_ns, chunk.time_ns};
  }
  /// Segments may have overtaken each other: the last one is the one captured last.
  void add(const StreamChunk& chunk) {
    frames.first = std::min(frames.first, chunk.frame);
    frames.last = std::max(frames.last, chunk.frame);
    last_ns = later_ns(last_ns, chunk.time_ns);
  }
  void add(const Extent& other) {
    frames.first = std::min(frames.first, other.frames.first);
    frames.last = std::max(frames.last, other.frames.last);
    last_ns = later_ns(last_ns, other.last_ns);
  }

 private:
  [[nodiscard]] static TimeNs later_ns(TimeNs a, TimeNs b) {
    return known(b) ? std::max(a, b) : kUnknownNs;
  }
};

class RecordReader {
 public:
  enum class Event : std::uint8_t {
    none,           ///< the chunk is used up
    record_begins,  ///< record_type()
    message,        ///< message_type(), message_length(): a cleartext message begins
    hello,          ///< message_type(), body(): all bytes of a hello are there
    record_ends,    ///< record_type(), record(), and hello() when one ended in it
    broken,         ///< these are not records; nothing more comes
  };

  /// Takes bytes off `rest`, which lies in `chunk`, up to the next event.
  Event read(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers, Counters& counters);
  /// `missing` bytes never come. False when a record may have ended in them.
  bool skip_hole(std::uint64_t missing, HelloBuffers& buffers);
  /// The last `missing` bytes of the segment that brought `chunk` were cut off: what they complete
  /// has its time, and a hello what was there of it. read() of no bytes tells; then end_cut().
  void cut(std::uint64_t missing, const StreamChunk& chunk, HelloBuffers& buffers);
  /// Whether it is not known any more where the next record begins.
  [[nodiscard]] bool end_cut(HelloBuffers& buffers);
  /// Gives back what is held.
  void release(HelloBuffers& buffers);

  /// Handshake records from here on are encrypted: their messages are not looked for.
  void set_encrypted(bool encrypted) { encrypted_ = encrypted; }
  /// There was a hole: messages may have been missed.
  [[nodiscard]] bool had_hole() const { return had_hole_; }

  [[nodiscard]] RecordType record_type() const { return record_type_; }
  [[nodiscard]] std::uint16_t record_version() const {
    return static_cast<std::uint16_t>(header_[1] << 8 | header_[2]);
  }
  /// Of the record's payload, as its header says.
  [[nodiscard]] std::uint16_t record_length() const { return record_length_; }
  [[nodiscard]] const Extent& record() const { return record_; }
  /// At record_ends: level and description when the record was an alert in clear text and whole,
  /// else null.
  [[nodiscard]] const std::uint8_t* alert() const {
    return record_type_ == RecordType::alert && !encrypted_ && alert_size_ == alert_.size() &&
                   record_length_ == alert_.size()
               ? alert_.data()
               : nullptr;
  }
  /// The last hello, with the whole of the records it lies in.
  [[nodiscard]] const Extent& hello() const { return hello_; }
  [[nodiscard]] MessageType message_type() const { return message_type_; }
  [[nodiscard]] std::uint32_t message_length() const { return message_length_; }
  /// Of the hello that is complete, until the next read(). Empty when it was too long or no buffer
  /// was left; only its beginning when body_cut().
  [[nodiscard]] Bytes body() const { return body_; }
  [[nodiscard]] bool body_cut() const { return body_cut_; }

 private:
  enum class Stage : std::uint8_t { header, payload, resync, broken };

  Event read_header(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers,
                    Counters& counters);
  Event read_payload(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers,
                     Counters& counters);
  Event read_message_header(Bytes& rest, const StreamChunk& chunk);
  void read_message_body(Bytes& rest, const StreamChunk& chunk, HelloBuffers& buffers,
                         Counters& counters);
  Event begin_record();
  void begin_ssl2_record();
  void begin_message(MessageType type, std::uint32_t length);
  void collect(Bytes bytes, HelloBuffers& buffers, Counters& counters);
  Event end_message(HelloBuffers& buffers);
  Event end_record();
  void cut_message(std::uint32_t missing, const StreamChunk& chunk);
  void lose_messages(HelloBuffers& buffers);
  void lose_place(HelloBuffers& buffers);

  Stage stage_ = Stage::header;
  bool any_record_ = false;
  bool encrypted_ = false;
  bool had_hole_ = false;
  bool place_lost_ = false;     ///< after a hole: in a handshake record only a hello is recognised
  bool opaque_ = false;         ///< the current record holds no message that can be read
  bool in_message_ = false;     ///< its header is known
  bool collecting_ = false;     ///< its body is wanted
  bool message_holed_ = false;  ///< part of it was lost
  bool hello_in_record_ = false;
  bool body_cut_ = false;
  bool cut_beyond_record_ = false;

  std::uint8_t header_size_ = 0;
  std::uint8_t message_header_size_ = 0;
  std::array<std::uint8_t, 5> header_{};
  std::array<std::uint8_t, 4> message_header_{};
  RecordType record_type_ = RecordType::handshake;
  MessageType message_type_ = MessageType::client_hello;
  std::uint16_t record_length_ = 0;
  std::uint16_t record_left_ = 0;
  std::uint8_t alert_size_ = 0;
  std::array<std::uint8_t, 2> alert_{};
  std::uint32_t message_length_ = 0;
  std::uint32_t message_left_ = 0;
  std::uint32_t collected_ = 0;  ///< of a hello that was cut: its beginning
  HelloBuffers::Index buffer_ = HelloBuffers::kNone;
  Extent record_;
  Extent message_;
  Extent hello_;
  Bytes body_;
};

}  // namespace wirelag::tls
