// What was sent again and what it cost, full windows, keep-alives and round trips by timestamps.
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

using Class = RetransmissionClass;

DurationNs lost(const HalfConnection& half, Class c) {
  return half.impairment().lost_ns[static_cast<std::size_t>(c)];
}

TEST(Lost, TimerCostsTheSilenceThatItEnds) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "question");
  t.client_sends(260, kAck, 1, 1, "question");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(lost(h, Class::rto), ms(240));
  EXPECT_EQ(h.impairment().time_lost_ns, ms(240));
}

TEST(Lost, ResendsOfOneBurstAreNotChargedTwice) {
  // GIVEN two holes that are noticed together and filled one after the other
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "aaaa");
  t.client_sends(21, kAck, 9, 1, "cccc");
  t.client_sends(21, kAck, 17, 1, "eeee");
  t.client_sends(321, kAck, 5, 1, "bbbb");
  t.client_sends(322, kAck, 13, 1, "dddd");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(h.impairment().time_lost_ns, ms(301));
  EXPECT_EQ(h.impairment().missing_bytes, 0U);
}

TEST(Lost, FastRetransmissionCountsFromTheFirstDuplicateAck) {
  Conversation t;
  t.shake_hands();
  for (int i = 0; i < 4; ++i) t.client_sends(20, kAck, 1 + 4U * i, 1, "data");
  t.server_sends(30, kAck, 1, 5);
  for (int i = 0; i < 3; ++i) t.server_sends(31 + i, kAck, 1, 5);
  t.client_sends(35, kAck, 5, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::fast), 1U);
  EXPECT_EQ(lost(h, Class::fast), ms(4));
}

std::vector<std::uint8_t> sack_option(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::uint8_t> sack = {1, 1, 5, 10};
  for (const std::uint32_t edge : {begin, end}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      sack.push_back(static_cast<std::uint8_t>((Conversation::kClientIsn + edge) >> shift));
    }
  }
  return sack;
}

TEST(Lost, OneSackBringsAFastRetransmissionAsWell) {
  // GIVEN a hole that one ACK tells of, by SACK and with another window: no duplicate ACK (RFC 8985)
  for (const DurationNs resent_ms : {45, 350}) {
    Conversation t;
    t.shake_hands();
    for (int i = 0; i < 4; ++i) t.client_sends(20, kAck, 1 + 4U * i, 1, "data");
    t.server_sends(30, kAck, 1, 5);
    t.send({false, 32, kAck, 1, 5, "", 900, 0, 0, 0, sack_option(9, 17)});
    t.client_sends(static_cast<int>(resent_ms), kAck, 5, 1, "data");
    const HalfConnection& h = t.finish().half.c2s;
    const bool soon = resent_ms < 200;  // no timer runs out so soon after the ACK
    EXPECT_EQ(resent(h, Class::fast), soon ? 1U : 0U);
    EXPECT_EQ(resent(h, Class::rto), soon ? 0U : 1U);
    EXPECT_EQ(lost(h, Class::fast), soon ? ms(13) : 0);
  }
}

TEST(Closing, WhatTheReceiverDropsClosesNothing) {
  // GIVEN a RST and a FIN with numbers far from the client's window
  for (const std::uint8_t flags : {tcp_flag::rst, kFin}) {
    Conversation t;
    t.shake_hands();
    t.client_sends(20, kAck, 1, 1, "question");
    t.server_sends(30, flags, 500'000'000, 9);
    t.server_sends(40, kAck, 1, 9, "answer");
    t.client_sends(50, kFin, 9, 7);
    t.server_sends(60, kFin, 7, 10);
    t.client_sends(61, kAck, 10, 8);
    const Connection& c = t.finish();
    EXPECT_EQ(c.close, CloseKind::fin_both);
    EXPECT_EQ(c.close_by, Direction::c2s);
    EXPECT_EQ(c.close_frame, 7U);
  }
  // GIVEN a FIN behind more bytes than the window, whose acknowledgements were not captured
  Conversation t;
  t.shake_hands();
  for (std::uint32_t at = 0; at < 200; ++at) {
    t.server_sends(20 + static_cast<int>(at), kAck, 1 + 1000 * at, 1, std::string(1000, 'x'));
  }
  t.server_sends(300, kFin, 200'001, 1);
  EXPECT_EQ(t.finish().close, CloseKind::fin_server);
}

TEST(Lost, SpuriousResendCostsNothing) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "data");
  t.server_sends(30, kAck, 1, 5);
  t.client_sends(260, kAck, 1, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::spurious), 1U);
  EXPECT_EQ(h.impairment().time_lost_ns, 0);
}

