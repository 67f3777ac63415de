// How a response travelled, as timelines: flights, and what the time between them was lost to.
#include <gtest/gtest.h>

#include <wirelag/track/transfer.hpp>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr double kRtt = 40;

/// The server's messages end with '#'; each one's shape and transfer time.
class Messages : public StreamRecorder {
 public:
  struct Message {
    TransferShape shape;
    DurationNs transfer_ns = 0;
  };

  void on_bytes(Handle, const StreamChunk& chunk) override {
    if (chunk.direction == Direction::c2s) return;
    std::string_view rest = as_text(chunk.bytes);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('#'), rest.size() - 1);
      if (!open_) first_ns_ = chunk.time_ns;
      open_ = true;
      meter_.add(chunk.progress, chunk.burst, end + 1);
      if (rest[end] == '#') {
        done.push_back({meter_.shape(), chunk.time_ns - first_ns_});
        meter_ = {};
        open_ = false;
      }
      rest.remove_prefix(end + 1);
    }
  }
  std::vector<Message> done;

 private:
  TransferMeter meter_;
  TimeNs first_ns_ = 0;
  bool open_ = false;
};

/// A client and a server with a round trip of 40 ms and segments of 1000 bytes; the probe is
/// `server_half_ms` (there and back) from the server. Times are the probe's.
class Path {
 public:
  explicit Path(double server_half_ms = 1, std::uint16_t client_window = 60000)
      : window(client_window), half_(server_half_ms) {
    const std::vector<std::uint8_t> options = {2, 4, kMss >> 8, kMss & 0xff, 3, 3, 0};
    t.send({true, 0, kSyn, 0, 0, "", 60000, 0, 0, 0, options});
    t.send({false, half_, kSynAck, 0, 1, "", 60000, 0, 0, 0, options});
    t.send({true, kRtt, kAck, 1, 1, "", window});
    request(kRtt);
  }
  void request(double at) {
    static const std::string kText = "GET / HTTP/1.1\r\n\r\n";
    t.send({true, at, kAck, asked_, sent_, kText, window});
    asked_ += static_cast<std::uint32_t>(kText.size());
  }
  /// `n` full segments 0.01 ms apart; the last byte of all reads `last`.
  void segments(double at, int n, char last = 'x') {
    for (int i = 0; i < n; ++i) {
      again(at + 0.01 * i, sent_, i == n - 1 ? last : 'x');
      sent_ += kMss;
    }
  }
  /// One segment of so many bytes.
  void part(double at, std::uint32_t bytes, char last = 'x') {
    std::string text(bytes, 'x');
    text.back() = last;
    t.send({false, at, kAck, sent_, asked_, text, 60000});
    sent_ += bytes;
  }
  /// The segment that begins at `seq`, once more or at last.
  void again(double at, std::uint32_t seq, char last = 'x') {
    std::string text(kMss, 'x');
    text.back() = last;
    t.send({false, at, kAck, seq, asked_, text, 60000});
  }
  void skip_segment() { sent_ += kMss; }
  void acks(double at, std::uint32_t behind = 0) {
    t.send({true, at, kAck, asked_, sent_ - behind, "", window});
  }
  /// When the client's answer to a segment seen at `at` passes the probe.
  [[nodiscard]] double answered(double at) const { return at + kRtt - half_; }
  [[nodiscard]] std::uint32_t sent() const { return sent_; }

  const std::vector<Messages::Message>& finish() {
    t.finish();
    for (const Messages::Message& m : messages.done) {
      const TransferShape& s = m.shape;
      if (s.flights == 0) continue;
      EXPECT_LE(s.rounds_ns + s.pause_ns + s.resend_stall_ns + s.window_stall_ns + s.held_ns,
                m.transfer_ns);
    }
    return messages.done;
  }

  Messages messages;
  Conversation t{Conversation::small(), &messages};
  std::uint16_t window;

 private:
  double half_;
  std::uint32_t asked_ = 1;
  std::uint32_t sent_ = 1;
};

