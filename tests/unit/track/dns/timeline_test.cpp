// DNS over UDP as timelines: what belongs to one transaction, how it ends and what its times are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages.hpp"

namespace wirelag::dns_test {
namespace {

using testing::ElementsAre;

TEST(DnsTimeline, QueryAndAnswer) {
  Timeline line;
  EXPECT_EQ(line.ask(ms(0), query(0x799c, "Mirror.Azure.CN")), NotAnalysed::none);
  EXPECT_EQ(line.answer(ms(3.5), response(0x799c, "mirror.azure.cn", 1, 2)), NotAnalysed::none);
  ASSERT_EQ(line.finish().size(), 1U);
  const auto& [t, qname, message] = line.sink.all[0];
  EXPECT_EQ(t.client, kClient);
  EXPECT_EQ(t.resolver, kResolver);
  EXPECT_EQ(t.transport, DnsTransport::udp);
  EXPECT_EQ(t.outcome, DnsOutcome::answered);
  EXPECT_EQ(t.id, 0x799c);
  EXPECT_EQ(qname, "mirror.azure.cn");
  EXPECT_EQ(t.qtype, 1);
  EXPECT_EQ(t.qclass, 1);
  EXPECT_EQ(frames(t.query_frames), Frames{1});
  EXPECT_EQ(t.response_frame, 2U);
  EXPECT_EQ(t.answer_count, 2);
  EXPECT_EQ(t.latency_ns(), ms(3.5));
  EXPECT_EQ(t.resolver_ns(), ms(3.5));
  EXPECT_EQ(decode_answers(message).size(), 2U);
  EXPECT_FALSE(t.malformed);
}

TEST(DnsTimeline, ResentQueryRunsFromTheFirstCopyAndTheResolverFromTheLast) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.ask(ms(5000), query(1, "A.example"));
  line.ask(ms(10000), query(1, "a.EXAMPLE"));
  line.answer(ms(10030), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  const DnsTransaction& t = line.sink.all[0].t;
  EXPECT_EQ(frames(t.query_frames), (Frames{1, 2, 3}));
  EXPECT_EQ(t.latency_ns(), ms(10030));
  EXPECT_EQ(t.resolver_ns(), ms(30));
}

TEST(DnsTimeline, MoreCopiesThanFitAreCounted) {
  Timeline line;
  for (int i = 0; i < 20; ++i) line.ask(ms(i * 100), query(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.query_frames.size(), 16U);
  EXPECT_EQ(line.sink.all[0].t.query_frames.left_out(), 4U);
  EXPECT_EQ(line.sink.all[0].t.last_query_ns, ms(1900));
}

TEST(DnsTimeline, UnansweredIsAnOutcome) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  const auto& [t, qname, message] = line.sink.all[0];
  EXPECT_EQ(t.outcome, DnsOutcome::unanswered);
  EXPECT_EQ(t.response_frame, 0U);
  EXPECT_EQ(t.latency_ns(), kUnknownNs);
  EXPECT_TRUE(message.empty());
}

TEST(DnsTimeline, LateAnswerStillPairs) {
  Timeline line;
  line.ask(seconds(0), query(1, "a.example"));
  line.answer(seconds(45), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.latency_ns(), seconds(45));
}

TEST(DnsTimeline, AnswerAfterFourTimeoutsIsAResponseOnly) {
  Timeline line;
  line.ask(seconds(0), query(1, "a.example"));
  line.answer(seconds(121), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::unanswered);
  EXPECT_EQ(line.sink.all[1].t.outcome, DnsOutcome::response_only);
}

TEST(DnsTimeline, SameQuestionAfterTheTimeoutIsAnotherTransactionAndTakesTheAnswer) {
  Timeline line;
  line.ask(seconds(0), query(1, "a.example"));
  line.ask(seconds(31), query(1, "a.example"));
  line.answer(seconds(32), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  const auto first_asked = [](const Seen& s) { return frames(s.t.query_frames) == Frames{1}; };
  const auto& all = line.sink.all;
  const std::size_t first = first_asked(all[0]) ? 0 : 1;
  EXPECT_EQ(all[first].t.outcome, DnsOutcome::unanswered);
  EXPECT_EQ(frames(all[1 - first].t.query_frames), Frames{2});
  EXPECT_EQ(all[1 - first].t.response_frame, 3U);
  EXPECT_EQ(all[1 - first].t.latency_ns(), seconds(1));
}

TEST(DnsTimeline, BothOfTwoCopiesFarApartMayBeAnsweredLate) {
  Timeline line;
  line.ask(seconds(0), query(1, "a.example"));
  line.ask(seconds(31), query(1, "a.example"));
  line.answer(seconds(32), response(1, "a.example"));
  line.answer(seconds(33), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  for (const Seen& s : line.sink.all) {
    const bool first = frames(s.t.query_frames) == Frames{1};
    EXPECT_EQ(s.t.latency_ns(), first ? seconds(33) : seconds(1));
  }
}

TEST(DnsTimeline, SecondResponseIsADuplicate) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(3), response(1, "a.example"));
  line.answer(ms(3000), response(1, "a.example"));
  line.answer(ms(7000), response(1, "a.example"));  // the window slides with each copy
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.response_frame, 2U);
  EXPECT_EQ(frames(line.sink.all[0].t.duplicate_response_frames), (Frames{3, 4}));
  EXPECT_EQ(line.sink.all[0].t.latency_ns(), ms(3));
}

TEST(DnsTimeline, ResponseAfterTheDuplicateWindowStandsAlone) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(3), response(1, "a.example"));
  line.answer(ms(5004), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[1].t.outcome, DnsOutcome::response_only);
  EXPECT_EQ(line.sink.all[1].t.response_frame, 3U);
  EXPECT_EQ(line.sink.all[1].t.latency_ns(), kUnknownNs);
  EXPECT_TRUE(line.sink.all[1].t.query_frames.empty());
}

