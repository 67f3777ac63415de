#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database_words.hpp"
#include "examples.hpp"
#include "flat.hpp"

namespace wirelag {
namespace {

using namespace examples;
using report::flat;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kColumns = 100;

/// Every line fits the terminal and nothing but printable ASCII and line ends comes out.
void expect_fit_for_a_terminal(const std::string& text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    EXPECT_LE(end - start, kColumns) << text.substr(start, end - start);
    start = end + 1;
  }
  const auto control = [](char c) { return c != '\n' && (c < 0x20 || c > 0x7e); };
  EXPECT_TRUE(std::none_of(text.begin(), text.end(), control));
}

std::string text_of(const Report& r, TextOptions options = {}) {
  std::string text = render_text(r, options);
  expect_fit_for_a_terminal(text);
  return text;
}

std::size_t lines_with(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(TextOrigin, HeadlineSaysHowFarTheLinkCouldBeSeen) {
  const std::string text = text_of(origin_report());
  EXPECT_THAT(text, HasSubstr("packets       116, all analysed\n"));
  EXPECT_THAT(text, HasSubstr("begins        2018-04-11 04:13:20.000000000 UTC\n"));
  EXPECT_THAT(text, HasSubstr("lasts         102.179 ms\n"));
  EXPECT_THAT(text, HasSubstr("visibility    clear"));
}

TEST(TextOrigin, TheFourPartsComeInOrder) {
  const std::string text = text_of(origin_report());
  const std::size_t one = text.find("\n1. DNS"), two = text.find("\n2. TCP channels"),
                    three = text.find("\n3. A handshake"), four = text.find("\n4. What to change");
  ASSERT_NE(four, std::string::npos);
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_LT(three, four);
}

TEST(TextOrigin, DnsShowsWhoAskedWhomTheChainAndWhatMattered) {
  const std::string text = text_of(origin_report());
  EXPECT_THAT(
      text,
      HasSubstr("mirror.azure.cn A asked by 127.0.0.1 at 0.000 ms: waited 3.749 ms, answered\n"));
  EXPECT_THAT(text, ContainsRegex("mirror.azure.cn +CNAME +mirror.trafficmanager.cn +TTL 600 s"));
  EXPECT_THAT(text, ContainsRegex(
                        "mirror.trafficmanager.cn +CNAME +eastmirror.chinacloudapp.cn +TTL 30 s"));
  EXPECT_THAT(text, ContainsRegex("eastmirror.chinacloudapp.cn +A +139.217.146.62 +TTL 10 s"));
  EXPECT_THAT(
      text,
      ContainsRegex("1 / 7 .*127.0.0.1:41712 +127.0.1.1:53 +NOERROR +3.749  released the user"));
  EXPECT_THAT(text, ContainsRegex("3 / 5 .*210.22.84.3:53 +NOERROR +3.406  won"));
  EXPECT_THAT(text, ContainsRegex("2 / 6 .*210.22.70.3:53 +NOERROR +3.480  spare \\+0.052 ms"));
  EXPECT_THAT(text,
              ContainsRegex("4 / 25 .*114.114.114.114:53 +NOERROR +26.618  too late \\+23.107 ms"));
  EXPECT_THAT(text, HasSubstr("127.0.1.1, a stub resolver on its own host"));
  EXPECT_THAT(text, HasSubstr("210.22.84.3 answered first, after 3.406 ms"));
}

TEST(TextOrigin, ChannelsShowFramesTimesReasonsAndTasks) {
  const std::string text = text_of(origin_report());
  EXPECT_THAT(text,
              ContainsRegex(
                  "1  10.11.29.131:60686  139.217.146.62:80  8 / 9 / 10 +6.062 +6.013 +0.049 +5"));
  EXPECT_THAT(text, ContainsRegex("2  10.11.29.131:60690  139.217.146.62:80  27 / 37 / 38 +7.494"));
  EXPECT_THAT(text, HasSubstr("first contact: this client had no connection to this server yet"));
  EXPECT_THAT(text, HasSubstr("HTTP/1.1 answers in order"));
  EXPECT_THAT(text, ContainsRegex("11 / 13-22 +10.420  GET / +200 +9473 B +6.790 +0.640"));
  EXPECT_THAT(text,
              ContainsRegex("114 / - +101.884  GET /icons/contact.png +capture ended +- +- +-"));
  EXPECT_EQ(lines_with(text, "none: no data was sent on it"), 2U) << "60692 and 60696";
}

TEST(TextOrigin, TheSlowestHandshakeIsExplainedByDefaultAndAnyOtherOnRequest) {
  const std::string slowest = text_of(origin_report());
  EXPECT_THAT(slowest, HasSubstr("#2, the slowest"));
  const std::string first = flat(text_of(origin_report(), {.explain_connection = 1}));
  EXPECT_THAT(first, HasSubstr("client 10.11.29.131:60686 -> server 139.217.146.62:80"));
  EXPECT_THAT(first, HasSubstr("client CLOSED -> SYN-SENT, server LISTEN -> SYN-RECEIVED"));
  EXPECT_THAT(first, HasSubstr("6.013 ms since the SYN it answers: probe-to-server half"));
  EXPECT_THAT(first, HasSubstr("229 x 128 = 29312 B"));
  EXPECT_THAT(
      first,
      HasSubstr("connect time 6.062 ms = SYN wait 0.000 ms + server half 6.013 ms + SYN-ACK wait"));
  EXPECT_THAT(first, HasSubstr("sits at the client: 99.2 % of the round trip"));
}

TEST(TextOrigin, AnIdThatDoesNotExistIsAnsweredWithTheIdsThatDo) {
  EXPECT_THAT(text_of(origin_report(), {.explain_connection = 6}),
              HasSubstr("There is no connection 6: ids run from 1 to 5."));
}

TEST(TextFindings, CarryTheChangeTheEvidenceAndTheWarning) {
  Report r = origin_report();
  Finding late;
  late.rule = "http-late-connection";
  late.title = "Open connections before they are needed";
  late.why = "Three requests waited for a handshake.";
  late.scope = "tcp/139.217.146.62:80";
  late.families = {Family::network};
  late.saving = {6'000'000, 9'000'000, 12'000'000};
  late.after_higher_ranked_ns = 9'000'000;
  late.confidence = "C";
  late.why_not_higher = {"one visit"};
  late.evidence.push_back({"handshake", 1, {27, 37, 38}, kStart + 34'843'260, 7'493'952});
  late.change.push_back(
      {"nginx", "listen 443 ssl http2;\n  keepalive_timeout 65s;", "reload", "needs TLS"});
  late.verify = "the next capture shows one connection";
  late.affected_actions = 3;
  late.affected_share = 0.004;
  Finding fanout;
  fanout.rule = "dns-redundant-fanout";
  fanout.title = "Ask one resolver, not three";
  fanout.capacity_only = true;
  fanout.capacity = "2 of 3 upstream queries";
  fanout.what_if.push_back({"only 114.114.114.114", 26'617'849, 23'211'458});
  fanout.warnings.push_back("do not keep 114.114.114.114 alone: +23.211 ms");
  r.advice = {{late, fanout},
              {},
              {{"http-slow-ttfb", "no response times", Outcome::not_visible, {}}},
              {{"tcp-syn-loss", "no SYN was resent", Outcome::fine, {}}}};
  const std::string text = text_of(r);
  EXPECT_THAT(text,
              HasSubstr("1.  Open connections before they are needed: saves 6.000 .. 12.000 ms\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "rule=http-late-connection scope=tcp/139.217.146.62:80 families=NET confidence=C\n"));
  EXPECT_THAT(text, HasSubstr("handshake (#2): frames 27,37,38, at 34.843 ms, took 7.494 ms\n"));
  EXPECT_THAT(text, ContainsRegex("affects +3 visits \\(under 1 % of all\\)"));
  EXPECT_THAT(text, HasSubstr("listen 443 ssl http2;\n"));
  EXPECT_THAT(text, HasSubstr("\n                  keepalive_timeout 65s;\n"));
  EXPECT_THAT(text, HasSubstr("2.  Ask one resolver, not three: saves load, not time\n"));
  EXPECT_THAT(text, ContainsRegex("only 114.114.114.114 +26.618 +\\+23.211\n"));
  EXPECT_THAT(text, HasSubstr("WARNING   do not keep 114.114.114.114 alone"));
  EXPECT_THAT(text, ContainsRegex("http-slow-ttfb +no response times\n"));
  EXPECT_THAT(text, ContainsRegex("tcp-syn-loss +no SYN was resent\n"));
}

TEST(TextVisibility, WhatLimitsTheViewComesFirstAndByName) {
  Dataset data;
  Connection c = unanswered(1, at("192.0.2.1", 4000), at("192.0.2.9", 80), {{1, 0}});
  test::impair(c.half.c2s).missing_bytes = 500;
  data.emit(&c);
  Connection half = opened(2, at("192.0.2.1", 4001), at("192.0.2.9", 80), {2, 1}, {3, 2}, {4, 3});
  half.one_sided = true;
  data.emit(&half);
  Report r = report_of(std::move(data));
  r.accounting.count(NotAnalysed::arp, 4);
  r.counters.add(Counter::mirror_duplicates, 12);
  r.counters.add(Counter::snaplen_cut, 7);
  r.counters.add(Counter::clock_steps_back, 2);
  r.capture.cut_short = "the file ends inside record 117";
  const std::string text = text_of(r);
  EXPECT_THAT(text, HasSubstr("packets       120 = 116 analysed + 4 not analysed\n"));
  EXPECT_THAT(text, HasSubstr(" 4 arp ("));
  EXPECT_THAT(text, HasSubstr("visibility    limited"));
  EXPECT_THAT(text, HasSubstr(" 1 of 2 connections one-sided:"));
  EXPECT_THAT(text, HasSubstr(" 500 missing bytes on 1 connection"));
  EXPECT_THAT(text, HasSubstr(" 12 duplicate frames"));
  EXPECT_THAT(text, HasSubstr(" 7 snaplen cuts"));
  EXPECT_THAT(text, HasSubstr(" 2 clock steps back"));
  EXPECT_THAT(text, HasSubstr("the file ends inside record 117"));
}

TEST(TextEmpty, ACaptureWithoutAnythingSaysSo) {
  CaptureBlock capture;
  capture.name = "empty.pcap";
  capture.format = "pcap";
  const std::string text = text_of(report_of(Dataset(), capture));
  EXPECT_THAT(text, HasSubstr("packets       none\n"));
  EXPECT_THAT(text, HasSubstr("No DNS in this capture.\n"));
  EXPECT_EQ(lines_with(text, "No TCP connection in this capture.\n"), 2U);
  EXPECT_THAT(text, HasSubstr("No rule found anything worth changing in this capture.\n"));
}

TEST(TextFailures, RefusedUnansweredAndMidstreamAreToldApart) {
  Dataset data;
  const Endpoint client = at("192.0.2.1", 4000);
  Connection refused = unanswered(1, client, at("192.0.2.9", 81), {{1, 0}});
  refused.state = ConnectionState::refused;
  refused.one_sided = false;
  refused.half.s2c.packets = 1;
  test::push(refused.segments, segment({2, 5 * kMillisecondNs}, Direction::s2c,
                                       tcp_flag::rst | tcp_flag::ack, 0, 1001, 0));
  const Connection silent =
      unanswered(2, client, at("192.0.2.9", 82), {{3, 0}, {4, kSecondNs}, {5, 3 * kSecondNs}});
  Connection midstream;
  midstream.key = 3;
  midstream.client = client;
  midstream.server = at("192.0.2.9", 83);
  midstream.first_frame = 6;
  midstream.last_frame = 7;
  midstream.start_time_ns = midstream.last_time_ns = kStart;
  for (const Connection& c : {refused, silent, midstream}) data.emit(&c);
  const Report r = report_of(std::move(data));
  const std::string text = text_of(r, {.explain_connection = 3});
  EXPECT_THAT(text, HasSubstr("refused: RST answered the SYN after 5.000 ms\n"));
  EXPECT_THAT(text, HasSubstr("unanswered: 3 SYNs over 3000.000 ms, nothing came back"));
  EXPECT_THAT(text, HasSubstr("midstream: it was open before the capture began\n"));
  EXPECT_THAT(
      text,
      ContainsRegex("2  192.0.2.1:4000  192.0.2.9:82  syn_unanswered  3,4,5 / - / - +3000.000"));
  EXPECT_THAT(text, HasSubstr("there is nothing to explain"));
  EXPECT_THAT(text_of(r), HasSubstr("The server refuses after 5.000 ms"));
}

TEST(TextDns, SayWhatPassedWithoutAQuestionOpen) {
  // GIVEN AAAA answered with nothing after 1 ms, and A asked only 30 ms later
  Dataset data;
  DnsTransaction aaaa =
      dns(at("192.0.2.1", 4001), "192.0.2.53", 7, {1, 0}, {2, kMillisecondNs}, {});
  aaaa.qtype = 28;
  aaaa.outcome = DnsOutcome::nodata;
  data.emit(&aaaa);
  const DnsTransaction a = dns(at("192.0.2.1", 4002), "192.0.2.53", 8, {3, 31 * kMillisecondNs},
                               {4, 33 * kMillisecondNs}, {});
  data.emit(&a);
  const std::string text = flat(text_of(report_of(std::move(data))));
  EXPECT_THAT(text, HasSubstr("AAAA,A asked by 192.0.2.1 at 0.000 ms: waited 33.000 ms, answered"));
  EXPECT_THAT(text, HasSubstr("NODATA"));
  EXPECT_THAT(text,
              HasSubstr("the resolvers took 3.000 ms of the wait; for the other 30.000 ms the "
                        "client had no question open."));
}

TEST(TextDns, AResponseWithoutItsQuestionIsNoLookup) {
  Dataset data;
  DnsTransaction d = dns(at("192.0.2.1", 4001), "192.0.2.53", 7, {0, 0}, {4, 10}, {});
  d.query_frames = {};
  d.first_query_ns = d.last_query_ns = kUnknownNs;
  d.outcome = DnsOutcome::response_only;
  data.emit(&d);
  const Report r = report_of(std::move(data));
  const std::string text = text_of(r);
  constexpr const char* kTotals =
      "0 lookups in 0 transactions; 1 response without a captured question.";
  EXPECT_THAT(text, HasSubstr(kTotals));
  EXPECT_THAT(render_html(r), HasSubstr(kTotals));
  EXPECT_THAT(text, ContainsRegex("- / 4 +0x0007  A +192.0.2.1:4001"));
}

TEST(TextHostile, NothingFromTheWireControlsTheTerminal) {
  // GIVEN every text that comes from the wire filled with escape sequences, and longer than a line
  const std::string evil = "\x1b[2J\x1b]0;owned\x07\r\n" + std::string(300, '\xff');
  Dataset data;
  HttpTransaction h =
      http({1, at("10.11.29.131", 60686), evil, {11, 10'420'000}, {13, 22}, 1, 1, 1});
  h.method = h.host = h.location = evil;
  data.emit(&h);
  TlsHandshake t;
  t.connection = 2;
  t.client = at("2001:db8:1111:2222:3333:4444:5555:6666", 60000);
  t.server = at("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 60443);
  t.sni = t.alpn = evil;
  t.client_hello_frames = {30, 30};
  data.emit(&t);
  DnsTransaction d = dns(at("192.0.2.1", 4001), "192.0.2.53", 7, {3, 0}, {4, 10}, {});
  d.qname = evil;
  data.emit(&d);
  const Connection c = opened(1, h.client, h.server, {8, 0}, {9, 1}, {10, 2});
  const Connection six = opened(2, t.client, t.server, {27, 3}, {28, 4}, {29, 5});
  data.emit(&c);
  data.emit(&six);
  CaptureBlock capture;
  capture.name = capture.format = capture.cut_short = evil;
  capture.link_types = {evil};
  capture.link_types_unsupported = {{evil, 1}};
  capture.packets = 4;
  capture.first_time_ns = kStart;
  capture.last_time_ns = kStart + 1;
  Report r = report_of(std::move(data), std::move(capture));
  Finding f;
  f.title = f.why = f.scope = f.verify = f.capacity = f.threshold = evil;
  f.evidence.push_back({evil, 0, {1}, kStart, 1});
  f.change.push_back({evil, evil, evil, evil});
  f.what_if.push_back({evil, 1, 1});
  f.warnings = f.why_not_higher = {evil};
  r.advice.findings.push_back(f);
  // WHEN it is printed THEN it is printable ASCII of at most 100 columns
  const std::string text = text_of(r);
  EXPECT_THAT(text, HasSubstr("\\x1b[2J"));
}

/// 1000 connections, of which the last one is the slowest and number 500 was never answered.
Report big_report() {
  Dataset data;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 1000; ++i)
    names.push_back("host" + std::to_string(i % 100) + ".example");
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const FrameNumber frame = 1 + 10 * i;
    const DurationNs start = i * kMillisecondNs;
    const Endpoint client = at("192.0.2.1", static_cast<std::uint16_t>(1024 + i));
    const Endpoint server = at("198.51.100.1", static_cast<std::uint16_t>(80 + i % 30));
    DnsTransaction d =
        dns(at("192.0.2.1", static_cast<std::uint16_t>(20000 + i)), "192.0.2.53",
            static_cast<std::uint16_t>(i), {frame, start}, {frame + 1, start + 1000 * i}, {});
    d.qname = names[i];
    data.emit(&d);
    if (i == 499) {
      const Connection c =
          unanswered(i + 1, client, server, {{frame + 2, start}, {frame + 3, start + kSecondNs}});
      data.emit(&c);
      continue;
    }
    Connection c = opened(i + 1, client, server, {frame + 2, start},
                          {frame + 3, start + 1000 * i + 10}, {frame + 4, start + 1000 * i + 20});
    c.protocol = Protocol::http1;
    c.half.c2s.payload_bytes = c.half.s2c.payload_bytes = 100;
    data.emit(&c);
    Request request{i + 1,    client, "/item", {frame + 5, start + 100}, {frame + 6, frame + 7},
                    1000 * i, 10,     100};
    const HttpTransaction h = http(request);
    data.emit(&h);
  }
  return report_of(std::move(data));
}

TEST(TextBig, ShowsWhatMattersAndSaysHowMuchMoreThereIs) {
  const std::string text = text_of(big_report(), {.max_rows = 10});
  EXPECT_THAT(text, HasSubstr("... and 989 more connections; the JSON report has them all.\n"));
  EXPECT_THAT(text, HasSubstr("... and 989 more requests; the JSON report has them all.\n"));
  EXPECT_THAT(text, ContainsRegex("\n +1000  192.0.2.1:2023 ")) << "the slowest handshake";
  EXPECT_THAT(text, ContainsRegex("\n +500  192.0.2.1:1523 .*syn_unanswered"))
      << "the one that failed";
  EXPECT_THAT(text, Not(ContainsRegex("\n +100  192.0.2.1:1123 "))) << "neither slow nor failed";
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 200);
}

TEST(TextBig, NoLimitShowsThemAll) {
  const std::string text = text_of(big_report(), {.max_rows = 0});
  EXPECT_THAT(text, ContainsRegex("\n +100  192.0.2.1:1123 "));
  EXPECT_THAT(text, Not(HasSubstr("more connections;")));
}

// --------------------------------------------------------------------------------- the first screen

std::string judged_text() {
  return render_text(build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""}), {});
}

