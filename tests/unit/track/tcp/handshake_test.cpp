// Handshakes as timelines: which times are reported, and which must not be.
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

constexpr std::uint8_t kRst = tcp_flag::rst;

void expect_parts_add_up(const Connection& c) {
  EXPECT_EQ(c.connect_time_ns,
            c.syn_wait_ns + c.rtt_probe_server_ns + c.synack_wait_ns + c.rtt_probe_client_ns);
}

void expect_no_times(const Connection& c) {
  EXPECT_TRUE(c.handshake_ambiguous);
  for (const DurationNs ns : {c.syn_wait_ns, c.rtt_probe_server_ns, c.synack_wait_ns,
                              c.rtt_probe_client_ns, c.handshake_rtt_ns, c.connect_time_ns}) {
    EXPECT_FALSE(known(ns));
  }
}

TEST(Handshake, CleanExchangeHasAllTimes) {
  Conversation t;
  t.shake_hands();
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.syn_wait_ns, 0);
  EXPECT_EQ(c.rtt_probe_server_ns, ms(10));
  EXPECT_EQ(c.synack_wait_ns, 0);
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
  EXPECT_EQ(c.handshake_rtt_ns, ms(12));
  EXPECT_EQ(c.connect_time_ns, ms(12));
  EXPECT_EQ(c.syn_frames[0], 1U);
  EXPECT_EQ(c.syn_ack_frames[0], 2U);
  EXPECT_EQ(c.ack_frame, 3U);
  expect_parts_add_up(c);
}

TEST(Handshake, LostSynCountsAsWaitNotAsRoundTrip) {
  // GIVEN a SYN that is lost and sent again a second later, timestamps telling the copies apart
  Conversation t;
  t.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  t.send({true, 1000, kSyn, 0, 0, "", 1000, 1100});
  t.send({false, 1010, kSynAck, 0, 1, "", 1000, 7, 1100});
  t.send({true, 1012, kAck, 1, 1, "", 1000, 1112, 7});
  const Connection& c = t.finish();
  EXPECT_EQ(c.syn_wait_ns, ms(1000));
  EXPECT_EQ(c.rtt_probe_server_ns, ms(10));
  EXPECT_EQ(c.connect_time_ns, ms(1012));
  EXPECT_FALSE(c.handshake_ambiguous);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::handshake), 1U);
  expect_parts_add_up(c);
}

TEST(Handshake, TheEchoOfAnEarlierCopyTellsNothing) {
  // GIVEN a SYN-ACK 20 ms after the second SYN that echoes the first: it answers the first after 1020 ms, or the
  // first answer was lost before the probe, and the second SYN made Linux send it again
  Conversation t;
  t.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  t.send({true, 1000, kSyn, 0, 0, "", 1000, 1100});
  t.send({false, 1020, kSynAck, 0, 1, "", 1000, 7, 100});
  t.send({true, 1022, kAck, 1, 1, "", 1000, 1112, 7});
  const Connection& c = t.finish();
  EXPECT_TRUE(c.handshake_ambiguous);
  EXPECT_EQ(c.syn_wait_ns, kUnknownNs);
  EXPECT_EQ(c.rtt_probe_server_ns, kUnknownNs);
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
  EXPECT_EQ(c.connect_time_ns, ms(1022));

  // GIVEN an ACK 5 ms after the second SYN-ACK that echoes the first: likewise
  Conversation u;
  u.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  u.send({false, 10, kSynAck, 0, 1, "", 1000, 7, 100});
  u.send({false, 1010, kSynAck, 0, 1, "", 1000, 1007, 100});
  u.send({true, 1015, kAck, 1, 1, "", 1000, 1115, 7});
  const Connection& d = u.finish();
  EXPECT_TRUE(d.handshake_ambiguous);
  EXPECT_EQ(d.rtt_probe_server_ns, ms(10));
  EXPECT_EQ(d.rtt_probe_client_ns, kUnknownNs);
  EXPECT_EQ(d.connect_time_ns, ms(1015));
}

