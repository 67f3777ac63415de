// A worker as a whole: frames in, transactions out, books balanced. No EAL, no root, no NIC.
#include <algorithm>
#include <deque>

#include <gtest/gtest.h>

#include <wirelag/dispatch/shardable.hpp>
#include <wirelag/worker/worker.hpp>

#include "support/frame_builder.hpp"
#include "support/kept.hpp"

namespace wirelag {
namespace {

using test::FrameBuilder;
using test::Octets;

constexpr std::uint8_t kSyn = tcp_flag::syn, kAck = tcp_flag::ack;

class Collector : public TransactionSink {
 public:
  void emit(TransactionRef t) override {
    if (const auto* c = std::get_if<const Connection*>(&t)) connections.push_back(test::kept(**c));
    if (const auto* h = std::get_if<const HttpTransaction*>(&t)) {
      targets.emplace_back((*h)->target);
      http.push_back(**h);
    }
    if (const auto* d = std::get_if<const DnsTransaction*>(&t)) {
      qnames.emplace_back((*d)->qname);
      dns.push_back(test::kept(**d));
    }
  }
  std::vector<Connection> connections;
  std::vector<HttpTransaction> http;
  std::vector<DnsTransaction> dns;
  std::vector<std::string> targets;
  std::vector<std::string> qnames;
};

std::shared_ptr<const Signatures> signatures() {
  static const auto kSignatures = Signatures::compile({{"shop", "shop\\.example$"}}).value();
  return kSignatures;
}

/// Room for these tests, and quick to construct.
WorkerLimits limits() {
  WorkerLimits limits;
  limits.tcp.connections = 256;
  limits.tcp.reorder_segments = 64;
  limits.dns = {.pending_queries = 64, .tcp_streams = 4};
  limits.http = {.connections = 256, .open_requests = 256, .header_buffers = 16};
  limits.tls = {.connections = 16, .hello_buffers = 4};
  limits.database = {.connections = 4, .open_requests = 16, .statements = 16};
  return limits;
}

/// So little room that a replay needs housekeeping from its first connection on.
WorkerLimits crowded_limits() {
  WorkerLimits crowded = limits();
  crowded.tls.connections = 1;
  return crowded;
}

/// Frames with their bytes, one millisecond apart unless at() says otherwise.
class Traffic {
 public:
  void add(const FrameBuilder& builder) {
    bytes_.push_back(builder.bytes());
    now_ns_ += kMillisecondNs;
    frames_.push_back(test::frame_of(
        bytes_.back(), {.time_ns = now_ns_, .number = FrameNumber(frames_.size() + 1)}));
  }
  /// What comes next is captured after `time_ns`.
  void at(TimeNs time_ns) { now_ns_ = time_ns; }
  void exchange(const char* client, std::uint16_t port, std::string_view host) {
    const std::string request = "GET /a HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const auto end = static_cast<std::uint32_t>(1 + request.size());
    c2s(client, port, {.seq = 0, .flags = kSyn});
    s2c(client, port, {.seq = 0, .ack = 1, .flags = kSyn | kAck});
    c2s(client, port, {.seq = 1, .ack = 1});
    c2s(client, port, {.seq = 1, .ack = 1}, request);
    s2c(client, port, {.seq = 1, .ack = end}, response);
  }
  void c2s(const char* client, std::uint16_t port, const test::TcpFields& tcp,
           std::string_view payload = "") {
    add(FrameBuilder().ethernet().ipv4(client, "192.0.2.80").tcp(port, 80, tcp).payload(payload));
  }
  void s2c(const char* client, std::uint16_t port, const test::TcpFields& tcp,
           std::string_view payload = "") {
    add(FrameBuilder().ethernet().ipv4("192.0.2.80", client).tcp(80, port, tcp).payload(payload));
  }
  [[nodiscard]] std::span<const Frame> frames() const { return frames_; }

