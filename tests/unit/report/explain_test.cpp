// The states are RFC 9293 section 3.5: figure 6 (three-way handshake) and figure 7 (simultaneous
// open).
#include "explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "examples.hpp"

namespace wirelag::report {
namespace {

using namespace examples;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr DurationNs kMs = kMillisecondNs;
const Endpoint kClient = at("192.0.2.1", 40000);
const Endpoint kServer = at("198.51.100.9", 443);

std::string states(const ExplainedSegment& e) {
  const auto text = [](StateChange c) {
    return std::string(name(c.before)) + ">" + std::string(name(c.after));
  };
  return text(e.client) + " " + text(e.server);
}

TEST(Explain, ThreeWayHandshakeGoesThroughTheStatesOfFigure6) {
  const auto told = explain(opened(1, kClient, kServer, {8, 0}, {9, 6 * kMs}, {10, 7 * kMs}));
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(states(told[0]), "CLOSED>SYN-SENT LISTEN>SYN-RECEIVED");
  EXPECT_EQ(states(told[1]), "SYN-SENT>ESTABLISHED SYN-RECEIVED>SYN-RECEIVED");
  EXPECT_EQ(states(told[2]), "ESTABLISHED>ESTABLISHED SYN-RECEIVED>ESTABLISHED");
}

TEST(Explain, NumbersAreRelativeAndOnlyTheAckIsScaled) {
  const auto told = explain(opened(1, kClient, kServer, {8, 0}, {9, 6 * kMs}, {10, 7 * kMs}));
  EXPECT_EQ(told[0].relative_seq, 0U);
  EXPECT_EQ(told[0].relative_ack, std::nullopt);
  EXPECT_EQ(told[0].scaled_window_bytes, 29200U);
  EXPECT_EQ(told[1].relative_seq, 0U);
  EXPECT_EQ(told[1].relative_ack, 1U);
  EXPECT_EQ(told[1].scaled_window_bytes, 28960U);
  EXPECT_EQ(told[2].relative_seq, 1U);
  EXPECT_EQ(told[2].relative_ack, 1U);
  EXPECT_EQ(told[2].scaled_window_bytes, 229U * 128);
}

TEST(Explain, OneSideWithoutTheOptionMeansNoScaling) {
  Connection c = opened(1, kClient, kServer, {8, 0}, {9, 6 * kMs}, {10, 7 * kMs});
  test::item(c.opened, 0).options.s2c.window_scale = -1;
  EXPECT_EQ(explain(c)[2].scaled_window_bytes, 229U);
}

TEST(Explain, SequenceNumbersWrap) {
  Connection c = opened(1, kClient, kServer, {8, 0}, {9, 6 * kMs}, {10, 7 * kMs});
  test::item(c.segments, 0).seq = 0xffffffff;
  test::item(c.segments, 1).ack = test::item(c.segments, 2).seq = 0;
  const auto told = explain(c);
  EXPECT_EQ(told[1].relative_ack, 1U);
  EXPECT_EQ(told[2].relative_seq, 1U);
}

TEST(Explain, ASynSentAgainIsNotTakenToHaveArrived) {
  // SYN (lost) -1 s- SYN -> SYN-ACK -> ACK; the answer can only be to the second.
  Connection c = opened(1, kClient, kServer, {4, 1000 * kMs}, {5, 1006 * kMs}, {6, 1007 * kMs});
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  c.segments = {};
  HandshakeSegment first = syn;
  first.time_ns = kStart;
  first.frame = 1;
  for (const auto& s : {first, syn, syn_ack, ack}) test::push(c.segments, s);
  c.syn_wait_ns = 1000 * kMs;

  const auto told = explain(c);
  EXPECT_FALSE(told[0].arrived);
  EXPECT_EQ(states(told[0]), "CLOSED>SYN-SENT LISTEN>LISTEN");
  EXPECT_EQ(states(told[1]), "SYN-SENT>SYN-SENT LISTEN>SYN-RECEIVED");
  EXPECT_EQ(told[1].step_ns, 1000 * kMs);
  EXPECT_THAT(told[1].meaning, HasSubstr("1000.000 ms after the copy before it"));
  EXPECT_EQ(told[2].step_ns, 6 * kMs);
  EXPECT_EQ(states(told[3]), "ESTABLISHED>ESTABLISHED SYN-RECEIVED>ESTABLISHED");
}

/// SYN -1 s- SYN -20 ms- SYN-ACK -1 s- SYN-ACK -> ACK, with timestamps.
Connection sent_twice(std::uint32_t syn_ack_tsecr, std::uint32_t ack_tsecr) {
  Connection c = opened(1, kClient, kServer, {1, 0}, {3, 1020 * kMs}, {5, 2030 * kMs});
  const auto stamped = [](HandshakeSegment s, FrameNumber frame, DurationNs at_ns,
                          std::uint32_t val, std::uint32_t ecr) {
    s.frame = frame;
    s.time_ns = kStart + at_ns;
    s.options.timestamps = true;
    s.options.tsval = val;
    s.options.tsecr = ecr;
    return s;
  };
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  c.segments = {};
  test::push(c.segments, stamped(syn, 1, 0, 100, 0));
  test::push(c.segments, stamped(syn, 2, 1000 * kMs, 1100, 0));
  test::push(c.segments, stamped(syn_ack, 3, 1020 * kMs, 7000, syn_ack_tsecr));
  test::push(c.segments, stamped(syn_ack, 4, 2020 * kMs, 8000, syn_ack_tsecr));
  test::push(c.segments, stamped(ack, 5, 2030 * kMs, 2130, ack_tsecr));
  return c;
}

TEST(Explain, TheTimestampTellsWhichCopyWasAnswered) {
  const auto lost = explain(sent_twice(1100, 8000));
  EXPECT_FALSE(lost[0].arrived);
  EXPECT_TRUE(lost[1].arrived);
  EXPECT_THAT(lost[1].meaning, HasSubstr("lost or ignored"));
  EXPECT_FALSE(lost[2].arrived);
  EXPECT_TRUE(lost[3].arrived);

  const auto unknown = explain(sent_twice(555, 555));
  EXPECT_FALSE(unknown[0].arrived) << "no copy has this number: the latest before the answer";
  EXPECT_TRUE(unknown[1].arrived);

  // The echo of an earlier copy tells nothing: Linux echoes it in what answers the later one, too.
  const auto late = explain(sent_twice(100, 7000));
  EXPECT_FALSE(late[0].arrived);
  EXPECT_TRUE(late[1].arrived);
  EXPECT_FALSE(late[2].arrived);
  EXPECT_TRUE(late[3].arrived);
}

TEST(Explain, WhatBelongsToAnEarlierConnectionChangesNoState) {
  Connection c = opened(1, kClient, kServer, {1, 0}, {4, 500 * kMs}, {5, 507 * kMs});
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  HandshakeSegment stray =
      segment({2, 10 * kMs}, Direction::s2c, tcp_flag::syn | tcp_flag::ack, 90000, 77, 1000);
  HandshakeSegment reset = segment({3, 11 * kMs}, Direction::c2s, tcp_flag::rst, 77, 0, 0);
  stray.earlier = reset.earlier = true;
  c.segments = {};
  for (const auto& s : {syn, stray, reset, syn_ack, ack}) test::push(c.segments, s);
  const auto told = explain(c);
  EXPECT_EQ(states(told[1]), "SYN-SENT>SYN-SENT SYN-RECEIVED>SYN-RECEIVED");
  EXPECT_THAT(told[1].meaning, HasSubstr("acknowledges 77, which this connection has not sent"));
  EXPECT_EQ(told[1].relative_seq, std::nullopt);
  EXPECT_EQ(states(told[2]), "SYN-SENT>SYN-SENT SYN-RECEIVED>SYN-RECEIVED");
  EXPECT_THAT(told[2].meaning, HasSubstr("This attempt goes on"));
  EXPECT_EQ(told[3].step_ns, 500 * kMs);
  EXPECT_EQ(told[3].relative_seq, 0U);
  EXPECT_THAT(told[3].meaning, HasSubstr("accepts and states its limits"));
}

TEST(Explain, ASynAckWithANumberOfItsOwnIsNoCopy) {
  Connection c = opened(1, kClient, kServer, {1, 0}, {2, 10 * kMs}, {4, 15 * kMs});
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  HandshakeSegment other = syn_ack;
  other.frame = 3;
  other.time_ns += 2 * kMs;
  other.seq += 700000;
  c.segments = {};
  for (const auto& s : {syn, syn_ack, other, ack}) test::push(c.segments, s);
  const auto told = explain(c);
  EXPECT_TRUE(told[1].arrived);
  EXPECT_THAT(told[2].meaning, HasSubstr("with a number of its own"));
}

TEST(Explain, ARepeatTooSoonForAnyTimerIsTheCapturesDoing) {
  const auto told = explain(unanswered(1, kClient, kServer, {{1, 0}, {2, 5'000}}));
  EXPECT_THAT(told[1].meaning, HasSubstr("too soon for a retransmission timer"));
}

TEST(Explain, AnAmbiguousHalfIsSaidToBeAmbiguous) {
  Connection c = opened(1, kClient, kServer, {4, 3 * kMs}, {5, 6 * kMs}, {6, 7 * kMs});
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  c.segments = {};
  for (const auto& s : {syn, syn, syn_ack, ack}) test::push(c.segments, s);
  c.handshake_ambiguous = true;
  c.rtt_probe_server_ns = kUnknownNs;
  EXPECT_THAT(explain(c)[2].meaning, HasSubstr("2 SYNs were under way"));
}

TEST(Explain, AnAnswerCapturedBeforeItsQuestionIsSaidToBe) {
  Connection c = opened(1, kClient, kServer, {4, 3 * kMs}, {5, 6 * kMs}, {6, 7 * kMs});
  const HandshakeSegment syn = c.segments[0], syn_ack = c.segments[1], ack = c.segments[2];
  c.segments = {};
  for (const auto& s : {syn_ack, syn, ack}) test::push(c.segments, s);
  c.handshake_ambiguous = true;
  c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
  EXPECT_THAT(explain(c)[0].meaning, HasSubstr("an answer before its question"));
}

TEST(Explain, RefusedMeansTheServerHadNoListener) {
  Connection c = unanswered(1, kClient, kServer, {{1, 0}});
  c.state = ConnectionState::refused;
  test::push(c.segments,
             segment({2, 5 * kMs}, Direction::s2c, tcp_flag::rst | tcp_flag::ack, 0, 1001, 0));
  const auto told = explain(c);
  EXPECT_EQ(states(told[0]), "CLOSED>SYN-SENT CLOSED>CLOSED");
  EXPECT_EQ(states(told[1]), "SYN-SENT>CLOSED CLOSED>CLOSED");
  EXPECT_EQ(told[1].relative_ack, 1U);
  EXPECT_THAT(told[1].meaning, HasSubstr("refuses after 5.000 ms: nothing listens on port 443"));
}

TEST(Explain, AResetOfAnAcceptedAttemptSendsTheServerBackToListen) {
  Connection c = opened(1, kClient, kServer, {1, 0}, {2, kMs}, {3, 2 * kMs});
  c.state = ConnectionState::synack_no_ack;
  test::item(c.segments, 2).flags = tcp_flag::rst;
  EXPECT_EQ(states(explain(c)[2]), "ESTABLISHED>CLOSED SYN-RECEIVED>LISTEN");
}

TEST(Explain, UnansweredLeavesTheServerUnknown) {
  const auto told =
      explain(unanswered(1, kClient, kServer, {{1, 0}, {2, 1000 * kMs}, {3, 3000 * kMs}}));
  EXPECT_EQ(states(told[2]), "SYN-SENT>SYN-SENT not known>not known");
  EXPECT_EQ(told[2].step_ns, 2000 * kMs);
}

TEST(Explain, SimultaneousOpenGoesThroughTheStatesOfFigure7) {
  Connection c = unanswered(1, kClient, kServer, {{1, 0}});
  c.state = ConnectionState::simultaneous_open;
  test::push(c.segments, segment({2, 1 * kMs}, Direction::s2c, tcp_flag::syn, 5000, 0, 1000));
  test::push(c.segments, segment({3, 2 * kMs}, Direction::c2s, tcp_flag::syn | tcp_flag::ack, 1000,
                                 5001, 1000));
  test::push(c.segments, segment({4, 3 * kMs}, Direction::s2c, tcp_flag::syn | tcp_flag::ack, 5000,
                                 1001, 1000));
  const auto told = explain(c);
  EXPECT_EQ(states(told[0]), "CLOSED>SYN-SENT CLOSED>CLOSED");
  EXPECT_EQ(states(told[1]), "SYN-SENT>SYN-RECEIVED CLOSED>SYN-SENT");
  EXPECT_EQ(told[3].client.after, TcpState::established);
  EXPECT_EQ(told[3].relative_ack, 1U);
}

TEST(Explain, WithoutTheSynTheInitialNumberComesFromTheSynAck) {
  Connection c = opened(1, kClient, kServer, {1, 0}, {2, kMs}, {3, 2 * kMs});
  const HandshakeSegment syn_ack = c.segments[1], ack = c.segments[2];
  c.segments = {};
  test::push(c.segments, syn_ack);
  test::push(c.segments, ack);
  c.state = ConnectionState::no_syn_seen;
  c.syn_frames = {};
  c.rtt_probe_server_ns = kUnknownNs;
  const auto told = explain(c);
  EXPECT_EQ(states(told[0]), "SYN-SENT>ESTABLISHED SYN-RECEIVED>SYN-RECEIVED");
  EXPECT_EQ(told[1].relative_seq, 1U);
  EXPECT_EQ(told[1].scaled_window_bytes, std::nullopt) << "the client's scale was in its SYN";
  EXPECT_THAT(told[0].meaning, HasSubstr("cannot be measured"));
}

TEST(Explain, AClockThatStepsBackGivesNoOffset) {
  Connection c = opened(1, kClient, kServer, {1, 5 * kMs}, {2, kMs}, {3, 6 * kMs});
  EXPECT_FALSE(known(explain(c)[1].offset_ns));
}

}  // namespace
}  // namespace wirelag::report
