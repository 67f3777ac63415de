#include "frame_script.hpp"

#include <array>
#include <string>

#include "support/frame_builder.hpp"
#include "unit/track/tls/wire.hpp"

namespace wirelag::fuzz {
namespace {

using test::FrameBuilder;

constexpr TimeNs kStartNs = 1'700'000'000 * kSecondNs;
constexpr TimeNs kLatestNs = TimeNs{1} << 62;  ///< as the capture reader clamps

/// Mostly a little later, sometimes long after, before, or at the ends of what a file can say.
TimeNs next_time(TimeNs now, unsigned how, std::uint16_t by) {
  switch (how & 7U) {
    case 0:
    case 1: now += by * kMicrosecondNs; break;
    case 2: now += by * kMillisecondNs; break;
    case 3: now += by * kSecondNs; break;
    case 4: now -= by * kMicrosecondNs; break;
    case 5: now -= by * kMillisecondNs; break;
    case 6: now -= by * kSecondNs; break;
    case 7: now = by == 0 ? 0 : by == 1 ? kLatestNs : kStartNs; break;
  }
  return std::clamp<TimeNs>(now, 0, kLatestNs);
}

// --------------------------------------------------------------------------------------- payloads

std::string dns_message(std::uint16_t flags, bool answer) {
  using namespace tls_test;
  std::string m = u16(7) + u16(flags) + u16(1) + u16(answer ? 1 : 0) + u16(0) + u16(0);
  m += with8("a") + with8("example") + u8(0) + u16(1) + u16(1);
  if (answer) m += u16(0xc00c) + u16(1) + u16(1) + u16(0) + u16(60) + with16("\xc0\xa8\x01\x02");
  return m;
}

std::string postgres_message(char type, const std::string& body) {
  return type + tls_test::u16(0) + tls_test::u16(body.size() + 4) + body;
}

std::string postgres_startup() {
  return std::string("\0\0\0\x1d\0\3\0\0user\0ann\0database\0s\0\0", 29);
}

std::string mysql_packet(char sequence, const std::string& body) {
  return static_cast<char>(body.size()) + std::string(2, '\0') + sequence + body;
}

/// What peers say, whole and in pieces.
const std::vector<std::string>& phrases() {
  using namespace tls_test;
  static const std::string kHello = message(
      1, u16(0x0303) + std::string(32, 'r') + with8("") + with16(u16(0x1301)) + with8(u8(0)) +
             with16(extension(0, with16(u8(0) + with16("shop.example"))) +
                    extension(16, alpn_list({"h2"}))));
  static const std::string kServerHello =
      message(2, u16(0x0303) + std::string(32, 's') + with8("") + u16(0xc02f) + u8(0) + with16(""));
  static const std::vector<std::string> kPhrases = {
      "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: b.example\r\nReferer: http://shop.example/\r\n\r\n",
      "POST /p HTTP/1.1\r\nHost: b.example\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
      "HEAD / HTTP/1.0\r\n\r\n",
      "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n",
      "GET /long HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n",
      "0123456789",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "5\r\nhello\r\n",
      "0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
      "\r\n",
      record(22, kHello),
      record(22, kServerHello),
      record(22, kServerHello + message(11, std::string(200, 'c')) + message(14, "")),
      record(22, message(16, std::string(40, 'k'))) + record(20, "\x01") +
          record(22, std::string(40, 'e')),
      record(20, "\x01") + record(22, std::string(40, 'e')),
      record(23, std::string(100, 'd')),
      record(21, std::string("\x02\x28", 2)),
      record(22, kHello).substr(0, 30),
      record(22, kHello).substr(30),
      with16(dns_message(0x0100, false)),
      with16(dns_message(0x8180, true)),
      with16(dns_message(0x0100, false)) + with16(dns_message(0x0100, false)),
      with16(dns_message(0x8180, true)).substr(0, 20),
      with16(dns_message(0x8180, true)).substr(20),
      std::string(1460, 'y'),
      "*2\r\n$3\r\nGET\r\n$6\r\nuser:1\r\n",
      "$5\r\nhello\r\n",
      "get user:1\r\n",
      "VALUE user:1 0 5\r\nhello\r\nEND\r\n",
      postgres_startup(),
      postgres_message('R', std::string(4, '\0')) + postgres_message('Z', "I"),
      postgres_message('Q', std::string("SELECT 1\0", 9)),
      postgres_message('C', std::string("SELECT 1\0", 9)) + postgres_message('Z', "I"),
      mysql_packet(0, "\x0a" + std::string("8.0\0", 4) + std::string(12, '\0') + "\x08\x82\xff" +
                          std::string(2, '\0') + std::string(42, '\0')),
      mysql_packet(1, "\x08\x82" + std::string(30, '\0') + std::string("ann\0", 4) +
                          std::string("\0shop\0", 6)),
      mysql_packet(2, std::string("\0\0\0\2\0\0\0", 7)),
      mysql_packet(0, "\x03SELECT 1"),
      mysql_packet(1, std::string("\0\0\0\2\0\0\0", 7)),
  };
  return kPhrases;
}

// ------------------------------------------------------------------------------------------ flows

/// The peers of one connection: what each sends next and what it acknowledges.
struct Flow {
  const char* client;
  const char* server;
  std::uint16_t client_port;
  std::uint16_t server_port;
  std::array<std::uint32_t, 2> next_seq{};
  std::array<std::uint16_t, 2> window{65535, 65535};
};

class Conversation {
 public:
  explicit Conversation(Input& input) : input_(input) {}