TEST(Lost, RepeatedFinIsNamed) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kFin, 1, 1);
  t.client_sends(250, kFin, 1, 1);
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::fin), 1U);
  EXPECT_EQ(resent(h, Class::rto), 0U);
  EXPECT_EQ(lost(h, Class::fin), ms(230));
}

TEST(Lost, DuplicateSackReportsWhatArrivedTwice) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "data");
  t.client_sends(260, kAck, 1, 1, "data");
  const std::uint32_t begin = 1 + Conversation::kClientIsn;
  const std::uint32_t end = begin + 4;
  std::vector<std::uint8_t> sack = {1, 1, 5, 10};
  for (const std::uint32_t edge : {begin, end}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      sack.push_back(static_cast<std::uint8_t>(edge >> shift));
    }
  }
  t.send({false, 262, kAck, 1, 5, "", 1000, 0, 0, 0, sack});
  t.client_sends(520, kAck, 1, 1, "data");
  t.send({false, 522, kAck, 1, 5, "answer", 1000, 0, 0, 0, sack});  // in a segment with data
  const Connection& c = t.finish();
  EXPECT_EQ(c.half.c2s.impairment().duplicates_reported, 2U);
  EXPECT_EQ(c.half.s2c.impairment().duplicates_reported, 0U);
}

TEST(Lost, SackOfLaterDataIsNoDuplicate) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "datadata");
  std::vector<std::uint8_t> sack = {1, 1, 5, 10};
  for (const std::uint32_t edge : {Conversation::kClientIsn + 5, Conversation::kClientIsn + 9}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      sack.push_back(static_cast<std::uint8_t>(edge >> shift));
    }
  }
  t.send({false, 22, kAck, 1, 1, "", 1000, 0, 0, 0, sack});
  EXPECT_EQ(t.finish().half.c2s.impairment().duplicates_reported, 0U);
}

TEST(KeepAlive, AnswersAreCounted) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "data");
  t.server_sends(30, kAck, 1, 5);
  t.client_sends(75000, kAck, 4, 1);
  t.server_sends(75010, kAck, 1, 5);
  t.client_sends(150000, kAck, 4, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, Class::keep_alive), 2U);
  EXPECT_EQ(c.half.c2s.impairment().keep_alives_answered, 1U);
  EXPECT_EQ(resent(c.half.s2c, Class::keep_alive), 0U);
}

TEST(Window, DataThatFillsItIsASpanUntilTheAckThatMakesRoom) {
  Conversation t;
  t.client_sends(0, kSyn, 0, 0);
  t.server_sends(10, kSynAck, 0, 1);
  t.send({true, 12, kAck, 1, 1, "", 8});
  t.server_sends(20, kAck, 1, 1, "12345678");
  t.send({true, 50, kAck, 1, 9, "", 8});
  t.server_sends(51, kAck, 9, 1, "123");
  const HalfConnection& h = t.finish().half.s2c;
  EXPECT_EQ(h.impairment().windows_full, 1U);
  EXPECT_EQ(h.impairment().window_full_ns, ms(30));
}

TEST(Window, FullIsUnknownWithoutTheScale) {
  Conversation t;
  t.send({true, 12, kAck, 1, 1, "", 8});
  t.server_sends(20, kAck, 1, 1, "12345678");
  EXPECT_EQ(t.finish().half.s2c.impairment().windows_full, 0U);
}

