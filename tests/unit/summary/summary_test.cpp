#include <gtest/gtest.h>

#include <wirelag/summary/summary.hpp>

#include "examples.hpp"

namespace wirelag {
namespace {

using examples::at;
using enum ServiceCount;

ServiceKey server(std::uint16_t port) {
  return ServiceKey::of_server(kNoService, at("192.0.2.1", port));
}

std::size_t rows_of_kind(const Summary& summary, ServiceKey::Kind kind) {
  std::size_t n = 0;
  for (const Summary::Row& row : summary.rows()) n += row.key.kind == kind ? 1 : 0;
  return n;
}

TEST(ServiceKey, text_names_service_server_resolver_and_other) {
  const std::vector<std::string> names = {"", "shop"};
  EXPECT_EQ(ServiceKey::of_server(1, at("192.0.2.1", 443)).text(names), "service/shop");
  EXPECT_EQ(ServiceKey::of_server(0, at("2001:db8::1", 443)).text(names), "tcp/[2001:db8::1]:443");
  EXPECT_EQ(ServiceKey::of_resolver(0, at("192.0.2.53", 53)).text(names), "dns/192.0.2.53:53");
  EXPECT_EQ(ServiceKey::of_server(7, at("192.0.2.1", 443)).text(names), "service/7");
  EXPECT_EQ(ServiceKey{}.text(names), "other");
}

TEST(Summary, the_same_key_gets_the_same_row) {
  Summary summary({.services = 4, .servers = 100});
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t port = 0; port < 100; ++port)
      summary.row(server(port), true).add(connections);
  }
  ASSERT_EQ(summary.rows().size(), 100U);
  for (const Summary::Row& row : summary.rows()) EXPECT_EQ(row.numbers.of(connections), 3U);
}

TEST(Summary, a_resolver_and_a_server_at_one_endpoint_are_two_rows) {
  Summary summary({});
  summary.row(ServiceKey::of_server(0, examples::kResolver), true).add(connections);
  summary.row(ServiceKey::of_resolver(0, examples::kResolver), true).add(dns_queries);
  EXPECT_EQ(summary.rows().size(), 2U);
}

TEST(Summary, beyond_its_rows_servers_are_counted_under_other_and_nothing_is_lost) {
  Summary summary({.services = 2, .servers = 10});
  for (std::uint16_t port = 0; port < 50; ++port) summary.row(server(port), true).add(connections);
  EXPECT_EQ(rows_of_kind(summary, ServiceKey::Kind::tcp), 10U);
  EXPECT_EQ(summary.row(ServiceKey{}, true).of(connections), 40U);
  EXPECT_EQ(summary.without_row, 40U);
}

TEST(Summary, named_services_have_room_when_servers_do_not) {
  Summary summary({.services = 2, .servers = 10});
  for (std::uint16_t port = 0; port < 50; ++port) summary.row(server(port), true).add(connections);
  for (const ServiceId id : {1, 2, 3}) {
    summary.row(ServiceKey::of_server(id, at("192.0.2.9", 1)), true).add(connections);
  }
  EXPECT_EQ(rows_of_kind(summary, ServiceKey::Kind::service), 2U);
  EXPECT_EQ(summary.row(ServiceKey{}, true).of(connections), 41U)
      << "the third service has no room";
}

TEST(Summary, a_scan_of_silent_addresses_leaves_half_of_the_rows_to_the_living) {
  Summary summary({.services = 0, .servers = 10});
  for (std::uint16_t port = 0; port < 1000; ++port) {
    summary.row(server(port), false).add(syn_unanswered);
  }
  for (std::uint16_t port = 2000; port < 2005; ++port)
    summary.row(server(port), true).add(connections);
  EXPECT_EQ(rows_of_kind(summary, ServiceKey::Kind::tcp), 10U);
  EXPECT_EQ(summary.row(ServiceKey{}, true).of(syn_unanswered), 995U);
  EXPECT_EQ(summary.row(ServiceKey{}, true).of(connections), 0U);
}

TEST(Summary, a_cleared_summary_is_as_new) {
  Summary summary({.services = 1, .servers = 2});
  for (std::uint16_t port = 0; port < 5; ++port) summary.row(server(port), true).add(connections);
  summary.start_time_ns = summary.end_time_ns = 5;
  summary.accounting.count(NotAnalysed::arp);
  summary.clear();
  EXPECT_TRUE(summary.rows().empty());
  EXPECT_EQ(summary.accounting.received, 0U);
  EXPECT_EQ(summary.without_row, 0U);
  EXPECT_FALSE(known(summary.start_time_ns));
  // All rows can be used again and start at zero.
  EXPECT_EQ(summary.row(server(7), true), ServiceSummary{});
  EXPECT_EQ(summary.row(server(8), true), ServiceSummary{});
  EXPECT_EQ(rows_of_kind(summary, ServiceKey::Kind::tcp), 2U);
}

}  // namespace
}  // namespace wirelag