TEST(DnsTimeline, SameKeyAfterTheAnswerIsANewTransaction) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(3), response(1, "a.example"));
  line.ask(ms(10), query(1, "a.example"));
  line.answer(ms(14), response(1, "a.example", 1, 0));
  line.answer(ms(15), response(1, "a.example", 1, 0));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].t.latency_ns(), ms(3));
  EXPECT_EQ(line.sink.all[1].t.latency_ns(), ms(4));
  EXPECT_TRUE(line.sink.all[0].t.duplicate_response_frames.empty());
  EXPECT_EQ(frames(line.sink.all[1].t.duplicate_response_frames), Frames{5}) << "of the later one";
}

TEST(DnsTimeline, TwoQuestionsWithOneIdAreTwoTransactions) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example", dns_type::a));
  line.ask(ms(1), query(1, "a.example", dns_type::aaaa));
  line.ask(ms(2), query(1, "b.example", dns_type::a));
  line.answer(ms(7), response(1, "a.example", dns_type::aaaa));
  line.answer(ms(8), response(1, "B.example", dns_type::a));
  line.answer(ms(9), response(1, "a.example", dns_type::a));
  ASSERT_EQ(line.finish().size(), 3U);
  for (const Seen& s : line.sink.all) {
    const Frames asked = frames(s.t.query_frames);
    const FrameNumber expected = asked == Frames{1} ? 6 : asked == Frames{2} ? 4 : 5;
    EXPECT_EQ(s.t.response_frame, expected);
  }
}

TEST(DnsTimeline, AnotherQuestionDoesNotAnswerTheOpenOne) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(1), response(1, "spoofed.example"));
  line.answer(ms(9), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::response_only);
  EXPECT_EQ(line.sink.all[0].qname, "spoofed.example");
  EXPECT_EQ(line.sink.all[1].t.response_frame, 3U);
}

TEST(DnsTimeline, ResponseWithoutQuestionMatchesByKey) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.ask(ms(1), query(1, "b.example"));
  line.answer(ms(4), Writer().header(1, kResponse | 1, 0));  // FORMERR, nothing but a header
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].qname, "a.example") << "the oldest";
  EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::failed);
  EXPECT_EQ(line.sink.all[0].t.rcode, 1);
}

