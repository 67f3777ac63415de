#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wirelag/serve/summary_log.hpp>

namespace wirelag {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using enum ServiceCount;

constexpr TimeNs kNow = 1'767'323'045 * kSecondNs;

Endpoint at(std::string_view ip, std::uint16_t port) {
  Endpoint e;
  (void)parse_ip(ip, e.ip);
  e.port = port;
  return e;
}

MergedSummary interval_with_three_services() {
  MergedSummary m;
  m.start_time_ns = kNow - 10 * kSecondNs;
  m.end_time_ns = kNow;
  m.accounting.count(NotAnalysed::none, 990);
  m.accounting.count(NotAnalysed::arp, 10);
  m.counters.add(Counter::fragments, 4);

  ServiceSummary& shop = m.rows[ServiceKey::of_server(1, {})];
  shop.add(connections, 2);
  shop.add(handshakes_complete, 2);
  shop.record(ServiceDuration::connect, 6'061'628);
  shop.record(ServiceDuration::connect, 6'061'628);
  shop.add(http_requests, 7);
  shop.add(http_5xx, 1);

  ServiceSummary& resolver = m.rows[ServiceKey::of_resolver(0, at("192.0.2.53", 53))];
  resolver.add(dns_queries, 40);
  ServiceSummary& mail = m.rows[ServiceKey::of_server(0, at("192.0.2.25", 25))];
  mail.add(connections, 1);
  mail.add(ServiceCount::refused, 1);
  return m;
}

SummaryLogOptions options() {
  return {.appliance = "edge-1", .service_names = {"", "shop"}, .max_lines = 20};
}

std::vector<std::string> texts(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const LogLine& line : lines) out.push_back(line.as_text());
  return out;
}

TEST(SummaryLines, appliance_first_then_services_with_the_most_transactions) {
  const auto lines = texts(summary_lines(interval_with_three_services(), kNow, options()));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[0], HasSubstr("2026-01-02T03:04:05.000Z appliance name=edge-1 "
                                  "interval_ms=10000 received=1000 analysed=990 "
                                  "not_analysed.arp=10 fragments=4 services=3 connections=3 "));
  EXPECT_THAT(lines[1],
              HasSubstr(" service scope=dns/192.0.2.53:53 dns_queries=40 dns_nxdomain=0 "));
  EXPECT_THAT(lines[2],
              HasSubstr(" service scope=service/shop connections=2 handshakes_complete=2"));
  EXPECT_THAT(lines[3], HasSubstr(" service scope=tcp/192.0.2.25:25 connections=1 "));
}

TEST(SummaryLines, a_service_line_has_the_groups_it_had_traffic_of) {
  const auto lines = texts(summary_lines(interval_with_three_services(), kNow, options()));
  EXPECT_THAT(lines[2], HasSubstr(" http_requests=7 http_4xx=0 http_5xx=1 http_unanswered=0 "));
  EXPECT_THAT(lines[2], EndsWith(" connect_n=2 connect_p50_us=6061.6 connect_p95_us=6061.6 "
                                 "connect_p99_us=6061.6 connect_max_us=6061.6\n"));
  EXPECT_THAT(lines[2], Not(HasSubstr("dns_")));
  EXPECT_THAT(lines[3], HasSubstr(" refused=1 "));
  EXPECT_THAT(lines[3], Not(HasSubstr("connect_p50"))) << "not measured is not 0";
}

TEST(SummaryLines, beyond_the_limit_one_line_says_how_many_more) {
  MergedSummary m;
  for (std::uint16_t port = 1; port <= 50; ++port) {
    m.rows[ServiceKey::of_server(0, at("192.0.2.1", port))].add(connections, port);
  }
  SummaryLogOptions few = options();
  few.max_lines = 3;
  const auto lines = texts(summary_lines(m, kNow, few));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[1], HasSubstr("scope=tcp/192.0.2.1:50 connections=50 "));
  EXPECT_THAT(lines[3], HasSubstr("scope=tcp/192.0.2.1:48 "));
  EXPECT_EQ(lines[4], "2026-01-02T03:04:05.000Z more services=47\n");
}

TEST(SummaryLines, a_quiet_interval_still_has_its_line) {
  const auto lines = texts(summary_lines(MergedSummary{}, kNow, options(), {{"rx_missed", 0}}));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            "2026-01-02T03:04:05.000Z appliance name=edge-1 received=0 analysed=0 services=0 "
            "rx_missed=0\n");
}

TEST(SummaryLines, text_and_json_have_the_same_keys) {
  for (const LogLine& line : summary_lines(interval_with_three_services(), kNow, options())) {
    const auto json = nlohmann::ordered_json::parse(line.as_json());
    std::istringstream words(line.as_text());
    std::string word;
    words >> word;
    EXPECT_EQ(json["time"], word);
    words >> word;
    EXPECT_EQ(json["kind"], word);
    std::size_t fields = 2;
    for (; words >> word; ++fields) {
      std::string key = word.substr(0, word.find('='));
      if (key.ends_with("_us")) key.replace(key.size() - 3, 3, "_ns");
      EXPECT_TRUE(json.contains(key)) << key;
    }
    EXPECT_EQ(json.size(), fields);
  }
}

TEST(FindingLines, read_as_the_catalogue_shows) {
  Finding finding;
  finding.rule = "http-late-connection";
  finding.title = "Open the connection before it is needed";
  finding.scope = "tcp/139.217.146.62:80";
  finding.affected_actions = 1;
  finding.saving = {6 * kMillisecondNs, 9 * kMillisecondNs, 12 * kMillisecondNs};
  finding.user_seconds_per_hour = 0.009;
  finding.confidence = "C";
  for (const TimeNs t : {kNow + 2 * kSecondNs, kUnknownNs, kNow}) {
    finding.evidence.emplace_back().time_ns = t;
  }
  const auto lines = texts(finding_lines({finding}, kNow, options()));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            "2026-01-02T03:04:05.000Z finding rule=http-late-connection "
            "scope=tcp/139.217.146.62:80 n=1 save_ms=6.0..12.0 user_s_h=0.009 conf=C "
            "first=2026-01-02T03:04:05.000Z last=2026-01-02T03:04:07.000Z "
            "title=\"Open the connection before it is needed\"\n");

  SummaryLogOptions few = options();
  few.max_lines = 1;
  EXPECT_THAT(texts(finding_lines({finding, finding, finding}, kNow, few)).back(),
              EndsWith(" more findings=2\n"));
}

TEST(SummaryLog, writes_the_same_lines_as_text_and_as_json) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("wirelag-summary-log-" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  {
    SummaryLog log(LogFile::open(directory / "text").value(),
                   LogFile::open(directory / "json").value());
    log.write(summary_lines(interval_with_three_services(), kNow, options()));
    log.reopen();
    log.write(summary_lines(MergedSummary{}, kNow, options()));
  }
  std::string line;
  std::size_t text_lines = 0;
  for (std::ifstream in(directory / "text"); std::getline(in, line);) ++text_lines;
  std::size_t json_lines = 0;
  for (std::ifstream in(directory / "json"); std::getline(in, line); ++json_lines) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(text_lines, 5U);
  EXPECT_EQ(json_lines, 5U);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace wirelag