TEST(Transfer, SlowStartIsAFlightPerRoundTripWhereverTheProbeIs) {
  for (const double half : {0.1, 20.0, 39.5}) {
    Path path(half);
    for (int flight = 0; flight < 3; ++flight) {
      const double at = 100 + kRtt * flight;
      path.segments(at, 10 << flight, flight == 2 ? '#' : 'x');
      path.acks(path.answered(at));
    }
    const auto& messages = path.finish();
    ASSERT_EQ(messages.size(), 1U) << half;
    const TransferShape& s = messages[0].shape;
    EXPECT_EQ(s.flights, 3U) << half;
    EXPECT_EQ(s.bursts, 3U);
    EXPECT_EQ(s.segments, 70U);
    EXPECT_EQ(s.first_burst_segments, 10U);
    EXPECT_EQ(s.first_burst_bytes, 10U * kMss);
    EXPECT_EQ(s.largest_burst_bytes, 40U * kMss);
    EXPECT_FALSE(s.first_burst_shared);
    EXPECT_EQ(s.rtt_ns, ms(kRtt));
    EXPECT_EQ(s.rounds_ns, 2 * ms(kRtt) - ms(0.09) - ms(0.19)) << half;
    EXPECT_EQ(s.pause_ns + s.resend_stall_ns + s.window_stall_ns, 0) << half;
    EXPECT_EQ(s.resent_segments, 0U);
    EXPECT_EQ(s.window_limited_bursts, 0U);
    EXPECT_EQ(s.smallest_window_bytes, 60000U);
  }
}

TEST(Transfer, OneFlightHasNoGaps) {
  Path path;
  path.segments(100, 4, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.flights, 1U);
  EXPECT_EQ(s.rounds_ns, 0);
}

TEST(Transfer, SegmentsJoinedByTheHostAreCountedAsSent) {
  // GIVEN a capture on the server, where a frame holds what the network card cuts later
  Path path;
  std::string text(10 * kMss, 'x');
  text.back() = '#';
  path.t.send({false, 100, kAck, 1, 19, text, 60000});
  EXPECT_EQ(path.finish().at(0).shape.first_burst_segments, 10U);
}

TEST(Transfer, LostSegmentSentAgainAfterTheTimerIsAStallNotAFlight) {
  // GIVEN the last segment of a flight, seen by the probe and lost behind it
  Path path;
  path.segments(100, 10);
  path.acks(path.answered(100), kMss);
  path.again(386, path.sent() - kMss);
  path.acks(path.answered(386));
  path.segments(386 + kRtt, 5, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.resend_stall_ns, ms(286 - 0.09));
  EXPECT_EQ(s.rounds_ns, ms(kRtt));
  EXPECT_EQ(s.resent_segments, 1U);
  EXPECT_EQ(s.flights, 2U);
  EXPECT_EQ(s.bursts, 3U);
}

TEST(Transfer, SegmentLostBeforeTheProbeStallsUntilItFillsTheHole) {
  Path path;
  path.segments(100, 4);
  const std::uint32_t lost = path.sent();
  path.skip_segment();
  path.segments(100.05, 5);
  path.acks(path.answered(100), 6 * kMss);
  path.again(100 + kRtt + 1, lost, 'x');
  path.segments(100 + kRtt + 1.1, 1, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.resend_stall_ns, ms(kRtt + 1 - 0.09));
  EXPECT_EQ(s.rounds_ns, 0);
  EXPECT_EQ(s.resent_segments, 1U);
  EXPECT_EQ(s.segments, 11U);
  EXPECT_EQ(s.first_burst_bytes, 9U * kMss);  // what waited behind the hole was in the first burst
}

TEST(Transfer, ClosedWindowIsTheReceivers) {
  Path path;
  path.segments(100, 4);
  path.window = 0;
  path.acks(path.answered(100));
  path.window = 60000;
  path.acks(600);
  path.segments(602, 2, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.window_stall_ns, ms(502 - 0.03));
  EXPECT_EQ(s.rounds_ns + s.pause_ns + s.resend_stall_ns, 0);
  EXPECT_EQ(s.flights, 1U);
}

TEST(Transfer, AWindowOfLessThanASegmentIsAsGoodAsClosed) {
  for (const std::uint32_t sent_bytes : {600U, 500U}) {
    Path path;
    path.segments(100, 4);
    path.window = 600;
    path.acks(path.answered(100));
    path.part(500, sent_bytes, '#');
    const TransferShape& s = path.finish().at(0).shape;
    // WHEN the sender has less than there is room for THEN it is its own pause
    const bool filled = sent_bytes == path.window;
    EXPECT_EQ(filled ? s.window_stall_ns : s.pause_ns, ms(400 - 0.03));
    EXPECT_EQ(filled ? s.pause_ns : s.window_stall_ns, 0);
  }
}