TEST(Handshake, ACopyRightBehindTheEchoedOneChangesNothing) {
  // GIVEN timers of both ends that make two SYN-ACKs at once, after the first was lost behind the probe
  Conversation t;
  t.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  t.send({false, 40, kSynAck, 0, 1, "", 1000, 7, 100});
  t.send({true, 1000, kSyn, 0, 0, "", 1000, 1100});
  t.send({false, 1040, kSynAck, 0, 1, "", 1000, 1007, 100});
  t.send({false, 1041, kSynAck, 0, 1, "", 1000, 1008, 100});
  t.send({true, 1080, kAck, 1, 1, "", 1000, 1180, 1007});
  const Connection& c = t.finish();
  EXPECT_FALSE(c.handshake_ambiguous);
  EXPECT_EQ(c.rtt_probe_server_ns, ms(40));
  EXPECT_EQ(c.synack_wait_ns, ms(1000));
  EXPECT_EQ(c.rtt_probe_client_ns, ms(40));
}

TEST(Handshake, ResentSynWithoutTimestampsIsAmbiguous) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(1000, kSyn, 0, 0);
  t.server_sends(1010, kSynAck, 0, 1);
  t.client_sends(1012, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_TRUE(c.handshake_ambiguous);
  EXPECT_FALSE(known(c.syn_wait_ns));
  EXPECT_FALSE(known(c.rtt_probe_server_ns));
  EXPECT_FALSE(known(c.handshake_rtt_ns));
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
  EXPECT_EQ(c.connect_time_ns, ms(1012));
}

TEST(Handshake, LostSynAckIsNotARoundTrip) {
  // The case other tools get wrong: SYN-ACK lost once for 1 s on an 80 ms path.
  Conversation t;
  t.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  t.send({false, 40, kSynAck, 0, 1, "", 1000, 7, 100});
  t.send({false, 1040, kSynAck, 0, 1, "", 1000, 1007, 100});
  t.send({true, 1080, kAck, 1, 1, "", 1000, 1180, 1007});
  const Connection& c = t.finish();
  EXPECT_EQ(c.rtt_probe_server_ns, ms(40));
  EXPECT_EQ(c.synack_wait_ns, ms(1000));
  EXPECT_EQ(c.rtt_probe_client_ns, ms(40));
  EXPECT_EQ(c.handshake_rtt_ns, ms(80));
  EXPECT_EQ(c.connect_time_ns, ms(1080));
  EXPECT_EQ(c.syn_ack_frames.size(), 2U);
  expect_parts_add_up(c);
}

