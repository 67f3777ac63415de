// Bytes in order, through loss, reordering and repetition; what was sent again and why.
#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

const std::string kRequest = "GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n";

TEST(Stream, RequestReachesTheTrackerWithItsFrame) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest);
  const Connection& c = t.finish();
  EXPECT_EQ(c.protocol, Protocol::http1);
  EXPECT_EQ(t.recorder.text[0], kRequest);
  EXPECT_EQ(t.recorder.context.client, t.client);
  EXPECT_EQ(t.recorder.frames, std::vector<FrameNumber>{4});
  EXPECT_EQ(t.recorder.closed, 1);
  EXPECT_EQ(c.service, 3);
}

TEST(Stream, RecognisedWhenTypedByteByByte) {
  Conversation t;
  t.shake_hands();
  std::uint32_t seq = 1;
  for (std::size_t i = 0; i < 6; ++i) t.client_sends(20 + double(i), kAck, seq++, 1, {kRequest[i]});
  t.client_sends(30, kAck, seq, 1, kRequest.substr(6));
  t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest);
}

TEST(Stream, EveryOrderOfSegmentsGivesTheSameBytes) {
  const std::vector<std::string> parts = {kRequest, "one", "two", "three", "four"};
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  std::string whole;
  for (const auto& p : parts) whole += p;
  do {
    Conversation t;
    t.shake_hands();
    for (std::size_t n = 0; n < order.size(); ++n) {
      std::uint32_t seq = 1;
      for (std::size_t i = 0; i < order[n]; ++i) seq += static_cast<std::uint32_t>(parts[i].size());
      t.client_sends(20 + 0.01 * double(n), kAck, seq, 1, parts[order[n]]);
    }
    const Connection& c = t.finish();
    EXPECT_EQ(t.recorder.text[0], whole);
    EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
    EXPECT_EQ(c.half.c2s.payload_bytes, whole.size());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Stream, OverlappingResendDeliversEachByteOnce) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest + "abcdef");
  const auto base = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(300, kAck, base + 2, 1, "cdefghi");
  t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "abcdefghi");
}

TEST(Stream, HoleThatTheServerAcknowledgedIsAnnouncedAndCounted) {
  // GIVEN 10 bytes that never reach the capture, but the server acknowledges them
  Conversation t;
  t.shake_hands();
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(21, kAck, next + 10, 1, "after");
  t.server_sends(30, kAck, 1, next + 15);
  t.client_sends(100, kAck, next + 15, 1, "more");
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "<10>aftermore");
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 10U);
  EXPECT_EQ(t.counters.of(Counter::tcp_gaps), 1U);
}

TEST(Stream, AHoleBeforeTheFirstMessageIsNotForgotten) {
  // GIVEN bytes of either side that were never captured, or none, before the first message
  for (const std::uint32_t of_client : {0U, 10U}) {
    for (const std::uint32_t of_server : {0U, 20U}) {
      Conversation t;
      t.shake_hands();
      const std::uint32_t ask = 1 + of_client;
      const std::uint32_t tell = 1 + of_server;
      t.server_sends(19, kAck, tell, 1, "unknown");
      t.client_sends(20, kAck, 1, tell + 7);
      t.server_sends(90, kAck, tell + 7, 1, "unknown");
      t.client_sends(91, kAck, ask, tell + 14, kRequest);
      const auto end = static_cast<std::uint32_t>(ask + kRequest.size());
      t.server_sends(92, kAck, tell + 14, end);
      t.client_sends(150, kAck, end, tell + 14, "more");
      t.finish();
      // THEN the tracker hears of it
      EXPECT_EQ(t.recorder.text[0], (of_client > 0 ? "<1>" : "") + kRequest + "more");
      EXPECT_EQ(t.recorder.text[1], of_server > 0 ? "<1>" : "");
      EXPECT_TRUE(t.recorder.context.syn_seen && t.recorder.context.syn_ack_seen);
    }
  }
}

TEST(Stream, SnaplenCutPayloadIsAGapOfTheRightLength) {
  Conversation t;
  t.shake_hands();
  t.send({true, 20, kAck, 1, 1, kRequest, 1000, 0, 0, 100});
  t.client_sends(21, kAck, static_cast<std::uint32_t>(1 + kRequest.size() + 100), 1, "next");
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "<100>next");
  EXPECT_EQ(c.half.c2s.payload_bytes, kRequest.size() + 104);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
}

