// The short way for expected segments against the long way for all: both are taken for every segment of
// generated traffic, sound and damaged, and have to leave the same behind.
#include "prediction.hpp"

#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include <wirelag/decode/decoder.hpp>

#include "mirror_copy.hpp"
#include "opening.hpp"
#include "sequence.hpp"
#include "support/traffic/random.hpp"
#include "support/traffic/sources.hpp"

namespace wirelag::tcp {
namespace {

using traffic::Random;

/// A flow record and what compares it: every byte, those between its members included.
struct Record {
  alignas(TcpFlow) unsigned char bytes[sizeof(TcpFlow)];
  explicit Record(const TcpFlow& flow) { std::memcpy(bytes, &flow, sizeof flow); }
  [[nodiscard]] TcpFlow& flow() { return *std::launder(reinterpret_cast<TcpFlow*>(bytes)); }
  [[nodiscard]] bool is(const TcpFlow& flow) const {
    return std::memcmp(bytes, &flow, sizeof flow) == 0;
  }
};

struct Counts {
  std::size_t segments = 0;
  std::size_t expected = 0;
};

/// Connections as they go the long way; each segment tries the short way first, on a copy.
class BothWays {
 public:
  void take(const Packet& packet) {
    const auto key = FlowKey::of(packet.src, packet.dst);
    auto& slot = flows_[{key.low, key.high}];
    if (slot == nullptr) slot = begin(key, packet);
    TcpFlow& flow = *slot;
    const SideIndex sender = sender_of(packet);
    const TimeNs previous_ns = flow.last_ns;
    flow.last_ns = std::max(flow.last_ns, packet.time_ns);

    Record copy(flow);
    RoundTrip by_short_way, by_long_way;
    const bool predicted = account_expected(copy.flow(), sender, packet, by_short_way);
    ++counts.segments;
    if (!predicted) {
      ASSERT_TRUE(copy.is(flow)) << "an unexpected segment was touched";
    }
    const MirrorCopy mirror = sequences_.copy_of(flow, sender, packet, previous_ns);
    SegmentContent content = SegmentContent::nothing;
    if (mirror != MirrorCopy::no) {
      sequences_.account_mirror_copy(flow, sender, packet, mirror);
    } else {
      openings_.note(flow, sender, packet);
      content = sequences_.account(flow, sender, packet, by_long_way);
    }
    if (!predicted) return;
    ++counts.expected;
    ASSERT_EQ(mirror, MirrorCopy::no);
    ASSERT_EQ(content,
              packet.payload_length > 0 ? SegmentContent::payload : SegmentContent::nothing);
    ASSERT_EQ(by_short_way.to_ack_ns, by_long_way.to_ack_ns);
    ASSERT_EQ(by_short_way.to_timestamp_ns, by_long_way.to_timestamp_ns);
    ASSERT_TRUE(copy.is(flow)) << "segment " << counts.segments << " leaves something else behind";
  }

  Counts counts;

 private:
  static std::unique_ptr<TcpFlow> begin(const FlowKey& key, const Packet& packet) {
    auto flow = std::make_unique<TcpFlow>();
    flow->key = key;
    flow->client = sender_of(packet);
    flow->last_ns = packet.time_ns;
    return flow;
  }