TEST(Handshake, AnEarlyAckOfASynAckThatIsNotKeptCompletesNothing) {
  // More SYN-ACKs with numbers of their own than are kept, then the one that was acknowledged before.
  for (const int others : {1, 6, 7, 8, 20}) {
    Conversation t;
    t.client_sends(0, kSyn, 0, 0);
    t.client_sends(1, kAck, 1, 1);
    for (int i = 1; i <= others; ++i) {
      t.server_sends(1 + i, kSynAck, 100'000U * static_cast<std::uint32_t>(i), 1);
    }
    t.server_sends(50, kSynAck, 0, 1);
    const Connection& c = t.finish();
    EXPECT_EQ(c.rtt_probe_client_ns, kUnknownNs) << others;
    EXPECT_EQ(c.connect_time_ns, kUnknownNs) << others;
  }
}

TEST(Handshake, TimersOfBothEndsMakeTwoSynAcksAtOnce) {
  // The first SYN-ACK is lost behind the probe. A second later the client sends its SYN again and the server its
  // SYN-ACK, which the second SYN makes it send once more: the same header, half a millisecond apart.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(40, kSynAck, 0, 1);
  t.client_sends(1000, kSyn, 0, 0);
  t.server_sends(1040.1, kSynAck, 0, 1);
  t.server_sends(1040.6, kSynAck, 0, 1);
  t.client_sends(1080, kAck, 1, 1);
  const Connection& c = t.finish();
  constexpr auto kCopies = static_cast<std::size_t>(RetransmissionClass::mirror_duplicate);
  constexpr auto kAgain = static_cast<std::size_t>(RetransmissionClass::handshake);
  EXPECT_EQ(c.half.s2c.impairment().retransmissions[kCopies], 0U);
  EXPECT_EQ(c.half.s2c.impairment().retransmissions[kAgain], 2U);
  EXPECT_EQ(c.syn_ack_frames.size(), 3U);
  EXPECT_TRUE(c.handshake_ambiguous);
}

TEST(Handshake, SynsAreCountedWithoutFrameNumbersAndWithoutTheMirrorsCopies) {
  for (const bool live : {false, true}) {
    // GIVEN three SYNs of one connection, a second apart and two, and a copy that the mirror made of the first
    Conversation t;
    t.live = live;
    for (const double at_ms : {0.0, 0.003, 1000.0, 3000.0}) t.client_sends(at_ms, kSyn, 0, 0);
    const Connection c = t.finish();
    EXPECT_EQ(c.state, ConnectionState::syn_unanswered);
    EXPECT_EQ(c.half.c2s.packets, 4U);
    EXPECT_EQ(c.syns(), 3U);
    EXPECT_EQ(c.syn_acks(), 0U);
    EXPECT_FALSE(c.client_went_on());
    // WHEN the client goes on, though no answer was captured
    Conversation on;
    on.live = live;
    on.client_sends(0, kSyn, 0, 0);
    on.client_sends(1, kAck, 1, 1);
    EXPECT_TRUE(on.finish().client_went_on());
    // WHEN the server has sent its SYN-ACK again
    Conversation again;
    again.live = live;
    again.client_sends(0, kSyn, 0, 0);
    for (const double at_ms : {1.0, 1001.0}) again.server_sends(at_ms, kSynAck, 0, 1);
    EXPECT_EQ(again.finish().syn_acks(), 2U);
  }
}

TEST(Handshake, SynAckOfAMirrorThatDeliversTheSynTwiceIsACopy) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(0.1, kSyn, 0, 0);
  t.client_sends(1000, kSyn, 0, 0);
  t.client_sends(1000.1, kSyn, 0, 0);
  t.server_sends(1040, kSynAck, 0, 1);
  t.server_sends(1040.1, kSynAck, 0, 1);
  t.client_sends(1080, kAck, 1, 1);
  const Connection& c = t.finish();
  constexpr auto kCopies = static_cast<std::size_t>(RetransmissionClass::mirror_duplicate);
  EXPECT_EQ(c.half.c2s.impairment().retransmissions[kCopies], 2U);
  EXPECT_EQ(c.half.s2c.impairment().retransmissions[kCopies], 1U);
}

TEST(Handshake, RefusedWhenResetAnswersTheSyn) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5, kRst | kAck, 0, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::refused);
  EXPECT_EQ(c.close, CloseKind::rst);
  EXPECT_FALSE(known(c.connect_time_ns));
}

TEST(Handshake, UnansweredSynsAreOneAttempt) {
  Conversation t;
  for (const double at : {0.0, 1000.0, 3000.0}) t.client_sends(at, kSyn, 0, 0);
  const Connection& c = t.finish();
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.state, ConnectionState::syn_unanswered);
  EXPECT_EQ(c.syn_frames.size(), 3U);
  EXPECT_TRUE(c.one_sided);
  EXPECT_FALSE(known(c.syn_wait_ns));
}

TEST(Handshake, SynAckWithoutAck) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5, kSynAck, 0, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::synack_no_ack);
  EXPECT_EQ(c.rtt_probe_server_ns, ms(5));
  EXPECT_FALSE(known(c.rtt_probe_client_ns));
}

TEST(Handshake, SimultaneousOpen) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(1, kSyn, 0, 0);
  t.client_sends(5, kSynAck, 0, 1);
  EXPECT_EQ(t.finish().state, ConnectionState::simultaneous_open);
}

TEST(Handshake, SynAckThatAnswersACrossingSynIsNoCopy) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSyn, 0, 0);
  t.client_sends(20, kSynAck, 0, 1);
  t.server_sends(25, kSynAck, 0, 1);
  t.server_sends(1025, kSynAck, 0, 1);
  t.client_sends(1040, kAck, 1, 1, "hello");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::handshake), 0U);
  EXPECT_EQ(resent(c.half.s2c, RetransmissionClass::handshake), 1U) << "the second one is";
  EXPECT_EQ(c.half.c2s.impairment().time_lost_ns, 0);
}