TEST(TextWait, TheHeadlineSaysInPlainWordsWhereTheWaitGoesAndWhatToDo) {
  const std::string text = judged_text();
  const std::string first_screen = text.substr(0, text.find("1. DNS"));
  EXPECT_THAT(first_screen, HasSubstr("users waited  1 visit, which waited"));
  EXPECT_THAT(first_screen, ContainsRegex("of that +[0-9]+ % the client's own time"));
  EXPECT_THAT(first_screen, HasSubstr("% round trips on the network"));
  EXPECT_THAT(first_screen, ContainsRegex("do first +Have connections ready"));
  EXPECT_THAT(first_screen, ContainsRegex("how +[A-Za-z]+.*: "));
  EXPECT_THAT(first_screen, ContainsRegex("how sure +C: a first hint"));
  EXPECT_LE(std::count(first_screen.begin(), first_screen.end(), '\n'), 24);
}

TEST(TextWait, TheTableHasEveryCategoryWithTimeAndAddsUp) {
  const std::string text = judged_text();
  const std::size_t from = text.find("Where that time goes");
  ASSERT_NE(from, std::string::npos);
  const std::string table = text.substr(from, text.find("A visit: what") - from);
  EXPECT_THAT(table, ContainsRegex("dns +3\\.749 +4 % +3\\.749 +looking up names"));
  EXPECT_THAT(table, testing::Not(HasSubstr("tls")));
  double sum = 0;
  std::istringstream lines(table);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string category;
    double ms = 0;
    if (words >> category >> ms) sum += ms;
  }
  const std::size_t at = text.find_first_of("0123456789", text.find("which waited "));
  EXPECT_NEAR(sum, std::stod(text.substr(at)), 0.01);
}

