// Requests that were sent before their predecessors were answered, and holes: what the packets prove, what they leave
// open, and where it goes on. `at`: when the bytes of a hole were sent (conversation.hpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

using ::testing::ElementsAre;

// ------------------------------------------------------------------------------ lost requests

TEST(LostRequest, HasTheResponseOfItsTurn) {
  EXPECT_THAT(told({client(1, get("/a")), client_hole(40, 2), client(6, get("/c")), server(4, kOk5),
                    server(5, kOk5), server(7, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5",
                          "? -> 200 frames 0-0 5-5 body 5",
                          "GET a.example/c -> 200 frames 6-6 7-7 wait 1ms body 5 resynchronised"));
}

// Two may lie in the hole, so the response behind the first one's is of the second or of /c.
TEST(LostRequest, LeavesThePipelinedBehindItWithoutATime) {
  EXPECT_THAT(told({client(1, get("/a")), client_hole(80, 2), client(3, get("/c")), server(4, kOk5),
                    server(5, kOk5), server(6, kOk5), client(8, get("/d")), server(9, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5",
                          "? -> 200 frames 0-0 5-5 body 5",
                          "GET a.example/c -> 0 frames 3-3 0-0 pipelined resynchronised",
                          "? -> 200 frames 0-0 6-6 body 5 resynchronised",
                          "GET a.example/d -> 200 frames 8-8 9-9 wait 1ms body 5 resynchronised"));
}

// Two may lie in the hole. Its response may be of the second of them, not of /d.
TEST(LostRequest, AndALostResponseLeaveThePipelinedBehindThemUntold) {
  EXPECT_THAT(
      told({client(1, get("/a")), server(2, kOk5), client_hole(80, 3), client(4, get("/d")),
            server_hole(43, 5), server(6, kOk5), server(7, kOk5), client(8, get("/e")),
            server(9, kOk5)}),
      ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5",
                  "GET a.example/d -> 0 frames 4-4 0-0 resynchronised",
                  "? -> 200 frames 0-0 6-6 body 5 resynchronised", "? -> 200 frames 0-0 7-7 body 5",
                  "GET a.example/e -> 200 frames 8-8 9-9 wait 1ms body 5 resynchronised"));
}

// /a and /c were sent together: the client pipelines. So the response behind /c's may be of the lost one before /e.
TEST(LostRequest, BetweenPipelinedOnesTellsThatTheyAre) {
  EXPECT_THAT(
      told({client(1, get("/a")), client_hole(80, 2), client(3, get("/c")), server(4, kOk5),
            server(5, kOk5), server(6, kOk5), client_hole(40, 8), client(9, get("/e")),
            server(10, kOk5), server(11, kOk5), client(12, get("/f")), server(13, kOk5)}),
      ElementsAre(
          "GET a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5", "? -> 200 frames 0-0 5-5 body 5",
          "GET a.example/c -> 0 frames 3-3 0-0 pipelined resynchronised",
          "? -> 200 frames 0-0 6-6 body 5 resynchronised",
          "GET a.example/e -> 0 frames 9-9 0-0 resynchronised",
          "? -> 200 frames 0-0 10-10 body 5 resynchronised", "? -> 200 frames 0-0 11-11 body 5",
          "GET a.example/f -> 200 frames 12-12 13-13 wait 1ms body 5 resynchronised"));
}

TEST(LostRequest, GivenUpLateTakesItsResponseAllTheSame) {
  EXPECT_THAT(told({client(1, get("/a")), server(4, kOk5), server(5, kOk5), server(7, kOk5),
                    client_hole(40, 2), client(6, get("/c"))}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5",
                          "? -> 200 frames 0-0 5-5 body 5",
                          "GET a.example/c -> 200 frames 6-6 7-7 wait 1ms body 5 resynchronised"));
  EXPECT_THAT(
      told({client(1, get("/a")), server(4, kOk5), server(5, kOk5), server(7, kOk5),
            client_hole(40, 2), client(3, get("/c"))}),
      ElementsAre("GET a.example/a -> 200 frames 1-1 4-4 wait 3ms body 5",
                  "? -> 200 frames 0-0 5-5 body 5", "? -> 200 frames 0-0 7-7 body 5 resynchronised",
                  "GET a.example/c -> 0 frames 3-3 0-0 pipelined resynchronised"));
}

// /b and its response are missing, or /b, sent with /c, and the response here is to /b.
TEST(LostRequest, WithItsResponseLostTooLeavesTheNextUntold) {
  EXPECT_THAT(told({client(1, get("/a")), server(2, kOk5), client_hole(40, 3), server_hole(43, 4),
                    client(5, get("/c")), server(6, kOk5), client(7, get("/d")), server(8, kOk5)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5",
                          "GET a.example/c -> 0 frames 5-5 0-0 resynchronised",
                          "? -> 200 frames 0-0 6-6 body 5 resynchronised",
                          "GET a.example/d -> 200 frames 7-7 8-8 wait 1ms body 5 resynchronised"));
}

// An idle connection's 408 crosses the request that it does not know of.
TEST(CrossingResponse, AnswersNoRequestThatTheServerDidNotHave) {
  Bench bench;
  const auto h = bench.tracker.open({1, {}, {}});
  const std::string request = get("/a");
  const auto request_bytes = static_cast<std::uint32_t>(request.size());
  bench.step(h, client(1, request), 1000, 1);
  bench.step(h, server(2, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"), 1, 1000);
  bench.step(h, server_fin(3));
  bench.tracker.close(h);
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0", "? -> 408 frames 0-0 2-2 body 0"));

  bench.sink.lines.clear();
  const auto early = bench.tracker.open({2, {}, {}});
  bench.step(early, client(1, request), 1000, 1);
  bench.step(early, server(2, kOk5), 1, 1000 + request_bytes - 5);  // has its beginning
  bench.tracker.close(early);
  EXPECT_THAT(bench.sink.lines,
              ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 5"));
}

// /b comes late and takes the response that is here, whose head then ends in a hole: /b is open again, with its place.
TEST(LateRequest, WhoseResponseIsTakenBackHoldsUpNoOther) {
  for (const std::uint32_t first_seq : {1000U, 3'000'000'000U}) {
    Bench bench;
    bench.play({client(1, "POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n"), client_hole(10, 2),
                server(3, kOk5), server(5, "HTTP/1.1 200 OK\r\nServ"), client(4, get("/b")),
                server_hole(50, 5), client(6, get("/c")), server(7, kOk5), client(8, get("/d")),
                server(9, kOk5)},
               first_seq);
    EXPECT_THAT(bench.sink.lines,
                ElementsAre("POST /a -> 200 frames 1-1 3-3 wait 2ms body 5 request-cut",
                            "GET a.example/b -> 0 frames 4-4 0-0 resynchronised",
                            "GET a.example/c -> 200 frames 6-6 7-7 wait 1ms body 5 resynchronised",
                            "GET a.example/d -> 200 frames 8-8 9-9 wait 1ms body 5"))
        << first_seq;
  }
}

// Sequence numbers go round once: its response acknowledges bytes that seem to lie before it.
TEST(Upload, BeyondTwoGibHasItsResponse) {
  for (const std::uint64_t bytes : {1'900'000'000ULL, 2'200'000'000ULL, 4'400'000'000ULL}) {
    EXPECT_THAT(
        told({client(1, fmt::format("PUT /a HTTP/1.1\r\nContent-Length: {}\r\n\r\n", bytes + 5)),
              client_hole(bytes, 2), client(3, "12345"), server(4, kOk5), client(5, get("/b")),
              server(6, kOk5)}),
        ElementsAre("PUT /a -> 200 frames 1-3 4-4 wait 1ms body 5",
                    "GET a.example/b -> 200 frames 5-5 6-6 wait 1ms body 5"))
        << bytes;
  }
}

// ----------------------------------------------------------------------------- lost responses

const std::string kThree = get("/a") + get("/b") + get("/c");

TEST(LostResponse, OfTwoPipelinedLeavesTheOtherOne) {
  EXPECT_THAT(told({client(1, get("/a") + get("/b")), server_hole(43, 2), server(3, kOk5)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised",
                          "GET a.example/b -> 200 frames 1-1 3-3 wait 2ms body 5 resynchronised"));
}

TEST(LostResponse, OfThreePipelinedLeavesTwoThatCannotBeTold) {
  EXPECT_THAT(told({client(1, kThree), server_hole(43, 2), server(3, kOk5), client(5, get("/d")),
                    server(6, kOk5)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised",
                          "GET a.example/b -> 0 frames 1-1 0-0 resynchronised",
                          "GET a.example/c -> 0 frames 1-1 0-0 resynchronised",
                          "? -> 200 frames 0-0 3-3 body 5 resynchronised",
                          "GET a.example/d -> 200 frames 5-5 6-6 wait 1ms body 5 resynchronised"));
}

// /b was sent when the body before had come whole, /c when bytes of the hole behind it had.
TEST(LostResponse, BeginsBehindTheBodyThatEndsInTheHole) {
  const std::string cut_body =
      "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + std::string(20, 'x');
  EXPECT_THAT(
      told({client(1, get("/a")), server(2, cut_body), server_hole(10, 3), client(4, get("/b")),
            server_hole(90, 5), client(6, get("/c")), server(7, kOk5)}),
      ElementsAre("GET a.example/a -> 200 frames 1-1 2-2 wait 1ms body 30 response-cut",
                  "GET a.example/b -> 0 frames 4-4 0-0 resynchronised",
                  "GET a.example/c -> 200 frames 6-6 7-7 wait 1ms body 5 resynchronised"));
}

// The snaplen leaves the beginning of each segment. What it cut off may be more than the rest of one response.
TEST(LostResponse, BehindOneThatWasCutLeavesPipelinedOnesUntold) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Ty";
  EXPECT_THAT(told({client(1, kThree), server(3, head), server_cut(3, 900), server(4, head),
                    server_cut(4, 900), client(6, get("/d")), server(7, head), server_cut(7, 900)}),
              ElementsAre("GET a.example/a -> 200 frames 1-1 3-3 wait 2ms",
                          "GET a.example/b -> 0 frames 1-1 0-0 pipelined resynchronised",
                          "GET a.example/c -> 0 frames 1-1 0-0 resynchronised",
                          "? -> 200 frames 0-0 4-4 resynchronised",
                          "GET a.example/d -> 200 frames 6-6 7-7 wait 1ms response-cut "
                          "resynchronised"));
}

TEST(LostResponse, AndNoneThatFollowsLeavesWhatIsOpenUntold) {
  EXPECT_THAT(told({client(1, get("/a")), server_hole(43, 2), server_fin(3)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised"));
  EXPECT_THAT(told({client(1, get("/a")), server_hole(43, 2)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0 resynchronised"));
  EXPECT_THAT(told({client(1, get("/a")), server_fin(3)}),
              ElementsAre("GET a.example/a -> 0 frames 1-1 0-0"));
}

// ------------------------------------------------------------------- requests that the snaplen cuts

const std::string kCutGet = "GET /x HTTP/1.1\r\nHost: a.example\r\nCoo";

TEST(CutRequest, InTurnIsPairedAsEver) {
  EXPECT_THAT(told({client(1, kCutGet), client_cut(1, 90), server(2, kOk5), client(3, kCutGet),
                    client_cut(3, 90), server(5, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 5",
                          "GET a.example/x -> 200 frames 3-3 5-5 wait 2ms body 5"));
}

TEST(CutRequest, MayHideOneBeforeThePipelinedBehindIt) {
  EXPECT_THAT(told({client(1, kCutGet), client_cut(1, 90), client(2, get("/y")), server(3, kOk5),
                    server(4, kOk5)}),
              ElementsAre("GET a.example/x -> 200 frames 1-1 3-3 wait 2ms body 5",
                          "GET a.example/y -> 0 frames 2-2 0-0 pipelined resynchronised",
                          "? -> 200 frames 0-0 4-4 body 5 resynchronised"));
}

}  // namespace
}  // namespace wirelag::testing
