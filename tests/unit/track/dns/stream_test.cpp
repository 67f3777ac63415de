// DNS over TCP: messages cut into segments anywhere, holes, and queries that arrive after the
// answer.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "messages.hpp"

namespace wirelag::dns_test {
namespace {

Message framed(const Message& message) {
  Message out = Writer().u16(static_cast<unsigned>(message.size()));
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

Message operator+(Message a, const Message& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Connection : Timeline {
  explicit Connection(const DnsLimits& limits = small_limits())
      : Timeline(limits), handle(tracker.open({77, kClient, kResolver})) {}

  void client(TimeNs at, const Message& bytes) { segment(at, bytes, Direction::c2s); }
  void server(TimeNs at, const Message& bytes) { segment(at, bytes, Direction::s2c); }
  void segment(TimeNs at, const Message& bytes, Direction direction) {
    ++frame;
    if (!bytes.empty()) tracker.on_bytes(handle, {bytes, at, frame, direction});
  }
  const std::vector<Seen>& close() {
    tracker.close(handle);
    return finish();
  }

  StreamTracker::Handle handle;
};

TEST(DnsStream, QueryAndAnswer) {
  Connection tcp;
  tcp.client(ms(0), framed(query(5, "www.shop.example")));
  tcp.server(ms(8), framed(response(5, "www.shop.example", 1, 2)));
  EXPECT_EQ(tcp.tracker.service(tcp.handle), 1);
  ASSERT_EQ(tcp.close().size(), 1U);
  const auto& [t, qname, message] = tcp.sink.all[0];
  EXPECT_EQ(t.transport, DnsTransport::tcp);
  EXPECT_EQ(t.connection, 77U);
  EXPECT_EQ(t.client, kClient);
  EXPECT_EQ(t.resolver, kResolver);
  EXPECT_EQ(t.latency_ns(), ms(8));
  EXPECT_EQ(frames(t.query_frames), Frames{1});
  EXPECT_EQ(t.response_frame, 2U);
  EXPECT_EQ(decode_answers(message).size(), 2U);
}

TEST(DnsStream, QueryAskedTwiceKeepsItsConnection) {
  Connection tcp;
  tcp.client(ms(0), framed(query(5, "www.shop.example")));
  tcp.client(ms(2), framed(query(5, "www.shop.example")));
  tcp.server(ms(8), framed(response(5, "www.shop.example", 1, 2)));
  ASSERT_EQ(tcp.close().size(), 1U);
  EXPECT_EQ(tcp.sink.all[0].t.connection, 77U);
  EXPECT_EQ(frames(tcp.sink.all[0].t.query_frames), (Frames{1, 2}));
  EXPECT_EQ(tcp.sink.all[0].t.resolver_ns(), ms(6));
}

TEST(DnsStream, SplitAtEveryByteCountsFromTheSegmentThatCompletes) {
  const Message ask = framed(query(5, "a.example"));
  const Message tell = framed(response(5, "a.example", 1, 3));
  const auto part = [](const Message& m, std::size_t from, std::size_t to) {
    return Message(m.begin() + static_cast<std::ptrdiff_t>(from),
                   m.begin() + static_cast<std::ptrdiff_t>(to));
  };
  for (std::size_t cut = 1; cut < tell.size(); ++cut) {
    Connection tcp;
    const std::size_t ask_cut = std::min(cut, ask.size() - 1);
    tcp.client(ms(0), part(ask, 0, ask_cut));
    tcp.client(ms(2), part(ask, ask_cut, ask.size()));
    tcp.server(ms(5), part(tell, 0, cut));
    tcp.server(ms(9), part(tell, cut, tell.size()));
    ASSERT_EQ(tcp.close().size(), 1U) << cut;
    EXPECT_EQ(frames(tcp.sink.all[0].t.query_frames), Frames{2}) << cut;
    EXPECT_EQ(tcp.sink.all[0].t.response_frame, 4U) << cut;
    EXPECT_EQ(tcp.sink.all[0].t.latency_ns(), ms(7)) << cut;
    EXPECT_EQ(tcp.sink.all[0].response, part(tell, 2, tell.size())) << cut;
  }
}

TEST(DnsStream, ByteByByte) {
  Connection tcp;
  for (const std::uint8_t b : framed(query(5, "a.example")) + framed(query(6, "b.example"))) {
    tcp.client(ms(1), {b});
  }
  for (const std::uint8_t b : framed(response(6, "b.example")) + framed(response(5, "a.example"))) {
    tcp.server(ms(2), {b});
  }
  ASSERT_EQ(tcp.close().size(), 2U);
  for (const Seen& s : tcp.sink.all) EXPECT_EQ(s.t.outcome, DnsOutcome::answered);
}

TEST(DnsStream, SeveralMessagesInOneSegmentAndAnswersOutOfOrder) {
  Connection tcp;
  tcp.client(ms(0), framed(query(1, "a.example")) + framed(query(2, "b.example")) +
                        framed(query(3, "c.example")));
  tcp.server(ms(4), framed(response(3, "c.example")) + framed(response(1, "a.example")));
  tcp.server(ms(6), framed(response(2, "b.example")));
  ASSERT_EQ(tcp.close().size(), 3U);
  for (const Seen& s : tcp.sink.all) {
    EXPECT_EQ(s.t.latency_ns(), s.t.id == 2 ? ms(6) : ms(4));
    EXPECT_EQ(frames(s.t.query_frames), Frames{1});
  }
}

TEST(DnsStream, TruncatedOverUdpThenAskedOverTcpAreTwoTransactions) {
  Connection both;
  both.ask(ms(0), query(9, "big.example"));
  both.answer(ms(4), response(9, "big.example", 1, 0, kResponse | kTruncated));
  both.client(ms(9), framed(query(9, "big.example")));
  both.server(ms(20), framed(response(9, "big.example", 1, 40)));
  ASSERT_EQ(both.close().size(), 2U);
  EXPECT_EQ(both.sink.all[0].t.outcome, DnsOutcome::truncated);
  EXPECT_EQ(both.sink.all[0].t.transport, DnsTransport::udp);
  EXPECT_EQ(both.sink.all[1].t.outcome, DnsOutcome::answered);
  EXPECT_EQ(both.sink.all[1].t.transport, DnsTransport::tcp);
}

TEST(DnsStream, LargestMessageInManySegments) {
  Message large = response(1, "a.example", 1, 1);
  large.resize(65535, 0x5a);
  const Message wire = framed(large);
  Connection tcp;
  tcp.client(ms(0), framed(query(1, "a.example")));
  for (std::size_t at = 0; at < wire.size(); at += 1448) {
    const std::size_t end = std::min(at + 1448, wire.size());
    tcp.server(ms(5), Message(wire.begin() + static_cast<std::ptrdiff_t>(at),
                              wire.begin() + static_cast<std::ptrdiff_t>(end)));
  }
  ASSERT_EQ(tcp.close().size(), 1U);
  EXPECT_EQ(tcp.sink.all[0].response, large);
}

TEST(DnsStream, TransferInManyMessagesIsOneTransactionWithDuplicates) {
  Connection tcp;
  tcp.client(ms(0), framed(query(1, "zone.example", 252)));
  tcp.server(ms(5), framed(response(1, "zone.example", 252, 9)));
  for (int i = 0; i < 20; ++i) {
    tcp.server(seconds(i), framed(Writer().header(1, kResponse, 0, 0)));
  }
  ASSERT_EQ(tcp.close().size(), 1U);
  EXPECT_EQ(tcp.sink.all[0].t.response_frame, 2U);
  EXPECT_EQ(tcp.sink.all[0].t.duplicate_response_frames.left_out(), 12U);
}

TEST(DnsStream, HoleInsideAMessageKeepsTheFraming) {
  const Message tell = framed(response(1, "a.example", 1, 5));
  for (std::size_t hole = 40; hole < tell.size(); hole += 7) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{6}, tell.size() - hole}) {
      if (hole + size > tell.size()) continue;
      Connection tcp;
      tcp.client(ms(0), framed(query(1, "a.example")) + framed(query(2, "b.example")));
      const Message after = tell + framed(response(2, "b.example"));
      tcp.server(ms(4), Message(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(hole)));
      tcp.tracker.on_gap(tcp.handle, Direction::s2c, size);
      tcp.server(ms(6),
                 Message(after.begin() + static_cast<std::ptrdiff_t>(hole + size), after.end()));
      ASSERT_EQ(tcp.close().size(), 2U) << hole << " " << size;
      for (const Seen& s : tcp.sink.all) EXPECT_EQ(s.t.outcome, DnsOutcome::answered);
      EXPECT_EQ(tcp.sink.all[0].response.size(), hole - 2) << "what came before the hole";
      EXPECT_EQ(tcp.count(Counter::dns_malformed), 0U);
    }
  }
}

TEST(DnsStream, HoleBeyondAMessageFindsTheNextOneAtASegment) {
  Connection tcp;
  tcp.client(ms(0), framed(query(1, "a.example")));
  tcp.tracker.on_gap(tcp.handle, Direction::c2s, 100);
  tcp.client(ms(3), Message(30, 0xee));  // the end of some message
  tcp.client(ms(4), framed(query(2, "b.example")));
  tcp.server(ms(9), framed(response(2, "b.example")));
  ASSERT_EQ(tcp.close().size(), 2U);
  EXPECT_EQ(tcp.sink.all[0].t.id, 2);
  EXPECT_EQ(tcp.sink.all[0].t.latency_ns(), ms(5));
}

TEST(DnsStream, AfterAHoleALengthInASegmentOfItsOwnIsRecognised) {
  for (std::size_t split = 1; split < 16; ++split) {
    Connection tcp;
    tcp.tracker.on_gap(tcp.handle, Direction::c2s, 100);
    const Message wire = framed(query(2, "b.example"));
    tcp.client(ms(1), Message(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(split)));
    tcp.client(ms(4), Message(wire.begin() + static_cast<std::ptrdiff_t>(split), wire.end()));
    ASSERT_EQ(tcp.close().size(), 1U) << split;
    EXPECT_EQ(tcp.sink.all[0].qname, "b.example");
    EXPECT_EQ(frames(tcp.sink.all[0].t.query_frames), Frames{2});
  }
}

TEST(DnsStream, QueryHandedOverAfterItsAnswerStillPairs) {
  // GIVEN a hole before the query, so that the stream waited before it handed the query over
  Connection tcp;
  tcp.frame = 10;
  tcp.server(ms(40), framed(response(2, "b.example")));  // frame 11
  tcp.tracker.on_gap(tcp.handle, Direction::c2s, 34);
  const Message ask = framed(query(2, "B.example"));
  tcp.tracker.on_bytes(tcp.handle, {ask, ms(2), 10, Direction::c2s});
  ASSERT_EQ(tcp.close().size(), 1U);
  EXPECT_EQ(frames(tcp.sink.all[0].t.query_frames), Frames{10});
  EXPECT_EQ(tcp.sink.all[0].t.response_frame, 11U);
  EXPECT_EQ(tcp.sink.all[0].t.outcome, DnsOutcome::answered);
  EXPECT_EQ(tcp.sink.all[0].t.latency_ns(), ms(38));
}

TEST(DnsStream, QueryAfterAResponseOfEarlierTimeIsNotItsQuery) {
  Connection tcp;
  tcp.server(ms(1), framed(response(2, "b.example")));
  tcp.client(ms(2), framed(query(2, "b.example")));
  ASSERT_EQ(tcp.close().size(), 2U);
  EXPECT_EQ(tcp.sink.all[0].t.outcome, DnsOutcome::response_only);
  EXPECT_EQ(tcp.sink.all[1].t.outcome, DnsOutcome::unanswered);
}

TEST(DnsStream, LlmnrOverTcpIsCountedAndNotPaired) {
  Timeline line;
  const auto handle = line.tracker.open({77, kClient, endpoint(53, 5355)});
  const Message ask = framed(query(5, "host"));
  const Message tell = framed(response(5, "host"));
  line.tracker.on_bytes(handle, {ask, ms(0), 1, Direction::c2s});
  line.tracker.on_bytes(handle, {tell, ms(1), 2, Direction::s2c});
  line.tracker.close(handle);
  EXPECT_TRUE(line.finish().empty());
  EXPECT_EQ(line.count(Counter::multicast_dns_messages), 2U);
}

TEST(DnsStream, EverySplitOfBothDirectionsInThreeTellsTheSame) {
  // Two pipelined questions, answered out of order; frames of whole messages do not depend on cuts.
  const Message asks =
      framed(query(5, "a.example")) + framed(query(6, "b.example", dns_type::aaaa));
  const Message tells = framed(response(6, "b.example", dns_type::aaaa, 0)) +
                        framed(response(5, "a.example", dns_type::a, 2));
  const auto told = [](Connection& tcp) {
    std::string all;
    for (const auto& [t, qname, message] : tcp.close()) {
      all += fmt::format("{} {} {} {} {} {} {}\n", t.id, qname, t.qtype, name(t.outcome),
                         message.size(), t.latency_ns(), t.malformed);
    }
    return all;
  };
  const auto play = [](Connection& tcp, const Message& bytes, Direction direction, TimeNs at,
                       std::size_t first, std::size_t second) {
    const auto part = [&](std::size_t from, std::size_t to) {
      tcp.segment(at,
                  Message(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                          bytes.begin() + static_cast<std::ptrdiff_t>(to)),
                  direction);
    };
    part(0, first);
    part(first, second);
    part(second, bytes.size());
  };
  Connection whole;
  play(whole, asks, Direction::c2s, ms(0), asks.size(), asks.size());
  play(whole, tells, Direction::s2c, ms(9), tells.size(), tells.size());
  const std::string expected = told(whole);
  ASSERT_EQ(std::count(expected.begin(), expected.end(), '\n'), 2);
  for (std::size_t first = 0; first <= tells.size(); ++first) {
    for (std::size_t second = first; second <= tells.size(); ++second) {
      Connection tcp;
      play(tcp, asks, Direction::c2s, ms(0), std::min(first, asks.size()),
           std::min(second, asks.size()));
      play(tcp, tells, Direction::s2c, ms(9), first, second);
      ASSERT_EQ(told(tcp), expected) << first << ' ' << second;
    }
  }
}

TEST(DnsStream, WhatIsNotDnsIsGivenUp) {
  Connection tcp;
  tcp.client(ms(0), framed(Message(200, 0xff)));     // opcode 15
  tcp.client(ms(1), {0, 3, 1, 2, 3});                // too short for a header
  tcp.client(ms(2), framed(query(1, "a.example")));  // and back
  ASSERT_EQ(tcp.close().size(), 1U);
  EXPECT_EQ(tcp.count(Counter::dns_malformed), 1U);
}

TEST(DnsStream, ConnectionClosedInsideAMessageIsCounted) {
  Connection tcp;
  tcp.client(ms(0), Writer().u16(500).header(1, kQuery, 1));
  EXPECT_TRUE(tcp.close().empty());
  EXPECT_EQ(tcp.count(Counter::dns_malformed), 1U);
}

TEST(DnsStream, NoRoomForAnotherStream) {
  DnsLimits limits = Timeline::small_limits();
  limits.tcp_streams = 2;
  Connection first(limits);
  const auto second = first.tracker.open({78, kClient, kResolver});
  EXPECT_NE(second, StreamTracker::kNone);
  EXPECT_EQ(first.tracker.open({79, kClient, kResolver}), StreamTracker::kNone);
  EXPECT_EQ(first.count(Counter::dns_streams_full), 1U);
  first.tracker.close(second);
  EXPECT_NE(first.tracker.open({80, kClient, kResolver}), StreamTracker::kNone);
}

TEST(DnsStream, NoRoomToPutMessagesTogetherCutsThem) {
  // GIVEN room for two of the largest messages and three that want it
  Connection tcp;
  std::vector<StreamTracker::Handle> streams;
  for (unsigned i = 0; i < 3; ++i) {
    streams.push_back(tcp.tracker.open({100 + i, endpoint(i + 1, 5000), kResolver}));
    Message most = Writer().u16(65535).header(i, kQuery, 1).question("a.example", 1);
    most.resize(65000);
    for (std::size_t at = 0; at < most.size(); at += 1000) {
      const Bytes piece = Bytes(most).subspan(at, 1000);
      tcp.tracker.on_bytes(streams.back(), {piece, ms(1), 1 + i, Direction::c2s});
    }
  }
  EXPECT_EQ(tcp.count(Counter::dns_stream_buffer_full), 1U);
  // WHEN their ends come, all three are known by what was kept
  const Message end(65537 - 65000, 0);
  for (const auto stream : streams) {
    tcp.tracker.on_bytes(stream, {end, ms(2), 9, Direction::c2s});
    tcp.tracker.close(stream);
  }
  EXPECT_EQ(tcp.finish().size(), 3U);
}

}  // namespace
}  // namespace wirelag::dns_test
