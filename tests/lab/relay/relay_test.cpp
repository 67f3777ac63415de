// The parts of the relay that know no device: what a link does to time, and which packets are lost.
#include <gtest/gtest.h>

#include "link.hpp"
#include "loss.hpp"

namespace wirelag::lab {
namespace {

std::vector<std::uint8_t> bytes(std::size_t n, std::uint8_t value = 0) {
  return std::vector<std::uint8_t>(n, value);
}

TEST(Link, DelaysEveryPacketByTheSameTime) {
  Link link({.delay_ns = 20 * kMillisecondNs});
  EXPECT_EQ(link.next_due_ns(), kUnknownNs);
  ASSERT_TRUE(link.offer(1000, bytes(100, 1)));
  ASSERT_TRUE(link.offer(1000, bytes(1500, 2)));
  EXPECT_EQ(link.next_due_ns(), 1000 + 20 * kMillisecondNs);
  EXPECT_EQ(link.take(), bytes(100, 1));
  EXPECT_EQ(link.next_due_ns(), 1000 + 20 * kMillisecondNs);
  EXPECT_EQ(link.take(), bytes(1500, 2));
  EXPECT_EQ(link.next_due_ns(), kUnknownNs);
}

TEST(Link, WhatIsFartherIsOvertaken) {
  Link link({.delay_ns = kMillisecondNs});
  ASSERT_TRUE(link.offer(0, bytes(1, 1), 5 * kMillisecondNs));
  ASSERT_TRUE(link.offer(10, bytes(1, 2)));
  EXPECT_EQ(link.take(), bytes(1, 2));
  EXPECT_EQ(link.next_due_ns(), 6 * kMillisecondNs);
}

TEST(Link, BytesWaitForTheBottleneck) {
  Link link({.delay_ns = kMillisecondNs, .bits_per_second = 8e6});  // a byte per microsecond
  ASSERT_TRUE(link.offer(0, bytes(1000)));
  ASSERT_TRUE(link.offer(0, bytes(500)));
  EXPECT_EQ(link.next_due_ns(), 2 * kMillisecondNs);
  (void)link.take();
  EXPECT_EQ(link.next_due_ns(), 2'500'000);
}

TEST(Link, AFullQueueDrops) {
  Link link({.bits_per_second = 8e6, .queue_bytes = 2000});
  EXPECT_TRUE(link.offer(0, bytes(1000)));
  EXPECT_TRUE(link.offer(0, bytes(1000)));
  EXPECT_FALSE(link.offer(0, bytes(1000)));
  EXPECT_TRUE(link.offer(kMillisecondNs, bytes(1000)));  // the first has left the queue
}

PacketView tcp(std::uint32_t port, bool syn, bool ack, std::size_t payload) {
  return {.protocol = 6,
          .source = 1,
          .destination = 2,
          .ports = port,
          .syn = syn,
          .ack = ack,
          .payload_bytes = payload};
}

Loss loss(std::string_view text) {
  Result<Loss> parsed = Loss::parse(text);
  EXPECT_TRUE(parsed) << parsed.error();
  return std::move(parsed).value();
}

TEST(LossRule, CountsPacketsOfItsKindInEveryFlow) {
  Loss first_syn = loss("c2s:syn:packets=1");
  EXPECT_EQ(first_syn.direction(), Direction::c2s);
  EXPECT_FALSE(first_syn.takes(tcp(1, true, true, 0)));
  EXPECT_FALSE(first_syn.takes(tcp(1, false, true, 9)));
  EXPECT_TRUE(first_syn.takes(tcp(1, true, false, 0)));
  EXPECT_FALSE(first_syn.takes(tcp(1, true, false, 0)));
  EXPECT_TRUE(first_syn.takes(tcp(2, true, false, 0)));

  Loss range = loss("s2c:data:packets=2-3");
  EXPECT_FALSE(range.takes(tcp(1, false, true, 0)));
  EXPECT_FALSE(range.takes(tcp(1, false, true, 9)));
  EXPECT_TRUE(range.takes(tcp(1, false, true, 9)));
  EXPECT_TRUE(range.takes(tcp(1, false, true, 9)));
  EXPECT_FALSE(range.takes(tcp(1, false, true, 9)));
}

TEST(LossRule, TakesEveryNthFlow) {
  Loss third = loss("c2s:syn:packets=1:flows=3");
  std::vector<std::uint32_t> taken;
  for (std::uint32_t port = 0; port < 7; ++port) {
    if (third.takes(tcp(port, true, false, 0))) taken.push_back(port);
  }
  EXPECT_EQ(taken, (std::vector<std::uint32_t>{0, 3, 6}));
}

TEST(LossRule, AShareIsTheSameInEveryRun) {
  const auto taken = [](std::string_view text) {
    Loss some = loss(text);
    std::vector<int> which;
    for (int i = 0; i < 1000; ++i) {
      if (some.takes(tcp(1, false, true, 9))) which.push_back(i);
    }
    return which;
  };
  const std::vector<int> seven = taken("s2c:data:share=0.02:seed=7");
  EXPECT_EQ(seven, taken("s2c:data:share=0.02:seed=7"));
  EXPECT_NE(seven, taken("s2c:data:share=0.02:seed=8"));
  EXPECT_NEAR(static_cast<double>(seven.size()), 20, 12);
}

TEST(LossRule, MayLookAtTheDestination) {
  Loss all = loss("c2s:any:share=1:to=10.0.0.9");
  PacketView packet = tcp(1, false, true, 9);
  EXPECT_FALSE(all.takes(packet));
  packet.destination = 0x0a000009;
  EXPECT_TRUE(all.takes(packet));
}

TEST(LossRule, SaysWhatIsWrong) {
  for (const char* text : {"", "up:syn:packets=1", "c2s:fin:packets=1", "c2s:syn",
                           "c2s:syn:packets=0", "c2s:syn:packets=3-2", "c2s:data:share=2",
                           "c2s:data:packets=1:to=here", "c2s:data:colour=red"}) {
    const Result<Loss> parsed = Loss::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find(text), std::string::npos);
  }
}

TEST(PacketView, ReadsTcpAndRefusesWhatIsCut) {
  std::vector<std::uint8_t> packet = bytes(20 + 32 + 5);
  packet[0] = 0x45;
  packet[3] = static_cast<std::uint8_t>(packet.size());
  packet[9] = 6;
  packet[15] = 1;
  packet[19] = 2;
  packet[20] = 0x12;
  packet[32] = 0x80;  // 32 bytes of header
  packet[33] = 0x12;  // SYN, ACK
  const auto view = view_of(packet);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source, 1U);
  EXPECT_EQ(view->destination, 2U);
  EXPECT_EQ(view->ports, 0x12000000U);
  EXPECT_TRUE(view->syn && view->ack);
  EXPECT_EQ(view->payload_bytes, 5U);
  for (std::size_t n = 0; n < packet.size(); ++n) {
    EXPECT_FALSE(view_of(Bytes(packet.data(), n))) << n;
  }
}

}  // namespace
}  // namespace wirelag::lab