TEST(Rtt, TimestampsGiveASamplePerNewValueAndForResendsToo) {
  Conversation t;
  t.send({true, 0, kSyn, 0, 0, "", 1000, 100});
  t.send({false, 10, kSynAck, 0, 1, "", 1000, 500, 100});
  t.send({true, 12, kAck, 1, 1, "", 1000, 112, 500});
  t.send({true, 20, kAck, 1, 1, "data", 1000, 120, 500});
  t.send({true, 260, kAck, 1, 1, "data", 1000, 360, 500});  // the first copy was lost
  t.send({false, 270, kAck, 1, 5, "", 1000, 760, 360});
  t.send({true, 280, kAck, 5, 1, "more", 1000, 380, 760});
  t.send({false, 292, kAck, 1, 9, "", 1000, 782, 380});
  const Connection& c = t.finish();
  EXPECT_EQ(c.rtt_probe_server.samples, 1U) << "Karn: none for what was sent twice";
  EXPECT_EQ(c.rtt_probe_server_timestamps.samples, 1U)
      << "the copy whose echo came is not the first";
  EXPECT_EQ(c.rtt_probe_server_timestamps.min_ns, ms(12));
  EXPECT_EQ(c.rtt_probe_client_timestamps.samples, 0U);
}

TEST(Rtt, ValueThatAnEarlierAckCarriedIsNotTimed) {
  Conversation t;
  t.shake_hands();
  t.send({true, 20, kAck, 1, 1, "", 1000, 120, 500});
  t.send({true, 20.5, kAck, 1, 1, "data", 1000, 120, 500});
  t.send({false, 30, kAck, 1, 5, "", 1000, 760, 120});
  EXPECT_EQ(t.finish().rtt_probe_server_timestamps.samples, 0U);
}

TEST(Lost, WhatTheFileHasBehindLaterFramesWasNotSentAgain) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20.00, kAck, 1, 1, "aaaa");
  t.client_sends(20.02, kAck, 9, 1, "cccc");
  t.client_sends(20.01, kAck, 5, 1, "bbbb");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::out_of_order), 1U);
  EXPECT_EQ(resent(h, Class::rto), 0U);
  EXPECT_EQ(h.impairment().missing_bytes, 0U);
  EXPECT_EQ(h.impairment().time_lost_ns, 0);
}

TEST(Lost, AClockThatSteppedBackMakesNoOrder) {
  Conversation t;
  t.shake_hands();
  t.client_sends(2000, kAck, 1, 1, "aaaa");
  t.client_sends(2001, kAck, 9, 1, "cccc");
  t.client_sends(1300, kAck, 5, 1, "bbbb");
  EXPECT_EQ(resent(t.finish().half.c2s, Class::out_of_order), 0U);
}

TEST(Mirror, RoutedCopiesWithTheirOwnHeadersAreSetAside) {
  // The tracker sees no link or IP header: a copy with another MAC, VLAN and TTL is the same segment.
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kFin, 1, 1, "data");
  t.client_sends(20.4, kFin, 1, 1, "data");
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, Class::mirror_duplicate), 1U);
  EXPECT_EQ(c.half.c2s.impairment().time_lost_ns, 0);
}

TEST(Mirror, ACopyHasTheIdentificationOfItsOriginal) {
  // An original that was overtaken by what was sent in its place arrives within a millisecond of it.
  for (const bool copy : {false, true}) {
    Conversation t;
    for (std::uint16_t i = 1; const double late : {0.0, 0.1}) {
      t.ip_id = copy ? 7 : i++;
      t.client_sends(late, kSyn, 0, 0);
    }
    t.ip_id = 9;
    t.server_sends(10, kSynAck, 0, 1);
    t.client_sends(12, kAck, 1, 1);
    for (std::uint16_t i = 20; const double late : {0.0, 0.4}) {
      t.ip_id = copy ? 20 : i++;
      t.client_sends(20 + late, kAck, 1, 1, "data");
    }
    const HalfConnection& h = t.finish().half.c2s;
    EXPECT_EQ(resent(h, Class::mirror_duplicate), copy ? 2U : 0U);
    EXPECT_EQ(resent(h, Class::handshake), copy ? 0U : 1U);
  }
}

