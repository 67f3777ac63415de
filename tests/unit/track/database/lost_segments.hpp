// Random conversations with a database of which any segment may be missing from the capture: whatever is paired belongs
// together. Who asked and who told what is known by frames.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {

/// What comes first, which is all captured, and what the n-th request and its response look like on the wire.
struct Dialogue {
  Script login;
  std::function<std::string(int, std::mt19937&)> request;
  std::function<std::string(int, std::mt19937&)> response;
};

struct LossPairs {
  int all = 0;
  int wrong = 0;  ///< the response is another's
  int late =
      0;  ///< of the last three requests of each conversation, when nothing is missing any more
};

/// What becomes of the segments: one in so many is missing, one in so many is cut behind so many bytes; 0 = none.
struct Damage {
  unsigned lost_in = 0;
  unsigned cut_in = 0;
  std::size_t snaplen = 0;
};

class LostSegments {
 public:
  /// Who asks `most_at_once` waits for all answers before it asks more, or goes on with each (`overlapping`).
  LostSegments(Dialogue dialogue, int most_at_once, bool overlapping, Damage damage,
               unsigned seed = 7)
      : dialogue_(std::move(dialogue)),
        most_at_once_(most_at_once),
        overlapping_(overlapping),
        damage_(damage),
        random_(seed) {}

  template <class Bench>
  LossPairs run(int rounds) {
    LossPairs pairs;
    for (int round = 0; round < rounds; ++round) {
      segments_.clear();
      answer_of_.clear();
      for (const Step& s : dialogue_.login)
        segments_.push_back({s.direction, next_frame(), s.bytes});
      const FrameNumber opened = segments_.size() + (overlapping_ ? kSeenToOverlap : 0);
      overlapping_ ? overlap(12, most_at_once_) : converse(12, most_at_once_);
      for (Segment& s : segments_) {
        if (s.frame <= opened) continue;
        s.lost = damage_.lost_in > 0 && random_() % damage_.lost_in == 0;
        s.cut = damage_.cut_in > 0 && random_() % damage_.cut_in == 0;
      }
      const FrameNumber clean = segments_.back().frame;
      converse(6, 1);
      Bench bench;
      play(bench, random_() % 4);
      for (const DatabaseTransaction& t : bench.sink.all) count(pairs, t, clean);
      EXPECT_TRUE(bench.all_given_back());
    }
    return pairs;
  }

 private:
  /// Who goes on asking has done so by then.
  static constexpr FrameNumber kSeenToOverlap = 16;

  struct Segment {
    Direction direction;
    FrameNumber frame;
    std::string bytes;
    bool lost = false;
    bool cut = false;
  };

  /// Each message in a segment of its own, or in two.
  FrameSpan send(Direction direction, const std::string& bytes) {
    const FrameNumber first = next_frame();
    std::size_t at = random_() % 4 == 0 ? 1 + random_() % bytes.size() : bytes.size();
    segments_.push_back({direction, first, bytes.substr(0, at)});
    if (at < bytes.size()) segments_.push_back({direction, first + 1, bytes.substr(at)});
    return {first, segments_.back().frame};
  }
  FrameNumber next_frame() const { return segments_.empty() ? 1 : segments_.back().frame + 1; }

  void converse(int requests, int most_at_once) {
    for (int n = 0; n < requests;) {
      const int at_once = 1 + static_cast<int>(random_() % static_cast<unsigned>(most_at_once));
      std::vector<FrameSpan> asked;
      for (int i = 0; i < at_once; ++i)
        asked.push_back(send(Direction::c2s, dialogue_.request(n + i, random_)));
      for (int i = 0; i < at_once; ++i) {
        const FrameSpan told = send(Direction::s2c, dialogue_.response(n + i, random_));
        for (FrameNumber f = asked[static_cast<std::size_t>(i)].first;
             f <= asked[static_cast<std::size_t>(i)].last; ++f)
          answer_of_[f] = told;
      }
      n += at_once;
    }
  }

  /// So many requests are always on their way: with each answer the client sends another.
  void overlap(int requests, int at_once) {
    std::deque<FrameSpan> asked;
    int next = 0;
    for (int answered = 0; answered < requests; ++answered) {
      while (next < requests && static_cast<int>(asked.size()) < at_once)
        asked.push_back(send(Direction::c2s, dialogue_.request(next++, random_)));
      const FrameSpan told = send(Direction::s2c, dialogue_.response(answered, random_));
      for (FrameNumber f = asked.front().first; f <= asked.front().last; ++f) answer_of_[f] = told;
      asked.pop_front();
    }
  }