TEST(TextWait, WithoutAVisitTheWaitCannotBeTold) {
  const std::string text =
      render_text(build_report(origin_capture(), {}, {}, Dataset{}, Thresholds{}, {""}), {});
  EXPECT_THAT(text, ContainsRegex("users waited +cannot be told"));
  EXPECT_THAT(text, Not(HasSubstr("do first")));
}

TEST(TextWait, SaysFirstWhatDidNotWork) {
  Dataset data;
  Connection refused = opened(1, at("10.0.0.1", 40000), at("192.0.2.1", 80), {1, 0},
                              {2, kMillisecondNs}, {3, 2 * kMillisecondNs});
  refused.state = ConnectionState::refused;
  data.emit(&refused);
  for (const std::uint16_t status : {200, 503, 404, 503}) {
    HttpTransaction h =
        http({1, at("10.0.0.1", 40000), "/", {4, 0}, {5, 6}, 3 * kMillisecondNs, 0, 100});
    h.status = status;
    data.emit(&h);
  }
  const std::string text = flat(text_of(report_of(std::move(data))));
  EXPECT_THAT(text,
              HasSubstr("failed 1 of 1 TCP connection: 1 refused 3 of 4 HTTP requests: 2 with "
                        "status 503, 1 with status 404 users waited"));
  EXPECT_THAT(text, HasSubstr("do first look into what failed (above)"));
}

