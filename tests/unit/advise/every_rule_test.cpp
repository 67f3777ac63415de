// Every rule of rules.def, held to the same five promises by one table:
//
//   fault       it fires, and names the right server and the right connection
//   twin        the same traffic without the fault: it does not fire
//   overlapped  the fault beside something that takes longer: it saves 0
//   one side    captured in one direction: it does not judge, or says what its finding lacks
//   midstream   every connection was open before the capture: likewise
//
// A rule without an entry fails the test.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judged.hpp"

namespace wirelag::test {
namespace {

constexpr const char* kResolver = "192.0.2.53";

/// What a rule may say where it cannot see all it needs; never that all is fine.
enum class Said { not_visible, not_applicable, lowered };

struct Entry {
  std::string_view rule;
  std::function<void(Story&)> fault;
  std::function<void(Story&)> twin;
  /// Added to the fault, so that it saves nothing.
  std::function<void(Story&)> beside;
  std::string scope;           ///< of the finding
  std::size_t connection = 0;  ///< of its first evidence; kNone: it names none
  std::vector<Said> one_sided;
  std::vector<Said> midstream;
};

// ------------------------------------------------------------------------------- small stories

std::uint16_t port_of(const Story& s) {
  return static_cast<std::uint16_t>(10000 + const_cast<Story&>(s).all_connections().size());
}

Connection& open(Story& s, double at, double rtt = 6, const char* server = kServer,
                 std::uint16_t port = 80) {
  Connection& c = s.connection(kClient, port_of(s), server, port, at, rtt);
  c.half.c2s.packets = c.half.s2c.packets = 10;
  return c;
}

/// A response that outlasts everything else of the visit, from another server.
void something_longer(Story& s) {
  HttpTransaction& h = s.http(open(s, 0, 6, "192.0.2.99"), "/long", 6.1, 29000);
  h.content_type = "text/html";
  h.response_first_ns = at_ms(12.2);
}

void measured(HttpTransaction& h) { test::stalls(h) = {0, 0, 0, 0, 0}; }

/// As many segments as `bursts` adds up to, one flight each.
void flights(HttpTransaction& h, double rtt_ms, std::vector<std::uint32_t> bursts) {
  TransferShape& s = h.response_shape;
  s.rtt_ns = at_ms(rtt_ms) - kBegin;
  s.flights = s.bursts = static_cast<std::uint32_t>(bursts.size());
  s.rounds_ns = s.rtt_ns * (s.flights - 1);
  s.pause_ns = s.resend_stall_ns = s.window_stall_ns = s.held_ns = 0;
  for (const std::uint32_t n : bursts) {
    s.segments += n;
    s.largest_burst_bytes = std::max<std::uint64_t>(s.largest_burst_bytes, 1448ULL * n);
  }
  s.first_burst_segments = bursts.front();
  s.first_burst_bytes = 1448ULL * bursts.front();
  h.response_bytes = 1448ULL * s.segments;
  h.response_first_ns = h.response_last_ns - s.rounds_ns - kMillisecondNs;
}

void resent(Story& s, double stall_ms) {
  Connection& c = open(s, 0);
  HttpTransaction& h = s.http(c, "/a", 6.1, 12.2 + stall_ms);
  h.response_first_ns = at_ms(12.1);
  measured(h);
  test::stalls(h).response_resend_ns = h.response_shape.resend_stall_ns = at_ms(stall_ms) - kBegin;
  h.response_shape.rounds_ns = h.response_shape.pause_ns = h.response_shape.window_stall_ns = 0;
  h.response_shape.flights = 1;
}

void queries(Story& s, Protocol p, std::uint16_t port, int n, double think_ms, double gap_ms,
             const std::function<std::string(int)>& text) {
  Connection& c = open(s, 0, 6, kServer, port);
  double at = 6.1;
  for (int i = 0; i < n; ++i) {
    s.query(c, p, text(i), at, at + 6 + think_ms);
    at += 6 + think_ms + gap_ms;
  }
}

std::string get(int) { return "GET user:?"; }
std::string select(int) { return "select name from users where id=?"; }

/// The same queries at the same time on a connection of the client's that takes longer.
void longer_query(Story& s) {
  Connection& c = open(s, 0.5, 6, "192.0.2.98", 5432);
  s.query(c, Protocol::postgres, "select pg_sleep(?)", 6.6, 20000);
}

void lookups(Story& s, double latency_ms) {
  for (int i = 0; i < 4; ++i) {
    const double t = i * 5000.0;
    const std::string name = "a" + std::to_string(i) + ".example";
    const std::string address = "192.0.2." + std::to_string(100 + i);
    s.dns({kClient, kResolver, name}, t, t + latency_ms, DnsOutcome::answered, {address});
    s.http(open(s, t + latency_ms + 1, 6, address.c_str()), "/", t + latency_ms + 7.1,
           t + latency_ms + 30);
  }
}

/// Long requests around every lookup's visit.
void long_requests(Story& s) {
  for (int i = 0; i < 4; ++i) {
    const double t = i * 5000.0;
    HttpTransaction& h = s.http(open(s, t, 6, "192.0.2.99"), "/long", t + 6.1, t + 3900);
    h.response_first_ns = at_ms(t + 12);
    h.content_type = "image/png";
  }
}

void fan_out(Story& s, bool several) {
  s.dns({"127.0.0.1", "127.0.1.1", "a.example"}, 0, 30, DnsOutcome::answered, {kServer});
  s.dns({kClient, kResolver, "a.example"}, 0.1, 29.9, DnsOutcome::answered, {kServer});
  if (several) {
    s.dns({kClient, "192.0.2.54", "a.example"}, 0.2, 40, DnsOutcome::answered, {kServer});
  }
  s.http(open(s, 31), "/", 37.1, 60);
}

void asked_twice(Story& s, double retry_ms) {
  s.dns({kClient, "192.0.2.54", "a.example"}, 0, retry_ms > 0 ? Story::kNever : 20,
        DnsOutcome::answered, {kServer});
  if (retry_ms > 0) {
    s.dns({kClient, kResolver, "a.example"}, retry_ms, retry_ms + 4, DnsOutcome::answered,
          {kServer});
  }
  const double t = retry_ms > 0 ? retry_ms + 5 : 21;
  s.http(open(s, t), "/", t + 6.1, t + 30);
}

void lost_syn(Story& s, double at) {
  Connection& c = open(s, at, 1006);
  c.syn_wait_ns = 1000 * kMillisecondNs;
  c.handshake_rtt_ns = 6 * kMillisecondNs;
  c.rtt_probe_server_ns = 5'940'000;
  test::push(c.syn_frames, frame_at(at + 1000));
  s.http(c, "/", at + 1006.1, at + 1050);
}

/// A page and twelve pictures over six connections (or one answer at a time on two).
void pictures(Story& s, int connections) {
  Connection& first = open(s, 0);
  s.http(first, "/", 6.1, 50).content_type = "text/html";
  std::vector<Connection*> all = {&first};
  for (int i = 1; i < connections; ++i) all.push_back(&open(s, 50.1));
  for (int n = 0; n < 12; ++n) {
    const double at = 56.2 + 30.1 * (n / connections);
    HttpTransaction& h = s.http(*all[static_cast<std::size_t>(n % connections)],
                                "/" + std::to_string(n) + ".png", at, at + 30);
    h.content_type = "image/png";
    h.referer = "http://www.example.com/";
  }
}

void late(Story& s, bool ready) {
  Connection& first = open(s, 0);
  s.http(first, "/", 6.1, 50).content_type = "text/html";
  s.http(first, "/a.css", 50.1, 90).content_type = "text/css";
  Connection& second = open(s, ready ? 1 : 51);
  s.http(second, "/b.css", 57.1, 120).content_type = "text/css";
}

void churn(Story& s, bool closes) {
  Connection* c = nullptr;
  for (int i = 0; i < 10; ++i) {
    const double t = i * 50;
    if (closes || c == nullptr) c = &open(s, t);
    s.http(*c, "/v1", t + 6.1, t + 20).content_type = "text/html";
    if (closes) s.close(*c, t + 21);
  }
}

/// More and more clients at once on a server with room for four: an answer takes `base` as long as
/// there is room.
void load(Story& s, bool room) {
  double at = 0;
  for (int window = 0; window < 16; ++window) {
    const int clients = window < 8 ? 1 : 16;
    const double answer = room || clients <= 4 ? 10 : 10.0 * clients / 4;
    for (int c = 0; c < clients; ++c) {
      Connection& connection = open(s, at, 0.1);
      connection.client = endpoint("10.0.1." + std::to_string(c + 1), connection.client.port);
      for (double t = 1 + 0.01 * c; t + answer < 999; t += answer + 0.1) {
        s.http(connection, "/v1", at + t, at + t + answer).content_type = "application/json";
      }
    }
    at += 3000;
  }
}

/// Every client of load() reads a page of another server that takes longer.
void longer_than_the_load(Story& s) {
  for (int window = 0; window < 16; ++window) {
    const double at = 3000.0 * window;
    for (int c = 0; c < (window < 8 ? 1 : 16); ++c) {
      Connection& connection = open(s, at, 0.1, "192.0.2.99");
      connection.client = endpoint("10.0.1." + std::to_string(c + 1), connection.client.port);
      HttpTransaction& h = s.http(connection, "/page", at + 0.2, at + 1900);
      h.response_first_ns = at_ms(at + 0.5);
      h.content_type = "text/html";
    }
  }
}

void handshakes(Story& s, std::uint16_t version) {
  Connection& c = open(s, 0, 40, kServer, 443);
  const double done = version == 0x0304 ? 80 : 121;
  TlsHandshake& t = s.tls(c, "www.example.com", version, 40.1, done, done + 0.5);
  t.client_version = 0x0304;
  t.first_server_data_ns = at_ms(done + 50);
}

void after_pause(Story& s, std::vector<std::uint32_t> second) {
  Connection& c = open(s, 0, 40);
  HttpTransaction& warm = s.http(c, "/1", 40.1, 250);
  flights(warm, 40, {10, 20, 40, 69});
  HttpTransaction& cold = s.http(c, "/2", 1240, 1240 + 41.0 * static_cast<double>(second.size()));
  flights(cold, 40, std::move(second));
}

void first_response(Story& s, std::vector<std::uint32_t> bursts) {
  HttpTransaction& h = s.http(open(s, 0, 40), "/1", 40.1, 250);
  flights(h, 40, std::move(bursts));
}

void two_writes(Story& s, double held_ms) {
  HttpTransaction& h = s.http(open(s, 0), "/a", 6.1, 12.2 + held_ms);
  measured(h);
  h.request_last_ns = at_ms(6.1 + held_ms);
  test::stalls(h).request_held_ns = at_ms(held_ms) - kBegin;
}

void lossy(Story& s, std::uint32_t lost) {
  resent(s, lost > 0 ? 40 : 0);
  Connection& c = s.all_connections().back();
  c.half.s2c.payload_packets = 2000;
  test::impair(c.half.s2c).retransmissions[static_cast<std::size_t>(RetransmissionClass::fast)] =
      lost;
}

void thinks(Story& s, double ms) {
  for (int i = 0; i < 3; ++i) {
    const double t = i * 5000.0;
    s.http(open(s, t), "/report", t + 6.1, t + 12.2 + ms);
  }
}

// ------------------------------------------------------------------------------------- the table

const std::string kHttp = "tcp/192.0.2.80:80";

const std::vector<Entry>& table() {
  using enum Said;
  static const std::vector<Entry> kTable = {
      {"db-n-plus-one",
       [](Story& s) { queries(s, Protocol::postgres, 5432, 20, 1, 0.3, select); },
       [](Story& s) {
         queries(s, Protocol::postgres, 5432, 20, 1, 0.3, [](int i) {
           return "select name from users where " + std::string(1, static_cast<char>('a' + i)) +
                  "=?";
         });
       },
       longer_query,
       "tcp/192.0.2.80:5432 select name from users where id=?",
       0,
       {not_visible},
       {lowered}},
      {"db-serial-roundtrips",
       [](Story& s) { queries(s, Protocol::redis, 6379, 20, 0.2, 0.1, get); },
       [](Story& s) { queries(s, Protocol::redis, 6379, 20, 0.2, 30, get); },
       longer_query,
       "tcp/192.0.2.80:6379",
       0,
       {not_visible},
       {lowered}},
      {"db-slow-fingerprint",
       [](Story& s) { queries(s, Protocol::postgres, 5432, 3, 120, 150, select); },
       [](Story& s) { queries(s, Protocol::postgres, 5432, 3, 1, 150, select); },
       longer_query,
       "tcp/192.0.2.80:5432 select name from users where id=?",
       0,
       {not_visible},
       {lowered}},
      {"dns-redundant-fanout",
       [](Story& s) { fan_out(s, true); },
       [](Story& s) { fan_out(s, false); },
       something_longer,
       "dns/10.0.0.5",
       Dataset::kNone,
       {not_visible, lowered},
       {not_visible}},
      {"dns-slow-resolver",
       [](Story& s) { lookups(s, 150); },
       [](Story& s) { lookups(s, 3); },
       long_requests,
       "dns/192.0.2.53",
       Dataset::kNone,
       {not_visible},
       {not_visible}},
      {"dns-timeout-retry",
       [](Story& s) { asked_twice(s, 5000); },
       [](Story& s) { asked_twice(s, 0); },
       [](Story& s) {
         HttpTransaction& h = s.http(open(s, 0, 6, "192.0.2.99"), "/long", 6.1, 8000);
         h.response_first_ns = at_ms(12);
       },
       "dns/192.0.2.54",
       Dataset::kNone,
       {not_visible},
       {not_visible}},
      {"http-h1-parallel-limit",
       [](Story& s) { pictures(s, 6); },
       [](Story& s) { pictures(s, 2); },
       something_longer,
       kHttp,
       0,
       {not_visible},
       {lowered}},
      {"http-late-connection",
       [](Story& s) { late(s, false); },
       [](Story& s) { late(s, true); },
       something_longer,
       kHttp,
       1,
       {not_visible},
       {not_visible}},
      {"http-slow-ttfb",
       [](Story& s) { thinks(s, 900); },
       [](Story& s) { thinks(s, 20); },
       [](Story& s) {
         for (int i = 0; i < 3; ++i) {
           const double t = i * 5000.0;
           HttpTransaction& h = s.http(open(s, t, 6, "192.0.2.99"), "/b", t + 6.1, t + 3000);
           h.response_first_ns = at_ms(t + 12);
         }
       },
       kHttp + " GET /report",
       0,
       {not_visible},
       {lowered}},
      {"srv-saturation-knee",
       [](Story& s) { load(s, false); },
       [](Story& s) { load(s, true); },
       longer_than_the_load,
       kHttp,
       Dataset::kNone,
       {not_visible},
       {lowered}},
      {"tcp-accept-overflow",
       [](Story& s) {
         for (int i = 0; i < 4; ++i) s.http(open(s, i), "/", 6.1 + i, 50);
         for (int i = 0; i < 3; ++i) lost_syn(s, 4 + i);
       },
       [](Story& s) {
         for (int i = 0; i < 7; ++i) s.http(open(s, i), "/", 6.1 + i, 50);
       },
       something_longer,
       kHttp,
       4,
       {not_visible},
       {not_visible}},
      {"tcp-connection-churn",
       [](Story& s) { churn(s, true); },
       [](Story& s) { churn(s, false); },
       something_longer,
       kHttp,
       1,
       {not_visible},
       {not_visible}},
      {"tcp-idle-restart",
       [](Story& s) {
         after_pause(s, {10, 20, 40, 69});
       },
       [](Story& s) {
         after_pause(s, {69, 70});
       },
       something_longer,
       kHttp,
       0,
       {not_visible, not_applicable},
       {not_visible}},
      {"tcp-initcwnd-rounds",
       [](Story& s) {
         first_response(s, {10, 20, 10});
       },
       [](Story& s) { first_response(s, {8}); },
       something_longer,
       kHttp,
       0,
       {not_visible, not_applicable},
       {not_visible}},
      {"tcp-nagle-delack",
       [](Story& s) { two_writes(s, 46); },
       [](Story& s) { two_writes(s, 0); },
       something_longer,
       kHttp,
       0,
       {not_visible},
       {lowered}},
      {"tcp-path-loss",
       [](Story& s) { lossy(s, 40); },
       [](Story& s) { lossy(s, 0); },
       something_longer,
       "path/10.0.0.0/24",
       0,
       {not_visible},
       {lowered}},
      {"tcp-syn-loss",
       [](Story& s) {
         s.http(open(s, 0), "/", 6.1, 50);
         lost_syn(s, 5000);
       },
       [](Story& s) { s.http(open(s, 0), "/", 6.1, 50); },
       [](Story& s) {
         HttpTransaction& h = s.http(open(s, 5000, 6, "192.0.2.99"), "/long", 5006.1, 7000);
         h.response_first_ns = at_ms(5012);
       },
       kHttp,
       1,
       {not_visible},
       {not_visible}},
      {"tcp-tail-rto",
       [](Story& s) { resent(s, 240); },
       [](Story& s) { resent(s, 0); },
       something_longer,
       kHttp,
       0,
       {not_visible},
       {lowered}},
      {"tls-extra-rtt",
       [](Story& s) { handshakes(s, 0x0303); },
       [](Story& s) { handshakes(s, 0x0304); },
       something_longer,
       "tcp/192.0.2.80:443",
       0,
       {not_visible},
       {not_applicable, not_visible}},
  };
  return kTable;
}

const Entry* entry_of(std::string_view rule) {
  for (const Entry& e : table()) {
    if (e.rule == rule) return &e;
  }
  return nullptr;
}

Story told(const std::function<void(Story&)>& what) {
  Story s;
  what(s);
  return s;
}

// ------------------------------------------------------------------------ what is not captured

/// Nothing of what the servers sent.
void keep_one_side(Story& s) {
  for (Connection& c : s.all_connections()) {
    c.one_sided = true;
    c.state = ConnectionState::syn_unanswered;
    c.half.s2c = {};
    c.syn_ack_frames = {};
    c.established_time_ns = c.connect_time_ns = c.handshake_rtt_ns = kUnknownNs;
    c.syn_wait_ns = c.synack_wait_ns = kUnknownNs;
    c.rtt_probe_server_ns = c.rtt_probe_client_ns = kUnknownNs;
    c.rtt_probe_server = c.rtt_probe_client = {};
  }
  const auto unanswered = [](auto& t) {
    t.response_frames = {};
    t.response_first_ns = t.response_last_ns = kUnknownNs;
    t.response_complete = false;
    test::stalls(t) = {};
  };
  for (HttpTransaction& h : s.all_http()) {
    unanswered(h);
    h.status = 0;
    h.content_type = {};
    h.response_shape = {};
  }
  for (DatabaseTransaction& d : s.all_queries()) unanswered(d);
  for (TlsHandshake& t : s.all_tls()) {
    t.version = 0;
    t.server_hello_frames = {};
    t.server_hello_ns = t.server_finished_ns = t.first_server_data_ns = kUnknownNs;
  }
  for (DnsTransaction& d : s.all_dns()) {
    d.outcome = DnsOutcome::unanswered;
    d.response_frame = 0;
    d.response_ns = kUnknownNs;
    d.response = {};
  }
}

/// The capture began behind every opening and every question to a resolver.
void begin_midstream(Story& s) {
  for (Connection& c : s.all_connections()) s.midstream(c);
  for (HttpTransaction& h : s.all_http()) {
    TransferShape& shape = h.response_shape;
    shape.rtt_ns = shape.rounds_ns = shape.pause_ns = kUnknownNs;
    shape.flights = shape.bursts = 0;
    test::stalls(h).request_resend_ns = test::stalls(h).earlier_resend_ns = kUnknownNs;
  }
  for (Connection& c : s.all_connections()) {
    // Round trips are still seen of data and their ACKs.
    if (!s.all_queries().empty()) {
      c.rtt_probe_server.add(5'940'000);
      c.rtt_probe_client.add(60'000);
    }
  }
  s.all_tls().clear();
  for (DnsTransaction& d : s.all_dns()) {
    d.outcome = DnsOutcome::response_only;
    d.query_frames = {};
    d.first_query_ns = d.last_query_ns = kUnknownNs;
  }
}

std::string say(Said s) {
  switch (s) {
    case Said::not_visible: return "not visible";
    case Said::not_applicable: return "not applicable";
    case Said::lowered: return "fires with less confidence, and says why";
  }
  return "";
}

/// What the rule says of it; `lowered` only when some reason has `word` in it or nothing is sure.
std::string said(const Story& story, std::string_view rule, std::string_view word) {
  const Judged judged(story);
  const RuleResult result = judged.by(rule);
  if (result.outcome == Outcome::not_visible) {
    return result.note.empty() ? "not visible without a reason" : say(Said::not_visible);
  }
  if (result.outcome == Outcome::not_applicable) return say(Said::not_applicable);
  const std::vector<Finding> findings = judged.findings(rule);
  if (findings.empty()) return "fine";
  for (const Finding& f : findings) {
    bool why = f.saving.low_ns == 0;
    for (const std::string& reason : f.why_not_higher) {
      why |= reason.find(word) != std::string::npos;
    }
    if (!why) return "fires as if all had been captured";
    EXPECT_NE(f.confidence, "A") << rule;
  }
  return say(Said::lowered);
}

testing::AssertionResult any_of(const std::vector<Said>& allowed, const std::string& what) {
  for (const Said s : allowed) {
    if (say(s) == what) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << what;
}

class EveryRule : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    entry = entry_of(rule.id);
    ASSERT_NE(entry, nullptr) << rule.id << " has no entry in the table of every_rule_test.cpp";
  }
  const Rule& rule = all_rules()[GetParam()];
  const Entry* entry = nullptr;
};

TEST_P(EveryRule, FiresOnItsFaultAndNamesTheFlow) {
  const std::vector<Finding> findings = Judged(told(entry->fault)).findings(rule.id);
  ASSERT_FALSE(findings.empty()) << Judged(told(entry->fault)).fine(rule.id)
                                 << Judged(told(entry->fault)).by(rule.id).note;
  const Finding& f = findings[0];
  EXPECT_EQ(f.scope, entry->scope);
  if (!f.capacity_only) {
    EXPECT_GT(f.saving.high_ns, 0);
    EXPECT_LE(f.saving.low_ns, f.saving.mid_ns);
    EXPECT_LE(f.saving.mid_ns, f.saving.high_ns);
  }
  EXPECT_FALSE(f.title.empty());
  EXPECT_FALSE(f.why.empty());
  EXPECT_FALSE(f.verify.empty());
  EXPECT_FALSE(f.change.empty());
  EXPECT_THAT(f.threshold, testing::HasSubstr("rule." + std::string(rule.id)));
  ASSERT_FALSE(f.evidence.empty());
  if (entry->connection != Dataset::kNone) {
    EXPECT_EQ(f.evidence[0].connection, entry->connection);
  }
  for (const Evidence& e : f.evidence) {
    EXPECT_TRUE(!e.frames.empty() || known(e.time_ns)) << e.what;
  }
}

TEST_P(EveryRule, IsSilentOnTheTwin) {
  const Judged judged(told(entry->twin));
  EXPECT_TRUE(judged.findings(rule.id).empty());
}

TEST_P(EveryRule, SaysWhatItLookedAtWhereAllIsFine) {
  const RuleResult result = Judged(told(entry->twin)).by(rule.id);
  if (result.outcome == Outcome::fine) {
    EXPECT_FALSE(result.note.empty());
  } else {
    EXPECT_EQ(result.outcome, Outcome::not_applicable) << result.note;
  }
}

TEST_P(EveryRule, SavesNothingWhenTheFaultIsOverlapped) {
  ASSERT_TRUE(entry->beside);
  Story story = told(entry->fault);
  entry->beside(story);
  for (const Finding& f : Judged(story).findings(rule.id)) {
    if (f.scope != entry->scope) continue;  // what takes longer may be a fault of its own
    EXPECT_TRUE(f.capacity_only);
    EXPECT_EQ(f.saving.high_ns, 0);
  }
}

TEST_P(EveryRule, DowngradesWhatIsCapturedInOneDirection) {
  Story story = told(entry->fault);
  keep_one_side(story);
  EXPECT_TRUE(any_of(entry->one_sided, said(story, rule.id, "one direction")));
}

TEST_P(EveryRule, DowngradesWhatBeganBeforeTheCapture) {
  Story story = told(entry->fault);
  begin_midstream(story);
  EXPECT_TRUE(any_of(entry->midstream, said(story, rule.id, "before the capture")));
}

/// A large answer, then one that begins with `first` segments, `idle_ms` later.
Outcome after_large_answer(double idle_ms, std::uint32_t first, std::uint32_t lost = 0) {
  Story story;
  Connection& c = open(story, 0, 40);
  flights(story.http(c, "/0", 40.1, 100), 40, {160});
  HttpTransaction& large = story.http(c, "/1", 100, 350);
  flights(large, 40,
          lost > 0 ? std::vector<std::uint32_t>{75, 75, 75}
                   : std::vector<std::uint32_t>{10, 20, 40, 80, 160});
  large.response_shape.resent_segments = lost;
  flights(story.http(c, "/2", 350 + idle_ms, 350 + idle_ms + 130), 40, {first, 2 * first, 60});
  return Judged(story).by("tcp-idle-restart").outcome;
}

TEST(IdleRestart, LinuxHalvesTheWindowForEachTimerOfTheSilence) {
  // 480 segments by then; timers of 240 ms.
  EXPECT_EQ(after_large_answer(750, 40), Outcome::fires) << "halved three times";
  EXPECT_EQ(after_large_answer(750, 70), Outcome::fine) << "more than that leaves";
  EXPECT_EQ(after_large_answer(1250, 40), Outcome::fine) << "halved five times";
  EXPECT_EQ(after_large_answer(1250, 10), Outcome::fires);
  EXPECT_EQ(after_large_answer(450, 75, 1), Outcome::fine) << "a loss had halved it before";

  // THEN flights that do not grow are none of slow start
  Story story;
  Connection& c = open(story, 0, 40);
  flights(story.http(c, "/1", 40.1, 350), 40, {10, 20, 40, 80, 150});
  flights(story.http(c, "/2", 800, 930), 40, {75, 76, 60});
  EXPECT_EQ(Judged(story).by("tcp-idle-restart").outcome, Outcome::fine);
}

std::string test_name(const testing::TestParamInfo<std::size_t>& info) {
  std::string name(all_rules()[info.param].id);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, EveryRule, testing::Range<std::size_t>(0, all_rules().size()),
                         test_name);

}  // namespace
}  // namespace wirelag::test