TEST(DnsTimeline, QueryWithABrokenQuestionPairsByKey) {
  Timeline line;
  line.ask(ms(0), Writer().header(1, kQuery, 1).pointer(12).u16(1).u16(1));
  line.answer(ms(4), response(1, "a.example", 1, 1));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_TRUE(line.sink.all[0].t.malformed);
  EXPECT_EQ(line.sink.all[0].qname, "");
  EXPECT_EQ(line.sink.all[0].t.response_frame, 2U);
  EXPECT_EQ(line.count(Counter::dns_malformed), 1U);
}

TEST(DnsTimeline, KeyIsBothEndpointsAndTheId) {
  Timeline line;
  const Endpoint other_port = endpoint(10, 40001), other_resolver = endpoint(54, 53);
  line.ask(ms(0), query(1, "a.example"));
  line.datagram(ms(1), kResolver, other_port, response(1, "a.example"));
  line.datagram(ms(2), other_resolver, kClient, response(1, "a.example"));
  line.answer(ms(3), response(2, "a.example"));
  line.datagram(ms(4), kClient, kResolver, response(1, "a.example"));  // wrong way
  ASSERT_EQ(line.finish().size(), 5U);
  EXPECT_EQ(line.sink.all[4].t.outcome, DnsOutcome::unanswered);
}

/// An address of IPv6 that ends so.
Endpoint wide(unsigned last_byte, unsigned port) {
  std::uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
  bytes[15] = static_cast<std::uint8_t>(last_byte);
  return {IpAddress::v6(bytes), static_cast<std::uint16_t>(port)};
}

TEST(DnsTimeline, KeysOfBothFamiliesAreKeptApart) {
  Timeline line;
  // GIVEN so many clients and resolvers of both families that some share a bucket
  std::vector<std::pair<Endpoint, Endpoint>> pairs;
  for (unsigned r = 1; r <= 12; ++r) {
    pairs.insert(pairs.end(), {{wide(1, 40000), wide(r, 53)},
                               {wide(2, 40000), wide(r, 53)},
                               {endpoint(2, 40000), wide(r, 53)},
                               {wide(2, 40000), endpoint(r, 53)},
                               {endpoint(2, 40000), endpoint(r, 53)}});
  }
  for (const auto& [client, resolver] : pairs) {
    line.datagram(ms(1), client, resolver, query(7, "www.example"));
  }
  // WHEN the last is answered first
  for (std::size_t i = pairs.size(); i-- > 0;) {
    line.datagram(ms(10 + static_cast<double>(i)), pairs[i].second, pairs[i].first,
                  response(7, "www.example"));
  }
  // THEN each has its own answer, and its own addresses
  const auto& all = line.finish();
  ASSERT_EQ(all.size(), pairs.size());
  for (std::size_t n = 0; n < all.size(); ++n) {
    const std::size_t i = pairs.size() - 1 - n;
    EXPECT_EQ(all[n].t.client, pairs[i].first);
    EXPECT_EQ(all[n].t.resolver, pairs[i].second);
    EXPECT_EQ(frames(all[n].t.query_frames), Frames{static_cast<FrameNumber>(i + 1)});
    EXPECT_EQ(all[n].t.outcome, DnsOutcome::answered);
  }
}

TEST(DnsTimeline, NamesOfAnyLengthAreToldApartByTheirLastByte) {
  for (const std::size_t size : {1U, 22U, 23U, 24U, 60U, 63U}) {
    Timeline line;
    const std::string name = std::string(size - 1, 'a') + "b";
    const std::string other = std::string(size - 1, 'a') + "c";
    line.ask(ms(1), query(7, name));
    line.ask(ms(2), query(7, other));
    line.ask(ms(3), query(7, name));
    line.answer(ms(4), response(7, other));
    const auto& all = line.finish();
    ASSERT_EQ(all.size(), 2U) << size;
    EXPECT_EQ(all[0].qname, other);
    EXPECT_EQ(all[0].t.outcome, DnsOutcome::answered);
    EXPECT_EQ(all[1].qname, name);
    EXPECT_EQ(frames(all[1].t.query_frames), (Frames{1, 3}));
  }
}

