// Segments whose end the snaplen cut off: when it came is known, what it was is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

using ::testing::ElementsAre;

const std::string kGetBegins = "GET /x HTTP/1.1\r\nHost: a.example\r\n";

TEST(Cut, AHeadIsToldWithWhatIsThereOfIt) {
  EXPECT_THAT(told({client(1, kGetBegins + "Cookie: 1"), client_cut(1, 400),
                    server(5, "HTTP/1.1 503 No\r\nDa"), server_cut(5, 1300), server(6, "binary"),
                    server_cut(6, 800), client(7, "GET /y HTTP/1.1\r\n\r\n"), server(9, kOk5)}),
              ElementsAre("GET a.example/x -> 503 frames 1-1 5-6 wait 4ms",
                          "GET /y -> 200 frames 7-7 9-9 wait 2ms body 5"));
}

TEST(Cut, AValueThatIsCutIsLeftOut) {
  EXPECT_THAT(
      told({client(1, "GET /x HTTP/1.1\r\nHost: a.exam"), client_cut(1, 40), server(3, kOk5)}),
      ElementsAre("GET /x -> 200 frames 1-1 3-3 wait 2ms body 5"));
}

TEST(Cut, AStartLineIsToldWithTheTargetThatIsLeft) {
  EXPECT_THAT(told({client(1, "GET /a/long/pa"), client_cut(1, 400), server(5, "HTTP/1.1 404"),
                    server_cut(5, 70)}),
              ElementsAre("GET /a/long/pa -> 404 frames 1-1 5-5 wait 4ms response-cut text-cut"));
  EXPECT_THAT(told({client(1, "GET /whole HTTP/1"), client_cut(1, 400)}),
              ElementsAre("GET /whole -> 0 frames 1-1 0-0 request-cut text-cut"));
}

TEST(Cut, TooLittleOfAStartLineIsNone) {
  EXPECT_THAT(told({client(1, "GE"), client_cut(1, 40), server(2, "HTTP/1.1 40"), server_cut(2, 70),
                    client(3, kGetBegins + "\r\n"), server(5, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 3-3 5-5 wait 2ms body 5 resynchronised"));
}

TEST(Cut, ABodyStaysInStepAndIsComplete) {
  EXPECT_THAT(
      told({client(1, kGetBegins + "\r\n"),
            server(4, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nab"), server_cut(4, 498),
            server_cut(5, 400), client(6, kGetBegins + "\r\n"), server(8, kOk5)}),
      ElementsAre("GET a.example/x -> 200 frames 1-1 4-5 wait 3ms body 900",
                  "GET a.example/x -> 200 frames 6-6 8-8 wait 2ms body 5"));
  EXPECT_THAT(told({client(1, kGetBegins + "\r\n"),
                    server(4, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"),
                    server_cut(4, 6), server(5, "\r\n3\r\nabc\r\n0\r\n\r\n")}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 4-5 wait 3ms body 11"));
}

TEST(Cut, WhereAChunkEndsIsNotKnownAnyMore) {
  EXPECT_THAT(told({client(1, kGetBegins + "\r\n"),
                    server(4, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"),
                    server_cut(4, 100), server(5, "more"), server_cut(5, 100),
                    client(6, kGetBegins + "\r\n"), server(8, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 4-5 wait 3ms",
                          "GET a.example/x -> 200 frames 6-6 8-8 wait 2ms body 5"));
}

TEST(Cut, ALineEndOfItsOwnSegmentIsNotTheNextMessage) {
  for (const char* of_the_body : {"\r\n", "H", "HTTP/"}) {
    EXPECT_THAT(
        told({client(1, kGetBegins + "\r\n"), server(4, "HTTP/1.1 200 OK\r\nTransfer-Enc"),
              server_cut(4, 1300), server(5, "more"), server_cut(5, 100), server(6, of_the_body),
              server(7, "more"), client(8, kGetBegins + "\r\n"), server(9, kOk5)}),
        ElementsAre("GET a.example/x -> 200 frames 1-1 4-7 wait 3ms",
                    "GET a.example/x -> 200 frames 8-8 9-9 wait 1ms body 5"));
  }
}

TEST(Cut, AStatusLineInABodyAnswersNobody) {
  EXPECT_THAT(told({client(1, kGetBegins + "\r\n"), server(4, "HTTP/1.1 200 OK\r\nTransfer-Enc"),
                    server_cut(4, 1300), server(5, "HTTP/1.1 404 Not Found\r\n"), server(6, "more"),
                    client(8, kGetBegins + "\r\n"), server(9, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 4-6 wait 3ms",
                          "GET a.example/x -> 200 frames 8-8 9-9 wait 1ms body 5"));
}

TEST(Cut, AFinDoesNotTellThatAResponseIsComplete) {
  EXPECT_THAT(told({client(1, kGetBegins + "\r\n"), server(4, "HTTP/1.1 200 OK\r\nContent-Le"),
                    server_cut(4, 1300), server(6, "more"), server_cut(6, 1300), server_fin(7)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 4-6 wait 3ms response-cut"));
}

TEST(Cut, AnUploadLastsUntilItsResponse) {
  EXPECT_THAT(told({client(1, "POST /up HTTP/1.1\r\nHo"), client_cut(1, 1400), client(2, "{\"a\""),
                    client_cut(2, 1400), client_cut(3, 100), server(7, kOk5)}),
              ElementsAre("POST /up -> 200 frames 1-3 7-7 wait 4ms body 5"));
}

TEST(Cut, AHoleInWhatFollowsACutHeadIsWithinTheMessage) {
  EXPECT_THAT(told({client(1, kGetBegins + "\r\n"), server(4, "HTTP/1.1 200 OK\r\nDa"),
                    server_cut(4, 1300), server_hole(1400), server(6, "more"), server_cut(6, 1300),
                    client(7, kGetBegins + "\r\n"), server(9, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 4-6 wait 3ms",
                          "GET a.example/x -> 200 frames 7-7 9-9 wait 2ms body 5"));
}

TEST(Cut, AnUpgradeIsStillSeen) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  bench.step(h, client(1, kGetBegins));
  bench.step(h, client_cut(1, 90));
  bench.step(h, server(3, "HTTP/1.1 101 Switching Protocols\r\n"));
  bench.step(h, server_cut(3, 90));
  EXPECT_EQ(bench.tracker.interest(h), StreamInterest::other_protocol);
  bench.tracker.close(h);
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/x -> 101 frames 1-1 3-3 wait 2ms body 0 last"));
}

TEST(Cut, AnInterimResponseIsNotTheAnswer) {
  EXPECT_THAT(told({client(1, "POST /up HTTP/1.1\r\nHo"), client_cut(1, 90),
                    server(3, "HTTP/1.1 100 Continue"), server_cut(3, 4), client(5, "body"),
                    client_cut(5, 90), server(9, kOk5)}),
              ElementsAre("POST /up -> 200 frames 1-5 9-9 wait 4ms body 5 interim 1"));
}

}  // namespace
}  // namespace wirelag::testing
