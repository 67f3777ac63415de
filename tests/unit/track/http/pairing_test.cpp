// Conversations and the transactions they are. Each is also played byte by byte, cut in two at
// every byte, and ended after every byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace wirelag::testing {
namespace {

using ::testing::ElementsAreArray;

struct Case {
  std::string name;
  Script script;
  std::vector<std::string> expected;
};

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";
const std::string kHead = "HEAD /x HTTP/1.1\r\nHost: a.example\r\n\r\n";
const std::string kPostHead =
    "POST /up HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n";

std::vector<Case> framing_cases() {
  return {
      {"one_exchange",
       {client(1, kGet), server(3, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 3-3 wait 2ms body 5"}},

      {"request_and_response_over_several_segments",
       {client(1, kGet.substr(0, 20)), client(2, kGet.substr(20)), server(5, kOk5.substr(0, 30)),
        server(6, kOk5.substr(30))},
       {"GET a.example/x -> 200 frames 1-2 5-6 wait 3ms body 5"}},

      // Segment 7 overtook 8: the message is first seen in 7 and complete in 8.
      {"segments_that_overtook_each_other",
       {client(2, kGet.substr(0, 20)), client(1, kGet.substr(20)), server(8, kOk5.substr(0, 20)),
        server(7, kOk5.substr(20))},
       {"GET a.example/x -> 200 frames 1-2 7-8 wait 5ms body 5"}},

      {"keep_alive_two_in_turn",
       {client(1, kGet), server(2, kOk5), client(3, kGet), server(5, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 5",
        "GET a.example/x -> 200 frames 3-3 5-5 wait 2ms body 5"}},

      {"three_pipelined_in_one_segment",
       {client(1, kGet + kGet + kGet), server(2, kOk5 + kOk5), server(4, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 5",
        "GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 5 pipelined",
        "GET a.example/x -> 200 frames 1-1 4-4 wait 3ms body 5 pipelined"}},

      {"heads_without_fields",
       {client(1, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"), server(2, kOk5 + kOk5)},
       {"GET /1 -> 200 frames 1-1 2-2 wait 1ms body 5",
        "GET /2 -> 200 frames 1-1 2-2 wait 1ms body 5 pipelined"}},

      {"sent_while_the_response_comes_is_not_pipelined",
       {client(1, kGet), server(2, kOk5.substr(0, 40)), client(3, kGet), server(4, kOk5.substr(40)),
        server(5, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-4 wait 1ms body 5",
        "GET a.example/x -> 200 frames 3-3 5-5 wait 2ms body 5"}},

      {"head_has_no_body_whatever_its_length",
       {client(1, kHead + kGet),
        server(2, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + kOk5)},
       {"HEAD a.example/x -> 200 frames 1-1 2-2 wait 1ms body 0",
        "GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 5 pipelined"}},

      {"not_modified_and_no_content_have_no_body",
       {client(1, kGet), server(2, "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
        client(3, kGet), server(4, "HTTP/1.1 204 No Content\r\n\r\n"), client(5, kGet),
        server(6, kOk5)},
       {"GET a.example/x -> 304 frames 1-1 2-2 wait 1ms body 0",
        "GET a.example/x -> 204 frames 3-3 4-4 wait 1ms body 0",
        "GET a.example/x -> 200 frames 5-5 6-6 wait 1ms body 5"}},

      {"content_length_zero",
       {client(1, kGet), server(2, "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n"), client(3, kGet),
        server(4, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 0",
        "GET a.example/x -> 200 frames 3-3 4-4 wait 1ms body 5"}},

      {"chunked_with_extension_and_trailers",
       {client(1, kGet), server(2, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        server(3, "5;name=\"v\"\r\nhello\r\n00A \r\n0123"), server(4, "456789\r\n0\r\nMD5: x\r\n"),
        server(5, "Other: y\r\n\r\n"), client(6, kGet), server(7, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-5 wait 1ms body 15",
        "GET a.example/x -> 200 frames 6-6 7-7 wait 1ms body 5"}},

      {"chunked_wins_over_content_length",
       {client(1, kGet),
        server(2,
               "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\nx\n0\n\n"),
        client(3, kGet), server(4, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 1",
        "GET a.example/x -> 200 frames 3-3 4-4 wait 1ms body 5"}},

      {"chunked_request",
       {client(1, "PUT /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"),
        client(2, "3\r\nabc\r\n"), client(3, "0\r\n\r\n"), server(5, kOk5)},
       {"PUT a.example/x -> 200 frames 1-3 5-5 wait 2ms body 5"}},

      {"until_close_ends_with_the_fin",
       {client(1, kGet), server(2, "HTTP/1.0 200 OK\r\n\r\nsome"), server(3, "thing"),
        server_fin(7)},
       {"GET a.example/x -> 200 frames 1-1 2-7 wait 1ms body 9 to-fin last"}},

      {"until_close_without_fin_is_cut",
       {client(1, kGet), server(2, "HTTP/1.1 200 OK\r\n\r\nsome")},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 4 response-cut to-fin last"}},

      {"length_ended_early_by_the_fin",
       {client(1, kGet), server(2, kOk5.substr(0, 40)), server_fin(3)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 2 response-cut"}},

      {"connection_close",
       {client(1, kGet), server(2,
                                "HTTP/1.1 200 OK\r\nConnection: Foo, Close\r\nContent-Length: "
                                "1\r\n\r\nx")},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 1 last"}},
  };
}

std::vector<Case> dialogue_cases() {
  return {
      {"continue_then_final",
       {client(1, kPostHead), server(2, "HTTP/1.1 100 Continue\r\n\r\n"), client(3, "0123456789"),
        server(6, kOk5)},
       {"POST a.example/up -> 200 frames 1-3 6-6 wait 3ms body 5 interim 1"}},

      {"early_hints_and_processing_are_not_the_response",
       {client(1, kGet),
        server(2,
               "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 "
               "Processing\r\n\r\n"),
        server(9, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 9-9 wait 8ms body 5 interim 2"}},

      // The server refuses before the body is there; times count from the end of the headers.
      {"early_413_and_the_body_still_comes",
       {client(1, kPostHead), client(2, "01234"),
        server(4, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), client(5, "56789"),
        client(6, kGet), server(7, kOk5)},
       {"POST a.example/up -> 413 frames 1-5 4-4 wait 3ms body 0 early",
        "GET a.example/x -> 200 frames 6-6 7-7 wait 1ms body 5"}},

      {"early_413_and_the_body_never_ends",
       {client(1, kPostHead), client(2, "01234"),
        server(4, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")},
       {"POST a.example/up -> 413 frames 1-2 4-4 wait 3ms body 0 request-cut early"}},

      {"upgrade_ends_http_on_the_connection",
       {client(1, "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n"),
        server(3, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"),
        client(4, kGet), server(5, kOk5)},
       {"GET a.example/chat -> 101 frames 1-1 3-3 wait 2ms body 0 last"}},

      {"connect_makes_a_tunnel",
       {client(1, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        server(2, "HTTP/1.1 200 Established\r\n\r\n"), client(3, kGet), server(4, kOk5)},
       {"CONNECT a.examplea.example:443 -> 200 frames 1-1 2-2 wait 1ms body 0 last"}},

      {"connect_refused_stays_http",
       {client(1, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        server(2, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"), client(3, kGet),
        server(4, kOk5)},
       {"CONNECT a.examplea.example:443 -> 407 frames 1-1 2-2 wait 1ms body 2",
        "GET a.example/x -> 200 frames 3-3 4-4 wait 1ms body 5"}},

      {"unanswered",
       {client(1, kGet), client(2, kGet)},
       {"GET a.example/x -> 0 frames 1-1 0-0", "GET a.example/x -> 0 frames 2-2 0-0 pipelined"}},

      {"response_without_request",
       {server(1, kOk5), client(2, kGet), server(3, kOk5)},
       {"? -> 200 frames 0-0 1-1 body 5", "GET a.example/x -> 200 frames 2-2 3-3 wait 1ms body 5"}},

      {"headers_that_never_end_are_no_message",
       {client(1, kGet), server(2, "HTTP/1.1 200 OK\r\nServer: x\r\n"), server_fin(3),
        client(4, "GET /y HTTP/1.1\r\nHos")},
       {"GET a.example/x -> 0 frames 1-1 0-0"}},
  };
}

std::vector<Case> spelling_cases() {
  return {
      {"bare_line_feeds_and_empty_lines",
       {client(1, "\r\n\nGET /x HTTP/1.1\nHost: a.example\n\n"),
        server(2, "HTTP/1.1 200\nContent-Length: 2\n\nok\r\n"), client(3, "\r\n" + kGet),
        server(4, kOk5)},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 2",
        "GET a.example/x -> 200 frames 3-3 4-4 wait 1ms body 5"}},

      {"odd_blanks",
       {client(1, "GET \t /a b   HTTP/1.1 \r\nHOST :\t a.example \r\n\r\n"),
        server(2, "HTTP/1.1   200\tOK\r\nContent-Length :  2 \r\n\r\nok")},
       {"GET a.example/a b -> 200 frames 1-1 2-2 wait 1ms body 2"}},

      {"folded_fields",
       {client(1, "GET /x HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n"),
        server(2, "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")},
       {"GET a.example/x -> 200 frames 1-1 2-2 wait 1ms body 1"}},

      {"forms_of_targets",
       {client(1, "GET http://b.example/y HTTP/1.1\r\nHost: a.example\r\n\r\n"), server(2, kOk5),
        client(3, "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n"), server(4, kOk5)},
       {"GET a.examplehttp://b.example/y -> 200 frames 1-1 2-2 wait 1ms body 5",
        "OPTIONS a.example* -> 200 frames 3-3 4-4 wait 1ms body 5"}},

      {"any_token_is_a_method",
       {client(1, "M-SEARCH!x * HTTP/1.1\r\n\r\n"), server(2, kOk5)},
       {"M-SEARCH!x * -> 200 frames 1-1 2-2 wait 1ms body 5"}},

      {"http_1_0_closes_unless_asked",
       {client(1, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        server(2, "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx"),
        client(3, "GET /b HTTP/1.0\r\n\r\n"),
        server(4, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx")},
       {"GET /a -> 200 frames 1-1 2-2 wait 1ms body 1",
        "GET /b -> 200 frames 3-3 4-4 wait 1ms body 1 last"}},

      {"icy_is_a_response",
       {client(1, "GET /radio HTTP/1.0\r\n\r\n"), server(2, "ICY 200 OK\r\n\r\nmp3")},
       {"GET /radio -> 200 frames 1-1 2-2 wait 1ms body 3 response-cut to-fin last"}},

      {"first_host_counts",
       {client(1, "GET /x HTTP/1.1\r\nHost: a.example\r\nHost: evil.example\r\n\r\n")},
       {"GET a.example/x -> 0 frames 1-1 0-0"}},

      {"bytes_that_are_not_text_are_kept",
       {client(1, "GET /\xff\x01 HTTP/1.1\r\nHost: \xe4.example\r\n\r\n")},
       {"GET \xe4.example/\xff\x01 -> 0 frames 1-1 0-0"}},
  };
}

class Pairing : public ::testing::TestWithParam<Case> {};

TEST_P(Pairing, GivesTheExpectedTransactions) {
  Bench bench;
  bench.play(GetParam().script);
  EXPECT_THAT(bench.sink.lines, ElementsAreArray(GetParam().expected));
  EXPECT_EQ(bench.counters.of(Counter::http_malformed), 0U);
  EXPECT_TRUE(bench.all_given_back());
}

TEST_P(Pairing, HoweverTheBytesAreCut) {
  const Script& script = GetParam().script;
  Bench bench;
  for (const std::size_t n : {1U, 2U, 3U, 7U}) {
    bench.play(in_pieces(script, n));
    ASSERT_THAT(bench.sink.lines, ElementsAreArray(GetParam().expected)) << "pieces of " << n;
    bench.sink.lines.clear();
  }
  for (std::size_t i = 0; i < script.size(); ++i) {
    for (std::size_t at = 1; at < script[i].bytes.size(); ++at) {
      bench.play(cut_at(script, i, at));
      ASSERT_THAT(bench.sink.lines, ElementsAreArray(GetParam().expected))
          << "step " << i << " cut at byte " << at;
      bench.sink.lines.clear();
    }
  }
  EXPECT_TRUE(bench.all_given_back());
}

TEST_P(Pairing, EndsAnywhereWithoutLeavingAnythingBehind) {
  const Script bytes = in_pieces(GetParam().script, 1);
  Bench bench;
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    bench.sink.lines.clear();
    bench.play(Script(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)));
    ASSERT_LE(bench.sink.lines.size(), GetParam().expected.size()) << "after byte " << n;
    ASSERT_TRUE(bench.all_given_back()) << "after byte " << n;
  }
}

const auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Framing, Pairing, ::testing::ValuesIn(framing_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Dialogue, Pairing, ::testing::ValuesIn(dialogue_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Spelling, Pairing, ::testing::ValuesIn(spelling_cases()), kName);

}  // namespace
}  // namespace wirelag::testing
