// Builds TLS messages and records for the tests, and plays a conversation to a TlsTracker.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <wirelag/track/tls/tracker.hpp>

namespace wirelag::tls_test {

constexpr TimeNs ms(int n) { return n * kMillisecondNs; }

inline std::string u8(std::size_t v) { return std::string(1, static_cast<char>(v)); }
inline std::string u16(std::size_t v) { return u8(v >> 8) + u8(v); }
inline std::string u24(std::size_t v) { return u8(v >> 16) + u16(v); }
inline std::string with8(const std::string& s) { return u8(s.size()) + s; }
inline std::string with16(const std::string& s) { return u16(s.size()) + s; }

inline std::string message(int type, const std::string& body) {
  return u8(static_cast<std::size_t>(type)) + u24(body.size()) + body;
}
inline std::string record(int type, const std::string& payload, int version = 0x0303) {
  return u8(static_cast<std::size_t>(type)) + u16(static_cast<std::size_t>(version)) +
         with16(payload);
}
inline std::string extension(int type, const std::string& data) {
  return u16(static_cast<std::size_t>(type)) + with16(data);
}
inline std::string alpn_list(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += with8(name);
  return with16(list);
}

struct ClientHelloFields {
  std::size_t version = 0x0303;
  std::string sni = {};
  std::vector<std::string> alpn = {};
  std::vector<std::size_t> supported_versions = {};
  bool psk = false;
  bool early_data = false;
  bool ech = false;
  std::size_t padding = 0;
};

inline std::string client_hello(const ClientHelloFields& f) {
  std::string extensions = extension(0x0a0a, "");  // GREASE
  if (!f.sni.empty()) extensions += extension(0, with16(u8(0) + with16(f.sni)));
  if (!f.alpn.empty()) extensions += extension(16, alpn_list(f.alpn));
  if (!f.supported_versions.empty()) {
    std::string versions;
    for (const auto v : f.supported_versions) versions += u16(v);
    extensions += extension(43, with8(versions));
  }
  if (f.ech) extensions += extension(0xfe0d, std::string(60, 'e'));
  if (f.early_data) extensions += extension(42, "");
  if (f.padding > 0) extensions += extension(21, std::string(f.padding, '\0'));
  if (f.psk) extensions += extension(41, std::string(40, 'p'));
  return message(1, u16(f.version) + std::string(32, 'r') + with8(std::string(32, 's')) +
                        with16(u16(0x1301) + u16(0xc02f)) + with8(u8(0)) + with16(extensions));
}

struct ServerHelloFields {
  std::size_t version = 0x0303;
  std::size_t cipher = 0xc02f;
  std::string alpn = {};
  std::size_t supported_version = 0;
  bool psk = false;
  bool retry = false;
};

inline std::string server_hello(const ServerHelloFields& f) {
  static const std::string kRetry =
      "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
      "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
  std::string extensions;
  if (!f.alpn.empty()) extensions += extension(16, alpn_list({f.alpn}));
  if (f.supported_version != 0) extensions += extension(43, u16(f.supported_version));
  if (f.psk) extensions += extension(41, u16(0));
  const std::string random = f.retry ? kRetry : std::string(32, 'R');
  const bool early_draft = f.version >= 0x7f00;
  return message(2, u16(f.version) + random + (early_draft ? "" : with8(std::string(32, 's'))) +
                        u16(f.cipher) + (early_draft ? "" : u8(0)) + with16(extensions));
}

/// Encrypted handshake record: nothing in it can be read.
inline std::string finished() { return record(22, std::string(40, '\x02')); }
inline std::string change_cipher_spec() { return record(20, u8(1)); }
inline std::string data(std::size_t size = 100) { return record(23, std::string(size, '\xa5')); }

/// A transaction and its own copies of what it points to.
struct Told {
  TlsHandshake handshake;
  std::string sni;
  std::string alpn;
  std::string alpn_offered;
};

class Keep : public TransactionSink {
 public:
  void emit(TransactionRef transaction) override {
    const auto* tls = std::get<const TlsHandshake*>(transaction);
    told.push_back(
        {*tls, std::string(tls->sni), std::string(tls->alpn), std::string(tls->alpn_offered)});
  }
  std::vector<Told> told;
};

inline const StreamContext kContext{
    7,
    {IpAddress::v4(reinterpret_cast<const std::uint8_t*>("\x0a\0\0\1")), 40000},
    {IpAddress::v4(reinterpret_cast<const std::uint8_t*>("\x0a\0\0\2")), 443}};

/// Compiled once: it takes as long as all the rest.
inline std::shared_ptr<const Signatures> no_services() {
  static const auto signatures = Signatures::compile({}).value();
  return signatures;
}

/// A tracker and what it works with.
struct Bench {
  explicit Bench(const TlsLimits& limits = {.connections = 4,
                                            .hello_bytes = 2048,
                                            .hello_buffers = 2},
                 std::shared_ptr<const Signatures> signatures = no_services())
      : classifier(std::move(signatures)), tracker(limits, classifier, sink, counters) {}