TEST(Stream, SequenceNumbersMayWrap) {
  Conversation t;
  t.isn_shift = 0xffffffffU - Conversation::kClientIsn - 10;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(21, kAck, static_cast<std::uint32_t>(1 + kRequest.size()), 1, "tail");
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "tail");
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
}

TEST(Stream, DataOfASynWaitsForTheServersWord) {
  for (const bool taken : {true, false}) {
    Conversation t;
    const std::string request = "GET / HTTP/1.1\r\n\r\n";
    const auto length = static_cast<std::uint32_t>(request.size());
    t.client_sends(0, tcp_flag::syn, 0, 0, request);
    EXPECT_EQ(t.recorder.text[0], "");
    t.server_sends(10, kSynAck, 0, taken ? 1 + length : 1);
    EXPECT_EQ(t.recorder.text[0], taken ? request : "");
    t.client_sends(12, kAck, taken ? 1 + length : 1, 1, taken ? "" : request);
    t.client_sends(13, kAck, 1 + length, 1, "more");
    const Connection& c = t.finish();
    EXPECT_EQ(t.recorder.text[0], request + "more");
    EXPECT_EQ(t.recorder.frames.front(), taken ? 1U : 3U);
    EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::syn_data), taken ? 0U : 1U);
    EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::tail_probe), 0U);
    EXPECT_EQ(c.half.c2s.impairment().time_lost_ns, 0);
    EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
  }
}

