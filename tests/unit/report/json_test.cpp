#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "examples.hpp"

namespace wirelag {
namespace {

using namespace examples;
using nlohmann::json;

json origin() { return json::parse(render_json(origin_report())); }

TEST(JsonOrigin, CaptureAndAccounting) {
  const json r = origin();
  EXPECT_EQ(r["schema"], "wirelag.report/1");
  EXPECT_EQ(r["capture"]["first_time_ns"], 1'523'420'000'000'000'000);
  EXPECT_EQ(r["capture"]["packets"], 116);
  EXPECT_EQ(r["capture"]["cut_short"], false);
  EXPECT_EQ(r["accounting"], json::parse(R"({"received":116,"analysed":116,"not_analysed":{}})"));
}

TEST(JsonOrigin, FourDnsTransactionsMakeOneLookup) {
  const json r = origin();
  const json& dns = r["dns"]["transactions"];
  ASSERT_EQ(dns.size(), 4U);
  EXPECT_EQ(dns[0]["client"], json::parse(R"({"ip":"127.0.0.1","port":41712})"));
  EXPECT_EQ(dns[0]["server"]["ip"], "127.0.1.1");
  EXPECT_EQ(dns[0]["id"], 0x3eae);
  EXPECT_EQ(dns[0]["query_frames"], json::array({1}));
  EXPECT_EQ(dns[0]["response_frame"], 7);
  EXPECT_EQ(dns[0]["latency_ns"], 3'748'760);
  EXPECT_EQ(dns[1]["latency_ns"], 3'479'936);
  EXPECT_EQ(dns[2]["latency_ns"], 3'406'391);
  EXPECT_EQ(dns[3]["latency_ns"], 26'617'849);
  ASSERT_EQ(dns[0]["answers"].size(), 3U);
  EXPECT_EQ(dns[0]["answers"][0]["data"], "mirror.trafficmanager.cn");
  EXPECT_EQ(dns[0]["answers"][1]["data"], "eastmirror.chinacloudapp.cn");
  EXPECT_EQ(dns[0]["answers"][2]["data"], "139.217.146.62");
  EXPECT_EQ(dns[0]["answers"][2]["ttl"], 10);

  const json& lookups = r["dns"]["lookups"];
  ASSERT_EQ(lookups.size(), 1U);
  EXPECT_EQ(lookups[0]["transactions"], json::array({0, 1, 2, 3}));
  EXPECT_EQ(lookups[0]["wait_ns"], 3'748'760);
  EXPECT_EQ(lookups[0]["released_by"], 0);
  EXPECT_EQ(lookups[0]["outcome"], "answered");
}

TEST(JsonOrigin, FiveConnectionsNumberedByFirstFrame) {
  const json r = origin();
  const json& c = r["tcp"]["connections"];
  ASSERT_EQ(c.size(), 5U);
  const struct {
    int port, syn, syn_ack, ack;
    std::int64_t connect_ns;
  } want[] = {{60686, 8, 9, 10, 6'061'628},
              {60690, 27, 37, 38, 7'493'952},
              {60692, 97, 112, 113, 7'085'419},
              {60694, 98, 110, 111, 6'601'899},
              {60696, 99, 115, 116, 6'556'854}};
  for (std::size_t i = 0; i < 5; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(c[i]["id"], i + 1);
    EXPECT_EQ(c[i]["client"]["port"], want[i].port);
    EXPECT_EQ(c[i]["frames"]["syn"], json::array({want[i].syn}));
    EXPECT_EQ(c[i]["frames"]["syn_ack"], json::array({want[i].syn_ack}));
    EXPECT_EQ(c[i]["frames"]["ack"], want[i].ack);
    EXPECT_EQ(c[i]["connect_time_ns"], want[i].connect_ns);
    EXPECT_EQ(c[i]["state"], "complete");
    EXPECT_EQ(c[i]["close"], "open");
  }
  EXPECT_EQ(c[0]["rtt_probe_server_ns"], 6'012'720);
  EXPECT_EQ(c[0]["rtt_probe_client_ns"], 48'908);
  EXPECT_EQ(c[0]["payload_bytes"], json::parse(R"({"c2s":2105,"s2c":148850})"));
  EXPECT_EQ(c[0]["options"]["client"],
            json::parse(
                R"({"mss":1460,"window_scale":7,"sack":true,"timestamps":false,"window":29200})"));
  EXPECT_EQ(c[0]["tasks"], json::array({0, 1, 2, 4, 5}));
  EXPECT_EQ(c[0]["purpose"], "first_contact");
  EXPECT_EQ(c[2]["tasks"], json::array());
  EXPECT_EQ(c[3]["tasks"], json::array({7}));
}

TEST(JsonOrigin, EightRequestsThreeOfThemUnanswered) {
  const json r = origin();
  const json& http = r["http"]["transactions"];
  ASSERT_EQ(http.size(), 8U);
  EXPECT_EQ(http[0]["connection"], 1);
  EXPECT_EQ(http[0]["target"], "/");
  EXPECT_EQ(http[0]["request_frames"], json::parse(R"({"first":11,"last":11})"));
  EXPECT_EQ(http[0]["response_frames"], json::parse(R"({"first":13,"last":22})"));
  EXPECT_EQ(http[0]["server_wait_ns"], 6'790'000);
  EXPECT_EQ(http[7]["connection"], 4);
  EXPECT_EQ(http[7]["status"], nullptr);
  EXPECT_EQ(http[7]["response_frames"], nullptr);
  EXPECT_EQ(http[7]["server_wait_ns"], nullptr);
}

TEST(JsonOrigin, EveryMemberOfTheContractIsThere) {
  const json r = origin();
  for (const char* key : {"schema", "capture", "accounting", "visibility", "dns", "tcp", "tls",
                          "http", "quic", "app", "visits", "findings", "not_judged"}) {
    EXPECT_TRUE(r.contains(key)) << key;
  }
  for (const char* key : {"name", "format", "link_types", "packets", "first_time_ns",
                          "last_time_ns", "cut_short", "snaplen_cut"}) {
    EXPECT_TRUE(r["capture"].contains(key)) << key;
  }
  for (const char* key :
       {"one_sided_connections", "duplicate_frames", "clock_steps_back", "missing_bytes"}) {
    EXPECT_TRUE(r["visibility"].contains(key)) << key;
  }
  for (const char* key : {"id",
                          "client",
                          "server",
                          "client_basis",
                          "state",
                          "frames",
                          "syn_wait_ns",
                          "rtt_probe_server_ns",
                          "synack_wait_ns",
                          "rtt_probe_client_ns",
                          "handshake_rtt_ns",
                          "connect_time_ns",
                          "start_time_ns",
                          "duration_ns",
                          "packets",
                          "payload_bytes",
                          "missing_bytes",
                          "retransmissions",
                          "time_lost_ns",
                          "zero_window",
                          "rtt",
                          "options",
                          "close",
                          "protocol",
                          "tasks",
                          "purpose"}) {
    EXPECT_TRUE(r["tcp"]["connections"][0].contains(key)) << key;
  }
  EXPECT_EQ(r["tls"]["handshakes"], json::array());
}

TEST(Json, TheSameDataGivesTheSameBytesInAnyOrderOfEmission) {
  Dataset other;
  emit_origin_http(other);
  emit_origin_tcp(other);
  emit_origin_dns(other);
  EXPECT_EQ(render_json(origin_report()), render_json(report_of(std::move(other))));
}

TEST(Json, WhatWasNotSeenIsNullAndNeverZero) {
  // GIVEN an attempt nobody answered, a query nobody answered and a request without a response
  Dataset data;
  const Connection c =
      unanswered(1, at("192.0.2.1", 4000), at("192.0.2.9", 80), {{1, 0}, {2, kSecondNs}});
  data.emit(&c);
  DnsTransaction d = dns(at("192.0.2.1", 4001), "192.0.2.53", 7, {3, 0}, {0, 0}, {});
  d.outcome = DnsOutcome::unanswered;
  d.response_ns = kUnknownNs;
  data.emit(&d);
  const HttpTransaction h = http({99, at("192.0.2.1", 4002), "/", {4, 0}, {}});
  data.emit(&h);
  CaptureBlock capture;
  capture.name = "nothing.pcap";
  // WHEN it is rendered
  const json r = json::parse(render_json(report_of(std::move(data), capture)));
  // THEN nothing unknown has become a number
  for (const char* key :
       {"syn_wait_ns", "rtt_probe_server_ns", "synack_wait_ns", "rtt_probe_client_ns",
        "handshake_rtt_ns", "connect_time_ns", "protocol"}) {
    EXPECT_EQ(r["tcp"]["connections"][0][key], nullptr) << key;
  }
  const json& connection = r["tcp"]["connections"][0];
  EXPECT_EQ(connection["frames"]["ack"], nullptr);
  EXPECT_EQ(connection["rtt"]["probe_server"],
            json::parse(R"({"samples":0,"min_ns":null,"mean_ns":null,"max_ns":null})"));
  EXPECT_EQ(connection["options"]["server"], nullptr);
  EXPECT_EQ(connection["time_lost_ns"]["s2c"], nullptr) << "that direction was never seen";
  for (const char* key :
       {"response_frame", "rcode", "latency_ns", "resolver_ns", "truncated", "connection"}) {
    EXPECT_EQ(r["dns"]["transactions"][0][key], nullptr) << key;
  }
  EXPECT_EQ(r["dns"]["lookups"][0]["wait_ns"], nullptr);
  for (const char* key : {"connection", "status", "server_wait_ns", "server_think_ns",
                          "transfer_ns", "total_ns", "response_bytes"}) {
    EXPECT_EQ(r["http"]["transactions"][0][key], nullptr) << key;
  }
  EXPECT_EQ(r["capture"]["first_time_ns"], nullptr);
  EXPECT_EQ(render_json(origin_report()).find(std::to_string(kUnknownNs)), std::string::npos);
}

TEST(Json, TheServersOwnTimeIsTheWaitWithoutTheShortestRoundTripToIt) {
  // GIVEN a request that waits 50 ms
  const Endpoint client = at("192.0.2.1", 4000);
  constexpr DurationNs kMs = 1'000'000;
  const auto think = [&](DurationNs by_handshake, DurationNs by_data) {
    Dataset data;
    Connection c = opened(1, client, at("139.217.146.62", 80), {1, 0}, {2, 1}, {3, 2});
    c.rtt_probe_server_ns = by_handshake;
    if (known(by_data)) c.rtt_probe_server.add(by_data);
    data.emit(&c);
    const HttpTransaction h = http({1, client, "/", {5, 10}, {6, 6}, 50 * kMs, 1, 10});
    data.emit(&h);
    return json::parse(
        render_json(report_of(std::move(data))))["http"]["transactions"][0]["server_think_ns"];
  };
  EXPECT_EQ(think(20 * kMs, kUnknownNs), 30 * kMs);
  EXPECT_EQ(think(20 * kMs, 10 * kMs), 40 * kMs);
  EXPECT_EQ(think(kUnknownNs, 10 * kMs), 40 * kMs);
  EXPECT_EQ(think(60 * kMs, kUnknownNs), 0) << "an estimate is never negative";
  EXPECT_EQ(think(kUnknownNs, kUnknownNs), nullptr);
}

TEST(Json, TextFromTheWireBecomesValidUtf8) {
  Dataset data;
  const std::string target = "/\xff\x1b[31m\"\\\xc3\xa9\xc3";
  HttpTransaction h = http({1, at("192.0.2.1", 4002), target, {4, 0}, {}});
  data.emit(&h);
  const json r = json::parse(render_json(report_of(std::move(data))));
  EXPECT_EQ(r["http"]["transactions"][0]["target"], "/\\xff\x1b[31m\"\\\xc3\xa9\\xc3");
}

TEST(Json, AResponseWithoutItsRequestHasAListOfItsOwn) {
  Dataset data;
  const Endpoint client = at("10.11.29.131", 60686);
  HttpTransaction orphan = http({1, client, "", {2, 0}, {3, 4}, 1, 1, 10});
  orphan.request_seen = orphan.request_complete = false;
  orphan.method = orphan.host = orphan.target = {};
  orphan.request_frames = {};
  orphan.request_first_ns = orphan.request_last_ns = kUnknownNs;
  data.emit(&orphan);
  const HttpTransaction next = http({1, client, "/next", {5, 10}, {6, 6}, 1, 1, 10});
  data.emit(&next);
  const Connection c = opened(1, client, at("139.217.146.62", 80), {1, 0}, {2, 1}, {3, 2});
  data.emit(&c);
  const json r = json::parse(render_json(report_of(std::move(data))));
  ASSERT_EQ(r["http"]["transactions"].size(), 1U);
  EXPECT_EQ(r["http"]["responses_without_request"].size(), 1U);
  EXPECT_EQ(r["http"]["transactions"][0]["target"], "/next");
  EXPECT_EQ(r["tcp"]["connections"][0]["tasks"], json::array({0}))
      << "indexes of http.transactions";
}

TEST(Json, FindingsKeepTheirEvidenceByConnectionId) {
  Report r = origin_report();
  Finding f;
  f.rule = "http-late-connection";
  f.families = {Family::network, Family::concurrency};
  f.saving = {6'000'000, 9'000'000, 12'000'000};
  f.user_seconds_per_hour = 0.25;
  f.least_user_seconds_per_hour = 0.125;
  f.most_user_seconds_per_hour = 0.5;
  f.confidence = "C";
  f.evidence.push_back({"handshake", 1, {27, 37, 38}, kStart + 34'843'260, 7'493'952});
  f.evidence.push_back({"no connection", Dataset::kNone, {}, kUnknownNs, kUnknownNs});
  f.change.push_back({"nginx", "listen 443 ssl http2;", "reload", "needs TLS"});
  r.advice.findings.push_back(f);
  r.advice.not_judged.push_back({"http-slow-ttfb", "no response times", Outcome::not_visible, {}});
  const json out = json::parse(render_json(r));
  const json& finding = out["findings"][0];
  EXPECT_EQ(finding["families"], json::array({"NET", "CONC"}));
  EXPECT_EQ(finding["saving_ns"], json::parse(R"({"low":6000000,"mid":9000000,"high":12000000})"));
  EXPECT_EQ(finding["user_seconds_per_hour"], 0.25);
  EXPECT_EQ(finding["least_user_seconds_per_hour"], 0.125);
  EXPECT_EQ(finding["most_user_seconds_per_hour"], 0.5);
  EXPECT_EQ(finding["evidence"][0]["connection"], 2);
  EXPECT_EQ(finding["evidence"][0]["frames"], json::array({27, 37, 38}));
  EXPECT_EQ(finding["evidence"][1]["connection"], nullptr);
  EXPECT_EQ(finding["evidence"][1]["time_ns"], nullptr);
  EXPECT_EQ(finding["capacity"], nullptr);
  EXPECT_EQ(out["not_judged"][0], (json{{"rule", "http-slow-ttfb"},
                                        {"outcome", "not_visible"},
                                        {"reason", "no response times"}}));
}

TEST(BuildReport, SealsCorrelatesAndJudges) {
  // GIVEN the origin's transactions, not sealed, in the order the workers emitted them
  Accounting books;
  books.count(NotAnalysed::none, 116);
  // WHEN the report is built
  const Report r =
      build_report(origin_capture(), books, Counters{}, origin_data(), Thresholds{}, {""});
  // THEN connections are numbered, lookups made, and every rule has said something
  EXPECT_EQ(r.data.connections()[0].client.port, 60686);
  EXPECT_EQ(r.correlation.lookups.size(), 1U);
  EXPECT_EQ(r.correlation.channels.size(), 5U);
  EXPECT_GE(r.advice.findings.size() + r.advice.not_judged.size() + r.advice.fine.size(),
            all_rules().size());
}

TEST(Json, NamedReasonsMakeTheBooksBalance) {
  Report r = origin_report();
  r.accounting.count(NotAnalysed::arp, 3);
  r.accounting.count(NotAnalysed::icmp, 2);
  const json out = json::parse(render_json(r));
  EXPECT_EQ(out["accounting"],
            json::parse(R"({"received":121,"analysed":116,"not_analysed":{"arp":3,"icmp":2}})"));
}

// ------------------------------------------------------------------------------ visits and waits

/// The origin capture as the control core reports it, judged.
json judged() {
  return json::parse(
      render_json(build_report(origin_capture(), {}, {}, origin_data(), Thresholds{}, {""})));
}

DurationNs sum_of(const json& breakdown) {
  DurationNs sum = 0;
  for (const json& ns : breakdown) sum += ns.get<DurationNs>();
  return sum;
}

TEST(JsonVisits, SayWhatTheUserWaitedForStepByStep) {
  const json r = judged();
  ASSERT_EQ(r["visits"].size(), 1U);
  EXPECT_EQ(r["visits_seen"], 1);
  const json& v = r["visits"][0];
  EXPECT_EQ(v["client_ip"], "10.11.29.131");
  EXPECT_EQ(v["service"], "mirror.azure.cn");
  EXPECT_EQ(v["kind"], "page");
  EXPECT_EQ(v["dns_lookups"], json::array({0}));
  EXPECT_EQ(v["connections"], json::array({1, 2, 3, 4, 5}));
  EXPECT_EQ(v["requests"].size(), 8U);
  EXPECT_THAT(v["limits"].get<std::vector<std::string>>(), testing::Contains("incomplete"));
  const auto wait = v["wait_ns"].get<DurationNs>();
  EXPECT_EQ(sum_of(v["breakdown_ns"]), wait);
  EXPECT_EQ(sum_of(v["breakdown_parallel_ns"]), wait);
  EXPECT_EQ(v["breakdown_ns"]["dns"], 3'748'760);
  EXPECT_EQ(v["breakdown_ns"]["tls"], 0);
  const json& path = v["critical_path"];
  ASSERT_GE(path.size(), 4U);
  EXPECT_EQ(path[0]["kind"], "dns");
  EXPECT_EQ(path[0]["dns_lookup"], 0);
  EXPECT_EQ(path[0]["connection"], nullptr);
  EXPECT_EQ(path[1]["kind"], "connect");
  EXPECT_EQ(path[1]["connection"], 1);
  EXPECT_EQ(path[1]["duration_ns"], 6'061'628);
  EXPECT_FALSE(path[1].contains("request"));
  EXPECT_EQ(path[2]["kind"], "request");
  EXPECT_EQ(path[2]["request"], 0);
}

TEST(JsonWaits, AddUpAndSayWhatEveryChangeLeaves) {
  const json r = judged();
  const json& all = r["waits"]["all"];
  EXPECT_EQ(all["service"], nullptr);
  EXPECT_EQ(all["visits"], 1);
  const auto wait = r["visits"][0]["wait_ns"].get<DurationNs>();
  EXPECT_EQ(all["wait_ns"], (json{{"sum", wait}, {"p50", wait}, {"p95", wait}}));
  EXPECT_EQ(all["breakdown_ns"], r["visits"][0]["breakdown_ns"]);
  EXPECT_EQ(sum_of(all["breakdown_p95_ns"]), wait);
  EXPECT_EQ(r["waits"]["services"], json::array());
  ASSERT_EQ(r["waits"]["typical"].size(), 1U);
  const json& typical = r["waits"]["typical"][0];
  EXPECT_EQ(typical["visit"], 0);
  ASSERT_FALSE(typical["after"].empty());
  const json& first = typical["after"][0];
  const json& finding = r["findings"][first["finding"].get<std::size_t>()];
  EXPECT_EQ(finding["rule"], "http-late-connection");
  EXPECT_EQ(first["wait_ns"]["low"], wait - finding["saving_ns"]["high"].get<DurationNs>());
  EXPECT_EQ(first["wait_ns"]["high"], wait - finding["saving_ns"]["low"].get<DurationNs>());
}

TEST(JsonLoads, HaveAWindowForEverySecondWithEnoughAnswers) {
  Report r = origin_report();
  r.loads.push_back(
      {at("192.0.2.80", 80), 10e6, 400, 4, {{kStart, 2.5, 250, 10e6, false, {1, 2}}}});
  const json load = json::parse(render_json(r))["loads"][0];
  EXPECT_EQ(load["server"], (json{{"ip", "192.0.2.80"}, {"port", 80}}));
  EXPECT_EQ(load["response_unloaded_ns"], 10'000'000);
  EXPECT_EQ(load["knee_in_flight"], 4.0);
  EXPECT_EQ(load["windows_beyond_knee"], 0);
  ASSERT_EQ(load["windows"].size(), 1U);
  EXPECT_EQ(load["windows"][0]["start_time_ns"], kStart);
  EXPECT_EQ(load["windows"][0]["in_flight"], 2.5);
  EXPECT_EQ(load["windows"][0]["answers"], 2);
}

/// What the origin's questions come down to: judged again if a rule changes its mind.
TEST(JsonOrigin, ClaimsNothingThatOneVisitCannotShow) {
  const json r = judged();
  for (const json& f : r["findings"]) {
    EXPECT_EQ(f["confidence"], "C") << f["rule"];
    EXPECT_THAT(f["why_not_higher"].dump(), testing::HasSubstr("fewer than 100")) << f["rule"];
    const std::string rule = f["rule"];
    if (rule == "dns-redundant-fanout") {
      EXPECT_EQ(f["saving_ns"], (json{{"low", 0}, {"mid", 0}, {"high", 0}}));
      EXPECT_EQ(f["capacity_only"], true);
      EXPECT_THAT(f["warnings"].dump(), testing::HasSubstr("114.114.114.114"));
      EXPECT_THAT(f["warnings"].dump(), testing::HasSubstr("+23.2 ms"));
    } else {
      // About one round trip of 6 ms: once surely, twice if the second connection counts as well.
      EXPECT_EQ(rule, "http-late-connection");
      EXPECT_NEAR(f["saving_ns"]["low"].get<double>(), 6e6, 1e6);
      EXPECT_LE(f["saving_ns"]["high"].get<double>(), 2 * 6.6e6);
    }
  }
  EXPECT_EQ(r["findings"].size(), 2U);
  std::vector<std::string> unjudged;
  for (const json& n : r["not_judged"]) unjudged.push_back(n["rule"]);
  EXPECT_THAT(unjudged, testing::Contains("srv-saturation-knee"));
}

}  // namespace
}  // namespace wirelag