TEST(TextWait, WhatWorkedIsNotSaidToFail) {
  EXPECT_THAT(text_of(origin_report()), Not(HasSubstr("\nfailed")));
}

TEST(TextWait, WithoutAVisitTheLookupsWaitIsSaid) {
  Dataset data;
  Dataset origin = origin_report().data;
  for (const DnsTransaction& d : origin.dns()) data.emit(&d);
  const std::string text = flat(text_of(report_of(std::move(data))));
  EXPECT_THAT(text, HasSubstr("cannot be told: no new connection and no request was seen; 1 DNS "
                              "lookup waited 3.749 ms"));
}

TEST(TextWait, WhereNoRuleCouldJudgeNothingIsSaidToBeFine) {
  Dataset data;
  const Connection c = opened(1, at("10.0.0.1", 40000), at("192.0.2.1", 80), {1, 0},
                              {2, kMillisecondNs}, {3, 2 * kMillisecondNs});
  data.emit(&c);
  Report r = build_report(origin_capture(), {}, {}, std::move(data), Thresholds{}, {""});
  r.advice = {};
  r.advice.not_judged.push_back({"http-slow-ttfb", "no answer", Outcome::not_visible, ""});
  EXPECT_THAT(
      flat(text_of(r)),
      HasSubstr("do first not known: no rule could judge this capture (the end lists 1 rule"));
  r.advice.fine.push_back({"tcp-syn-loss", "no SYN was lost", Outcome::fine, ""});
  EXPECT_THAT(flat(text_of(r)), HasSubstr("do first nothing: no rule found"));
}

