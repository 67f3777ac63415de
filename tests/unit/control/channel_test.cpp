#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "story.hpp"

namespace wirelag::test {
namespace {

using testing::ElementsAre;
using P = ChannelPurpose;

constexpr const char* kClient = "10.0.0.5";
constexpr const char* kServer = "192.0.2.80";

class ChannelTest : public testing::Test {
 protected:
  Connection& open(std::uint16_t port, double syn_ms, double rtt_ms = 6) {
    return story_.connection(kClient, port, kServer, 80, syn_ms, rtt_ms);
  }
  /// Valid until the next call.
  const std::vector<Channel>& channels(unsigned seed = 0) {
    data_ = story_.dataset(seed);
    correlation_ = correlate(data_);
    return correlation_.channels;
  }
  std::vector<P> purposes() {
    std::vector<P> out;
    for (const Channel& c : channels()) out.push_back(c.purpose);
    return out;
  }

  Story story_;
  Dataset data_;
  Correlation correlation_;
};

TEST_F(ChannelTest, FirstContactPerClientAddressAndServerEndpoint) {
  open(1, 0);
  story_.connection("10.0.0.6", 1, kServer, 80, 1, 6);
  story_.connection(kClient, 2, kServer, 8080, 2, 6);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::first_contact, P::first_contact));
}

TEST_F(ChannelTest, OpenedBecauseTheOthersWereBusy) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 50);
  Connection& second = open(2, 20);
  story_.http(second, "/a", 27, 60);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::others_busy));
  EXPECT_EQ(channels()[1].others_open, 1U);
  EXPECT_EQ(channels()[1].others_busy, 1U);
}

TEST_F(ChannelTest, HandshakesGoingOnCountAsBusy) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, Story::kNever);  // unanswered: busy until the end
  for (std::uint16_t n = 2; n <= 4; ++n) {
    Connection& c = open(n, 100 + n * 0.5);
    story_.http(c, "/" + std::to_string(n), 120, 130);
  }
  const std::vector<Channel>& all = channels();
  EXPECT_EQ(all[3].purpose, P::others_busy);
  EXPECT_EQ(all[3].others_open, 3U);
  EXPECT_EQ(all[3].others_busy, 3U);
}

TEST_F(ChannelTest, ParallelWhenAnotherOneWasIdle) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 15);
  Connection& second = open(2, 20);
  story_.http(second, "/a", 27, 60);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::parallel));
  EXPECT_EQ(channels()[1].others_busy, 0U);
}

TEST_F(ChannelTest, ReopenedAfterTheEarlierOneWasClosed) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 15);
  story_.close(first, 16);
  Connection& second = open(2, 20);
  story_.http(second, "/a", 27, 60);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::reopened));
  EXPECT_EQ(channels()[1].others_open, 0U);
}

TEST_F(ChannelTest, UnusedButItIsKnownWhatTheOthersDid) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 50);
  open(2, 20);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::unused));
  EXPECT_EQ(channels()[1].others_open, 1U);
  EXPECT_EQ(channels()[1].others_busy, 1U);
}

TEST_F(ChannelTest, RetryAfterRefusalAndAfterSilence) {
  story_.fail(open(1, 0), ConnectionState::refused, 5);
  story_.fail(open(2, 10), ConnectionState::syn_unanswered, 10);  // a single SYN
  Connection& third = open(3, 1010);
  story_.http(third, "/", 1017, 1030);
  Connection& fourth = open(4, 1020);
  story_.http(fourth, "/", 1027, 1030);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::retry_after_failure,
                                      P::retry_after_failure, P::others_busy));
  EXPECT_EQ(channels()[2].others_open, 0U);
}

TEST_F(ChannelTest, MidstreamWasOpenBeforeTheCapture) {
  Connection& old = story_.midstream(open(1, 50));  // its first packet in the capture: 50 ms
  story_.http(old, "/poll", 50, 80);
  Connection& other = open(2, 10);
  story_.http(other, "/", 17, 30);
  const std::vector<Channel>& all = channels();
  EXPECT_EQ(all[0].purpose, P::parallel);  // port 2: not first contact, and the old one was idle
  EXPECT_EQ(all[0].others_open, 1U);
  EXPECT_EQ(all[1].purpose, P::unknown);
}