TEST(Mirror, CopiesOfKeepAlivesAndTheirAnswersAreSetAside) {
  Conversation t;
  t.shake_hands();
  t.client_sends(20, kAck, 1, 1, "data");
  t.server_sends(30, kAck, 1, 5);
  for (const double late : {0.0, 0.01}) t.client_sends(75000 + late, kAck, 4, 1);
  for (const double late : {0.0, 0.01}) t.server_sends(75010 + late, kAck, 1, 5);
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.c2s, Class::keep_alive), 1U);
  EXPECT_EQ(resent(c.half.c2s, Class::mirror_duplicate), 1U);
  EXPECT_EQ(c.half.c2s.impairment().keep_alives_answered, 1U);
  EXPECT_EQ(resent(c.half.s2c, Class::mirror_duplicate), 0U) << "both may have been sent";
  EXPECT_EQ(c.half.s2c.packets, 4U);
}

TEST(Mirror, CopiesOfAcksAreNoDuplicateAcks) {
  Conversation t;
  t.shake_hands();
  for (int i = 0; i < 4; ++i) t.client_sends(20, kAck, 1 + 4U * i, 1, "data");
  for (const double late : {0.0, 0.01}) t.server_sends(30 + late, kAck, 1, 5);
  for (const double late : {0.0, 0.01}) t.server_sends(31 + late, kAck, 1, 5);
  t.client_sends(35, kAck, 5, 1, "data");
  EXPECT_EQ(resent(t.finish().half.c2s, Class::fast), 0U) << "there was one duplicate ACK";
}

TEST(Mirror, ReceiverThatRepeatsItsAckAtOnceIsHeard) {
  Conversation t;
  t.shake_hands();
  for (int i = 0; i < 9; ++i) t.client_sends(20, kAck, 1 + 4U * i, 1, "data");
  for (int i = 0; i < 8; ++i) t.server_sends(30 + 0.001 * i, kAck, 1, 5);
  t.client_sends(35, kAck, 5, 1, "data");
  EXPECT_EQ(resent(t.finish().half.c2s, Class::fast), 1U);
}

TEST(Mirror, ThreeDuplicateAcksWithinMicrosecondsMakeAFastRetransmit) {
  // A LAN, a receiver without SACK and timestamps: its ACKs are the same, byte for byte.
  for (const double apart : {0.002, 0.010, 0.049}) {
    Conversation t;
    t.shake_hands();
    for (int i = 0; i < 5; ++i) t.client_sends(20 + 0.001 * i, kAck, 1 + 4U * i, 1, "data");
    for (int i = 0; i < 4; ++i) t.server_sends(20.1 + apart * i, kAck, 1, 5);
    t.client_sends(20.3, kAck, 5, 1, "data");
    const HalfConnection& h = t.finish().half.c2s;
    EXPECT_EQ(resent(h, Class::fast), 1U) << apart;
    EXPECT_EQ(resent(h, Class::rto), 0U) << apart;
    EXPECT_EQ(lost(h, Class::fast), ms(0.2) - ms(apart)) << "since the first duplicate ACK";
  }
}

TEST(Mirror, WhereEverySegmentComesTwiceSoDoesTheDuplicateAck) {
  // One duplicate ACK and two copies: too few to make the sender resend at once.
  Conversation t;
  t.shake_hands();
  for (int i = 0; i < 5; ++i) {
    for (const double late : {0.0, 0.005}) {
      t.client_sends(20 + 0.01 * i + late, kAck, 1 + 4U * i, 1, "data");
    }
  }
  for (const double at : {20.1, 20.105, 20.12, 20.125}) t.server_sends(at, kAck, 1, 5);
  t.client_sends(22, kAck, 5, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::mirror_duplicate), 5U);
  EXPECT_EQ(resent(h, Class::fast), 0U);
  EXPECT_EQ(resent(h, Class::rto), 1U);
}

