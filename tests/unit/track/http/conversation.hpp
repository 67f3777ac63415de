// An HTTP conversation as a script: who sends what in which frame (frame n is captured at n ms),
// holes and FINs; and what the tracker makes of it, one line of text per transaction.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <wirelag/track/http/tracker.hpp>

namespace wirelag::testing {

inline const std::string kOk5 = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

struct Step {
  enum class Kind { bytes, hole, cut, fin } kind;
  Direction direction;
  FrameNumber frame;
  std::string bytes;
  std::uint64_t missing;
  bool other_behind = false;  ///< StreamChunk's
};

inline Step client(FrameNumber frame, std::string bytes) {
  return {Step::Kind::bytes, Direction::c2s, frame, std::move(bytes), 0};
}
inline Step server(FrameNumber frame, std::string bytes) {
  return {Step::Kind::bytes, Direction::s2c, frame, std::move(bytes), 0};
}
/// What was never captured, sent when frame `at` was: for what the other side had received when it answered.
/// 0: when the frame before in the script was.
inline Step client_hole(std::uint64_t n, FrameNumber at = 0) {
  return {Step::Kind::hole, Direction::c2s, at, {}, n};
}
inline Step server_hole(std::uint64_t n, FrameNumber at = 0) {
  return {Step::Kind::hole, Direction::s2c, at, {}, n};
}
/// The last `n` bytes of the segment before.
inline Step client_cut(FrameNumber frame, std::uint64_t n) {
  return {Step::Kind::cut, Direction::c2s, frame, {}, n};
}
inline Step server_cut(FrameNumber frame, std::uint64_t n) {
  return {Step::Kind::cut, Direction::s2c, frame, {}, n};
}
inline Step client_fin(FrameNumber frame) {
  return {Step::Kind::fin, Direction::c2s, frame, {}, 0};
}
inline Step server_fin(FrameNumber frame) {
  return {Step::Kind::fin, Direction::s2c, frame, {}, 0};
}
using Script = std::vector<Step>;

/// "GET a.example/x -> 200 frames 1-1 2-3 wait 1ms body 5" and what is out of the ordinary.
inline std::string describe(const HttpTransaction& t) {
  std::string out = t.request_seen ? fmt::format("{} {}{}", t.method, t.host, t.target) : "?";
  out += fmt::format(" -> {} frames {}-{} {}-{}", t.status, t.request_frames.first,
                     t.request_frames.last, t.response_frames.first, t.response_frames.last);
  if (known(t.server_wait_ns())) {
    out += fmt::format(" wait {}ms", t.server_wait_ns() / kMillisecondNs);
  }
  if (t.status != 0 && t.response_body_bytes != kUnknownBodyBytes) {
    out += fmt::format(" body {}", t.response_body_bytes);
  }
  if (t.request_seen && !t.request_complete) out += " request-cut";
  if (t.status != 0 && !t.response_complete) out += " response-cut";
  if (t.interim_responses > 0) out += fmt::format(" interim {}", t.interim_responses);
  if (t.pipelined) out += " pipelined";
  if (t.early_response) out += " early";
  if (t.resynchronised) out += " resynchronised";
  if (t.ends_with_close) out += " to-fin";
  if (!t.keep_alive) out += " last";
  if (t.text_cut) out += " text-cut";
  return out;
}

class Collector : public TransactionSink {
 public:
  void emit(TransactionRef ref) override {
    const HttpTransaction& t = *std::get<const HttpTransaction*>(ref);
    lines.push_back(describe(t));
    fields.push_back(fmt::format("referer={} type={} location={} service={}", t.referer,
                                 t.content_type, t.location, t.service));
  }
  std::vector<std::string> lines;
  std::vector<std::string> fields;
};

inline HttpLimits small_limits() {
  HttpLimits l;
  l.connections = 4;
  l.open_requests = 32;
  l.header_bytes = 1024;
  l.header_buffers = 4;
  return l;
}

/// Numbers wrap within the conversations.
inline constexpr std::uint32_t kFirstSeq = 0xffffffe0;

inline std::uint32_t sent_before(const Script& script, Direction direction, FrameNumber frame) {
  std::uint64_t bytes = 0;
  FrameNumber latest = 0;
  for (const Step& s : script) {
    const FrameNumber at = s.frame != 0 ? s.frame : latest;
    latest = std::max(latest, at);
    if (s.direction == direction && at < frame) bytes += s.bytes.size() + s.missing;
  }
  return static_cast<std::uint32_t>(bytes);
}

/// One tracker with all it needs.
struct Bench {
  explicit Bench(const HttpLimits& limits = small_limits())
      : classifier(signatures()), tracker(limits, classifier, sink, counters) {}