  Classifier classifier;
  Counters counters;
  Keep sink;
  TlsTracker tracker;
};

/// A conversation as a list of segments: the n-th has frame n and is captured at n milliseconds.
class Conversation {
 public:
  Conversation& client(const std::string& bytes) { return add(Direction::c2s, bytes); }
  Conversation& server(const std::string& bytes) { return add(Direction::s2c, bytes); }
  Conversation& lost(Direction direction, std::size_t bytes) {
    segments_.push_back({direction, {}, bytes, 0});
    return *this;
  }
  /// The last segment overtook those before it: it was captured later, in frame `frame`.
  Conversation& captured_in(FrameNumber frame) {
    segments_.back().frame = frame;
    return *this;
  }
  /// The last segment's frame has no time.
  Conversation& untimed() {
    segments_.back().untimed = true;
    return *this;
  }
  /// The same with only the first `most` bytes of each segment captured.
  [[nodiscard]] Conversation snaplen(std::size_t most) const {
    Conversation other = *this;
    other.snaplen_ = most;
    return other;
  }
  /// The same with the sides' roles swapped.
  [[nodiscard]] Conversation reversed() const {
    Conversation other = *this;
    for (auto& s : other.segments_) s.direction = reverse(s.direction);
    return other;
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t n = 0;
    for (const auto& s : segments_) n += s.bytes.size();
    return n;
  }
  /// Flips bits of the n-th byte.
  void damage(std::size_t n, std::uint8_t bits) {
    for (auto& s : segments_) {
      if (n < s.bytes.size()) {
        s.bytes[n] = static_cast<char>(s.bytes[n] ^ bits);
        return;
      }
      n -= s.bytes.size();
    }
  }

  /// Plays the first `most` bytes, each segment in pieces of `piece` bytes. Each piece lies in its
  /// own exact allocation, so that a read past its end is noticed.
  void play(StreamTracker& tracker, StreamTracker::Handle handle, std::size_t piece = SIZE_MAX,
            std::size_t most = SIZE_MAX) const {
    for (const auto& s : segments_) {
      if (s.lost > 0) tracker.on_gap(handle, s.direction, s.lost);
      const std::size_t captured = std::min(s.bytes.size(), snaplen_);
      for (std::size_t at = 0; at < captured && most > 0;) {
        const std::size_t n = std::min({piece, captured - at, most});
        const std::vector<std::uint8_t> bytes(
            s.bytes.begin() + static_cast<std::ptrdiff_t>(at),
            s.bytes.begin() + static_cast<std::ptrdiff_t>(at + n));
        const TimeNs time_ns = s.untimed ? kUnknownNs : s.frame * kMillisecondNs;
        tracker.on_bytes(handle, {bytes, time_ns, s.frame, s.direction});
        at += n;
        most -= n;
      }
      if (captured < s.bytes.size()) {
        tracker.on_cut(handle, {{}, s.frame * kMillisecondNs, s.frame, s.direction},
                       s.bytes.size() - captured);
      }
    }
  }

  /// Bytes of one segment that were never captured. What the side sends behind them waits until it has been given up:
  /// when `others` more segments of the other side have come, at the end at the latest.
  struct Hole {
    std::size_t segment;
    std::size_t from;
    std::size_t to;
    std::size_t others;
  };
  void play(StreamTracker& tracker, StreamTracker::Handle handle, const Hole& hole) const {
    const Direction holed = segments_[hole.segment].direction;
    std::vector<std::pair<const Segment*, std::string>> waiting;
    bool lost = false;
    bool given_up = false;
    std::size_t others = 0;
    const auto hand_over = [&](const Segment& s, const std::string& bytes, bool other_behind) {
      if (bytes.empty()) return;
      const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
      StreamChunk chunk{copy, s.frame * kMillisecondNs, s.frame, s.direction};
      chunk.other_behind = other_behind;
      tracker.on_bytes(handle, chunk);
    };
    const auto give_up = [&] {
      if (waiting.empty() || given_up) return;
      given_up = true;
      tracker.on_gap(handle, holed, hole.to - hole.from);
      for (const auto& [s, bytes] : waiting) hand_over(*s, bytes, false);
    };
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const Segment& s = segments_[i];
      if (i == hole.segment) {
        lost = true;
        hand_over(s, s.bytes.substr(0, hole.from), false);
        if (hole.to < s.bytes.size()) waiting.emplace_back(&s, s.bytes.substr(hole.to));
      } else if (s.direction == holed && lost && !given_up) {
        waiting.emplace_back(&s, s.bytes);
      } else {
        hand_over(s, s.bytes, s.direction != holed && lost && !given_up);
        if (s.direction != holed && lost) ++others;
      }
      if (others >= hole.others) give_up();
    }
    give_up();
  }
  [[nodiscard]] std::vector<Told> told(Bench& bench, const Hole& hole) const {
    bench.sink.told.clear();
    const auto handle = bench.tracker.open(kContext);
    play(bench.tracker, handle, hole);
    bench.tracker.close(handle);
    return bench.sink.told;
  }
  [[nodiscard]] std::size_t segments() const { return segments_.size(); }
  [[nodiscard]] std::size_t bytes_of(std::size_t segment) const {
    return segments_[segment].bytes.size();
  }

  /// Played on a connection of its own, from open to close.
  [[nodiscard]] std::vector<Told> told(Bench& bench, std::size_t piece = SIZE_MAX,
                                       std::size_t most = SIZE_MAX) const {
    bench.sink.told.clear();
    const auto handle = bench.tracker.open(kContext);
    if (handle == StreamTracker::kNone) return {};
    play(bench.tracker, handle, piece, most);
    bench.tracker.close(handle);
    return bench.sink.told;
  }
  /// The one transaction it makes; a default one when it makes none or several.
  [[nodiscard]] Told one() const {
    Bench bench;
    auto all = told(bench);
    return all.size() == 1 ? all.front() : Told{};
  }

 private:
  struct Segment {
    Direction direction;
    std::string bytes;
    std::size_t lost;
    FrameNumber frame;
    bool untimed = false;
  };
  Conversation& add(Direction direction, const std::string& bytes) {
    segments_.push_back({direction, bytes, 0, ++frames_});
    return *this;
  }
  std::vector<Segment> segments_;
  FrameNumber frames_ = 0;
  std::size_t snaplen_ = SIZE_MAX;
};

}  // namespace wirelag::tls_test