TEST(Transfer, SmallWindowLimitsEveryFlight) {
  // GIVEN a window of four segments and a sender that may not send more before the ACK
  Path path(1, 4 * kMss);
  for (int flight = 0; flight < 5; ++flight) {
    const double at = 100 + kRtt * flight;
    path.segments(at, 4, flight == 4 ? '#' : 'x');
    path.acks(path.answered(at));
  }
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.flights, 5U);
  EXPECT_EQ(s.window_limited_bursts, 5U);
  EXPECT_EQ(s.smallest_window_bytes, 4U * kMss);
}

TEST(Transfer, SenderThatPausesIsNotWaitingForAnAck) {
  Path path;
  path.segments(100, 2);
  path.acks(path.answered(100));
  path.segments(250, 2, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.pause_ns, ms(150 - 0.01));
  EXPECT_EQ(s.flights, 1U);
  EXPECT_EQ(s.bursts, 2U);
}

TEST(Transfer, WhetherAnAckEndedAGapIsUnknownWhereItsWayIs) {
  // GIVEN no handshake, a small segment of the server, the client's ACK 40 ms later, and another small one
  // `behind_ms` after that: the probe's way to the server and back was not seen
  for (const auto& [behind_ms, held_ns] :
       {std::pair{0.5, ms(40.5)}, std::pair{10.0, DurationNs{kUnknownNs}}}) {
    Messages messages;
    Conversation t{Conversation::small(), &messages};
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const auto sent = static_cast<std::uint32_t>(1 + head.size());
    t.server_sends(100, kAck, 1, 1, head);
    t.client_sends(140, kAck, 1, sent);
    t.server_sends(140 + behind_ms, kAck, sent, 1, "Content-Length: 0\r\n\r\n#");
    t.finish();
    ASSERT_EQ(messages.done.size(), 1U);
    EXPECT_EQ(messages.done[0].shape.held_ns, held_ns);
  }
}

TEST(Transfer, PipelinedResponsesBackToBackShareAFlight) {
  Path path;
  path.request(41);
  path.segments(100, 3, '#');
  path.segments(100.05, 3, '#');
  const auto& messages = path.finish();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_FALSE(messages[0].shape.first_burst_shared);
  EXPECT_TRUE(messages[1].shape.first_burst_shared);
  for (const auto& m : messages) {
    EXPECT_EQ(m.shape.flights, 1U);
    EXPECT_EQ(m.shape.segments, 3U);
    EXPECT_EQ(m.shape.largest_burst_bytes, 3U * kMss);
  }
}

TEST(Transfer, OneSegmentWithTwoResponsesIsInBothShapes) {
  Path path;
  std::string text(kMss, 'x');
  text[99] = text[kMss - 1] = '#';
  path.t.send({false, 100, kAck, 1, 19, text, 60000});
  const auto& messages = path.finish();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].shape.segments, 1U);
  EXPECT_EQ(messages[0].shape.first_burst_bytes, 100U);
  EXPECT_EQ(messages[1].shape.segments, 1U);
  EXPECT_EQ(messages[1].shape.first_burst_bytes, kMss - 100U);
}

TEST(Transfer, IdleTimeBeforeAResponseIsNotInItsShape) {
  Path path;
  path.segments(100, 10, '#');
  path.acks(path.answered(100));
  path.request(5000);
  path.segments(5002, 10);
  path.acks(path.answered(5002));
  path.segments(5002 + kRtt, 20, '#');
  const auto& messages = path.finish();
  ASSERT_EQ(messages.size(), 2U);
  const TransferShape& s = messages[1].shape;
  EXPECT_EQ(s.flights, 2U);
  EXPECT_EQ(s.first_burst_segments, 10U);
  EXPECT_FALSE(s.first_burst_shared);
  EXPECT_EQ(s.rounds_ns, ms(kRtt - 0.09));
  EXPECT_EQ(s.pause_ns + s.resend_stall_ns + s.window_stall_ns, 0);
}