TEST(DnsTimeline, OutcomesFollowTheResponse) {
  const auto outcome = [](const Message& answer) {
    Timeline line;
    const unsigned type = answer[24];  // behind a.example
    line.ask(ms(0), query(1, "a.example", type));
    line.answer(ms(1), answer);
    return line.finish().at(0).t.outcome;
  };
  EXPECT_EQ(outcome(response(1, "a.example", 1, 1)), DnsOutcome::answered);
  EXPECT_EQ(outcome(response(1, "a.example", 1, 0)), DnsOutcome::nodata);
  EXPECT_EQ(outcome(response(1, "a.example", dns_type::aaaa, 1)), DnsOutcome::nodata);  // has A
  EXPECT_EQ(outcome(response(1, "a.example", dns_type::any, 1)), DnsOutcome::answered);
  EXPECT_EQ(outcome(response(1, "a.example", 1, 0, kResponse | 3)), DnsOutcome::nxdomain);
  EXPECT_EQ(outcome(response(1, "a.example", 1, 0, kResponse | 2)), DnsOutcome::failed);
  EXPECT_EQ(outcome(response(1, "a.example", 1, 0, kResponse | kTruncated)), DnsOutcome::truncated);
  const Message badvers = Writer()
                              .header(1, kResponse, 1, 0, 0, 1)
                              .question("a.example", 1)
                              .name(".")
                              .u16(dns_type::opt)
                              .u16(1232)
                              .u32(0x01000000)
                              .u16(0);
  EXPECT_EQ(outcome(badvers), DnsOutcome::failed);
}

TEST(DnsTimeline, OtherOpcodesAreCountedAndNotPaired) {
  Timeline line;
  const Message update = Writer().header(1, 0x2800, 1).question("zone.example", 6);
  EXPECT_EQ(line.ask(ms(0), update), NotAnalysed::none);
  line.answer(ms(2), Writer().header(1, 0xa800, 1).question("zone.example", 6));
  line.ask(ms(3), Writer().header(2, 0x2000, 1).question("zone.example", 6));  // NOTIFY
  line.ask(ms(4), Writer().header(3, 0x6800, 1).question("zone.example", 6));  // unassigned
  line.ask(ms(5), query(1, "zone.example", 6));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.query_frames[0], 5U);
  EXPECT_EQ(line.count(Counter::dns_other_opcodes), 4U);
}