/// `n` connections with a request each, one second apart and answered after `wait_ms`.
void emit_requests(Dataset& data, std::uint32_t n, int wait_ms, bool answered) {
  for (std::uint32_t i = 0; i < n; ++i) {
    const DurationNs begin_ns = i * 5 * kSecondNs;
    const Endpoint client =
        at(answered ? "10.0.0.1" : "10.0.0.2", static_cast<std::uint16_t>(4000 + i));
    const ConnectionKey key = 100 * (answered ? 1 : 2) + i;
    const FrameNumber f = 10 * static_cast<FrameNumber>(key);
    Connection c = opened(key, client, at("139.217.146.62", 80), {f, begin_ns},
                          {f + 1, begin_ns + kMillisecondNs}, {f + 2, begin_ns + kMillisecondNs});
    c.protocol = Protocol::http1;
    if (!answered) {
      c.one_sided = true;
      c.state = ConnectionState::syn_unanswered;
      c.established_time_ns = c.connect_time_ns = c.handshake_rtt_ns = kUnknownNs;
      c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
      c.half.s2c.packets = 0;
    }
    data.emit(&c);
    const HttpTransaction h = http({key,
                                    client,
                                    "/",
                                    {f + 3, begin_ns + kMillisecondNs},
                                    answered ? FrameSpan{f + 4, f + 5} : FrameSpan{},
                                    wait_ms * kMillisecondNs,
                                    0,
                                    100});
    data.emit(&h);
  }
}

