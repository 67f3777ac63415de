// What is missing, wrong or too much: holes, connections caught midstream, garbage, full pools.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> transactions(const Script& script) {
  Bench bench;
  bench.play(script);
  EXPECT_TRUE(bench.all_given_back());
  return bench.sink.lines;
}

TEST(Holes, InsideABodyOfKnownLengthAreAccounted) {
  EXPECT_THAT(
      transactions(
          {client(1, get("/a")), server(2, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n12345"),
           server_hole(2990), server(4, "12345" + kOk5), client(5, get("/b")), server(6, kOk5)}),
      ElementsAre("GET a.example/a -> 200 frames 1-1 2-4 wait 1ms body 3000",
                  "? -> 200 frames 0-0 4-4 body 5",
                  "GET a.example/b -> 200 frames 5-5 6-6 wait 1ms body 5"));
}

TEST(Holes, AtTheEndOfABodyCutItAndTheNextMessageIsExact) {
  EXPECT_THAT(transactions({client(1, get("/a") + get("/b") + get("/c")),
                            server(2, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345"),
                            server_hole(95), server(4, kOk5 + kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 100 response-cut",
                          "GET a.example/b -> 200 frames 1-1 4-4 wait 3ms body 5 pipelined",
                          "GET a.example/c -> 200 frames 1-1 4-4 wait 3ms body 5 pipelined"));
}

TEST(Holes, InsideAChunkAreAccounted) {
  EXPECT_THAT(
      transactions({client(1, get("/a")),
                    server(2, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n"),
                    server_hole(100), server(3, "\r\n0\r\n\r\n")}),
      ElementsAre("GET a.example/a -> 200 frames 1-1 2-3 wait 1ms body 100"));
}

TEST(Holes, InABodyUntilCloseAreAccounted) {
  EXPECT_THAT(transactions({client(1, get("/a")), server(2, "HTTP/1.0 200 OK\r\n\r\n"),
                            server_hole(100), server(3, "x"), server_fin(4)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-4 wait 1ms body 101 to-fin last"));
}

TEST(Holes, ThatMayHideResponsesGiveTheNextOneToTheLatestRequest) {
  EXPECT_THAT(transactions({client(1, get("/a")), server_hole(5000), client(2, get("/b")),
                            server(3, "rest of a body"), server(4, kOk5), client(5, get("/c")),
                            server(6, kOk5)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised",
                          "GET a.example/b -> 200 frames 2-2 4-4 wait 2ms body 5 resynchronised",
                          "GET a.example/c -> 200 frames 5-5 6-6 wait 1ms body 5"));
}

TEST(Holes, BeyondABodyEndTheResponseThere) {
  EXPECT_THAT(transactions({client(1, get("/a")),
                            server(2, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345"),
                            server_hole(500), client(3, get("/b")), server(4, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5 response-cut",
                          "GET a.example/b -> 200 frames 3-3 4-4 wait 1ms body 5"));
}

TEST(Holes, InsideHeadersForgetTheMessage) {
  Bench bench;
  bench.play({client(1, get("/a")), server(2, "HTTP/1.1 200 OK\r\nServ"), server_hole(50),
              server(3, "er: x\r\n\r\n"), client(4, "GET /b HTTP/1.1\r\nHo"), client_hole(20),
              client(6, get("/c")), server(7, kOk5)});
  EXPECT_THAT(bench.sink.lines, ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised",
                                            "GET a.example/c -> 0 frames 6-6 0-0 resynchronised",
                                            "? -> 200 frames 0-0 7-7 body 5 resynchronised"));
  EXPECT_EQ(bench.counters.of(Counter::http_heads_cut), 2U);
  EXPECT_TRUE(bench.all_given_back());
}

TEST(Holes, AndEndsInsideAStartLineCountItsBeginningAsSkipped) {
  Bench hole;
  hole.play({client(1, "GET /lo"), client_hole(100), client(2, get("/b")), server(3, kOk5)});
  EXPECT_EQ(hole.counters.of(Counter::http_bytes_skipped), 7U);
  EXPECT_THAT(hole.sink.lines, ElementsAre("? -> 200 frames 0-0 3-3 body 5",
                                           "GET a.example/b -> 0 frames 2-2 0-0 pipelined"));
  Bench end;
  end.play({client(1, get("/a")), server(2, kOk5), client(3, "GET /lo"), client_fin(4)});
  EXPECT_EQ(end.counters.of(Counter::http_bytes_skipped), 7U);
  EXPECT_THAT(end.sink.lines, SizeIs(1));
}

TEST(Holes, InARequestBodyLeaveTheWaitFromTheHeaders) {
  EXPECT_THAT(transactions({client(1,
                                   "POST /a HTTP/1.1\r\nHost: a.example\r\n"
                                   "Content-Length: 100\r\n\r\n12345"),
                            client_hole(500), server(4, kOk5)}),
              ElementsAre("POST a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5 request-cut"));
}

// Bytes behind a hole come when it is given up; the other direction did not wait.
TEST(LateBytes, ResponsesBehindAHoleGoToTheRequestsBeforeThem) {
  EXPECT_THAT(transactions({client(1, get("/lost")), client(3, get("/b")), client(5, get("/c")),
                            client(7, get("/d")), server_hole(5000, 2), server(4, kOk5),
                            server(6, kOk5), server(9, kOk5)}),
              ElementsAre("GET a.example/lost -> 0 frames 1-1 0-0 resynchronised",
                          "GET a.example/b -> 200 frames 3-3 4-4 wait 1ms body 5 resynchronised",
                          "GET a.example/c -> 200 frames 5-5 6-6 wait 1ms body 5",
                          "GET a.example/d -> 200 frames 7-7 9-9 wait 2ms body 5"));
}

TEST(LateBytes, ARequestBehindAHoleTakesTheResponseThatCameWithoutOne) {
  EXPECT_THAT(transactions({server(2, kOk5), server(4, kOk5), client_hole(100, 1),
                            client(3, get("/b")), client(5, get("/c")), server(6, kOk5)}),
              ElementsAre("? -> 200 frames 0-0 2-2 body 5",
                          "GET a.example/b -> 200 frames 3-3 4-4 wait 1ms body 5 resynchronised",
                          "GET a.example/c -> 200 frames 5-5 6-6 wait 1ms body 5"));
}

TEST(LateBytes, AnUploadBehindAHoleTakesItsResponseAndStillGetsItsBody) {
  EXPECT_THAT(transactions({server(2, kOk5), server(9, kOk5), client_hole(100, 1),
                            client(3, "POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\n12"),
                            client(5, "34"), client(10, get("/c")), server(11, kOk5)}),
              ElementsAre("? -> 200 frames 0-0 2-2 body 5",
                          "POST /b -> 200 frames 3-5 9-9 wait 4ms body 5 resynchronised",
                          "GET a.example/c -> 200 frames 10-10 11-11 wait 1ms body 5"));
}

TEST(LateBytes, AResponseIsNotGivenToARequestSentAfterIt) {
  EXPECT_THAT(transactions({client(1, get("/a")),
                            server(2, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
                            client_hole(100, 3), client(6, get("/c")), server_hole(100, 3),
                            server(4, kOk5), server(7, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 100 response-cut",
                          "? -> 200 frames 0-0 4-4 body 5",
                          "GET a.example/c -> 200 frames 6-6 7-7 wait 1ms body 5 resynchronised"));
}

TEST(LateBytes, ResponsesWithoutRequestsWaitInBoundedNumber) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  for (FrameNumber f = 1; f <= 100; ++f) {
    bench.step(h, server(f, kOk5));
    ASSERT_LE(bench.tracker.usage().exchanges, 4U);
  }
  bench.tracker.close(h);
  EXPECT_THAT(bench.sink.lines, SizeIs(100));
}

TEST(Midstream, WaitsForTheBeginningOfAMessage) {
  EXPECT_THAT(transactions({server(1, "tail of a body"), server(2, "\r\nHTTP is mentioned"),
                            client(3, "tail of an upload"), client(4, get("/a")), server(5, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 4-4 5-5 wait 1ms body 5"));
}

TEST(Midstream, IsNotCountedAsMalformed) {
  Bench bench;
  bench.play({server(1, "tail of a body\r\n"), client(2, "GET me\r\n"), client(3, get("/a"))});
  EXPECT_THAT(bench.sink.lines, SizeIs(1));
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 0U);
}

TEST(Garbage, AfterAMessageIsCountedAndTheNextMessageIsFound) {
  Bench bench;
  bench.play({client(1, get("/a")), server(2, kOk5 + "\x01\x02\x03"), server(3, "more of it"),
              client(4, get("/b")), server(5, kOk5)});
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5",
                          "GET a.example/b -> 200 frames 4-4 5-5 wait 1ms body 5"));
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 1U);
}

TEST(Garbage, InsteadOfAChunkSizeCutsTheResponse) {
  Bench bench;
  bench.play({client(1, get("/a")),
              server(2, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
              client(3, get("/b")), server(4, kOk5)});
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 0 response-cut",
                          "GET a.example/b -> 200 frames 3-3 4-4 wait 1ms body 5"));
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 1U);
}

TEST(Garbage, ChunkSizesThatOverflowAreRefused) {
  EXPECT_THAT(transactions({client(1, get("/a")),
                            server(2,
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "ffffffffffffffffffff\r\n")}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 0 response-cut"));
}

TEST(Garbage, TooMuchOfItEndsTheSearch) {
  HttpLimits limits = small_limits();
  limits.open_requests = 256;
  Bench bench(limits);
  Script script{client(1, get("/a"))};
  for (FrameNumber f = 2; f < 40; ++f) script.push_back(client(f, get("/x") + "\x01"));
  bench.play(script);
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 16U);
  EXPECT_THAT(bench.sink.lines, SizeIs(17));
}

TEST(Garbage, LinesWithoutColonAreNoHead) {
  Bench bench;
  std::string head = "GET /a HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) head += "no field here\r\n";
  bench.play({client(1, head + "\r\n")});
  EXPECT_THAT(bench.sink.lines, IsEmpty());
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 1U);
}

TEST(Preface, OfHttp2EndsTheDirectionQuietly) {
  Bench bench;
  bench.play({client(1, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), client(2, get("/a"))});
  EXPECT_THAT(bench.sink.lines, IsEmpty());
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 0U);
}

TEST(Interest, EndsWhereAnotherProtocolBegins) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  bench.step(h, client(1, "CONNECT a.example:443 HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(bench.tracker.interest(h), StreamInterest::bytes);
  bench.step(h, server(2, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(bench.tracker.interest(h), StreamInterest::bytes);
  bench.step(h, client(3, "CONNECT a.example:443 HTTP/1.1\r\n\r\n"));
  bench.step(h, server(4, "HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(bench.tracker.interest(h), StreamInterest::other_protocol);
  EXPECT_THAT(bench.sink.lines, SizeIs(2));
  bench.tracker.close(h);
}

TEST(Texts, AreReportedWithTheService) {
  Bench bench;
  bench.play(
      {client(1, "GET /cart HTTP/1.1\r\nReferer: http://a/\r\nHost: www.shop.example:81\r\n\r\n"),
       server(2,
              "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Type: text/html\r\n"
              "Content-Length: 0\r\n\r\n")});
  EXPECT_THAT(bench.sink.fields,
              ElementsAre("referer=http://a/ type=text/html location=/login service=1"));
}

TEST(Texts, OfTheLatestHostNameTheServiceOfTheConnection) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  EXPECT_EQ(bench.tracker.service(h), kNoService);
  bench.step(h, client(1, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"));
  EXPECT_EQ(bench.tracker.service(h), 1);
  bench.step(h, client(2, "GET / HTTP/1.1\r\nHost: video.example\r\n\r\n"));
  EXPECT_EQ(bench.tracker.service(h), 2);
  bench.tracker.close(h);
}

TEST(Limits, AnOverlongTargetIsCutAndSaysSo) {
  HttpLimits limits = small_limits();
  limits.header_bytes = 16 * 1024;
  Bench bench(limits);
  const std::string target = "/" + std::string(5000, 't');
  for (const std::size_t n : {100000U, 1U, 700U}) {
    bench.sink.lines.clear();
    bench.play(in_pieces({client(1, get(target)), server(2, kOk5)}, n));
    EXPECT_THAT(bench.sink.lines, ElementsAre("GET a.example" + target.substr(0, 4096) +
                                              " -> 200 frames 1-1 2-2 wait 1ms body 5 text-cut"));
  }
  EXPECT_EQ(bench.counters.of(Counter::http_texts_cut), 3U);
}

TEST(Limits, AStartLineLongerThanABufferIsCutTheSameWayHoweverItComes) {
  Bench bench;  // header_bytes = 1024
  const std::string target = "/" + std::string(3000, 't');
  for (const std::size_t n : {100000U, 1U, 700U, 1023U, 1024U, 1025U}) {
    bench.sink.lines.clear();
    bench.play(in_pieces({client(1, get(target)), server(2, kOk5)}, n));
    EXPECT_THAT(bench.sink.lines, ElementsAre("GET " + target.substr(0, 1020) +
                                              " -> 200 frames 1-1 2-2 wait 1ms body 5 text-cut"))
        << "pieces of " << n;
  }
  EXPECT_EQ(bench.counters.of(Counter::http_headers_too_long), 6U);
}

TEST(Limits, FramingGoesOnBeyondTheHeadersThatAreKept) {
  std::string long_field = "X: " + std::string(5000, 'x') + "\r\n";
  Bench bench;
  bench.play(in_pieces({client(1, get("/a") + get("/b")),
                        server(2, "HTTP/1.1 200 OK\r\n" + long_field +
                                      "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello"),
                        server(3, kOk5)},
                       300));
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5",
                          "GET a.example/b -> 200 frames 1-1 3-3 wait 2ms body 5 pipelined"));
  EXPECT_THAT(bench.sink.fields[0], ::testing::HasSubstr("type= "));
  EXPECT_EQ(bench.counters.of(Counter::http_headers_too_long), 1U);
}

TEST(Limits, EndlessHeadersTakeNoMoreThanOneBuffer) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  bench.step(h, client(1, "GET /a HTTP/1.1\r\n"));
  const Step line = client(2, std::string(1000, 'h'));
  for (int i = 0; i < 10000; ++i) {
    bench.step(h, line);
    ASSERT_LE(bench.tracker.usage().header_buffers, 1U);
  }
  bench.tracker.close(h);
  EXPECT_THAT(bench.sink.lines, IsEmpty());
  EXPECT_TRUE(bench.all_given_back());
}

TEST(Limits, NoRoomForAnotherConnection) {
  Bench bench;
  for (int i = 0; i < 4; ++i) EXPECT_NE(bench.tracker.open({1, {}, {}}), StreamTracker::kNone);
  EXPECT_EQ(bench.tracker.open({1, {}, {}}), StreamTracker::kNone);
  EXPECT_EQ(bench.counters.of(Counter::http_streams_full), 1U);
}

TEST(Limits, RequestsWithoutRoomDoNotDisturbThePairing) {
  Bench bench;  // 32 open requests, 8 of one connection
  Script script;
  for (FrameNumber f = 1; f <= 12; ++f) script.push_back(client(f, get("/" + std::to_string(f))));
  for (FrameNumber f = 21; f <= 32; ++f) script.push_back(server(f, kOk5));
  script.push_back(client(40, get("/after")));
  script.push_back(server(41, kOk5));
  bench.play(script);
  ASSERT_THAT(bench.sink.lines, SizeIs(9));
  EXPECT_THAT(bench.sink.lines[7],
              ::testing::StartsWith("GET a.example/8 -> 200 frames 8-8 28-28"));
  EXPECT_EQ(bench.sink.lines[8], "GET a.example/after -> 200 frames 40-40 41-41 wait 1ms body 5");
  EXPECT_EQ(bench.counters.of(Counter::http_requests_full), 4U);
}

TEST(Limits, WithoutABufferASplitHeadIsNotTrackedAndLaterOnesAre) {
  HttpLimits limits = small_limits();
  limits.header_buffers = 1;
  Bench bench(limits);
  const auto hog = bench.tracker.open({1, {}, {}});
  bench.step(hog, client(1, "GET /hog HT"));
  const auto h = bench.tracker.open({2, {}, {}});
  bench.step(h, client(2, "GET /a HTTP/1.1\r\nHost: a"));
  bench.step(h, client(3, ".example\r\n\r\n"));
  bench.step(h, client(4, get("/b")));
  bench.step(h, server(5, kOk5));
  bench.tracker.close(h);
  bench.tracker.close(hog);
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/b -> 200 frames 4-4 5-5 wait 1ms body 5"));
  EXPECT_EQ(bench.counters.of(Counter::http_header_buffers_full), 1U);
  EXPECT_TRUE(bench.all_given_back());
}

TEST(Limits, TextsThatFindNoBlockAreCut) {
  HttpLimits limits = small_limits();
  limits.open_requests = 8;  // 16 blocks of 252 bytes, 2 requests of one connection
  limits.header_bytes = 16 * 1024;
  Bench bench(limits);
  bench.play({client(1, get("/" + std::string(3500, 'x')) + get("/" + std::string(3500, 'y')))});
  ASSERT_THAT(bench.sink.lines, SizeIs(2));
  EXPECT_THAT(bench.sink.lines[0], ::testing::Not(::testing::EndsWith("text-cut")));
  EXPECT_THAT(bench.sink.lines[1], ::testing::EndsWith("text-cut"));
  EXPECT_TRUE(bench.all_given_back());
}

/// Mutations of a conversation that visits every state: nothing may be read, written or kept that
/// should not be (run under the sanitizers), and a request is never reported twice.
TEST(Hostile, RandomDamageIsHarmless) {
  const Script seed = {
      client(1, get("/a") + "POST /b HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5\r\nhello\r\n0\r\nT: r\r\n\r\n"),
      server(2, "HTTP/1.1 100 Continue\r\n\r\n" + kOk5),
      server(3,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLocation: /x\r\n folded\r\n\r\n"
             "A;e\r\n0123456789\r\n0\r\n\r\n"),
      client(4, "HEAD /c HTTP/1.0\r\n\r\n" + get("/d")),
      server(5, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil close"),
      client(6, "GET /e HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"),
      server(7, "HTTP/1.1 101 Switching\r\n\r\n"),
      server_fin(8),
      client_fin(9)};
  std::mt19937 random(20240917);
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  HttpLimits limits = small_limits();
  limits.header_bytes = 64;
  limits.header_buffers = 2;
  limits.open_requests = 16;
  Bench bench(limits);
  for (int round = 0; round < 20000; ++round) {
    Script script = in_pieces(seed, 1 + below(60));
    for (std::size_t damage = below(4); damage > 0; --damage) {
      Step& s = script[below(script.size())];
      switch (below(4)) {
        case 0:
          if (!s.bytes.empty()) s.bytes[below(s.bytes.size())] = static_cast<char>(random());
          break;
        case 1: std::swap(s, script[below(script.size())]); break;
        case 2:
          if (s.kind == Step::Kind::bytes) {
            const Step::Kind kind = below(2) == 0 ? Step::Kind::hole : Step::Kind::cut;
            s = {kind, s.direction, s.frame, {}, 1 + below(40)};
          }
          break;
        default: script.resize(below(script.size()) + 1); break;
      }
    }
    bench.play(script);
    ASSERT_LE(bench.sink.lines.size(), 20U);
    ASSERT_TRUE(bench.all_given_back()) << "round " << round;
    bench.sink = {};
  }
}

// Behind a hole a response is weighed against all open requests, and interim ones come without end.
TEST(Limits, OneConnectionHasFewOpenRequests) {
  HttpLimits limits = small_limits();
  limits.open_requests = 1 << 16;
  Bench bench(limits);
  const auto h = bench.tracker.open({1, {}, {}});
  for (FrameNumber i = 1; i <= 20'000; ++i) bench.step(h, client(i, get("/a")));
  EXPECT_EQ(bench.tracker.usage().exchanges, 256U);
  EXPECT_EQ(bench.counters.of(Counter::http_requests_full), 20'000U - 256U);
  bench.tracker.close(h);
  EXPECT_TRUE(bench.all_given_back());
}

}  // namespace
}  // namespace wirelag::testing