  void count(LossPairs& pairs, const DatabaseTransaction& t, FrameNumber clean) const {
    if (!t.response_complete || t.request_frames.first == 0 || t.login) return;
    const FrameSpan& told = answer_of_.at(t.request_frames.last);
    const bool right = t.response_frames.first >= told.first && t.response_frames.last <= told.last;
    ++pairs.all;
    pairs.wrong += right ? 0 : 1;
    if (right && t.request_frames.first > clean + 6) ++pairs.late;
  }

  /// As the TCP tracker hands them over: what is behind a hole waits for `others` segments of the other side.
  template <class Bench>
  void play(Bench& bench, std::size_t others) {
    const StreamTracker::Handle h = bench.tracker.open({1, {}, {}});
    std::array<std::vector<const Segment*>, 2> waiting;
    std::array<std::size_t, 2> waited{};
    const auto give_up = [&](std::size_t d, bool at_end) {
      bool holds_bytes = at_end;
      for (const Segment* s : waiting[d]) holds_bytes = holds_bytes || !s->lost;
      if (!holds_bytes) return;
      for (const Segment* s : waiting[d]) hand_over(bench, h, *s);
      waiting[d].clear();
    };
    for (const Segment& s : segments_) {
      const std::size_t d = index(s.direction);
      if (s.lost || !waiting[d].empty()) {
        if (waiting[d].empty()) waited[d] = 0;
        waiting[d].push_back(&s);
        if (others == 0) give_up(d, false);
      } else {
        hand_over(bench, h, s);
      }
      if (!waiting[1 - d].empty() && ++waited[1 - d] >= others) give_up(1 - d, false);
    }
    give_up(0, true);
    give_up(1, true);
    bench.tracker.close(h);
  }

  template <class Bench>
  void hand_over(Bench& bench, StreamTracker::Handle h, const Segment& s) const {
    if (s.lost) return bench.tracker.on_gap(h, s.direction, s.bytes.size());
    StreamChunk chunk{as_bytes(s.bytes), s.frame * kMillisecondNs, s.frame, s.direction};
    chunk.acks = true;
    chunk.seq = sent_before(s.direction, s.frame);
    chunk.ack =
        sent_before(s.direction == Direction::c2s ? Direction::s2c : Direction::c2s, s.frame);
    const std::size_t captured = s.cut ? std::min(damage_.snaplen, s.bytes.size()) : s.bytes.size();
    chunk.bytes = chunk.bytes.first(captured);
    if (captured > 0) bench.tracker.on_bytes(h, chunk);
    chunk.bytes = {};
    if (captured < s.bytes.size()) bench.tracker.on_cut(h, chunk, s.bytes.size() - captured);
  }
  /// Each side has received what was sent in lower frames when it sends. Numbers wrap.
  [[nodiscard]] std::uint32_t sent_before(Direction direction, FrameNumber frame) const {
    std::uint32_t bytes = 0xffffff00;
    for (const Segment& s : segments_) {
      if (s.direction == direction && s.frame < frame)
        bytes += static_cast<std::uint32_t>(s.bytes.size());
    }
    return bytes;
  }

  Dialogue dialogue_;
  int most_at_once_;
  bool overlapping_;
  Damage damage_;
  std::mt19937 random_;
  std::vector<Segment> segments_;
  std::map<FrameNumber, FrameSpan> answer_of_;  ///< by a request's frame
};

/// Who waits, who asks up to `most_at_once` together and waits for all answers, and who asks on while answers are due:
/// with a sixth and with a twentieth of all segments missing, with some and with all of them cut. `least`: so many of
/// 9000 pairs must be found when a sixth is missing and answers are waited for.
template <class Bench>
void expect_no_wrong_pair(const Dialogue& dialogue, int most_at_once, int least) {
  constexpr Damage kDamages[] = {{6}, {20}, {0, 6, 16}, {0, 1, 96}, {20, 1, 60}, {6, 3, 16}};
  for (const auto& [at_once, overlapping] :
       {std::pair(1, false), {most_at_once, false}, {most_at_once, true}}) {
    for (const Damage& damage : kDamages) {
      const LossPairs pairs = LostSegments(dialogue, at_once, overlapping, damage).run<Bench>(500);
      const std::string what = fmt::format("{} at once{}, one in {} lost, one in {} cut to {}",
                                           at_once, overlapping ? " overlapping" : "",
                                           damage.lost_in, damage.cut_in, damage.snaplen);
      EXPECT_EQ(pairs.wrong, 0) << what;
      if (overlapping) continue;
      EXPECT_GT(pairs.late, 1450) << what;
      if (damage.cut_in > 0) continue;
      EXPECT_GT(pairs.all, least) << what;
    }
  }
}

}  // namespace wirelag::testing