TEST(Stream, DataOfASynWhoseAnswerWasNotCaptured) {
  // What the client sends next tells: the same again, or what follows.
  const std::string request = "GET / HTTP/1.1\r\n\r\n";
  const auto length = static_cast<std::uint32_t>(request.size());
  for (const bool again : {true, false}) {
    Conversation t;
    t.client_sends(0, tcp_flag::syn, 0, 0, request);
    t.client_sends(12, kAck, again ? 1 : 1 + length, 1, again ? request : "more");
    t.finish();
    EXPECT_EQ(t.recorder.text[0], again ? request : request + "more");
    EXPECT_EQ(t.recorder.frames.front(), again ? 2U : 1U);
  }
  Conversation t;
  t.client_sends(0, tcp_flag::syn, 0, 0, request);
  t.server_sends(20, kAck, 1, 1 + length, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(t.recorder.text[0], request) << "before its response";
  Conversation unanswered;
  unanswered.client_sends(0, tcp_flag::syn, 0, 0, request);
  unanswered.client_sends(1000, tcp_flag::syn, 0, 0, request);
  unanswered.finish();
  EXPECT_EQ(unanswered.recorder.text[0], request) << "once";
}

/// A request on a connection in whose opening a FIN of an earlier one comes from the server.
void ask_after_an_old_fin(Conversation& t) {
  t.client_sends(0, tcp_flag::syn, 0, 0);
  t.server_sends(5, kFin, static_cast<std::uint32_t>(-26175), 1);
  t.server_sends(10, kSynAck, 0, 1);
  t.client_sends(11, kAck, 1, 1, "GET / HTTP/1.1\r\n\r\n");
}

TEST(Stream, TheServersBytesBeginAtItsSynAckWhateverWasSentInItsName) {
  Conversation t;
  ask_after_an_old_fin(t);
  t.server_sends(20, kAck, 1, 19, "HTTP/1.1 204 No Content\r\n\r\n");
  t.finish();
  EXPECT_EQ(t.recorder.text[1], "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(t.counters.of(Counter::tcp_gaps), 0U);
}

TEST(Stream, AFinOfAnEarlierConnectionDoesNotEndThisOne) {
  Conversation t;
  ask_after_an_old_fin(t);
  t.client_sends(12, kFin, 19, 1);  // has asked all it wanted, and waits for the answer
  EXPECT_EQ(t.recorder.closed, 0);
  t.server_sends(20, kAck, 1, 20, "HTTP/1.1 204 No Content\r\n\r\n");
  t.server_sends(21, kFin, 28, 20);
  EXPECT_EQ(t.recorder.text[1], "HTTP/1.1 204 No Content\r\n\r\n|");
  EXPECT_EQ(t.recorder.closed, 1);
  EXPECT_EQ(t.finish().close, CloseKind::fin_both);
}

TEST(Stream, AFloodOfSynsWithDataLeavesRoomForOthers) {
  TcpLimits limits = Conversation::small();
  limits.reorder_segments = 8;
  Conversation t(limits);
  for (std::uint16_t i = 0; i < 32; ++i) {
    t.client.port = static_cast<std::uint16_t>(50000 + i);
    t.flow_hash = 1000U * i;
    t.client_sends(i, tcp_flag::syn, 0, 0, "GET / HTTP/1.1\r\n\r\n");
  }
  t.client.port = 40000;
  t.shake_hands();
  t.client_sends(50, kAck, 5, 1, "b");
  EXPECT_EQ(t.counters.of(Counter::tcp_reordered_dropped), 0U);
}

TEST(Stream, WithoutASynTheFirstMessageTellsWhoIsTheClient) {
  for (const bool request_first : {true, false}) {
    Conversation t;
    t.client.port = 4000;
    t.server.port = 50000;
    const std::string request = "GET / HTTP/1.1\r\n\r\n",
                      response = "HTTP/1.1 204 No Content\r\n\r\n";
    if (request_first) t.client_sends(0, kAck, 1, 1, request);
    if (!request_first) t.server_sends(0, kAck, 1, 1, response);
    if (request_first) t.server_sends(10, kAck, 1, 1, response);
    if (!request_first) t.client_sends(10, kAck, 1, 1, request);
    const Connection& c = t.finish();
    EXPECT_EQ(c.client, t.client);
    EXPECT_EQ(c.basis, ClientBasis::protocol);
    EXPECT_EQ(t.recorder.context.client, t.client);
    EXPECT_EQ(t.recorder.text[0], request);
    EXPECT_EQ(t.recorder.text[1], response);
  }
}

TEST(Stream, ASynTellsWhoIsTheClientWhateverIsSaid) {
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 1, 1, "GET / HTTP/1.1\r\n\r\n");
  const Connection& c = t.finish();
  EXPECT_EQ(c.client, t.client);
  EXPECT_EQ(c.basis, ClientBasis::syn);
}

TEST(Stream, WhatOnlyTheOtherOneSaysIsAnotherProtocol) {
  // GIVEN a server of NATS, which greets, and asks whether its client lives with a line that Redis' clients have
  Conversation nats;
  nats.shake_hands();
  nats.server_sends(20, kAck, 1, 1, "INFO {}\r\n");
  nats.client_sends(30, kAck, 1, 10, "CONNECT {}\r\n");
  nats.server_sends(40, kAck, 10, 13, "PING\r\n");
  nats.client_sends(50, kAck, 13, 16, "PONG\r\n");
  EXPECT_EQ(nats.finish().protocol, Protocol::unknown);

  // So it is where the connection was open before: the port tells who the server is.
  Conversation open_before;
  open_before.server_sends(20, kAck, 1, 1, "PING\r\n");
  open_before.client_sends(30, kAck, 1, 7, "PONG\r\n");
  const Connection c = open_before.finish();
  EXPECT_EQ(c.protocol, Protocol::unknown);
  EXPECT_EQ(c.basis, ClientBasis::port);

  // The same line by the client is Redis.
  Conversation redis;
  redis.shake_hands();
  redis.client_sends(20, kAck, 1, 1, "PING\r\n");
  EXPECT_EQ(redis.finish().protocol, Protocol::redis);
}

TEST(Stream, WhoAcceptedTheConnectionMayBeTheClientOfWhatIsSpokenOnIt) {
  // GIVEN a server of FTP that opens its data connection (active mode), on which TLS' client accepts
  Conversation c;
  c.shake_hands();
  const std::string hello("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11);
  c.server_sends(20, kAck, 1, 1, hello);
  EXPECT_EQ(c.finish().protocol, Protocol::tls);
}

TEST(Stream, ARefusalBehindTheClientsFinIsNoGoodbye) {
  // GIVEN a TLS client that leaves at once, and a server whose alert is all that it says
  Conversation t;
  t.shake_hands();
  const std::string hello("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11);
  t.client_sends(20, kAck | tcp_flag::fin, 1, 1, hello);
  t.server_sends(30, kAck, 1, 13, std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
  const Connection& c = t.finish();
  EXPECT_EQ(c.protocol, Protocol::tls);
  EXPECT_TRUE(known(c.half.s2c.first_payload_ns));
  EXPECT_EQ(c.half.s2c.last_payload_ns, c.half.s2c.first_payload_ns);
}

TEST(Stream, UrgentDataStaysInItsPlace) {
  // GIVEN a request whose middle is urgent (RFC 9293 section 3.8.5): the urgent pointer marks a place in
  // the stream and takes no sequence number, wherever a socket hands the byte to its reader
  Conversation t;
  t.shake_hands();
  constexpr std::uint8_t kUrgent = tcp_flag::urg | tcp_flag::psh | kAck;
  const auto a = static_cast<std::uint32_t>(kRequest.size() / 3);
  t.client_sends(20, kAck, 1, 1, kRequest.substr(0, a));
  t.client_sends(20.1, kAck, 1 + a + 1, 1, kRequest.substr(a + 1));
  // WHEN the one byte that is out of band is overtaken, and sent once more
  t.client_sends(20.2, kUrgent, 1 + a, 1, kRequest.substr(a, 1));
  t.client_sends(320, kUrgent, 1 + a, 1, kRequest.substr(a, 1));
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::out_of_order), 1U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::keep_alive), 0U);
}

TEST(Stream, FinEndsADirectionAfterItsLastByte) {
  Conversation t;
  t.shake_hands();
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(20, kFin, next, 1);  // overtakes the request
  t.client_sends(20.1, kAck, 1, 1, kRequest);
  t.server_sends(30, kFin, 1, next + 1);
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "|");
  EXPECT_EQ(c.close, CloseKind::fin_both);
}