  static std::shared_ptr<const Signatures> signatures() {
    static const auto compiled =
        Signatures::compile({{"shop", "shop\\.example"}, {"video", "^video\\."}}).value();
    return compiled;
  }

  /// `seq`, `ack`: as in StreamChunk, when they are known.
  void step(StreamTracker::Handle h, const Step& s, std::optional<std::uint32_t> seq = {},
            std::uint32_t ack = 0) {
    const TimeNs now = s.frame * kMillisecondNs;
    StreamChunk chunk{as_bytes(s.bytes), now, s.frame, s.direction};
    chunk.acks = seq.has_value();
    chunk.seq = seq.value_or(0);
    chunk.ack = ack;
    chunk.other_behind = s.other_behind;
    switch (s.kind) {
      case Step::Kind::bytes: tracker.on_bytes(h, chunk); break;
      case Step::Kind::hole: tracker.on_gap(h, s.direction, s.missing); break;
      case Step::Kind::cut: tracker.on_cut(h, chunk, s.missing); break;
      case Step::Kind::fin: tracker.on_fin(h, s.direction, now, s.frame); break;
    }
  }
  /// Opens a connection, plays the script, closes the connection. Each side has received what was sent in
  /// lower frames when it sends. Both sides' bytes begin at `first_seq`.
  void play(const Script& script, std::uint32_t first_seq = kFirstSeq) {
    const StreamTracker::Handle h = tracker.open({1, {}, {}});
    std::array<std::uint32_t, 2> seq = {first_seq, first_seq};
    for (const Step& s : script) {
      std::uint32_t& next = seq[index(s.direction)];
      const Direction other = s.direction == Direction::c2s ? Direction::s2c : Direction::c2s;
      step(h, s, next, first_seq + sent_before(script, other, s.frame));
      next += static_cast<std::uint32_t>(s.bytes.size() + s.missing);
    }
    tracker.close(h);
  }
  [[nodiscard]] bool all_given_back() const {
    const HttpTracker::Usage u = tracker.usage();
    return u.connections + u.exchanges + u.text_blocks + u.header_buffers == 0;
  }

  Classifier classifier;
  Collector sink;
  Counters counters;
  HttpTracker tracker;
};

/// The same script with every step's bytes cut into pieces of `n`.
inline Script in_pieces(const Script& script, std::size_t n) {
  Script out;
  for (const Step& s : script) {
    if (s.kind != Step::Kind::bytes) {
      out.push_back(s);
      continue;
    }
    for (std::size_t at = 0; at < s.bytes.size(); at += n) {
      out.push_back(s);
      out.back().bytes = s.bytes.substr(at, n);
    }
  }
  return out;
}

/// The same script with the bytes of step `i` cut in two at `at`.
inline Script cut_at(const Script& script, std::size_t i, std::size_t at) {
  Script out = script;
  Step rest = out[i];
  rest.bytes.erase(0, at);
  out[i].bytes.resize(at);
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest);
  return out;
}

/// A whole request.
inline std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
}

/// The lines of a script's transactions, and that its connection left nothing behind.
inline std::vector<std::string> told(const Script& script) {
  Bench bench;
  bench.play(script);
  EXPECT_TRUE(bench.all_given_back());
  return bench.sink.lines;
}

}  // namespace wirelag::testing