 private:
  TimeNs now_ns_ = 0;
  std::deque<Octets> bytes_;
  std::vector<Frame> frames_;
};

TEST(Worker, AnHttpExchangeBecomesAConnectionWithItsTask) {
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "shop.example");
  Collector out;
  Worker worker(0, limits(), signatures(), out, false);
  worker.process(traffic.frames());
  worker.finish();
  ASSERT_EQ(out.connections.size(), 1U);
  ASSERT_EQ(out.http.size(), 1U);
  EXPECT_EQ(out.connections[0].state, ConnectionState::complete);
  EXPECT_EQ(out.connections[0].protocol, Protocol::http1);
  EXPECT_EQ(out.connections[0].service, 1);
  EXPECT_EQ(out.http[0].connection, out.connections[0].key);
  EXPECT_EQ(out.targets[0], "/a");
  EXPECT_EQ(out.http[0].server_wait_ns(), 1 * kMillisecondNs);
  EXPECT_EQ(worker.accounting().analysed, 5U);
}

TEST(Worker, BurstBoundariesDoNotMatter) {
  Traffic traffic;
  for (std::uint16_t i = 0; i < 30; ++i) {
    traffic.exchange("10.0.0.1", static_cast<std::uint16_t>(40000 + i), "a.example");
  }
  std::vector<DurationNs> reference;
  for (const std::size_t step : {1U, 2U, 31U, 32U, 33U, 150U}) {
    Collector out;
    Worker worker(0, limits(), signatures(), out, false);
    for (std::size_t at = 0; at < traffic.frames().size(); at += step) {
      worker.process(traffic.frames().subspan(at, std::min(step, traffic.frames().size() - at)));
      worker.tick(worker.now());
    }
    worker.finish();
    std::vector<DurationNs> connect;
    for (const Connection& c : out.connections) connect.push_back(c.connect_time_ns);
    EXPECT_EQ(out.http.size(), 30U) << step;
    if (reference.empty()) reference = connect;
    EXPECT_EQ(connect, reference) << step;
  }
}

TEST(Worker, EveryFrameIsInTheBooksOnce) {
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "a.example");
  traffic.add(
      FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5000, 6000).payload("hello"));
  traffic.add(FrameBuilder().ethernet().payload("no ether type worth the name"));
  Collector out;
  Worker worker(0, limits(), signatures(), out, false);
  // WHEN every frame is also cut at every length
  for (const Frame& whole : traffic.frames()) {
    for (std::size_t n = 0; n <= whole.bytes.size(); ++n) {
      Frame cut = whole;
      cut.bytes = whole.bytes.first(n);
      worker.process({&cut, 1});
      ASSERT_TRUE(worker.accounting().balanced());
    }
  }
  worker.finish();
  EXPECT_TRUE(worker.accounting().balanced());
  EXPECT_GT(worker.accounting().of(NotAnalysed::udp_untracked), 0U);
  EXPECT_GT(worker.accounting().of(NotAnalysed::ip_truncated), 0U);
}

TEST(Worker, DtlsIsCountedByName) {
  const std::string record(
      "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x07\x00\x02"
      "ab",
      15);
  Traffic traffic;
  traffic.add(
      FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5000, 4433).payload(record));
  Collector out;
  Worker worker(0, {}, signatures(), out, false);
  worker.process(traffic.frames());
  EXPECT_EQ(worker.accounting().of(NotAnalysed::dtls), 1U);
  EXPECT_EQ(worker.accounting().of(NotAnalysed::udp_untracked), 0U);
}

TEST(Worker, DnsIsRecognisedOnAnyPort) {
  const std::string query(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
      "a\x00\x00\x01\x00\x01",
      19);
  for (const std::uint16_t port : {std::uint16_t{53}, std::uint16_t{10053}}) {
    Traffic traffic;
    traffic.add(
        FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.53").udp(5000, port).payload(query));
    Collector out;
    Worker worker(0, limits(), signatures(), out, false);
    worker.process(traffic.frames());
    worker.finish();
    ASSERT_EQ(out.dns.size(), 1U) << port;
    EXPECT_EQ(out.qnames[0], "a");
    EXPECT_EQ(out.dns[0].outcome, DnsOutcome::unanswered);
  }
}

/// What a worker makes of the traffic with housekeeping after each frame, or without any.
Collector replayed(const Traffic& traffic, bool ticking,
                   const WorkerLimits& limits = crowded_limits()) {
  Collector out;
  Worker worker(0, limits, signatures(), out, false);
  for (const Frame& frame : traffic.frames()) {
    worker.process({&frame, 1});
    if (ticking) worker.tick_replay();
  }
  worker.finish();
  return out;
}

TEST(Worker, HousekeepingDoesNotMatterWhenTheClockStepsBack) {
  // GIVEN a connection closed at 0 s and a lookup answered at 0 s
  const std::string question("\1a\0\0\1\0\1", 7);
  const std::string query = std::string("\x12\x34\1\0\0\1\0\0\0\0\0\0", 12) + question;
  const std::string response = std::string("\x12\x34\x81\x80\0\1\0\0\0\0\0\0", 12) + question;
  const auto answer =
      FrameBuilder().ethernet().ipv4("10.0.0.53", "10.0.0.1").udp(53, 5000).payload(response);
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "a.example");
  traffic.c2s("10.0.0.1", 40000, {.seq = 1, .flags = tcp_flag::rst});
  traffic.add(FrameBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.53").udp(5000, 53).payload(query));
  traffic.add(answer);
  // WHEN each is over by the time of another's frame, and then the clock steps back
  traffic.at(20 * kSecondNs);
  traffic.c2s("10.0.0.2", 40001, {.flags = kSyn});
  traffic.at(4 * kSecondNs);
  traffic.add(answer);
  traffic.at(124 * kSecondNs);
  traffic.c2s("10.0.0.2", 40001, {.flags = kSyn});
  traffic.at(100 * kSecondNs);
  traffic.c2s("10.0.0.1", 40000, {.seq = 1, .flags = tcp_flag::rst});
  // THEN what comes late still belongs to them
  for (const bool ticking : {false, true}) {
    const Collector out = replayed(traffic, ticking);
    EXPECT_EQ(out.connections.size(), 2U) << ticking;
    ASSERT_EQ(out.dns.size(), 1U) << ticking;
    EXPECT_EQ(out.dns[0].duplicate_response_frames.size(), 1U) << ticking;
  }
}

TEST(Worker, NoStepOfTheClockMattersWhileEveryTableHasRoom) {
  // GIVEN a closed connection, and then a clock that is a day ahead for many frames
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "a.example");
  traffic.c2s("10.0.0.1", 40000, {.seq = 1, .flags = tcp_flag::rst});
  for (int day_ms = 0; day_ms < 100; ++day_ms) {
    traffic.at(24 * 3600 * kSecondNs + day_ms * kMillisecondNs);
    traffic.c2s("10.0.0.2", 40001, {.flags = kSyn});
  }
  // WHEN the clock is set right and a straggler of the closed one comes
  traffic.at(kSecondNs);
  traffic.c2s("10.0.0.1", 40000, {.seq = 1, .flags = tcp_flag::rst});
  // THEN housekeeping has not taken the connection away
  WorkerLimits roomy = limits();
  roomy.dns.tcp_streams = roomy.tls.connections = roomy.tls.hello_buffers = 16;
  roomy.database.connections = 16;
  EXPECT_EQ(replayed(traffic, true, roomy).connections.size(), 2U);
  EXPECT_EQ(replayed(traffic, false, roomy).connections.size(), 2U);
  // AND there it is when room gets scarce
  EXPECT_EQ(replayed(traffic, true, crowded_limits()).connections.size(), 3U);
}