TEST(Stream, WhatFollowsTheBytesIsLetGoOnceBothSidesHaveSentAll) {
  Conversation t;
  t.shake_hands();
  const auto length = static_cast<std::uint32_t>(kRequest.size());
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(21, kFin, 1 + length, 1);
  t.server_sends(30, kFin, 5, 2 + length);  // "last" was overtaken
  EXPECT_EQ(t.recorder.closed, 0) << "the server's bytes are not complete";
  t.server_sends(31, kAck, 1, 2 + length, "last");
  EXPECT_EQ(t.recorder.text[1], "last|");
  EXPECT_EQ(t.recorder.closed, 1) << "the connection itself waits for what is sent again";
  EXPECT_TRUE(t.sink.connections.empty());
  t.server_sends(300, kFin, 1, 2 + length, "last");
  t.client_sends(301, kAck, 2 + length, 6);
  const Connection& c = t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "|");
  EXPECT_EQ(t.recorder.text[1], "last|");
  EXPECT_EQ(t.recorder.closed, 1);
  EXPECT_EQ(c.service, 3) << "named by the tracker that has gone";
  EXPECT_EQ(c.half.s2c.packets, 4U);
}

TEST(Stream, AWindowOfSegmentsWaitsForTheOneThatWasLost) {
  // GIVEN a flight of 500 segments whose first is lost before the probe, and sent again after a round trip
  TcpLimits limits = Conversation::small();
  limits.reorder_segments = 1024;
  Conversation t(limits);
  t.shake_hands();
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5010\r\n\r\n";
  t.server_sends(20, kAck, 1, 1, head);
  auto seq = static_cast<std::uint32_t>(1 + head.size());
  const std::uint32_t lost = seq;
  std::string body = "0123456789";
  for (int i = 0; i < 500; ++i) {
    seq += 10;
    t.server_sends(20.1, kAck, seq, 1, "abcdefghij");
    body += "abcdefghij";
  }
  t.client_sends(21, kAck, 1, lost);
  t.server_sends(40, kAck, lost, 1, "0123456789");
  t.client_sends(41, kAck, 1, seq + 10);
  const Connection& c = t.finish();
  // THEN the parser gets every byte, and nothing counts as given up
  EXPECT_EQ(t.recorder.text[1], head + body);
  EXPECT_EQ(c.half.s2c.impairment().missing_bytes, 0U);
  EXPECT_EQ(t.counters.of(Counter::tcp_gaps), 0U);
  EXPECT_EQ(t.counters.of(Counter::tcp_holes_given_up), 0U);
}

TEST(Stream, AHoleWithTooMuchBehindItIsGivenUpAndCounted) {
  TcpLimits limits = Conversation::small();
  limits.reorder_per_direction = 4;
  Conversation t(limits);
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest);
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  for (std::uint32_t i = 1; i <= 4; ++i) t.client_sends(21, kAck, next + i, 1, "x");
  t.client_sends(30, kAck, next, 1, "x");
  t.finish();
  EXPECT_EQ(t.recorder.text[0], kRequest + "<1>xxxx");
  EXPECT_EQ(t.counters.of(Counter::tcp_holes_given_up), 1U);
}