TEST(Handshake, SimultaneousOpenIsWholeWithTheSecondSynAckInEitherOrder) {
  for (const bool client_first : {true, false}) {
    Conversation t;
    t.client_sends(0, kSyn, 0, 0);
    t.server_sends(10, kSyn, 0, 0);
    if (client_first) t.client_sends(20, kSynAck, 0, 1);
    t.server_sends(25, kSynAck, 0, 1);
    if (!client_first) t.client_sends(30, kSynAck, 0, 1);
    t.client_sends(7000, kAck, 1, 1, "hello");
    const Connection& c = t.finish();
    EXPECT_EQ(c.state, ConnectionState::complete);
    EXPECT_EQ(c.rtt_probe_server_ns, ms(25));
    EXPECT_EQ(c.rtt_probe_client_ns, client_first ? ms(10) : ms(20));
    EXPECT_EQ(c.established_time_ns, Conversation::kStart + (client_first ? ms(25) : ms(30)));
    EXPECT_FALSE(known(c.connect_time_ns)) << "when the client had its answer is not on the wire";
    EXPECT_FALSE(known(c.synack_wait_ns));
  }
}

TEST(Handshake, SimultaneousOpenWithoutTheClientsSynAckHasNoClientHalf) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSyn, 0, 0);
  t.server_sends(25, kSynAck, 0, 1);
  t.client_sends(7000, kAck, 1, 1, "hello");
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_FALSE(known(c.rtt_probe_client_ns));
  EXPECT_FALSE(known(c.connect_time_ns));
}

/// Far from the numbers of the other connection.
constexpr std::uint32_t kFar = 50'000'000;

TEST(Handshake, SynOfTheOtherSideThatIsAnsweredWithAnotherNumberIsACallOfItsOwn) {
  for (const int resent : {0, 1, 2}) {
    Conversation t;
    t.client_sends(0, kSyn, 0, 0);
    t.client_sends(1000, kSyn, 0, 0);
    for (int i = 0; i <= resent; ++i) t.server_sends(5000 + 1000 * i, kSyn, 0, 0);
    t.client_sends(8000, kSynAck, kFar, 1);
    t.server_sends(8010, kAck, 1, kFar + 1);
    t.finish();
    ASSERT_EQ(t.sink.connections.size(), 2U);
    const Connection& first = t.sink.connections[0];
    EXPECT_EQ(first.client, t.client);
    EXPECT_EQ(first.state, ConnectionState::syn_unanswered);
    EXPECT_TRUE(first.one_sided);
    EXPECT_EQ(first.last_frame, 2U);
    EXPECT_EQ(first.last_time_ns, Conversation::kStart + ms(1000));
    const Connection& second = t.sink.connections[1];
    EXPECT_EQ(second.client, t.server);
    EXPECT_EQ(second.basis, ClientBasis::syn);
    EXPECT_EQ(second.state, ConnectionState::complete);
    EXPECT_EQ(second.first_frame, 3U);
    EXPECT_EQ(second.syn_frames.size(), static_cast<std::size_t>(resent) + 1);
    EXPECT_EQ(second.connect_time_ns, ms(3010));
    EXPECT_EQ(known(second.rtt_probe_server_ns), resent == 0);
    EXPECT_EQ(
        second.half.c2s.impairment().missing_bytes + second.half.s2c.impairment().missing_bytes,
        0U);
  }
}

TEST(Handshake, SynOfTheOtherSideThatIsRefusedIsACallOfItsOwn) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5000, kSyn, 0, 0);
  t.client_sends(5001, kRst | kAck, kFar, 1);
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[1].client, t.server);
  EXPECT_EQ(t.sink.connections[1].state, ConnectionState::refused);
}

TEST(Handshake, SynOfTheOtherSideWhoseAnswerWasNotCapturedIsToldByItsAck) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5000, kSyn, 0, 0);
  t.server_sends(5020, kAck, 1, kFar + 1);
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[1].client, t.server);
}

TEST(Handshake, AfterARefusalTheOtherSidesSynIsACallOfItsOwn) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5, kRst | kAck, kFar, 1);
  t.server_sends(5000, kSyn, 0, 0);
  t.client_sends(5001, kSynAck, 0, 1);
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[0].state, ConnectionState::refused);
  EXPECT_EQ(t.sink.connections[1].client, t.server);
}

TEST(Handshake, MoreSynsThanArePutAsideAreTakenToCross) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  for (int i = 0; i < 6; ++i) t.server_sends(1000.0 * i, kSyn, 0, 0);
  const Connection& c = t.finish();
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.state, ConnectionState::simultaneous_open);
  EXPECT_EQ(c.half.s2c.packets, 6U);
}

