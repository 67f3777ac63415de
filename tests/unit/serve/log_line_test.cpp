#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wirelag/serve/log_line.hpp>

namespace wirelag {
namespace {

constexpr TimeNs kLogged = 1'767'323'045 * kSecondNs + 678'900'000;  // 2026-01-02T03:04:05.6789Z

TEST(Rfc3339, is_utc_with_milliseconds) {
  EXPECT_EQ(rfc3339(kLogged), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(kUnknownNs), "unknown");
}

TEST(LogLine, text_has_units_in_its_keys) {
  LogLine line(kLogged, "service");
  line.text("scope", "tcp/192.0.2.80:80").number("connections", 12);
  line.duration("connect_p50", 6'061'628).range("save", 6 * kMillisecondNs, 12 * kMillisecondNs);
  line.real("user_s_h", 0.0091, 3).number("odd", -2);
  EXPECT_EQ(line.as_text(),
            "2026-01-02T03:04:05.678Z service scope=tcp/192.0.2.80:80 connections=12 "
            "connect_p50_us=6061.6 save_ms=6.0..12.0 user_s_h=0.009 odd=-2\n");
}

TEST(LogLine, json_has_the_same_fields_in_nanoseconds) {
  LogLine line(kLogged, "service");
  line.text("scope", "shop \"x\"").number("connections", 12);
  line.duration("connect_p50", 6'061'628).range("save", 1, 2).real("share", 0.25, 1);
  EXPECT_EQ(line.as_json(),
            "{\"time\":\"2026-01-02T03:04:05.678Z\",\"kind\":\"service\",\"scope\":\"shop "
            "\\\"x\\\"\",\"connections\":12,\"connect_p50_ns\":6061628,\"save_low_ns\":1,"
            "\"save_high_ns\":2,\"share\":0.25}\n");
}

TEST(LogLine, an_unknown_duration_has_no_field) {
  LogLine line(kLogged, "x");
  line.duration("connect_p50", kUnknownNs).duration("zero", 0);
  EXPECT_EQ(line.as_text(), "2026-01-02T03:04:05.678Z x zero_us=0.0\n");
}

TEST(LogLine, odd_text_cannot_break_the_line_or_forge_a_field) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain-1.2_3/[::1]:80", "plain-1.2_3/[::1]:80"},
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a=b", "\"a=b\""},
      {"say \"hi\"", "\"say \\\"hi\\\"\""},
      {"back\\slash", "\"back\\\\slash\""},
      {"new\nline\ttab", "\"new\\nline\\ttab\""},
      {std::string("nul\0!", 5), "\"nul\\u0000!\""},
      {"\x1b[31m", "\"\\u001b[31m\""},
      {"caf\xc3\xa9", "\"caf\\u00e9\""},
      {"\xff\xfe", "\"\\ufffd\\ufffd\""},
  };
  for (const auto& [value, shown] : cases) {
    LogLine line(kLogged, "k");
    line.text("v", value);
    EXPECT_EQ(line.as_text(), "2026-01-02T03:04:05.678Z k v=" + shown + "\n");
    EXPECT_TRUE(nlohmann::json::accept(line.as_json())) << line.as_json();
  }
}

}  // namespace
}  // namespace wirelag