TEST(Stream, WithOneSideCapturedAHoleIsFinalWhenATimerWouldHaveFilledIt) {
  Conversation t;
  t.client_sends(0, tcp_flag::syn, 0, 0);
  t.client_sends(12, kAck, 1, 1);
  t.client_sends(20, kAck, 1, 1, kRequest);
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(21, kAck, next + 1, 1, "b");
  t.client_sends(900, kAck, next + 2, 1, "c");
  EXPECT_EQ(t.recorder.text[0], kRequest) << "it may still come";
  t.client_sends(1100, kAck, next + 3, 1, "d");
  EXPECT_EQ(t.recorder.text[0], kRequest + "<1>bcd");
}

TEST(Stream, WhatCannotBeBufferedIsGivenUpNotLeaked) {
  TcpLimits limits = Conversation::small();
  limits.reorder_segments = 4;
  Conversation t(limits);
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest);
  std::uint32_t seq = static_cast<std::uint32_t>(1 + kRequest.size()) + 1;  // one byte is missing
  for (int i = 0; i < 50; ++i, ++seq) t.client_sends(21, kAck, seq, 1, "x");
  t.finish();
  EXPECT_EQ(t.counters.of(Counter::tcp_holes_given_up), 1U);
  EXPECT_EQ(t.counters.of(Counter::tcp_reordered_dropped), 0U);
  EXPECT_EQ(t.recorder.closed, 1);
}

TEST(Resend, TimeoutIsNotAnRttSample) {
  Conversation t;
  t.shake_hands();
  const auto end = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(240, kAck, 1, 1, kRequest);
  t.server_sends(250, kAck, 1, end);
  t.client_sends(260, kAck, end, 1, "second");
  t.server_sends(270, kAck, 1, end + 6);
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::rto), 1U);
  EXPECT_EQ(c.rtt_probe_server.samples, 1U);
  EXPECT_EQ(c.rtt_probe_server.max_ns, 10 * kMillisecondNs);
}

TEST(Resend, ReorderedSegmentsAreNotResends) {
  Conversation t;
  t.shake_hands();
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(21, kAck, next + 3, 1, "def");
  t.client_sends(21.2, kAck, next, 1, "abc");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::out_of_order), 1U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::rto), 0U);
}

TEST(Resend, FastRetransmitOnALanIsNotReordering) {
  // GIVEN a path of 0.6 ms, a lost segment, three duplicate ACKs and the resend 0.8 ms later
  Conversation t;
  t.client_sends(0, tcp_flag::syn, 0, 0);
  t.server_sends(0.3, tcp_flag::syn | kAck, 0, 1);
  t.client_sends(0.6, kAck, 1, 1);
  const auto next = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(1, kAck, 1, 1, kRequest);
  t.server_sends(1.6, kAck, 1, next);
  for (int i = 1; i <= 3; ++i) t.client_sends(2, kAck, next + 3U * i, 1, "abc");
  for (int i = 1; i <= 3; ++i) t.server_sends(2.6 + 0.01 * i, kAck, 1, next);
  t.client_sends(2.8, kAck, next, 1, "abc");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::fast), 1U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::out_of_order), 0U);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
}

TEST(Resend, TailLossProbeComesBeforeTheTimeout) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.client_sends(50, kAck, 1, 1, kRequest);
  EXPECT_EQ(resent(t.finish().half.c2s, RetransmissionClass::tail_probe), 1U);
}

TEST(Resend, MirrorCopiesAreSetAside) {
  Conversation t;
  t.shake_hands();
  for (const double at : {20.0, 20.01}) t.client_sends(at, kAck, 1, 1, kRequest);
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::mirror_duplicate), 1U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::rto), 0U);
  EXPECT_EQ(t.recorder.text[0], kRequest);
}

TEST(Resend, KeepAliveIsNotAResend) {
  Conversation t;
  t.shake_hands();
  const auto end = static_cast<std::uint32_t>(1 + kRequest.size());
  t.client_sends(20, kAck, 1, 1, kRequest);
  t.server_sends(30, kAck, 1, end);
  t.client_sends(60000, kAck, end - 1, 1, "\n");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::keep_alive), 1U);
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::rto), 0U);
}

TEST(Resend, UnacknowledgedLastByteSentAgainIsAResend) {
  // The trap: a one-byte request sent again looks like a keep-alive, but was never acknowledged.
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "x");
  t.client_sends(220, kAck, 1, 1, "x");
  EXPECT_EQ(resent(t.finish().half.c2s, RetransmissionClass::rto), 1U);
}