TEST(Handshake, SynAckThatAcknowledgesAnotherSynIsNoAnswer) {
  // RFC 9293 section 3.5, figure 9.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSynAck, kFar, 0U - 90);
  t.client_sends(11, kRst, 0U - 90, 0);
  t.server_sends(500, kSynAck, 0, 1);
  t.client_sends(510, kAck, 1, 1);
  t.server_sends(520, kAck, 1, 1, "hello");
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.close, CloseKind::open);
  EXPECT_EQ(c.syn_ack_frames.size(), 1U);
  EXPECT_EQ(c.rtt_probe_server_ns, ms(500));
  EXPECT_EQ(c.half.s2c.impairment().missing_bytes, 0U);
  EXPECT_EQ(c.half.s2c.packets, 3U);
  EXPECT_EQ(t.counters.of(Counter::tcp_earlier_connection), 2U);
  expect_parts_add_up(c);
}

TEST(Handshake, AckOfAnEarlierConnectionAndItsResetAreNotOfThisOne) {
  // RFC 9293 section 3.5, figure 10.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kAck, kFar, 0U - 90);
  t.client_sends(11, kRst, 0U - 90, 0);
  t.client_sends(1000, kSyn, 0, 0);
  t.server_sends(1010, kSynAck, 0, 1);
  t.client_sends(1012, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.close, CloseKind::open);
  EXPECT_EQ(c.half.s2c.impairment().missing_bytes, 0U);
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
}

TEST(Handshake, ResetBehindDataThatWasNotCapturedEndsTheConnection) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(1, kRst, 517, 0);
  EXPECT_EQ(t.finish().close, CloseKind::rst);
}

TEST(Handshake, ResetThatAnswersAnotherSynRefusesNothing) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kRst | kAck, 0, 0U - 90);
  EXPECT_EQ(t.finish().state, ConnectionState::syn_no_synack);
}

TEST(Handshake, OfSynAcksWithTwoNumbersTheAckTellsWhichCounts) {
  for (const bool second : {false, true}) {
    Conversation t;
    const std::uint32_t isn = second ? kFar : 0;
    t.client_sends(0, kSyn, 0, 0);
    t.server_sends(10, kSynAck, 0, 1);
    t.server_sends(12, kSynAck, kFar, 1);
    t.client_sends(15, kAck, 1, isn + 1);
    t.server_sends(30, kAck, isn + 1, 1, "hello");
    t.client_sends(40, kAck, 1, isn + 6);
    const Connection& c = t.finish();
    EXPECT_FALSE(c.handshake_ambiguous);
    EXPECT_EQ(c.rtt_probe_server_ns, ms(10));
    EXPECT_EQ(c.synack_wait_ns, second ? ms(2) : 0);
    EXPECT_EQ(c.rtt_probe_client_ns, second ? ms(3) : ms(5));
    EXPECT_EQ(c.half.s2c.impairment().missing_bytes, 0U);
    EXPECT_EQ(resent(c.half.s2c, RetransmissionClass::handshake), 0U);
    EXPECT_EQ(resent(c.half.s2c, RetransmissionClass::rto), 0U);
    EXPECT_EQ(c.rtt_probe_client.samples, 1U);
    expect_parts_add_up(c);
  }
}

TEST(Handshake, OfSeveralSynAcksWithTheNumberThatCountsNoneIsKnown) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSynAck, 0, 1);
  t.server_sends(1010, kSynAck, kFar, 1);
  t.server_sends(2010, kSynAck, kFar, 1);
  t.client_sends(2015, kAck, 1, kFar + 1);
  const Connection& c = t.finish();
  EXPECT_TRUE(c.handshake_ambiguous);
  EXPECT_FALSE(known(c.rtt_probe_client_ns));
  EXPECT_EQ(c.connect_time_ns, ms(2015));
}

TEST(Handshake, StartAtSynAckStillNamesTheClient) {
  Conversation t;
  t.server_sends(0, kSynAck, 0, 1);
  t.client_sends(2, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::no_syn_seen);
  EXPECT_EQ(c.basis, ClientBasis::synack);
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
  EXPECT_FALSE(known(c.connect_time_ns));
}