/// Eight segments of a burst, and each again `late_ms` later: all eight are sent by then.
void mirrored_burst(Conversation& t, double late_ms) {
  for (const double late : {0.0, late_ms}) t.client_sends(late, kSyn, 0, 0);
  for (const double late : {0.0, late_ms}) t.server_sends(10 + late, kSynAck, 0, 1);
  for (const double late : {0.0, late_ms}) t.client_sends(12 + late, kAck, 1, 1);
  for (const double late : {0.0, late_ms}) {
    for (int i = 0; i < 8; ++i) {
      t.ip_id = static_cast<std::uint16_t>(100 + i);
      t.client_sends(20 + 0.01 * i + late, kAck, 1 + 4U * i, 1, "data");
    }
  }
  t.ip_id = 0;
}

TEST(Mirror, CopiesFromBehindARouterMayComeBehindMoreThanAFewSegments) {
  Conversation t;
  mirrored_burst(t, 0.081);
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::mirror_duplicate), 9U);
  EXPECT_EQ(resent(h, Class::rto), 0U);
  EXPECT_EQ(resent(h, Class::tail_probe), 0U);
  EXPECT_EQ(h.impairment().time_lost_ns, 0);
}

TEST(Mirror, WhatIsSentAgainWhereEverySegmentComesTwiceIsNoCopyButHasOne) {
  for (const bool timer : {false, true}) {
    Conversation t;
    mirrored_burst(t, 0.081);
    if (!timer) {
      for (int i = 0; i < 4; ++i) t.server_sends(30 + 0.2 * i, kAck, 1, 5);
    }
    const double again = timer ? 260 : 31;
    t.ip_id = 200;
    for (const double late : {0.0, 0.081}) t.client_sends(again + late, kAck, 5, 1, "data");
    const HalfConnection& h = t.finish().half.c2s;
    EXPECT_EQ(resent(h, timer ? Class::rto : Class::fast), 1U);
    EXPECT_EQ(resent(h, Class::mirror_duplicate), 10U);
  }
}

TEST(Mirror, ACopyBehindAHoleIsOneToo) {
  Conversation t;
  for (const double late : {0.0, 0.081}) t.client_sends(late, kSyn, 0, 0);
  for (const double late : {0.0, 0.081}) t.server_sends(10 + late, kSynAck, 0, 1);
  t.client_sends(12, kAck, 1, 1);
  for (const double late : {0.0, 0.081}) {
    for (int i = 0; i < 8; ++i) {
      t.ip_id = static_cast<std::uint16_t>(100 + i);
      if (i != 1) t.client_sends(20 + 0.01 * i + late, kAck, 1 + 4U * i, 1, "data");
    }
  }
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::mirror_duplicate), 8U);
  EXPECT_EQ(resent(h, Class::rto), 0U);
  EXPECT_EQ(h.impairment().missing_bytes, 4U);
}

TEST(Mirror, WhatIsSentAgainAtOnceWithoutAMirrorIsNoCopy) {
  // A path with a smaller MTU says so at once, and all that is on the way is sent again in smaller pieces; or a receiver
  // says by SACK what it lacks, and the option was cut off. The identification is another.
  for (const std::uint32_t piece : {2U, 4U}) {
    Conversation t;
    t.shake_hands();
    for (std::uint32_t i = 0; i < 8; ++i) {
      t.ip_id = static_cast<std::uint16_t>(100 + i);
      t.client_sends(20 + 0.01 * i, kAck, 1 + 4U * i, 1, "data");
    }
    t.server_sends(20.3, kAck, 1, 1);
    for (std::uint32_t at = 0; at < 32; at += piece) {
      t.ip_id = static_cast<std::uint16_t>(200 + at);
      t.client_sends(20.4 + 0.005 * at, kAck, 1 + at, 1, std::string("data").substr(0, piece));
    }
    const HalfConnection& h = t.finish().half.c2s;
    EXPECT_EQ(resent(h, Class::mirror_duplicate), 0U) << piece;
    EXPECT_EQ(resent(h, Class::rto) + resent(h, Class::fast), 32 / piece) << piece;
  }
}

TEST(Mirror, FastRetransmitOnAShortPathIsNoCopyButHasOne) {
  Conversation t;
  t.shake_hands();
  for (int i = 0; i < 5; ++i) t.client_sends(20 + 0.01 * i, kAck, 1 + 4U * i, 1, "data");
  for (int i = 0; i < 4; ++i) t.server_sends(20.1 + 0.06 * i, kAck, 1, 5);
  t.client_sends(20.35, kAck, 5, 1, "data");
  t.client_sends(20.36, kAck, 5, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::fast), 1U);
  EXPECT_EQ(resent(h, Class::mirror_duplicate), 1U);
}

