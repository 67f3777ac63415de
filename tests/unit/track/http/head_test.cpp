// The lines of a head, one by one.
#include <gtest/gtest.h>

#include <wirelag/track/http/head.hpp>

namespace wirelag {
namespace {

TEST(RequestLine, MethodTargetVersion) {
  const auto r = parse_request_line("GET /index.html HTTP/1.1");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->method, "GET");
  EXPECT_EQ(r->target, "/index.html");
  EXPECT_EQ(r->minor, 1);
}

TEST(RequestLine, TargetsWithBlanksReachUpToTheVersion) {
  EXPECT_EQ(parse_request_line("GET /a b\tc HTTP/1.0")->target, "/a b\tc");
  EXPECT_EQ(parse_request_line("GET   /a   HTTP/1.0  ")->target, "/a");
}

TEST(RequestLine, WithoutVersionOnlyForCommonMethodsAndPaths) {
  EXPECT_EQ(parse_request_line("GET /a")->target, "/a");
  EXPECT_EQ(parse_request_line("GET HTTP/1.1")->target, "HTTP/1.1");
  EXPECT_FALSE(parse_request_line("GET key"));
  EXPECT_FALSE(parse_request_line("set /a"));
}

TEST(RequestLine, OtherProtocolsAreNot) {
  for (const char* line :
       {"", " ", "GET", "GET ", "EHLO mail.example", "SSH-2.0-OpenSSH_9.2", "USER joe",
        "REGISTER sip:a.example SIP/2.0", "OPTIONS rtsp://a RTSP/1.0", "*1\r", "GET /a HTTP/x.y x",
        "GET\r/a HTTP/1.1", "(GET) / HTTP/1.1"}) {
    EXPECT_FALSE(parse_request_line(line)) << line;
  }
}

TEST(StatusLine, CodeWithAndWithoutReason) {
  EXPECT_EQ(parse_status_line("HTTP/1.1 200 OK")->status, 200);
  EXPECT_EQ(parse_status_line("HTTP/1.0 404")->status, 404);
  EXPECT_EQ(parse_status_line("HTTP/1.1  503\tBusy")->status, 503);
  EXPECT_EQ(parse_status_line("ICY 200 OK")->minor, 0);
  EXPECT_EQ(parse_status_line("HTTP/1.0 2XX OK")->status, 2);
}

TEST(StatusLine, NotAnyNumber) {
  for (const char* line : {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 OK", "HTTP/1.1 2000 OK",
                           "HTTP/1.1 000", "http/1.1 200 OK", "HTTPS 200 OK", "ICYCLE 200"}) {
    EXPECT_FALSE(parse_status_line(line)) << line;
  }
}

TEST(MayBegin, EveryPrefixOfAMessage) {
  const std::string_view request = "DELETE /a HTTP/1.1";
  const std::string_view status = "HTTP/1.1 200 OK";
  for (std::size_t n = 1; n <= request.size(); ++n) {
    EXPECT_TRUE(may_begin_message(request.substr(0, n), Direction::c2s));
  }
  for (std::size_t n = 1; n <= status.size(); ++n) {
    EXPECT_TRUE(may_begin_message(status.substr(0, n), Direction::s2c));
  }
  EXPECT_FALSE(may_begin_message(status, Direction::c2s));
  EXPECT_FALSE(may_begin_message(request, Direction::s2c));
  EXPECT_FALSE(may_begin_message("\x16\x03\x01", Direction::c2s));
  EXPECT_FALSE(may_begin_message(std::string(33, 'A'), Direction::c2s));
}

TEST(Fields, NamesIgnoreCaseAndBlanks) {
  const auto f = parse_field_line("content-LENGTH :\t 42 ");
  ASSERT_TRUE(f);
  EXPECT_EQ(f->field, HttpField::content_length);
  EXPECT_EQ(f->value, "42");
  EXPECT_EQ(parse_field_line("X-Host: a")->field, HttpField::other);
  EXPECT_EQ(parse_field_line("Host: a:81")->value, "a:81");
  EXPECT_FALSE(parse_field_line("no colon"));
}

TEST(Fields, ContentLengths) {
  EXPECT_EQ(parse_content_length("0"), 0U);
  EXPECT_EQ(parse_content_length("5, 5"), 5U);
  EXPECT_EQ(parse_content_length("4611686018427387904"), 1ULL << 62);
  for (const char* value : {"", "-1", "+5", "x", "5x", "99999999999999999999", "0x10"}) {
    EXPECT_FALSE(parse_content_length(value)) << value;
  }
}

TEST(Fields, Lists) {
  EXPECT_EQ(last_list_element("gzip, Chunked ;q=1 , "), "Chunked");
  EXPECT_EQ(last_list_element(""), "");
  EXPECT_TRUE(list_has("Keep-Alive, Upgrade", "upgrade"));
  EXPECT_FALSE(list_has("not-close", "close"));
  EXPECT_FALSE(list_has("", "close"));
}

}  // namespace
}  // namespace wirelag
