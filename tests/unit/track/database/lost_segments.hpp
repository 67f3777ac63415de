// Random conversations with a database of which any segment may be missing from the capture: whatever is paired belongs
// together. Who asked and who told what is known by frames.
#pragma once

#include <functional>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {

/// What the n-th request and its response look like on the wire.
struct Dialogue {
  std::function<std::string(int, std::mt19937&)> request;
  std::function<std::string(int, std::mt19937&)> response;
};

struct LossPairs {
  int all = 0;
  int wrong = 0;  ///< the response is another's
  int late =
      0;  ///< of the last three requests of each conversation, when nothing is missing any more
};

class LostSegments {
 public:
  LostSegments(Dialogue dialogue, int most_at_once, unsigned one_in, unsigned seed = 7)
      : dialogue_(std::move(dialogue)),
        most_at_once_(most_at_once),
        one_in_(one_in),
        random_(seed) {}

  template <class Bench>
  LossPairs run(int rounds) {
    LossPairs pairs;
    for (int round = 0; round < rounds; ++round) {
      segments_.clear();
      answer_of_.clear();
      converse(12, most_at_once_);
      for (Segment& s : segments_) s.lost = random_() % one_in_ == 0;
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
  struct Segment {
    Direction direction;
    FrameNumber frame;
    std::string bytes;
    bool lost = false;
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

  void count(LossPairs& pairs, const DatabaseTransaction& t, FrameNumber clean) const {
    if (!t.response_complete || t.request_frames.first == 0) return;
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
    bench.tracker.close(h, ConnectionEnd::closed);
  }

  template <class Bench>
  void hand_over(Bench& bench, StreamTracker::Handle h, const Segment& s) const {
    if (s.lost) return bench.tracker.on_gap(h, s.direction, s.bytes.size());
    StreamChunk chunk{as_bytes(s.bytes), s.frame * kMillisecondNs, s.frame, s.direction};
    chunk.acks = true;
    chunk.seq = sent_before(s.direction, s.frame);
    chunk.ack =
        sent_before(s.direction == Direction::c2s ? Direction::s2c : Direction::c2s, s.frame);
    bench.tracker.on_bytes(h, chunk);
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
  unsigned one_in_;
  std::mt19937 random_;
  std::vector<Segment> segments_;
  std::map<FrameNumber, FrameSpan> answer_of_;  ///< by a request's frame
};

/// Who waits and who asks up to `most_at_once` together, with a sixth and with a twentieth of all segments missing.
template <class Bench>
void expect_no_wrong_pair(const Dialogue& dialogue, int most_at_once, int least) {
  for (const int at_once : {1, most_at_once}) {
    for (const unsigned one_in : {6U, 20U}) {
      const LossPairs pairs = LostSegments(dialogue, at_once, one_in).run<Bench>(500);
      // Where requests that were asked together are missing in part, two stories can look the same.
      EXPECT_LE(1000 * pairs.wrong, at_once == 1 ? 0 : pairs.all)
          << at_once << " at once, one in " << one_in << ": " << pairs.wrong;
      EXPECT_GT(pairs.all, least) << at_once << " at once, one in " << one_in;
      if (at_once == 1) {
        EXPECT_GT(pairs.late, 1450);
      }
    }
  }
}

}  // namespace wirelag::testing