/// Four segments are sent, the first is acknowledged, and then again `times`.
void send_four(Conversation& t, int times) {
  t.shake_hands();
  for (int i = 0; i < 4; ++i) t.client_sends(20, kAck, 1 + 4U * i, 1, "data");
  for (int i = 0; i <= times; ++i) t.server_sends(30 + i, kAck, 1, 5);
}

TEST(Resent, SynAckAndFinThatWereAcknowledgedCostNothing) {
  Conversation t;
  t.shake_hands();
  t.server_sends(1000, kSynAck, 0, 1);
  t.client_sends(2000, kFin, 1, 1);
  t.server_sends(2010, kAck, 1, 2);
  t.client_sends(2320, kFin, 1, 1);
  const Connection& c = t.finish();
  EXPECT_EQ(resent(c.half.s2c, Class::handshake), 1U);
  EXPECT_EQ(resent(c.half.c2s, Class::fin), 1U);
  EXPECT_EQ(c.half.s2c.impairment().time_lost_ns, 0);
  EXPECT_EQ(c.half.c2s.impairment().time_lost_ns, 0);
}

TEST(Resent, DuplicateAcksAndThenTheTimer) {
  Conversation t;
  send_four(t, 2);
  t.client_sends(260, kAck, 5, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::rto), 1U);
  EXPECT_EQ(resent(h, Class::fast), 0U);
}

TEST(Resent, PartialAckGoesOnWithTheFastRecovery) {
  // RFC 6582: the second hole is sent again without duplicate ACKs of its own.
  Conversation t;
  send_four(t, 3);
  t.client_sends(35, kAck, 5, 1, "data");
  t.server_sends(45, kAck, 1, 9);
  t.client_sends(47, kAck, 9, 1, "data");
  const HalfConnection& h = t.finish().half.c2s;
  EXPECT_EQ(resent(h, Class::fast), 2U);
  EXPECT_EQ(resent(h, Class::rto), 0U);
}

TEST(Resent, PartialAckGoesOnWithWhatTheTimerBegan) {
  Conversation t;
  send_four(t, 2);
  t.client_sends(260, kAck, 5, 1, "data");
  t.server_sends(270, kAck, 1, 9);
  t.client_sends(272, kAck, 9, 1, "data");
  EXPECT_EQ(resent(t.finish().half.c2s, Class::rto), 2U);
}

TEST(Resent, WhatTheDuplicateAcksDoNotAskForIsNotFast) {
  Conversation t;
  send_four(t, 3);
  t.client_sends(35, kAck, 9, 1, "data");
  EXPECT_EQ(resent(t.finish().half.c2s, Class::fast), 0U);
}

TEST(Loss, EveryHoleOfAWindowIsFilledByItsResend) {
  // GIVEN every other of 60 segments lost before the probe, and sent again one by one
  Conversation t;
  t.shake_hands();
  for (std::uint32_t i = 0; i < 60; i += 2)
    t.server_sends(20, kAck, 1 + 10 * (i + 1), 1, "abcdefghij");
  for (std::uint32_t i = 0; i < 60; i += 2)
    t.server_sends(100 + i, kAck, 1 + 10 * i, 1, "abcdefghij");
  const HalfConnection h = t.finish().half.s2c;
  EXPECT_EQ(h.impairment().missing_bytes, 0U);
  EXPECT_EQ(h.payload_bytes, 600U);
  EXPECT_EQ(t.counters.of(Counter::tcp_holes_forgotten), 0U);
}

/// The server's next `count` segments of 16 MiB each, a byte of which is captured. Returns what follows `seq`.
std::uint32_t go_far(Conversation& t, std::uint32_t seq, int count) {
  constexpr std::uint32_t kLong = 1U << 24;
  for (int i = 0; i < count; ++i, seq += kLong) {
    t.send({.from_client = false,
            .at_ms = 30.0 + i,
            .seq = seq,
            .ack = 1,
            .payload = "x",
            .uncaptured = kLong - 1});
  }
  return seq;
}