TEST(Transfer, WhatWaitedBehindAHoleThatWasGivenUpHasUnknownGaps) {
  // GIVEN a response of which the probe missed a segment, and the next one, which shows that it will
  // not come
  Path path;
  path.segments(100, 2);
  path.skip_segment();
  path.segments(100.1, 2, '#');
  path.acks(path.answered(100));
  path.request(400);
  path.segments(402, 2, '#');
  path.acks(path.answered(402));
  // AND one that finds the stream in order again
  path.request(600);
  path.segments(602, 2);
  path.acks(path.answered(602));
  path.segments(602 + kRtt, 2, '#');
  const auto& messages = path.finish();
  ASSERT_EQ(messages.size(), 3U);
  for (const std::size_t behind : {0U, 1U}) {
    const TransferShape& s = messages[behind].shape;
    EXPECT_EQ(s.flights, 0U) << behind;
    EXPECT_FALSE(known(s.rounds_ns) || known(s.pause_ns) || known(s.resend_stall_ns)) << behind;
    EXPECT_GT(s.segments, 0U);
  }
  EXPECT_EQ(messages[2].shape.flights, 2U);
  EXPECT_EQ(messages[2].shape.rounds_ns, ms(kRtt - 0.01));
}

TEST(Transfer, AClockThatSteppedBackHidesTheGaps) {
  Path path;
  path.segments(100, 2);
  path.acks(path.answered(100));
  path.segments(100 + kRtt, 2);
  path.segments(110, 2, '#');
  const TransferShape& s = path.finish().at(0).shape;
  EXPECT_EQ(s.flights, 0U);
  EXPECT_FALSE(known(s.rounds_ns));
}

TEST(Transfer, MidstreamHasNoRoundTripSoNoFlights) {
  Messages messages;
  Conversation t(Conversation::small(), &messages);
  t.client_sends(0, kAck, 1, 1, "GET / HTTP/1.1\r\n\r\n");
  t.server_sends(10, kAck, 1, 19, std::string(kMss, 'x'));
  t.client_sends(50, kAck, 19, 1 + kMss);
  t.server_sends(51, kAck, 1 + kMss, 19, std::string(kMss, '#'));
  t.finish();
  ASSERT_FALSE(messages.done.empty());
  const TransferShape& s = messages.done[0].shape;
  EXPECT_EQ(s.flights, 0U);
  EXPECT_FALSE(known(s.rounds_ns));
  EXPECT_FALSE(known(s.pause_ns));
  EXPECT_EQ(s.resend_stall_ns, 0);
  EXPECT_EQ(s.segments, 2U);
  EXPECT_EQ(s.smallest_window_bytes, TransferShape::kUnknownWindow);
}

TEST(Transfer, OneDirectionTellsOnlySegmentsAndResends) {
  Messages messages;
  Conversation t(Conversation::small(), &messages);
  t.server_sends(0, kSynAck, 0, 1);
  t.server_sends(40, kAck, 1, 19, "HTTP/1.1 200 OK\r\n\r\n");
  t.server_sends(80, kAck, 20, 19, std::string(kMss, 'x'));
  t.server_sends(380, kAck, 20, 19, std::string(kMss, 'x'));
  t.server_sends(380.1, kAck, 20 + kMss, 19, "#");
  t.finish();
  ASSERT_EQ(messages.done.size(), 1U);
  const TransferShape& s = messages.done[0].shape;
  EXPECT_EQ(s.flights, 0U);
  EXPECT_FALSE(known(s.resend_stall_ns));
  EXPECT_EQ(s.resent_segments, 1U);
}

TEST(Transfer, WithoutProgressNothingIsMeasured) {
  TransferMeter meter;
  meter.add(nullptr, 0, 100);
  EXPECT_EQ(meter.shape().segments, 0U);
}

// ------------------------------------------------------------------------------------ held back

/// A response in two writes of 100 bytes; the client's ACK of the first passes the probe at `ack_ms`,
/// the second one at `second_ms`.
TransferShape in_two_writes(double half, double ack_ms, double second_ms,
                            bool client_speaks = false) {
  Path path(half);
  const std::string first(100, 'x');
  const std::string second = std::string(99, 'x') + '#';
  path.t.send({false, 100, kAck, 1, 19, first, 60000});
  path.t.send({true, ack_ms, kAck, 19, 101, client_speaks ? "GET /b HTTP/1.1\r\n\r\n" : "", 60000});
  path.t.send({false, second_ms, kAck, 101, 19, second, 60000});
  const auto& messages = path.finish();
  EXPECT_EQ(messages.size(), 1U);
  return messages.empty() ? TransferShape{} : messages[0].shape;
}

TEST(Transfer, ASmallSegmentHeldBackUntilTheDelayedAckCame) {
  for (const double half : {1.0, 20.0, 39.0}) {
    // R = 40, and the client delays its ACK by 40 more.
    const TransferShape s = in_two_writes(half, 100 + 40 - half + 40, 100 + 80.1);
    EXPECT_EQ(s.held_ns, ms(80.1)) << half;
    EXPECT_EQ(s.rounds_ns, 0);
    EXPECT_EQ(s.pause_ns, 0);
    EXPECT_EQ(s.flights, 1U);
    EXPECT_EQ(s.bursts, 2U);
  }
}