TEST(Handshake, SynAckCapturedBeforeItsSyn) {
  Conversation t;
  t.server_sends(0, kSynAck, 0, 1);
  t.client_sends(1, kSyn, 0, 0);
  t.client_sends(2, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  expect_no_times(c);
}

TEST(Handshake, AckTimedBeforeItsSynAckGivesNoTimes) {
  // A second that the fraction carries once more: 1000 ms would be the server half.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(1000, kSynAck, 0, 1);
  t.client_sends(200, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  expect_no_times(c);
}

TEST(Handshake, AckCapturedBeforeItsSynAckGivesNoTimes) {
  for (const bool resent : {false, true}) {
    Conversation t;
    t.client_sends(0, kSyn, 0, 0);
    t.client_sends(11, kAck, 1, 1);
    t.server_sends(resent ? 1010 : 12, kSynAck, 0, 1);
    t.client_sends(2000, kAck, 1, 1, "question");
    t.server_sends(2040, kAck, 1, 9, "answer");
    const Connection& c = t.finish();
    EXPECT_EQ(c.state, ConnectionState::complete);
    EXPECT_EQ(c.established_time_ns - c.start_time_ns, ms(11));
    EXPECT_EQ(c.ack_frame, 2U);
    expect_no_times(c);
    EXPECT_EQ(c.rtt_probe_server.samples, 1U);
    EXPECT_EQ(c.rtt_probe_server.min_ns, ms(40));
  }
}

TEST(Handshake, AckBeforeTheSynAckWithoutASynTellsNoHalf) {
  Conversation t;
  t.client_sends(11, kAck, 1, 1);
  t.server_sends(12, kSynAck, 0, 1);
  t.client_sends(2000, kAck, 1, 1, "question");
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::no_syn_seen);
  EXPECT_EQ(c.client, t.client);
  EXPECT_FALSE(known(c.established_time_ns));
  expect_no_times(c);
}

TEST(Handshake, AckOfAnotherNumberBeforeTheSynAckCompletesNothing) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(11, kAck, 1, kFar);
  t.server_sends(12, kSynAck, 0, 1);
  t.client_sends(14, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.rtt_probe_client_ns, ms(2));
  EXPECT_EQ(c.connect_time_ns, ms(14));
}

TEST(Handshake, OfTwoSynAcksBehindTheAckItsNumberTellsWhichCounts) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(11, kAck, 1, kFar + 1);
  t.server_sends(12, kSynAck, 0, 1);
  t.server_sends(13, kSynAck, kFar, 1);
  t.server_sends(30, kAck, kFar + 1, 1, "hello");
  t.client_sends(40, kAck, 1, kFar + 6);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.half.s2c.impairment().missing_bytes, 0U);
  expect_no_times(c);
}

TEST(Handshake, MidstreamTakesTheLowerPortForTheServer) {
  Conversation t;
  t.server_sends(0, kAck, 100, 50, "x");
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::midstream);
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.basis, ClientBasis::port);
}

TEST(Handshake, NewSynNumberOnTheSamePortsIsAnotherConnection) {
  Conversation t;
  t.shake_hands();
  t.isn_shift = 777;
  t.client_sends(5000, kSyn, 0, 0);
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::port_reused);
  EXPECT_EQ(t.sink.connections[1].state, ConnectionState::syn_unanswered);
}

TEST(Handshake, ClockSteppingBackGivesNoTimeRatherThanANegativeOne) {
  Conversation t;
  t.client_sends(100, kSyn, 0, 0);
  t.server_sends(90, kSynAck, 0, 1);
  t.client_sends(92, kAck, 1, 1);
  const Connection& c = t.finish();
  expect_no_times(c);
}

TEST(Handshake, AnAnswerBeforeItsQuestionGivesNoTimesWhetherItIsAcknowledgedOrNot) {
  for (const bool acknowledged : {false, true}) {
    Conversation t;
    t.server_sends(0, kSynAck, 0, 1);
    t.client_sends(5, kSyn, 0, 0);
    if (acknowledged) t.client_sends(6, kAck, 1, 1);
    const Connection& c = t.finish();
    EXPECT_EQ(c.state, acknowledged ? ConnectionState::complete : ConnectionState::synack_no_ack);
    expect_no_times(c);
  }
}

