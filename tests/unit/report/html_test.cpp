// The HTML writer escapes whatever it is given, and a report of hostile names stays a page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "examples.hpp"
#include "html/writer.hpp"

namespace wirelag {
namespace {

using namespace examples;
using report::html::escaped;
using report::html::Writer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kHostile = "</td></script><script>alert(\"1\")</script>'&amp;";

TEST(HtmlText, MarkupBecomesText) {
  EXPECT_EQ(escaped("<a href='x' title=\"y\">&</a>"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;&lt;/a&gt;");
}

TEST(HtmlText, WhatIsNotUtf8OrNotVisibleIsSpelledOut) {
  EXPECT_EQ(escaped("a\xff\x80z"), "a\\xff\\x80z");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1b[31m\x7f", 8)), "\\x00\\x01\\x1b[31m\\x7f");
  EXPECT_EQ(escaped("x\u202eexe\u200b"), "x\\u{202e}exe\\u{200b}");
  EXPECT_EQ(escaped("\u00fcber \u4e2d\u6587"), "\u00fcber \u4e2d\u6587");
}

TEST(HtmlWriter, EscapesTextAndAttributesAndClosesTags) {
  Writer w;
  {
    const auto p = w.element("p", {{"title", std::string(kHostile)}});
    w.text(kHostile);
    w.lone("br");
  }
  const std::string html = w.take();
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html,
              HasSubstr("title=\"&lt;/td&gt;&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;"));
  EXPECT_THAT(html, testing::EndsWith("&#39;&amp;amp;<br/></p>\n"));
}

/// A visit whose every name is hostile.
Report hostile_report() {
  Dataset data;
  const Endpoint client = at("10.0.0.1", 40000);
  const Endpoint server = at("192.0.2.1", 80);
  const Connection c =
      opened(1, client, server, {1, 0}, {2, kMillisecondNs}, {3, 2 * kMillisecondNs});
  data.emit(&c);
  HttpTransaction h;
  h.connection = 1;
  h.client = client;
  h.server = server;
  h.request_seen = h.request_complete = h.response_complete = true;
  h.status = 200;
  h.method = h.host = h.target = h.referer = h.content_type = kHostile;
  h.request_first_ns = h.request_headers_ns = h.request_last_ns = kStart + 3 * kMillisecondNs;
  h.response_first_ns = kStart + 900 * kMillisecondNs;
  h.response_last_ns = kStart + 901 * kMillisecondNs;
  data.emit(&h);
  CaptureBlock capture;
  capture.name = kHostile;
  capture.first_time_ns = kStart;
  capture.last_time_ns = kStart + kSecondNs;
  return build_report(std::move(capture), {}, {}, std::move(data), {}, {""});
}

TEST(HtmlReport, HostileNamesStayText) {
  const std::string html = render_html(hostile_report());
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("default-src &#39;none&#39;"));
}

TEST(HtmlReport, AVisitIsDrawnAsItIsAndAsItWouldBe) {
  const std::string html =
      render_html(build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""}));
  EXPECT_THAT(html, HasSubstr("As it is, and as it would be"));
  EXPECT_THAT(html, HasSubstr("1. Have connections ready"));
  EXPECT_THAT(html, HasSubstr("confidence C: a first hint"));
  EXPECT_THAT(html, HasSubstr("ms after the capture began"));
  EXPECT_THAT(html, HasSubstr("Does not apply to this capture"));
  EXPECT_THAT(html, HasSubstr("What servers had to carry"));
  EXPECT_THAT(html, Not(HasSubstr("id=\"databases\"")));
}

TEST(HtmlReport, DatabasesHaveATableOfStatements) {
  Dataset data;
  const Endpoint client = at("10.0.0.1", 40000);
  const Endpoint server = at("192.0.2.1", 5432);
  const Connection c =
      opened(1, client, server, {1, 0}, {2, kMillisecondNs}, {3, 2 * kMillisecondNs});
  data.emit(&c);
  DatabaseTransaction t;
  t.connection = 1;
  t.client = client;
  t.server = server;
  t.protocol = Protocol::postgres;
  t.operation = "SELECT";
  t.fingerprint = "select <b> from t where id=?";
  t.response_complete = true;
  t.request_first_ns = t.request_last_ns = kStart + 3 * kMillisecondNs;
  t.response_first_ns = t.response_last_ns = kStart + 8 * kMillisecondNs;
  data.emit(&t);
  const std::string html = render_html(build_report({}, {}, {}, std::move(data), {}, {""}));
  EXPECT_THAT(html, HasSubstr("id=\"databases\""));
  EXPECT_THAT(html, HasSubstr("select &lt;b&gt; from t where id=?"));
  EXPECT_THAT(html, HasSubstr("5.000"));
}

TEST(HtmlReport, AStatementIsSaidOnceInAFirstStep) {
  Report report = build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""});
  Finding& f = report.advice.findings.at(0);
  f.title = "Make the database answer sooner: select a from b";
  f.scope = "tcp/192.0.2.1:5432 select a from b";
  EXPECT_THAT(render_html(report), HasSubstr(", tcp/192.0.2.1:5432<"));
  f.title = "Make 192.0.2.1:5432 answer sooner: select a from b";
  EXPECT_THAT(render_html(report), HasSubstr("% of all)<"));
  f.scope = "tcp/192.0.2.1:80 GET /report";
  EXPECT_THAT(render_html(report), HasSubstr(", tcp/192.0.2.1:80 GET /report<"));
}

TEST(HtmlReport, AnIntervalOfTheFirstSentencesStaysOnOneLine) {
  Report report = build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""});
  report.advice.findings.at(0).saving = {5 * kMillisecondNs, 6 * kMillisecondNs,
                                         9 * kMillisecondNs};
  EXPECT_THAT(render_html(report), HasSubstr("\u00a0..\u00a0"
                                             "9.00\u00a0ms per visit"));
}

TEST(HtmlReport, AnEmptyCaptureIsAPageThatSaysSo) {
  const std::string html = render_html(build_report({}, {}, {}, Dataset{}, {}, {""}));
  EXPECT_THAT(html, HasSubstr("no frame of this capture could be analysed"));
  EXPECT_THAT(html, testing::EndsWith("</html>\n"));
}

TEST(HarReport, HostileNamesStayText) {
  const std::string har = render_har(hostile_report());
  EXPECT_THAT(har, HasSubstr("%3Cscript%3Ealert(%221%22)"));
  EXPECT_THAT(har, HasSubstr("\"wait\":897.0,\"receive\":1.0"));
}

}  // namespace
}  // namespace wirelag