TEST(Transfer, AServerThatThinksBetweenTwoWritesIsNotHeldBack) {
  const TransferShape s = in_two_writes(1, 139, 185);  // 46 ms after the ACK
  EXPECT_EQ(s.held_ns, 0);
  EXPECT_EQ(s.pause_ns, ms(85));
}

TEST(Transfer, WhatTheClientSaidNextReleasedIt) {
  const TransferShape s = in_two_writes(1, 179, 180.1, true);
  EXPECT_EQ(s.held_ns, 0);
}

TEST(Transfer, FullSegmentsAreNeverHeldBack) {
  Path path;
  path.segments(100, 1);
  path.acks(path.answered(100));
  path.segments(140, 1, '#');
  const auto& messages = path.finish();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].shape.held_ns, 0);
  EXPECT_EQ(messages[0].shape.flights, 2U);
}

// ------------------------------------------------------------------- the stalls of an exchange

TransferProgress progress(DurationNs held_ns, DurationNs resend_ns) {
  TransferProgress p;
  p.both_directions = true;
  p.held_ns = held_ns;
  p.resend_stall_ns = resend_ns;
  return p;
}

TEST(Transfer, StallsOfAnExchange) {
  TransferMarks request;
  TransferMarks response;
  TransferProgress client = progress(0, ms(5));
  TransferProgress server = progress(0, ms(300));
  server.resent_since_new_ns = ms(200);  // of the response before
  request.add(&client, &server);
  client.held_ns = ms(44);
  request.add(&client, &server);
  client.resend_stall_ns = ms(205);  // the request, once more
  response.add(&server, &client);
  server.held_ns = ms(84);
  server.resend_stall_ns = ms(540);
  response.add(&server, &client);
  const ExchangeStalls s = TransferMarks::stalls(request, response);
  EXPECT_EQ(s.request_held_ns, ms(44));
  EXPECT_EQ(s.request_resend_ns, ms(200));
  EXPECT_EQ(s.response_held_ns, ms(84));
  EXPECT_EQ(s.response_resend_ns, ms(240));
  EXPECT_EQ(s.earlier_resend_ns, ms(200));
}

TEST(Transfer, AnAckLaterThanAnyReceiverDelaysItWasQueued) {
  /// What is known of the way between a request at 40 ms and its response, whose ACK comes alone at `ack_ms` or not at
  /// all (0).
  struct Exchange : StreamRecorder {
    void on_bytes(Handle, const StreamChunk& chunk) override {
      (chunk.direction == Direction::c2s ? request : response)
          .add(chunk.progress, chunk.other_progress);
    }
    TransferMarks request, response;
  };
  const auto queued_ns = [](double ack_ms, double response_ms) {
    Exchange exchange;
    Conversation t{Conversation::small(), &exchange};
    t.shake_hands();
    const std::string text = "GET / HTTP/1.1\r\n\r\n";
    t.client_sends(40, kAck, 1, 1, text);
    if (ack_ms > 0) t.server_sends(ack_ms, kAck, 1, 19);
    t.server_sends(response_ms, kAck, 1, 19, "HTTP/1.1 200 OK\r\n\r\n");
    t.finish();
    return TransferMarks::stalls(exchange.request, exchange.response).request_queued_ns;
  };
  EXPECT_EQ(queued_ns(540, 545), ms(490)) << "10 ms is the shortest round trip";
  EXPECT_EQ(queued_ns(255, 545), 0)
      << "the receiver may have delayed it by 200 ms, and the way varies";
  EXPECT_EQ(queued_ns(0, 545), 0) << "with the response: the server may have worked so long";
}

TEST(Transfer, StallsAreUnknownInOneDirection) {
  TransferMarks request;
  const TransferProgress alone;
  request.add(&alone, &alone);
  const ExchangeStalls s = TransferMarks::stalls(request, {});
  EXPECT_FALSE(known(s.request_held_ns));
  EXPECT_FALSE(known(s.request_resend_ns));
  EXPECT_FALSE(known(s.response_held_ns));
  EXPECT_FALSE(known(s.earlier_resend_ns));
  EXPECT_FALSE(known(s.request_queued_ns));
}

}  // namespace
}  // namespace wirelag::testing