TEST(Handshake, AnswerOfAnotherClockBelongsToItsSyn) {
  // GIVEN a capture of two interfaces, one of which lives decades later
  constexpr double kDecades = 46 * 365.25 * 24 * 3600 * 1000;
  Conversation t;
  t.client_sends(0, tcp_flag::syn, 0, 0);
  t.server_sends(kDecades, tcp_flag::syn | tcp_flag::ack, 0, 1);
  t.tracker().tick(Conversation::kStart + static_cast<TimeNs>(kDecades * 1e6));
  t.client_sends(0.05, tcp_flag::ack, 1, 1);
  const Connection& c = t.finish();
  // THEN it is one connection whose times nobody knows
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_TRUE(c.handshake_ambiguous);
  EXPECT_FALSE(known(c.connect_time_ns));
}

TEST(Handshake, WindowScaleIsFourteenAtMost) {
  for (const std::uint8_t sent : {0, 14, 15, 32, 127, 255}) {
    Conversation t;
    t.send({true, 0, tcp_flag::syn, 0, 0, "", 1000, 0, 0, 0, {3, 3, sent, 1}});
    const Connection& c = t.finish();
    EXPECT_EQ(c.opening().options.c2s.window_scale, std::min<int>(sent, 14)) << int{sent};
  }
}

TEST(Handshake, SixteenSynsAreListedAndTheRestCounted) {
  Conversation t;
  for (int i = 0; i < 20; ++i) t.client_sends(1000.0 * i, kSyn, 0, 0);
  const Connection& c = t.finish();
  EXPECT_EQ(c.syn_frames.size(), 16U);
  EXPECT_EQ(c.syn_frames.left_out(), 4U);
}

TEST(Handshake, SplitHandshakeWithAckAndSynApart) {
  // RFC 9293 section 3.5 allows it; the server's SYN is answered by the client's SYN-ACK.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5, kAck, 0, 1);
  t.server_sends(6, kSyn, 0, 0);
  t.client_sends(16, kSynAck, 0, 1);
  t.server_sends(21, kAck, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::simultaneous_open);
  EXPECT_EQ(c.client, t.client);
  EXPECT_FALSE(known(c.connect_time_ns));
  EXPECT_FALSE(known(c.rtt_probe_server_ns));
}

TEST(Handshake, SplitHandshakeWithAnAckAtOnceAndTheSynLater) {
  // The client resends its SYN before the server's own comes, and acknowledges that one barely.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(5, kAck, 0, 1);
  t.client_sends(1000, kSyn, 0, 0);
  t.server_sends(1500, kSyn, 0, 1);
  t.client_sends(1510, kAck, 1, 1);
  t.client_sends(1511, kAck, 1, 1, "data");
  const Connection& c = t.finish();
  EXPECT_EQ(t.sink.connections.size(), 1U);
  EXPECT_EQ(c.state, ConnectionState::simultaneous_open);
  EXPECT_EQ(c.client, t.client);
  EXPECT_FALSE(known(c.connect_time_ns));
  EXPECT_FALSE(known(c.rtt_probe_client_ns));
  EXPECT_EQ(c.half.c2s.payload_bytes, 4U);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes + c.half.s2c.impairment().missing_bytes, 0U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::handshake), 1U);
}

TEST(Handshake, OnlyTheClientsPacketsHaveNoTimes) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.client_sends(12, kAck, 1, 1);
  t.client_sends(13, kAck, 1, 1, "question");
  t.client_sends(40, kAck, 9, 101);
  const Connection& c = t.finish();
  EXPECT_TRUE(c.one_sided);
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.state, ConnectionState::syn_unanswered);
  EXPECT_FALSE(known(c.connect_time_ns));
  EXPECT_EQ(c.rtt_probe_server.samples + c.rtt_probe_client.samples, 0U);
  EXPECT_EQ(c.half.c2s.payload_bytes, 8U);
  EXPECT_EQ(c.half.s2c.packets, 0U);
}

TEST(Handshake, OnlyTheServersPacketsHaveNoTimes) {
  Conversation t;
  t.server_sends(10, kSynAck, 0, 1);
  t.server_sends(30, kAck, 1, 9);
  t.server_sends(35, kAck, 1, 9, "answer");
  const Connection& c = t.finish();
  EXPECT_TRUE(c.one_sided);
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.basis, ClientBasis::synack);
  EXPECT_EQ(c.state, ConnectionState::no_syn_seen);
  EXPECT_FALSE(known(c.connect_time_ns));
  EXPECT_EQ(c.rtt_probe_server.samples + c.rtt_probe_client.samples, 0U);
  EXPECT_EQ(c.half.s2c.payload_bytes, 6U);
  EXPECT_EQ(c.half.c2s.packets, 0U);
}

