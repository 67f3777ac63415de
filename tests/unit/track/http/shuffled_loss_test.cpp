// Random conversations of which any segment may be missing from the capture: whatever is paired belongs together.
// The n-th request asks for /n and its response has the status 400 + n.
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

struct Sent {
  Direction direction;
  FrameNumber frame;
  std::string bytes;
  bool lost = false;
};

/// Who talks how.
struct Kind {
  int most_at_once = 1;     ///< requests before the first is answered
  unsigned one_in = 6;      ///< so often a segment is missing
  std::size_t times = 1;    ///< bodies are so much longer
  std::size_t segment = 0;  ///< its most bytes; 0: any
  bool apart = false;       ///< each message begins a segment
};

std::string request(int n, std::size_t times, std::mt19937& random) {
  const std::string begin = fmt::format("GET /{} HTTP/1.1\r\n", n);
  if (random() % 4 > 0) return begin + "\r\n";
  const std::string body(random() % 40 * times, 'b');
  return begin + fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
}

std::string response(int n, std::size_t times, std::mt19937& random) {
  const std::string begin = fmt::format("HTTP/1.1 {} OK\r\n", 400 + n);
  const std::string body(random() % 60 * times, 'x');
  if (random() % 3 > 0)
    return begin + fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  return begin + fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                             body.size() + 1, body + "y");
}

void add(std::vector<Sent>& out, Direction direction, FrameNumber& frame, const std::string& bytes,
         std::size_t segment, std::mt19937& random) {
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t n = random() % 3 > 0 ? bytes.size() : 1 + random() % bytes.size();
    if (segment > 0) n = std::min(n, segment);
    out.push_back({direction, ++frame, bytes.substr(at, n)});
    at += n;
  }
}

/// Rounds of requests, all sent before the first is answered; the next round is sent when all are.
void converse(std::vector<Sent>& out, int from, int to, const Kind& kind, std::mt19937& random) {
  FrameNumber frame = out.empty() ? 0 : out.back().frame;
  for (int n = from; n < to;) {
    const int at_once = 1 + static_cast<int>(random() % static_cast<unsigned>(kind.most_at_once));
    std::vector<std::string> asked(1), answered(1);
    for (int i = 0; i < at_once; ++i, ++n) {
      asked.back() += request(n, kind.times, random);
      answered.back() += response(n, kind.times, random);
      if (kind.apart) asked.emplace_back(), answered.emplace_back();
    }
    for (const std::string& s : asked) add(out, Direction::c2s, frame, s, kind.segment, random);
    for (const std::string& s : answered) add(out, Direction::s2c, frame, s, kind.segment, random);
  }
}

/// As the TCP tracker hands them over: what is behind a hole waits for `others` segments of the other side.
Script captured(const std::vector<Sent>& sent, std::size_t others) {
  Script script;
  std::array<std::vector<Step>, 2> waiting;
  std::array<bool, 2> hole{};
  std::array<std::size_t, 2> waited{};
  const auto give_up = [&](std::size_t d, bool at_end) {
    bool holds_bytes = at_end;
    for (const Step& s : waiting[d]) holds_bytes = holds_bytes || s.kind == Step::Kind::bytes;
    if (!holds_bytes) return;
    for (Step& s : waiting[d]) {
      s.other_behind = hole[1 - d];
      script.push_back(s);
    }
    waiting[d].clear();
    hole[d] = false;
  };
  for (const Sent& s : sent) {
    const std::size_t d = index(s.direction);
    if (s.lost) {
      if (!hole[d]) waited[d] = 0;
      hole[d] = true;
      waiting[d].push_back({Step::Kind::hole, s.direction, s.frame, {}, s.bytes.size()});
    } else {
      const Step step{Step::Kind::bytes, s.direction, s.frame, s.bytes, 0, hole[1 - d]};
      hole[d] ? waiting[d].push_back(step) : script.push_back(step);
    }
    if (hole[d] && others == 0) give_up(d, false);
    if (hole[1 - d] && ++waited[1 - d] >= others) give_up(1 - d, false);
  }
  give_up(0, true);
  give_up(1, true);
  return script;
}

struct Pairs {
  int all = 0;
  int wrong = 0;  ///< the response is another's
  int late = 0;   ///< of the last requests, when nothing is missing any more
};

constexpr int kClean = 100;  ///< from this request on nothing is missing
constexpr int kEnd = 106;

void count(Pairs& pairs, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    int target = 0;
    int status = 0;
    if (std::sscanf(line.c_str(), "%*s /%d -> %d", &target, &status) != 2 || status == 0) continue;
    if (status != 400 + target) ++pairs.wrong;
    if (target < kClean) ++pairs.all;
    if (status == 400 + target && target >= kEnd - 3) ++pairs.late;
  }
}

/// Of 1000 conversations.
Pairs told_of(const Kind& kind) {
  std::mt19937 random(7);
  Pairs pairs;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Sent> sent;
    converse(sent, 1, 12, kind, random);
    for (Sent& s : sent) s.lost = random() % kind.one_in == 0;
    converse(sent, kClean, kEnd, {}, random);
    const std::size_t others = random() % 4;
    HttpLimits limits = small_limits();
    limits.open_requests = random() % 2 == 0 ? 32 : 128;
    Bench bench(limits);
    bench.play(captured(sent, others));
    count(pairs, bench.sink.lines);
  }
  return pairs;
}

// No pair may be wrong, and most of those that the packets leave whole are made. Then nothing is missing any more: who waits
// has all pairs again, who pipelined may have left requests that look open.
TEST(Loss, LeavesPairsOfClientsThatWaitRight) {
  const Pairs pairs = told_of({1, 6});
  EXPECT_GT(pairs.all, 6400);
  EXPECT_EQ(pairs.wrong, 0);
  EXPECT_EQ(pairs.late, 3000);
}

TEST(Loss, LeavesPairsOfClientsThatPipelineRight) {
  const Pairs pairs = told_of({4, 8});
  EXPECT_GT(pairs.all, 6400);
  EXPECT_EQ(pairs.wrong, 0);
  EXPECT_GT(pairs.late, 2900);
}

TEST(Loss, LeavesPairsOfLongMessagesRight) {
  for (const Kind& kind :
       {Kind{1, 6, 10, 120}, Kind{1, 20, 10, 120}, Kind{4, 6, 10, 120}, Kind{4, 20, 10, 120}}) {
    const Pairs pairs = told_of(kind);
    EXPECT_GT(pairs.all, kind.one_in == 6 ? 3600 : 8200);
    EXPECT_EQ(pairs.wrong, 0);
    EXPECT_GE(pairs.late, kind.most_at_once == 1 ? 3000 : 2900);
  }
}

// Where each message begins a segment, whole ones are missing more often.
TEST(Loss, LeavesPairsOfPipelinedMessagesApartRight) {
  for (const auto& [one_in, least] :
       {std::pair{3U, 800}, std::pair{6U, 3900}, std::pair{20U, 8500}}) {
    const Pairs pairs = told_of({one_in == 3 ? 8 : 4, one_in, 30, 600, true});
    EXPECT_GT(pairs.all, least);
    EXPECT_EQ(pairs.wrong, 0);
    EXPECT_GT(pairs.late, 2900);
  }
}

}  // namespace
}  // namespace wirelag::testing