TEST(TextWait, VisitsWhoseEndWasNotCapturedAreLeftOutAndCounted) {
  Dataset data;
  emit_requests(data, 3, 40, true);
  emit_requests(data, 9, 40, false);
  const std::string text = flat(
      render_text(build_report(origin_capture(), {}, {}, std::move(data), Thresholds{}, {""}), {}));
  EXPECT_THAT(text, HasSubstr("12 visits; those whose end was captured waited 41.000 ms at the "
                              "median and 41.000 ms at most (9 visits left out"));
  EXPECT_THAT(text, HasSubstr("http-h1-parallel-limit no visit sent 6 or more"));
}

TEST(TextWait, WithoutAnyEndNoWaitIsTold) {
  Dataset data;
  emit_requests(data, 9, 40, false);
  const Report r = build_report(origin_capture(), {}, {}, std::move(data), Thresholds{}, {""});
  const std::string text = flat(render_text(r, {}));
  EXPECT_THAT(text, HasSubstr("9 visits: how long users waited is not known"));
  EXPECT_THAT(text, Not(HasSubstr("0.000 ms at the median")));
  EXPECT_THAT(text,
              HasSubstr("http-h1-parallel-limit no HTTP/1 request was captured with its answer"));
  EXPECT_THAT(render_html(r), HasSubstr("how long users waited is not known"));
}