TEST(DnsTimeline, EdnsIsTold) {
  const auto opt = [](Writer w, unsigned size, std::uint32_t ttl) {
    return w.name(".").u16(dns_type::opt).u16(size).u32(ttl).u16(0);
  };
  Timeline line;
  line.ask(ms(0), opt(Writer().header(1, kQuery, 1, 0, 0, 1).question("a.example", 1), 1232, 0));
  line.answer(ms(1), opt(Writer().header(1, kResponse, 1, 0, 0, 1).question("a.example", 1), 512,
                         0x01000000));  // BADVERS
  line.ask(ms(2), query(2, "b.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].t.edns_size, 1232);
  EXPECT_EQ(line.sink.all[0].t.rcode, 16);
  EXPECT_EQ(line.sink.all[1].t.edns_size, 0);
}

TEST(DnsTimeline, QuestionWhoseNameLoopsHasAType) {
  const Message loop = Writer().header(1, kQuery, 1).pointer(12).u16(dns_type::aaaa).u16(1);
  Timeline line;
  line.ask(ms(0), loop);
  line.ask(ms(1), loop);                            // sent again
  line.answer(ms(3), response(1, "a.example", 1));  // another type: not its answer
  line.answer(ms(4), response(1, "a.example", dns_type::aaaa));
  ASSERT_EQ(line.finish().size(), 2U);
  const Seen& paired = line.sink.all[0].t.response_frame == 4 ? line.sink.all[0] : line.sink.all[1];
  EXPECT_EQ(paired.t.qtype, dns_type::aaaa);
  EXPECT_EQ(paired.qname, "");
  EXPECT_TRUE(paired.t.has_question());
  EXPECT_TRUE(paired.t.malformed);
  EXPECT_EQ(frames(paired.t.query_frames), (Frames{1, 2}));
}

TEST(DnsTimeline, ForwardPointerThatEndsNamesTheQuestion) {
  // 12: pointer to 18; 18: the second question's name
  const Message odd =
      Writer().header(1, kQuery, 2).pointer(18).u16(1).u16(1).question("a.example", 1);
  Timeline line;
  line.ask(ms(0), odd);
  line.answer(ms(4), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].qname, "a.example");
  EXPECT_EQ(line.sink.all[0].t.response_frame, 2U);
  EXPECT_TRUE(line.sink.all[0].t.malformed);
}

TEST(DnsTimeline, ClockStepBackGivesNoLatency) {
  Timeline line;
  line.ask(ms(1000), query(1, "a.example"));
  line.answer(ms(400), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.response_frame, 2U);
  EXPECT_EQ(line.sink.all[0].t.latency_ns(), kUnknownNs);
}

TEST(DnsTimeline, MirroredTwiceIsACopyNotAnotherTransaction) {
  Timeline line;
  for (int copy = 0; copy < 2; ++copy) line.ask(ms(0), query(1, "a.example"));
  for (int copy = 0; copy < 2; ++copy) line.answer(ms(5), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  const DnsTransaction& t = line.sink.all[0].t;
  EXPECT_EQ(t.latency_ns(), ms(5));
  EXPECT_EQ(frames(t.query_frames), (Frames{1, 2}));
  EXPECT_EQ(t.resent(), 0U);
  EXPECT_EQ(frames(t.duplicate_response_frames), Frames{});
  EXPECT_EQ(t.mirror_duplicates.c2s, 1U);
  EXPECT_EQ(t.mirror_duplicates.s2c, 1U);
  EXPECT_EQ(line.count(Counter::mirror_duplicates), 2U);
}

TEST(DnsTimeline, TheMirrorsCopiesAreNotThoseThatWereSentAgain) {
  Timeline line;
  for (const double t : {0.0, 0.02, 1000.0, 1000.02}) line.ask(ms(t), query(1, "a.example"));
  for (const double t : {1030.0, 1030.02}) line.answer(ms(t), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  const DnsTransaction& t = line.sink.all[0].t;
  EXPECT_EQ(frames(t.query_frames), (Frames{1, 2, 3, 4}));
  EXPECT_EQ(t.resent(), 1U);
  EXPECT_EQ(t.latency_ns(), ms(1030));
  EXPECT_EQ(t.resolver_ns(), ms(30));
}

TEST(DnsTimeline, TheMirrorsCopyMayComeBehindTheAnswer) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(0.1), response(1, "a.example"));
  line.ask(ms(0.2), query(1, "a.example"));
  line.answer(ms(0.3), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.sink.all[0].t.latency_ns(), ms(0.1));
  EXPECT_EQ(line.count(Counter::mirror_duplicates), 2U);
}

TEST(DnsTimeline, AnotherIdentificationOrALaterTimeIsTheClientsOwnCopy) {
  for (const bool soon : {false, true}) {
    Timeline line;
    line.ip_id = 7;
    line.ask(ms(0), query(1, "a.example"));
    line.ip_id = soon ? 8 : 7;
    line.ask(ms(soon ? 0.5 : 1), query(1, "a.example"));
    ASSERT_EQ(line.finish().size(), 1U);
    EXPECT_EQ(line.sink.all[0].t.resent(), 1U);
    EXPECT_EQ(line.count(Counter::mirror_duplicates), 0U);
  }
}

TEST(DnsTimeline, AResponseWithoutAQueryThatTheMirrorDoublesIsOne) {
  Timeline line;
  line.answer(ms(0), response(1, "a.example"));
  line.answer(ms(0.02), response(1, "a.example"));
  line.answer(ms(2), response(1, "a.example"));
  ASSERT_EQ(line.finish().size(), 2U);
  EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::response_only);
  EXPECT_EQ(line.sink.all[0].t.mirror_duplicates.s2c, 1U);
  EXPECT_EQ(line.sink.all[1].t.response_frame, 3U);
}