TEST(Handshake, SynDataThatTheServerIgnoresIsSentAgain) {
  // TCP Fast Open without a cookie: the SYN-ACK covers the SYN only.
  Conversation t;
  t.client_sends(0, kSyn, 0, 0, "early");
  t.server_sends(10, kSynAck, 0, 1);
  t.client_sends(12, kAck, 1, 1, "early");
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.connect_time_ns, ms(12));
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
  expect_parts_add_up(c);
}

TEST(Handshake, FastOpenDataIsAcknowledgedBeforeTheHandshakeIsComplete) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0, "early");
  t.server_sends(10, kSynAck, 0, 6);
  t.server_sends(10.1, kAck, 1, 6, "answer");
  t.client_sends(12, kAck, 6, 7);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::complete);
  EXPECT_EQ(c.half.c2s.payload_bytes, 5U);
  EXPECT_EQ(c.half.s2c.payload_bytes, 6U);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes + c.half.s2c.impairment().missing_bytes, 0U);
}

TEST(Handshake, ClientThatResetsTheSynAckWasNotRefused) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSynAck, 0, 1);
  t.client_sends(12, kRst, 1, 0);
  const Connection& c = t.finish();
  EXPECT_EQ(c.state, ConnectionState::synack_no_ack);
  EXPECT_EQ(c.close, CloseKind::rst);
  EXPECT_EQ(c.close_frame, 3U);
}

TEST(Close, TheFirstFinOrResetIsTheEndWhateverFollows) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, tcp_flag::fin | kAck, 1, 1);
  t.server_sends(30, kRst | kAck, 1, 2, "late");
  t.server_sends(31, kRst, 1, 0);
  const Connection& c = t.finish();
  EXPECT_EQ(c.close, CloseKind::rst);
  EXPECT_EQ(c.close_time_ns, Conversation::kStart + ms(20));
  EXPECT_EQ(c.close_frame, 4U);
  EXPECT_EQ(t.sink.connections.size(), 1U);
}

TEST(Close, PortsUsedAgainWithinTimeWaitAreAnotherConnection) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, tcp_flag::fin | kAck, 1, 1);
  t.server_sends(21, tcp_flag::fin | kAck, 1, 2);
  t.client_sends(22, kAck, 2, 2);
  t.isn_shift = 100000;
  t.client_sends(1000, kSyn, 0, 0);
  t.server_sends(1010, kSynAck, 0, 1);
  t.client_sends(1012, kAck, 1, 1);
  t.finish();
  ASSERT_EQ(t.sink.connections.size(), 2U);
  EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::closed);
  EXPECT_EQ(t.sink.connections[1].state, ConnectionState::complete);
  EXPECT_EQ(t.sink.connections[1].connect_time_ns, ms(12));
}

// ------------------------------------------------------- an ordinary opening is worked out, not kept

TEST(OrdinaryOpening, IsToldAsItWasWhateverTheClientSendsLater) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kSynAck, 900'000, 1);
  const Connection& c = t.finish();
  ASSERT_EQ(c.handshake().size(), 3U);
  EXPECT_EQ(c.handshake()[0].seq, Conversation::kClientIsn);
  EXPECT_EQ(c.handshake()[1].ack, Conversation::kClientIsn + 1);
  EXPECT_EQ(c.handshake()[2].seq, Conversation::kClientIsn + 1);
}

TEST(OrdinaryOpening, BeginsOnlyWithAClientThatItsSynMakesOne) {
  Conversation t;
  t.client.port = 70;  // the lower port: taken for the server until a SYN tells
  t.server_sends(0, kAck, 500, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  t.client_sends(5, kSyn, 100'000, 0);
  t.server_sends(10, kSynAck, 0, 100'001);
  const Connection& c = t.finish();
  for (const HandshakeSegment& s : c.handshake()) EXPECT_NE(s.flags & tcp_flag::syn, 0);
}

}  // namespace
}  // namespace wirelag::testing