TEST(TextFindings, WhatDoesNotApplyIsNotCalledUnseen) {
  const std::string text = judged_text();
  const std::size_t unseen = text.find("Could not judge, because the capture lacks");
  const std::size_t elsewhere = text.find("Does not apply to this capture");
  const std::size_t fine = text.find("Looked at and fine");
  ASSERT_NE(fine, std::string::npos);
  ASSERT_LT(unseen, elsewhere);
  ASSERT_LT(elsewhere, fine);
  const std::size_t tls = text.find("no TLS handshake in the capture");
  EXPECT_GT(tls, elsewhere);
  EXPECT_LT(tls, fine);
  EXPECT_THAT(flat(text.substr(fine)), HasSubstr("looked at: 139.217.146.62:80"));
}

TEST(TextFindings, AShortCaptureIsNotExtrapolated) {
  EXPECT_THAT(flat(judged_text()),
              HasSubstr("s less waiting for all users together in the 102 ms of this capture"));
}

TEST(TextFindings, WhatAllUsersSaveIsSaidFromLeastToMost) {
  Report r = build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""});
  Finding& f = r.advice.findings.at(0);
  f.user_seconds_per_hour = 0.008;
  f.least_user_seconds_per_hour = 0.004;
  f.most_user_seconds_per_hour = 0.012;
  EXPECT_THAT(flat(render_text(r, {})), HasSubstr("in all 0.004 .. 0.012 s less waiting for all"));
  EXPECT_THAT(render_html(r), HasSubstr("0.004 .. 0.012 s less waiting for all"));
  f.most_user_seconds_per_hour = 0.0042;
  EXPECT_THAT(flat(render_text(r, {})), HasSubstr("in all 0.004 s less waiting for all"));
}