TEST(Window, ClosedWindowIsASpan) {
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 1, 1, "x");
  t.send({true, 21, kAck, 1, 2, "", 0});
  t.send({true, 71, kAck, 1, 2, "", 500});
  const Connection& c = t.finish();
  EXPECT_EQ(c.half.c2s.impairment().zero_windows, 1U);
  EXPECT_EQ(c.half.c2s.impairment().zero_window_ns, 50 * kMillisecondNs);
}

TEST(Window, AcceptedProbeIsNoHole) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "abc");
  t.send({false, 21, kAck, 1, 4, "", 0});
  t.client_sends(221, kAck, 4, 1, "d");       // probes the closed window
  t.send({false, 222, kAck, 1, 5, "", 500});  // taken
  t.client_sends(223, kAck, 5, 1, "ef");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::zero_window_probe), 1U);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
}

TEST(Window, RefusedProbeIsSentAgainAsNewData) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "abc");
  t.send({false, 21, kAck, 1, 4, "", 0});
  t.client_sends(221, kAck, 4, 1, "d");
  t.send({false, 222, kAck, 1, 4, "", 0});
  t.send({false, 300, kAck, 1, 4, "", 500});
  t.client_sends(301, kAck, 4, 1, "def");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, RetransmissionClass::rto), 0U);
  EXPECT_EQ(c.half.c2s.impairment().missing_bytes, 0U);
}

TEST(Table, FullOfHalfOpenConnectionsKeepsTheEstablishedOne) {
  TcpLimits limits = Conversation::small();
  limits.connections = 64;
  Conversation t(limits);
  t.shake_hands();
  const Endpoint established = t.client;
  for (std::uint16_t i = 0; i < 5000; ++i) {
    t.client = endpoint("10.9.9.9", static_cast<std::uint16_t>(1024 + i));
    ASSERT_EQ(t.client_sends(20, tcp_flag::syn, 0, 0), NotAnalysed::none);
  }
  EXPECT_EQ(t.tracker().live_connections(), 1U + 64U);  // SYNs alone have a table of their own
  EXPECT_EQ(t.counters.of(Counter::tcp_evicted), 5000U - 64U);
  EXPECT_EQ(t.counters.of(Counter::tcp_evicted_unanswered), 5000U - 64U);
  t.finish();
  const auto& all = t.sink.connections;
  EXPECT_EQ(all.size(), 5001U);
  const auto kept = std::find_if(all.begin(), all.end(),
                                 [&](const Connection& c) { return c.client == established; });
  ASSERT_NE(kept, all.end());
  EXPECT_EQ(kept->end, ConnectionEnd::capture_end);
}

TEST(Table, FloodOfAcksWithoutAConnectionKeepsTheEstablishedOne) {
  TcpLimits limits = Conversation::small();
  limits.connections = 64;
  Conversation t(limits);
  t.shake_hands();
  t.server_sends(15, kAck, 1, 1, "both sides");
  const Endpoint established = t.client;
  for (std::uint16_t i = 0; i < 5000; ++i) {
    t.client = endpoint("10.9.9.9", static_cast<std::uint16_t>(1024 + i));
    ASSERT_EQ(t.client_sends(20, kAck, 7, 7), NotAnalysed::none);
  }
  EXPECT_EQ(t.tracker().live_connections(), 64U);
  EXPECT_GT(t.counters.of(Counter::tcp_evicted_unanswered), 4000U);
  t.finish();
  const auto& all = t.sink.connections;
  const auto kept = std::find_if(all.begin(), all.end(),
                                 [&](const Connection& c) { return c.client == established; });
  ASSERT_NE(kept, all.end());
  EXPECT_EQ(kept->end, ConnectionEnd::capture_end);
}

TEST(Table, TickOnlyDoesEarlyWhatTheNextSegmentWouldDo) {
  for (const bool tick : {false, true}) {
    Conversation t;
    t.shake_hands();
    const double later_ms = 2 * 3600 * 1e3;
    if (tick) t.tracker().tick(Conversation::kStart + static_cast<TimeNs>(later_ms * 1e6) - 1);
    t.client_sends(later_ms, kAck, 1, 1, kRequest);
    t.finish();
    ASSERT_EQ(t.sink.connections.size(), 2U);
    EXPECT_EQ(t.sink.connections[0].end, ConnectionEnd::idle_timeout);
    EXPECT_EQ(t.sink.connections[1].state, ConnectionState::midstream);
  }
}

}  // namespace
}  // namespace wirelag::testing
