// A conversation with a database as a script: who sends what in which frame (frame n is captured at
// n ms), holes and FINs; and what a tracker makes of it, one line of text per transaction.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <wirelag/track/database/exchanges.hpp>

namespace wirelag::testing {

struct Step {
  enum class Kind { bytes, hole, cut, fin } kind;
  Direction direction;
  FrameNumber frame;
  std::string bytes;
  std::uint64_t missing;
};
using Script = std::vector<Step>;

inline Step client(FrameNumber frame, std::string bytes) {
  return {Step::Kind::bytes, Direction::c2s, frame, std::move(bytes), 0};
}
inline Step server(FrameNumber frame, std::string bytes) {
  return {Step::Kind::bytes, Direction::s2c, frame, std::move(bytes), 0};
}
inline Step client_hole(std::uint64_t n) { return {Step::Kind::hole, Direction::c2s, 0, {}, n}; }
inline Step server_hole(std::uint64_t n) { return {Step::Kind::hole, Direction::s2c, 0, {}, n}; }
/// The last `n` bytes of the segment before.
inline Step client_cut(FrameNumber frame, std::uint64_t n) {
  return {Step::Kind::cut, Direction::c2s, frame, {}, n};
}
inline Step server_cut(FrameNumber frame, std::uint64_t n) {
  return {Step::Kind::cut, Direction::s2c, frame, {}, n};
}
inline Step server_fin(FrameNumber frame) {
  return {Step::Kind::fin, Direction::s2c, frame, {}, 0};
}

/// "GET user:? -> frames 1-1 2-3 wait 1ms" and what is out of the ordinary.
inline std::string describe(const DatabaseTransaction& t) {
  const std::string named = fmt::format("{} of \"{}\"", t.operation, t.statement_name);
  std::string out = fmt::format("{} -> frames {}-{} {}-{}",
                                t.name_only             ? named
                                : t.fingerprint.empty() ? t.operation
                                                        : t.fingerprint,
                                t.request_frames.first, t.request_frames.last,
                                t.response_frames.first, t.response_frames.last);
  if (known(t.server_wait_ns())) {
    out += fmt::format(" wait {}ms", t.server_wait_ns() / kMillisecondNs);
  }
  if (t.rows != DatabaseTransaction::kUnknownRows) out += fmt::format(" rows {}", t.rows);
  if (t.error) out += fmt::format(" error {}", t.error_code);
  if (t.statements != 1) out += fmt::format(" statements {}", t.statements);
  if (t.status == DatabaseStatus::in_transaction) out += " in-transaction";
  if (t.status == DatabaseStatus::failed_transaction) out += " failed-transaction";
  if (t.login) out += fmt::format(" login {}", t.round_trips);
  if (!t.user.empty()) out += fmt::format(" user={}", t.user);
  if (!t.database.empty()) out += fmt::format(" database={}", t.database);
  if (t.pipelined) out += fmt::format(" depth {}", t.depth);
  if (t.waits_by_design) out += " waits";
  if (t.no_reply) out += " no-reply";
  if (!t.response_complete && known(t.response_first_ns)) out += " cut";
  if (t.resynchronised) out += " resynchronised";
  if (t.text_cut) out += " text-cut";
  return out;
}

class Collector : public TransactionSink {
 public:
  void emit(TransactionRef ref) override {
    const DatabaseTransaction& t = *std::get<const DatabaseTransaction*>(ref);
    lines.push_back(describe(t));
    for (const std::string_view text :
         {t.operation, t.fingerprint, t.statement_name, t.error_code, t.user, t.database}) {
      texts += text;
      texts += '\n';
    }
    bytes += fmt::format("{}/{} ", t.request_bytes, t.response_bytes);
    last = t;
    all.push_back(t);
  }
  std::vector<std::string> lines;
  std::string texts;  ///< everything that was emitted, to look for what must not be there
  std::string bytes;
  DatabaseTransaction last;              ///< its views are dead
  std::vector<DatabaseTransaction> all;  ///< likewise
};

/// One tracker with all it needs; `More` is what its constructor takes beside the usual.
template <class Tracker, class... More>
struct Bench {
  explicit Bench(const DatabaseLimits& limits = {8, 64, 64})
      : more((static_cast<void>(sizeof(More)), limits)...),
        exchanges(limits, sink, counters),
        tracker(make(limits)) {}

  Tracker make(const DatabaseLimits& limits) {
    return std::apply([&](auto&... m) { return Tracker(limits, exchanges, m..., counters); }, more);
  }

  /// Each side has received what the script has before.
  void step(StreamTracker::Handle h, const Step& s) {
    const TimeNs now = s.frame * kMillisecondNs;
    StreamChunk chunk{as_bytes(s.bytes), now, s.frame, s.direction};
    std::uint32_t& sent = sent_[index(s.direction)];
    chunk.acks = true;
    chunk.seq = sent;
    chunk.ack = sent_[1 - index(s.direction)];
    sent += static_cast<std::uint32_t>(s.bytes.size() + s.missing);
    switch (s.kind) {
      case Step::Kind::bytes: tracker.on_bytes(h, chunk); break;
      case Step::Kind::hole: tracker.on_gap(h, s.direction, s.missing); break;
      case Step::Kind::cut: tracker.on_cut(h, chunk, s.missing); break;
      case Step::Kind::fin: tracker.on_fin(h, s.direction, now, s.frame); break;
    }
  }
  /// Opens a connection, plays the script, closes the connection.
  const std::vector<std::string>& play(const Script& script, bool from_start = true) {
    const StreamTracker::Handle h = tracker.open({1, {}, {}, from_start});
    for (const Step& s : script) step(h, s);
    tracker.close(h);
    return sink.lines;
  }
  [[nodiscard]] bool all_given_back() const {
    return tracker.connections_in_use() + exchanges.in_use() == 0;
  }

  Collector sink;
  Counters counters;
  std::tuple<More...> more;
  DatabaseExchanges exchanges;
  Tracker tracker;

 private:
  std::array<std::uint32_t, 2> sent_{};
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

/// What is wrong when the script's bytes are cut in two, at every place, or in pieces of 1 to 7:
/// "" when it always gives the same transactions.
template <class BenchType>
std::string differs_when_cut(const Script& script) {
  BenchType whole;
  whole.play(script);
  const auto differs = [&](const Script& cut) {
    BenchType bench;
    bench.play(cut);
    return bench.sink.lines != whole.sink.lines || bench.sink.bytes != whole.sink.bytes ||
           !bench.all_given_back();
  };
  for (std::size_t n = 1; n <= 7; ++n) {
    if (differs(in_pieces(script, n))) return fmt::format("pieces of {}", n);
  }
  for (std::size_t i = 0; i < script.size(); ++i) {
    for (std::size_t at = 1; at < script[i].bytes.size(); ++at) {
      if (differs(cut_at(script, i, at))) return fmt::format("step {} cut at {}", i, at);
    }
  }
  return "";
}

}  // namespace wirelag::testing