TEST(TextFindings, WhatServersHadToCarryIsSaidWithLittlesLaw) {
  Dataset data;
  emit_requests(data, 3, 1999, true);  // open for 2 s each, within 12 s: half a request in flight
  const Report r = build_report(origin_capture(), {}, {}, std::move(data), Thresholds{}, {""});
  ASSERT_EQ(r.servers.size(), 1U);
  const ServerUse& use = r.servers[0];
  EXPECT_EQ(use.clients, 1U);
  EXPECT_EQ(use.connections, 3U);
  EXPECT_EQ(use.requests, 3U);
  EXPECT_NEAR(use.in_flight, use.per_second * use.answer_ns / kSecondNs, 1e-9);
  EXPECT_NEAR(use.in_flight, 3 * 1.999 / 11.999, 1e-3);
  EXPECT_EQ(use.utilisation(), 0) << "no limit was reached";
  EXPECT_THAT(flat(render_text(r, {})), HasSubstr("139.217.146.62:80 1 3.0"));
}

TEST(TextDatabase, OneCallHasNoNinetyFifthPercentile) {
  Dataset data;
  const Endpoint client = at("10.0.0.1", 40000);
  const Endpoint server = at("192.0.2.1", 5432);
  const Connection c = opened(1, client, server, {1, 0}, {2, 10}, {3, 20});
  data.emit(&c);
  DatabaseTransaction t;
  t.connection = 1;
  t.client = client;
  t.server = server;
  t.protocol = Protocol::postgres;
  t.operation = "Execute";
  t.name_only = true;
  t.statement_name = "s1";
  t.response_complete = true;
  t.request_first_ns = t.request_last_ns = kStart + 3 * kMillisecondNs;
  t.response_first_ns = t.response_last_ns = kStart + 8 * kMillisecondNs;
  data.emit(&t);
  const std::string text = text_of(report_of(std::move(data)));
  EXPECT_THAT(text, HasSubstr("longest ms"));
  EXPECT_THAT(text, Not(HasSubstr("p95 ms")));
  EXPECT_THAT(text, HasSubstr("Execute s1 of 10.0.0.1:40000 (text not"));
}

TEST(TextDatabase, StatementOfComQueryIsItsText) {
  DatabaseTransaction t;
  t.protocol = Protocol::mysql;
  t.operation = "COM_QUERY";
  EXPECT_EQ(report::shape_of(t), "COM_QUERY");
  t.fingerprint = "select a from b";
  EXPECT_EQ(report::shape_of(t), "select a from b");
  t.operation = "COM_STMT_EXECUTE";
  EXPECT_EQ(report::shape_of(t), "COM_STMT_EXECUTE select a from b");
}

TEST(TextWait, WithoutAFindingNothingIsToBeDoneFirst) {
  Dataset data;
  const Connection c = opened(1, at("10.0.0.1", 40000), at("192.0.2.1", 80), {1, 0},
                              {2, kMillisecondNs}, {3, 2 * kMillisecondNs});
  data.emit(&c);
  const std::string text =
      render_text(build_report(origin_capture(), {}, {}, std::move(data), Thresholds{}, {""}), {});
  EXPECT_THAT(text, ContainsRegex("do first +nothing: no rule found"));
}

}  // namespace
}  // namespace wirelag
