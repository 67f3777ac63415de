// What was unfinished when the capture ended, and what had waited long enough to be in vain.
#include <gtest/gtest.h>

#include <wirelag/control/capture_end.hpp>

#include "story.hpp"

namespace wirelag::test {
namespace {

class CaptureEnd : public testing::Test {
 protected:
  /// A connection that is open at the end.
  Connection& open() { return story_.connection("10.0.0.5", port_++, "192.0.2.80", 80, 0, 10); }
  /// One SYN, at 0 ms, and nothing else.
  Connection& syn() {
    Connection& c = story_.fail(open(), ConnectionState::syn_unanswered, 0);
    c.one_sided = true;
    c.syn_ack_frames = {};
    c.half.c2s.packets = 1;
    return c;
  }
  DnsTransaction& ask(double ms, std::uint16_t type = dns_type::a) {
    return story_.dns({"10.0.0.5", "192.0.2.53", "www.example.com", type}, ms, Story::kNever);
  }
  [[nodiscard]] Dataset ends(double ms) {
    story_.ends(ms);
    return story_.dataset();
  }
  /// The first of each kind.
  [[nodiscard]] bool connection_at(double ms) {
    const Dataset data = ends(ms);
    return unfinished(data, data.connections()[0]);
  }
  [[nodiscard]] bool request_at(double ms) {
    const Dataset data = ends(ms);
    return unfinished(data, data.http()[0]);
  }
  [[nodiscard]] bool lookup_at(double ms) {
    const Dataset data = ends(ms);
    const Correlation correlation = correlate(data);
    EXPECT_EQ(correlation.lookups.size(), 1U);
    return unfinished(data, correlation.lookups.at(0));
  }

  Story story_;
  std::uint16_t port_ = 1000;
};

TEST_F(CaptureEnd, ASynIsUnfinishedUntilItsFirstTimeout) {
  Connection& c = syn();
  EXPECT_TRUE(connection_at(300));
  EXPECT_TRUE(connection_at(999));
  EXPECT_FALSE(connection_at(1000));
  c.end = ConnectionEnd::idle_timeout;
  EXPECT_FALSE(connection_at(300)) << "the tracker gave it up";
}

TEST_F(CaptureEnd, ASynSentAgainOrRefusedIsInVain) {
  Connection& c = syn();
  push(c.syn_frames, frame_at(200));
  c.last_time_ns = at_ms(200);
  EXPECT_FALSE(connection_at(300));
  c = syn();
  c.state = ConnectionState::refused;
  EXPECT_FALSE(connection_at(300));
}

TEST_F(CaptureEnd, WithoutAKnownEndNothingIsUnfinished) {
  syn();
  const Dataset data = story_.dataset();
  EXPECT_FALSE(known(data.ended_ns()));
  EXPECT_FALSE(unfinished(data, data.connections()[0]));
}

TEST_F(CaptureEnd, IsNeverBeforeWhatTheCaptureTellsOf) {
  open();
  EXPECT_EQ(ends(5).ended_ns(), at_ms(10));
  EXPECT_EQ(ends(70).ended_ns(), at_ms(70));
}

TEST_F(CaptureEnd, ASynAckWaitsForItsAckUntilItsOwnTimeout) {
  Connection& c = story_.fail(open(), ConnectionState::synack_no_ack, 900);
  c.half = {};
  EXPECT_TRUE(connection_at(1500));
  EXPECT_FALSE(connection_at(1900));
  push(c.syn_ack_frames, frame_at(900));
  EXPECT_FALSE(connection_at(1500));
}

TEST_F(CaptureEnd, ALookupIsUnfinishedUntilItsClientWouldAskAgain) {
  DnsTransaction& a = ask(0);
  ask(0.2, dns_type::aaaa);
  EXPECT_TRUE(lookup_at(400));
  EXPECT_TRUE(lookup_at(4'900));
  EXPECT_FALSE(lookup_at(5'000));
  push(a.query_frames, frame_at(300));
  EXPECT_FALSE(lookup_at(400)) << "sent again";
}

TEST_F(CaptureEnd, ALookupAskedAgainWithAnotherIdIsInVain) {
  ask(0);
  ask(1'000);
  EXPECT_FALSE(lookup_at(1'200));
}

TEST_F(CaptureEnd, AQueryOnAClosedConnectionIsInVain) {
  Connection& c = open();
  DnsTransaction& d = ask(11);
  d.transport = DnsTransport::tcp;
  d.connection = c.key;
  c.protocol = Protocol::dns;
  EXPECT_TRUE(lookup_at(400));
  story_.close(c, 100);
  EXPECT_FALSE(lookup_at(400));
}

TEST_F(CaptureEnd, ARequestIsUnfinishedForASecondWhileItsConnectionIsOpen) {
  Connection& c = open();
  HttpTransaction& h = story_.http(c, "/", 11, Story::kNever);
  EXPECT_TRUE(request_at(500));
  EXPECT_FALSE(request_at(1'011));
  // A slow upload: since its last byte.
  h.request_last_ns = at_ms(900);
  EXPECT_TRUE(request_at(1'011));
  c.close = CloseKind::fin_client;
  EXPECT_TRUE(request_at(1'011)) << "the server may answer who closed its own direction";
  c.close = CloseKind::rst;
  EXPECT_FALSE(request_at(1'011));
}

TEST_F(CaptureEnd, AResponseThatWasComingIsUnfinished) {
  HttpTransaction& h = story_.http(open(), "/", 11, 2'000);
  h.response_complete = false;
  EXPECT_TRUE(request_at(2'100));
  EXPECT_FALSE(request_at(3'000)) << "it had stopped";
  h.response_complete = true;
  EXPECT_FALSE(request_at(2'100));
}

TEST_F(CaptureEnd, WaitingIsWatchedToTheEndOfTheConnectionOrOfTheCapture) {
  Connection& c = open();
  const auto until = [&] {
    const Dataset data = ends(500);
    return watched_until_ns(data, data.connections()[0]);
  };
  EXPECT_EQ(until(), at_ms(500));
  c.end = ConnectionEnd::idle_timeout;
  EXPECT_EQ(until(), at_ms(500)) << "nobody closed it";
  story_.close(c, 40, CloseKind::rst);
  EXPECT_EQ(until(), at_ms(40));
}

}  // namespace
}  // namespace wirelag::test