TEST_F(ChannelTest, EncryptedOthersAreNotSaidToBeIdle) {
  Connection& first = story_.connection(kClient, 1, kServer, 443, 0, 6);
  story_.tls(first, "www.example.com", 0x0304, 7, 14, 15);
  Connection& second = story_.connection(kClient, 2, kServer, 443, 40, 6);
  story_.tls(second, "www.example.com", 0x0304, 47, 54, 55);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::unknown));
}

TEST_F(ChannelTest, SilentlyForgottenIsNotClosed) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 15);
  first.end = ConnectionEnd::idle_timeout;
  Connection& second = open(2, 5'000'000);
  story_.http(second, "/a", 5'000'007, 5'000'015);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::unknown));
}

TEST_F(ChannelTest, NamesComeFromHostThenSniThenTheLookup) {
  story_.dns({kClient, "192.0.2.53", "by-lookup.example"}, 0, 1, DnsOutcome::answered, {kServer});
  story_.dns({kClient, "192.0.2.53", "later.example"}, 90, 95, DnsOutcome::answered, {kServer});
  story_.dns({"10.0.0.6", "192.0.2.53", "others.example"}, 2, 3, DnsOutcome::answered, {kServer});
  Connection& http = open(1, 10);
  story_.http(http, "/", 17, 20);
  Connection& tls = open(2, 30);
  story_.tls(tls, "by-sni.example", 0x0304, 37, 40, 41);
  Connection& plain = open(3, 50);
  plain.protocol = Protocol::unknown;
  open(4, 100);
  const std::vector<Channel>& all = channels();
  EXPECT_EQ(all[0].name, "www.example.com");
  EXPECT_EQ(all[1].name, "by-sni.example");
  EXPECT_EQ(all[2].name, "by-lookup.example");
  EXPECT_EQ(all[3].name, "later.example");
}

TEST_F(ChannelTest, NameThatALoopbackClientLookedUpIsTheHosts) {
  story_.dns({"127.0.0.1", "127.0.0.53", "cached.example"}, 0, 1, DnsOutcome::answered, {kServer});
  open(1, 10);
  EXPECT_EQ(channels()[0].name, "cached.example");
}

TEST_F(ChannelTest, TasksAreThoseOfTheConnection) {
  Connection& first = open(1, 0);
  Connection& second = open(2, 1);
  story_.http(second, "/b1", 10, 12);
  story_.http(first, "/a", 11, 14);
  story_.http(second, "/b2", 13, 15);
  story_.dns({kClient, kServer, "x.example"}, 16, 17).connection = first.key;
  story_.http(first, "/orphan", 18, 19).connection = 999;
  const std::vector<Channel>& all = channels(5);
  EXPECT_THAT(all[0].http, ElementsAre(1U));
  EXPECT_THAT(all[1].http, ElementsAre(0U, 2U));
  EXPECT_THAT(all[0].dns, ElementsAre(0U));
}

TEST_F(ChannelTest, WhatNeverCameAboutIsNoEarlierConnection) {
  // GIVEN a SYN-ACK that the client did not acknowledge, and its RST
  Connection& tried = story_.fail(open(1, 0), ConnectionState::synack_no_ack, 10);
  tried.close = CloseKind::rst;
  tried.close_time_ns = tried.last_time_ns;
  Connection& next = open(2, 20);
  story_.http(next, "/", 27, 60);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::unknown));
}

TEST_F(ChannelTest, FirstFinEndsAConnectionNotItsLastPacket) {
  Connection& first = open(1, 0);
  story_.http(first, "/", 7, 15);
  story_.close(first, 40);
  first.close_time_ns = first.start_time_ns + 16 * kMillisecondNs;
  first.close_frame = first.last_frame - 1;
  Connection& second = open(2, 20);
  story_.http(second, "/a", 27, 60);
  EXPECT_THAT(purposes(), ElementsAre(P::first_contact, P::reopened));
}

TEST_F(ChannelTest, OneClientWithManyConnectionsStaysCheap) {
  for (int i = 0; i < 30'000; ++i) {
    Connection& c = open(static_cast<std::uint16_t>(i), i * 0.01);
    story_.http(c, "/", i * 0.01 + 6, Story::kNever);
  }
  const std::vector<Channel>& all = channels();
  EXPECT_EQ(all.back().others_open, 29'999U);
  EXPECT_EQ(all.back().others_busy, all.back().others_open);
}

}  // namespace
}  // namespace wirelag::test