TEST(DnsTimeline, AnotherAnswerAMomentLaterIsADuplicateResponse) {
  Timeline line;
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(5), response(1, "a.example", 1, 1));
  line.answer(ms(5.1), response(1, "a.example", 1, 2));
  ASSERT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(frames(line.sink.all[0].t.duplicate_response_frames), Frames{3});
}

TEST(DnsTimeline, ServiceComesFromTheName) {
  Timeline line;
  line.ask(ms(0), query(1, "www.SHOP.example"));
  line.ask(ms(0), query(2, "www.other.example"));
  line.finish();
  EXPECT_EQ(line.sink.all[0].t.service, 1);
  EXPECT_EQ(line.sink.all[1].t.service, kNoService);
}

TEST(DnsTimeline, MulticastIsCountedAndNeverPaired) {
  Timeline line;
  const Endpoint group = endpoint(251, 5353), llmnr = endpoint(252, 5355);
  EXPECT_EQ(line.datagram(ms(0), endpoint(10, 5353), group, query(0, "printer.local")),
            NotAnalysed::multicast_dns);
  EXPECT_EQ(line.datagram(ms(1), kClient, llmnr, query(3, "host")), NotAnalysed::multicast_dns);
  EXPECT_EQ(line.datagram(ms(2), endpoint(10, 5353), kResolver, query(3, "a.example")),
            NotAnalysed::none)
      << "a client port of 5353 to a resolver is unicast DNS";
  EXPECT_EQ(line.finish().size(), 1U);
  EXPECT_EQ(line.count(Counter::multicast_dns_messages), 2U);
}

TEST(DnsTimeline, WhatIsNotDnsIsLeftToOthers) {
  Timeline line;
  EXPECT_EQ(line.ask(ms(0), {}), NotAnalysed::udp_untracked);
  EXPECT_EQ(line.ask(ms(0), Message(11, 0)), NotAnalysed::udp_untracked);
  EXPECT_EQ(line.ask(ms(0), Message(300, 0xff)), NotAnalysed::udp_untracked);
  EXPECT_TRUE(line.finish().empty());
  EXPECT_EQ(line.count(Counter::dns_malformed), 0U);
}

TEST(DnsTimeline, ResponseCutBySnaplenAtEveryByteStillAnswers) {
  const Message whole = response(1, "a.example", 1, 3);
  for (std::size_t captured = 12; captured <= whole.size(); ++captured) {
    Timeline line;
    line.ask(ms(0), query(1, "a.example"));
    line.datagram(ms(2), kResolver, kClient, whole, captured);
    ASSERT_EQ(line.finish().size(), 1U) << captured;
    EXPECT_EQ(line.sink.all[0].t.outcome, DnsOutcome::answered);
    EXPECT_EQ(line.sink.all[0].t.answer_count, 3);
    EXPECT_EQ(line.sink.all[0].response.size(), captured);
    EXPECT_FALSE(line.sink.all[0].t.malformed) << "cut by the capture, not by the sender";
    EXPECT_EQ(line.count(Counter::dns_malformed), 0U);
  }
}

TEST(DnsTimeline, MessageEndingEarlyOnTheWireIsMalformed) {
  const Message whole = response(1, "a.example", 1, 1);
  for (std::size_t n = 12; n < whole.size(); ++n) {
    Timeline line;
    line.ask(ms(0), query(1, "a.example"));
    line.answer(ms(2), Message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)));
    ASSERT_EQ(line.finish().size(), 1U) << n;
    EXPECT_TRUE(line.sink.all[0].t.malformed);
    EXPECT_EQ(line.count(Counter::dns_malformed), 1U);
  }
}

TEST(DnsTimeline, LargestUdpResponseIsKeptWhole) {
  Timeline line;
  Message large = response(1, "a.example", 1, 1);
  large.resize(65507, 0xaa);
  line.ask(ms(0), query(1, "a.example"));
  line.answer(ms(2), large);
  EXPECT_EQ(line.finish().at(0).response, large);
}

}  // namespace
}  // namespace wirelag::dns_test