  Frames run();

 private:
  void operation();
  void send(std::uint8_t flags, Bytes payload, std::int32_t seq_offset = 0);
  void datagram();
  void skip(std::uint16_t n);
  std::string payload();

  Input& input_;
  Frames frames_;
  TimeNs now_ = kStartNs;
  std::array<Flow, 4> flows_{{
      {"10.0.0.1", "192.0.2.80", 40000, 80, {0xfffffff0U, 1000}},
      {"10.0.0.2", "192.0.2.43", 40001, 443, {7, 0x7ffffff0U}},
      {"2001:db8::1", "2001:db8::53", 40002, 53},
      {"10.0.0.1", "192.0.2.80", 40003, 80},
  }};
  Flow* flow_ = nullptr;
  std::size_t side_ = 0;
  std::size_t snaplen_ = SIZE_MAX;
};

std::string Conversation::payload() {
  const std::uint8_t choice = input_.u8();
  if (choice >= 0xe0) return std::string(as_text(input_.bytes(choice & 0x1fU)));
  const std::string& phrase = phrases()[choice % phrases().size()];
  if (choice < 2 * phrases().size()) return phrase;
  const std::size_t begin = input_.u8() % (phrase.size() + 1);
  return phrase.substr(begin, input_.u8());
}

void Conversation::send(std::uint8_t flags, Bytes payload, std::int32_t seq_offset) {
  const bool c2s = side_ == 0;
  const test::TcpFields tcp{
      .seq = flow_->next_seq[side_] + static_cast<std::uint32_t>(seq_offset),
      .ack = (flags & tcp_flag::ack) != 0 ? flow_->next_seq[side_ ^ 1] : 0,
      .flags = flags,
      .window = flow_->window[side_],
      .options =
          (flags & tcp_flag::syn) != 0 ? test::Octets{2, 4, 5, 180, 1, 3, 3, 7} : test::Octets{},
  };
  FrameBuilder frame;
  const char* from = c2s ? flow_->client : flow_->server;
  const char* to = c2s ? flow_->server : flow_->client;
  frame.ethernet();
  if (std::string_view(from).find(':') == std::string_view::npos) {
    frame.ipv4(from, to);
  } else {
    frame.ipv6(from, to);
  }
  frame.tcp(c2s ? flow_->client_port : flow_->server_port,
            c2s ? flow_->server_port : flow_->client_port, tcp);
  std::vector<std::uint8_t> bytes = frame.payload(as_text(payload)).bytes();
  const std::size_t cut = bytes.size() - std::min(bytes.size(), snaplen_);
  bytes.resize(bytes.size() - cut);
  frames_.add(std::move(bytes), now_, LinkType::ethernet, static_cast<std::uint32_t>(cut));
  if (seq_offset != 0) return;
  flow_->next_seq[side_] += static_cast<std::uint32_t>(payload.size()) +
                            ((flags & tcp_flag::syn) != 0 ? 1U : 0U) +
                            ((flags & tcp_flag::fin) != 0 ? 1U : 0U);
}

/// A DNS message over UDP, its id and one byte of it from the input.
void Conversation::datagram() {
  const std::uint8_t what = input_.u8();
  std::string message =
      (what & 1U) != 0 ? dns_message(0x8180, (what & 2U) != 0) : dns_message(0x0100, false);
  message[1] = static_cast<char>(what >> 4);
  if ((what & 4U) != 0) message[input_.u8() % message.size()] = static_cast<char>(input_.u8());
  FrameBuilder frame;
  frame.ethernet();
  if (side_ == 0) {
    frame.ipv4("10.0.0.1", "192.0.2.53").udp(5353 + (what >> 7), 53);
  } else {
    frame.ipv4("192.0.2.53", "10.0.0.1").udp(53, 5353 + (what >> 7));
  }
  frames_.add(frame.payload(message).bytes(), now_, LinkType::ethernet);
}

/// Bytes that are never captured, or a snaplen for all further frames.
void Conversation::skip(std::uint16_t n) {
  if ((n & 0x8000U) != 0) {
    snaplen_ = 54 + (n & 0xffU);
  } else {
    flow_->next_seq[side_] += n;
  }
}

/// u8: bits 0-1 flow, 2 side, 3-6 what, 7 time goes on by more than the usual (u8 how, u16 much).
void Conversation::operation() {
  const std::uint8_t op = input_.u8();
  flow_ = &flows_[op & 3U];
  side_ = op >> 2 & 1U;
  if ((op & 0x80U) != 0) {
    const std::uint8_t how = input_.u8();
    now_ = next_time(now_, how, input_.u16());
  } else {
    now_ = std::min(now_ + kMillisecondNs, kLatestNs);
  }
  constexpr std::uint8_t kAck = tcp_flag::ack, kPsh = tcp_flag::psh;
  switch (op >> 3 & 15U) {
    case 0:  // a whole handshake
      side_ = 0, send(tcp_flag::syn, {});
      side_ = 1, send(tcp_flag::syn | kAck, {});
      side_ = 0, send(kAck, {});
      break;
    case 1: send(tcp_flag::syn, {}); break;
    case 2: send(tcp_flag::syn | kAck, {}); break;
    case 3: send(tcp_flag::fin | kAck, {}); break;
    case 4: send(tcp_flag::rst | (input_.u8() & kAck), {}); break;
    case 5: send(input_.u8(), as_bytes(payload())); break;
    case 6: flow_->window[side_] = input_.u8(), send(kAck, {}); break;
    case 7: send(kAck, as_bytes(payload()), static_cast<std::int8_t>(input_.u8())); break;
    case 8: send(kAck, as_bytes(payload()), input_.u16()); break;  // beyond a hole
    case 9: skip(input_.u16()); break;
    case 10: flow_->next_seq[side_] = input_.u32(), send(tcp_flag::syn, {}); break;  // reused
    case 11: datagram(); break;
    case 12: frames_.repeat_last(now_); break;
    case 13: send(kAck, {}); break;
    case 14: send(kAck, as_bytes(std::string(1, 'k')), -1); break;  // keep-alive
    default: send(kAck | kPsh, as_bytes(payload())); break;
  }
}

Frames Conversation::run() {
  while (!input_.empty() && !frames_.full()) operation();
  return std::move(frames_);
}

}  // namespace

void Frames::add(std::vector<std::uint8_t> bytes, TimeNs time_ns, LinkType link,
                 std::uint32_t cut) {
  bytes_.push_back(std::move(bytes));
  Frame frame;
  frame.bytes = bytes_.back();
  frame.wire_length = static_cast<std::uint32_t>(frame.bytes.size()) + cut;
  frame.time_ns = time_ns;
  frame.number = static_cast<FrameNumber>(frames_.size() + 1);
  frame.link = link;
  frames_.push_back(frame);
}

void Frames::repeat_last(TimeNs time_ns) {
  if (frames_.empty()) return;
  Frame frame = frames_.back();
  frame.time_ns = time_ns;
  ++frame.number;
  frames_.push_back(frame);
}

Frames raw_frames(Input& input) {
  Frames frames;
  TimeNs now = kStartNs;
  while (!input.empty() && !frames.full()) {
    const std::uint8_t what = input.u8();
    now = next_time(now, what >> 3, input.u16());
    const Bytes bytes = input.bytes(input.u16());
    if ((what & 0x80U) != 0) frames.repeat_last(now);
    frames.add({bytes.begin(), bytes.end()}, now, static_cast<LinkType>((what & 7U) % 6),
               (what & 0x40U) != 0 ? 100 : 0);
  }
  return frames;
}

Frames segments(Input& input) { return Conversation(input).run(); }

}  // namespace wirelag::fuzz