  std::map<std::pair<Endpoint, Endpoint>, std::unique_ptr<TcpFlow>> flows_;
  Openings openings_{1024};
  Counters counters_;
  Sequences sequences_{1024, counters_};
};

/// All TCP segments of the source, through `damage`, which passes on what it likes.
using Next = std::function<void(const Packet&)>;
template <class Damage>
Counts run(traffic::Source& source, Damage&& damage) {
  Counters counters;
  Decoder decoder({}, counters);
  BothWays both;
  const Next next = [&](const Packet& p) { both.take(p); };
  FrameNumber number = 0;
  traffic::TimedFrame timed;
  while (source.next(timed) && !::testing::Test::HasFatalFailure()) {
    Frame frame;
    frame.bytes = timed.bytes;
    frame.wire_length = static_cast<std::uint32_t>(timed.bytes.size());
    frame.time_ns = timed.time_ns;
    frame.number = ++number;
    Packet packet;
    if (decoder.decode(frame, packet) != NotAnalysed::none) continue;
    if (packet.transport == Transport::tcp) damage(packet, next);
  }
  return both.counts;
}

std::unique_ptr<traffic::Source> mix(std::uint64_t seed) {
  return traffic::mix({.seed = seed, .connections = 300, .loss = 0.01, .reorder = 0.005}, nullptr);
}

TEST(Prediction, MostSegmentsOfOrdinaryTrafficAreExpected) {
  const Counts both = run(*mix(1), [](const Packet& p, const Next& next) { next(p); });
  EXPECT_GT(both.segments, 5'000U);
  EXPECT_GT(both.expected, both.segments / 2);
}

TEST(Prediction, NearlyAllSmallSegmentsAreExpected) {
  const auto source = traffic::flows({.flows = 20, .packets = 20'000}, nullptr);
  const Counts both = run(*source, [](const Packet& p, const Next& next) { next(p); });
  EXPECT_GT(both.expected, both.segments * 98 / 100);
}

TEST(Prediction, AConnectionWhoseOpeningWasNotSeenIsExpectedToo) {
  const Counts both = run(*mix(2), [](const Packet& p, const Next& next) {
    if (!p.tcp.has(tcp_flag::syn)) next(p);
  });
  EXPECT_GT(both.expected, both.segments / 2);
}

/// One of the ways a capture can be damaged, or a sender odd.
void distort(Packet& p, Random& random) {
  TcpHeader& tcp = p.tcp;
  switch (random.below(12)) {
    case 0: tcp.flags ^= static_cast<std::uint8_t>(1U << random.below(8)); break;
    case 1: tcp.window = 0; break;
    case 2: tcp.window = static_cast<std::uint16_t>(random.below(20)); break;
    case 3:
      tcp.seq -= 1;
      p.payload_length = static_cast<std::uint32_t>(random.below(2));
      break;
    case 4: p.payload_length = 1; break;
    case 5: tcp.seq += static_cast<std::uint32_t>(random.between(-3000, 3000)); break;
    case 6: tcp.ack += static_cast<std::uint32_t>(random.between(-3000, 3000)); break;
    case 7: tcp.seq ^= 1U << random.below(32); break;
    case 8: tcp.ack ^= 1U << random.below(32); break;
    case 9: p.time_ns += random.between(-2 * kSecondNs, 2 * kSecondNs); break;
    case 10: tcp.options = tcp.options.first(random.below(tcp.options.size() + 1)); break;
    default: p.payload_length ^= static_cast<std::uint32_t>(random.below(64)); break;
  }
}

TEST(Prediction, BothWaysAgreeOnDamagedTraffic) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed, 99);
    const Counts both = run(*mix(seed), [&](const Packet& p, const Next& next) {
      if (random.chance(0.02)) return;
      Packet shown = p;
      if (random.chance(0.03)) distort(shown, random);
      next(shown);
      if (!random.chance(0.03)) return;
      shown.time_ns += random.between(0, random.chance(0.5) ? 60'000 : 2 * kMillisecondNs);
      next(shown);  // the mirror's copy, or sent again at once
    });
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    EXPECT_GT(both.expected, both.segments / 4);
    EXPECT_LT(both.expected, both.segments * 95 / 100);
  }
}

TEST(Prediction, BothWaysAgreeOnLateAndOvertakingSegments) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed, 7);
    std::vector<Packet> held;
    std::vector<std::vector<std::uint8_t>> options;
    const Counts both = run(*mix(seed), [&](const Packet& p, const Next& next) {
      if (random.chance(0.05)) {
        options.emplace_back(p.tcp.options.begin(), p.tcp.options.end());
        held.push_back(p);
        held.back().tcp.options = options.back();
        if (random.chance(0.5)) return;
      }
      next(p);
      if (held.empty() || !random.chance(0.03)) return;
      for (Packet& late : held) {
        late.time_ns = p.time_ns;
        next(late);
      }
      held.clear();
      options.clear();
    });
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    EXPECT_GT(both.expected, both.segments / 4);
  }
}

TEST(Prediction, BothWaysAgreeWhereWindowsFill) {
  Random random(3, 1);
  const Counts both = run(*mix(3), [&](const Packet& p, const Next& next) {
    Packet shown = p;
    shown.tcp.window = static_cast<std::uint16_t>(shown.tcp.window / (1 + random.below(64)));
    next(shown);
  });
  EXPECT_GT(both.expected, both.segments / 4);
}

/// A connection of a few bytes at a time: probes, keep-alives, closed windows, and copies of all of them,
/// within microseconds or milliseconds.
class OddConnection {
 public:
  explicit OddConnection(std::uint64_t seed) : random_(seed, 5), mirrored_(seed % 2 == 0) {
    for (Packet* p : {&up_, &down_}) {
      p->transport = Transport::tcp;
      p->tcp.flags = tcp_flag::ack;
    }
    up_.src.port = down_.dst.port = 40000;
    up_.dst.port = down_.src.port = 80;
  }

  Packet next() {
    now_ns_ += pick<TimeNs>({0, 1'000, 20'000, 400'000, 3'000'000, 300'000'000});
    if (!sent_.empty() && random_.chance(0.2)) {
      Packet again = sent_[random_.below(sent_.size())];
      again.time_ns = now_ns_;
      if (!mirrored_) again.ip_id = ++ip_id_;  // nothing of a mirrored connection is expected
      return again;
    }
    const std::size_t from = random_.below(2);
    Packet p = from == 0 ? up_ : down_;
    p.time_ns = now_ns_;
    p.tcp.seq = seq_[from] + pick<std::uint32_t>({0, 0, 0, 0, 0, 0, 1, UINT32_MAX});
    p.tcp.ack = seq_[1 - from] + pick<std::uint32_t>({0, 0, 0, 0, 1, UINT32_MAX, UINT32_MAX - 9});
    p.tcp.window = pick<std::uint16_t>({0, 10, 100, 1000, 1000, 1000});
    p.payload_length = pick<std::uint32_t>({0, 0, 1, 1, 2, 50});
    if (static_cast<std::int32_t>(p.tcp.seq + p.payload_length - seq_[from]) > 0) {
      seq_[from] = p.tcp.seq + p.payload_length;
    }
    if (sent_.size() == 4) sent_.erase(sent_.begin());
    sent_.push_back(p);
    return p;
  }

 private:
  template <class T>
  T pick(std::initializer_list<T> of) {
    return of.begin()[random_.below(of.size())];
  }

  Random random_;
  TimeNs now_ns_ = kSecondNs;
  Packet up_, down_;
  std::uint32_t seq_[2] = {1000, 5000};
  std::vector<Packet> sent_;
  bool mirrored_;
  std::uint16_t ip_id_ = 0;
};

TEST(Prediction, BothWaysAgreeOnOddConnections) {
  Counts all;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    OddConnection odd(seed);
    BothWays both;
    for (int i = 0; i < 100; ++i) both.take(odd.next());
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    all.segments += both.counts.segments;
    all.expected += both.counts.expected;
  }
  EXPECT_GT(all.expected, all.segments / 20);
}

}  // namespace
}  // namespace wirelag::tcp