TEST(Loss, AHoleThatWasNeverFilledIsForgottenBeforeTheNumbersComeRound) {
  // GIVEN 500 bytes that were never captured, and then more than half of all sequence numbers
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 501, 1, "a");
  const std::uint32_t seq = go_far(t, 502, 140);
  // WHEN two segments change places
  t.server_sends(200, kAck, seq + 10, 1, "klmnopqrst");
  t.server_sends(200.1, kAck, seq, 1, "abcdefghij");
  // THEN the later hole is filled, by a segment that was overtaken
  const HalfConnection h = t.finish().half.s2c;
  EXPECT_EQ(h.impairment().missing_bytes, 500U);
  EXPECT_EQ(
      h.impairment().retransmissions[static_cast<std::size_t>(RetransmissionClass::out_of_order)],
      1U);
}

TEST(Loss, AHoleIsNotFilledBy4GiBLaterNumbers) {
  // GIVEN 500 bytes that are never captured, and 4 GiB without another loss
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 501, 1, "a");
  (void)go_far(t, 502, 256);
  // WHEN bytes are sent again that have the numbers of the lost ones
  t.server_sends(400, kAck, 100, 1, "abcdefghij");
  // THEN the lost ones are still missing
  const HalfConnection h = t.finish().half.s2c;
  EXPECT_EQ(h.impairment().missing_bytes, 500U);
}

TEST(Loss, PartsOfAHoleAreFilledInAnyOrder) {
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 1, 1, "a");
  t.server_sends(20, kAck, 11, 1, "k");
  t.server_sends(20, kAck, 21, 1, "u");
  t.server_sends(100, kAck, 5, 1, "ef");        // the middle of the first
  t.server_sends(110, kAck, 9, 1, "ijklmnop");  // its end, and the beginning of the second
  t.server_sends(120, kAck, 2, 1, "bcd");       // its beginning
  EXPECT_EQ(t.finish().half.s2c.impairment().missing_bytes, 2U + 4U);  // 7..8 and 17..20
}

TEST(Loss, HolesBeyondWhatIsKeptStayMissing) {
  // GIVEN 300 holes at once, of which the latest 256 are kept
  constexpr std::uint32_t kHolesKept = 256;
  Conversation t;
  t.shake_hands();
  for (std::uint32_t i = 0; i < 300; ++i) t.server_sends(20, kAck, 2 + 2 * i, 1, "b");
  for (std::uint32_t i = 0; i < 300; ++i) t.server_sends(100, kAck, 1 + 2 * i, 1, "a");
  const HalfConnection h = t.finish().half.s2c;
  EXPECT_EQ(h.impairment().missing_bytes, 300U - kHolesKept);
  EXPECT_EQ(t.counters.of(Counter::tcp_holes_forgotten), 300U - kHolesKept);
}

TEST(Loss, WithoutTimesNobodyKnowsWhyASegmentWasSentAgain) {
  Conversation t;
  t.shake_hands();
  t.server_sends(20, kAck, 1, 1, "abcdefghij");
  t.untimed = true;
  t.server_sends(20, kAck, 1, 1, "abcde");        // not acknowledged
  t.server_sends(20, kAck, 21, 1, "uvw");         // beyond a hole
  t.server_sends(20, kAck, 11, 1, "klmnopqrst");  // which this fills
  t.client_sends(20, kAck, 1, 24);
  t.server_sends(20, kAck, 1, 1, "abcdefgh");  // all of it acknowledged
  const HalfConnection h = t.finish().half.s2c;
  EXPECT_EQ(
      h.impairment().retransmissions[static_cast<std::size_t>(RetransmissionClass::unclassified)],
      2U);
  EXPECT_EQ(h.impairment().retransmissions[static_cast<std::size_t>(RetransmissionClass::spurious)],
            1U);
  EXPECT_EQ(h.impairment().missing_bytes, 0U);
}

}  // namespace
}  // namespace wirelag::testing
