// What the decoder counts, and the names of its reasons.
#include "decoded.hpp"

namespace wirelag::test {
namespace {

class DecodeCounters : public testing::Test {
 protected:
  void feed(const Octets& bytes, const FrameFields& fields, bool dispatched = false) {
    Frame frame = frame_of(bytes, fields);
    frame.dispatched = dispatched;
    Packet packet;
    (void)decoder.decode(frame, packet);
  }

  Counters counters;
  Decoder decoder{{}, counters};
};

TEST_F(DecodeCounters, steps_of_the_clock) {
  const auto arp = FrameBuilder().ethernet().ethertype(0x0806).bytes();
  for (const TimeNs time_ns : {10, 20, 20, 15, 16, 1}) feed(arp, {.time_ns = time_ns});
  EXPECT_EQ(counters.of(Counter::clock_steps_back), 2u);
}

TEST_F(DecodeCounters, tunnels_and_cuts_once_per_frame) {
  auto tunnel = FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").gre();
  feed(with_hello(tunnel.ipv4("192.0.2.3", "192.0.2.4")).bytes(), {});
  EXPECT_EQ(counters.of(Counter::tunnelled), 1u);
  feed(with_hello(FrameBuilder().ethernet()).bytes(), {.cut_bytes = 10});
  EXPECT_EQ(counters.of(Counter::snaplen_cut), 1u);
}

TEST_F(DecodeCounters, frames_that_the_dispatcher_counted_are_not_counted_again) {
  auto tunnel = FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").gre();
  feed(with_hello(tunnel).bytes(), {.time_ns = 9, .cut_bytes = 5}, true);
  feed(with_hello(FrameBuilder().ethernet()).bytes(), {.time_ns = 1}, true);
  EXPECT_EQ(counters.values, Counters{}.values);
}

TEST(Reasons, have_names_and_meanings) {
  EXPECT_EQ(name(NotAnalysed::none), "none");
  EXPECT_EQ(name(NotAnalysed::arp), "arp");
  EXPECT_EQ(name(NotAnalysed::ring_full), "ring_full");
  EXPECT_EQ(meaning(NotAnalysed::arp), "ARP: nothing to measure");
}

}  // namespace
}  // namespace wirelag::test