TEST(Worker, RoomyIsHalfOfTheSmallestTableOfConnections) {
  EXPECT_EQ(Worker::roomy_connections(limits()), 2U);
  EXPECT_EQ(Worker::roomy_connections(crowded_limits()), 0U);
}

TEST(Worker, ATimeFarInTheFutureEndsNothing) {
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "a.example");
  traffic.at(1000 * 24 * 3600 * kSecondNs);
  traffic.c2s("10.0.0.2", 40001, {.flags = kSyn});
  traffic.at(kSecondNs);
  traffic.c2s("10.0.0.1", 40000, {.seq = 1, .flags = tcp_flag::rst});
  Collector out;
  Worker worker(0, crowded_limits(), signatures(), out, false);
  worker.process(traffic.frames().first(4));
  for (const Frame& frame : traffic.frames().subspan(4, 2)) worker.process({&frame, 1});
  worker.tick_replay();
  worker.process(traffic.frames().last(1));
  worker.finish();
  EXPECT_EQ(out.connections.size(), 2U);
}

TEST(Worker, SnapshotShowsOpenConnectionsWithoutEndingThem) {
  Traffic traffic;
  traffic.exchange("10.0.0.1", 40000, "a.example");
  Collector out, open;
  Worker worker(0, limits(), signatures(), out, true);
  worker.process(traffic.frames());
  for (std::size_t from = worker.snapshot(open, 0); from != 0;) from = worker.snapshot(open, from);
  EXPECT_EQ(open.connections.size(), 1U);
  EXPECT_TRUE(out.connections.empty());
  worker.finish();
  EXPECT_EQ(out.connections.size(), 1U);
}

TEST(Shardable, PlainTransportYesTunnelsAndFragmentsNo) {
  const auto shardable = [](const FrameBuilder& b) {
    const Octets bytes = b.bytes();
    return port_could_shard(test::frame_of(bytes));
  };
  const auto eth = [] { return FrameBuilder().ethernet(); };
  EXPECT_TRUE(shardable(eth().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload("x")));
  EXPECT_TRUE(shardable(eth().vlan(7).ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload("x")));
  for (const std::uint16_t tunnel : {1701, 2152, 3544, 4754, 4789, 4790, 5072, 6081, 6635, 8472}) {
    EXPECT_FALSE(shardable(eth().ipv4("10.0.0.1", "10.0.0.2").udp(1, tunnel).payload("x")))
        << tunnel;
  }
  EXPECT_FALSE(shardable(
      eth().ipv4("10.0.0.1", "10.0.0.2", {.more_fragments = true}).udp(1, 2).payload("x")));
  EXPECT_FALSE(
      shardable(eth().ipv4("10.0.0.1", "10.0.0.2").ipv4("10.1.0.1", "10.1.0.2").tcp(1, 2)));
}

}  // namespace
}  // namespace wirelag
