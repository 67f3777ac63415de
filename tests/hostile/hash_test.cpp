// Senders who know the hash functions: clients chosen so that their flows and queries fall onto one
// place of the tables. Without a seed the tables keep looking at few slots and give up what is in the
// way; with a seed that the sender does not know nothing falls together.
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include <wirelag/base/hash.hpp>
#include <wirelag/flow/index.hpp>
#include <wirelag/worker/worker.hpp>

#include "support/frame_builder.hpp"

namespace wirelag {
namespace {

using test::FrameBuilder;
using test::Octets;

constexpr std::uint64_t kSecret = 0x5eed'5eed'0f0f'1234;
constexpr std::uint32_t kTable = 1U << 12;     ///< connections, queries
constexpr std::uint32_t kPlaces = 2 * kTable;  ///< slots of their indexes
constexpr std::size_t kColliding = 1000;       ///< far more than FlowIndex::kMaxProbe

struct Client {
  std::uint32_t ip;
  std::uint16_t port;

  [[nodiscard]] Endpoint endpoint() const {
    Endpoint e;
    e.ip = test::address(text());
    e.port = port;
    return e;
  }
  [[nodiscard]] std::string text() const {
    return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." +
           std::to_string(ip >> 8 & 255) + "." + std::to_string(ip & 255);
  }
};

Endpoint server_at(std::uint16_t port) {
  Endpoint e;
  e.ip = test::address("192.0.2.80");
  e.port = port;
  return e;
}

/// Clients for whom hash(endpoint) points to place 0.
template <class Hash>
std::vector<Client> colliding_clients(Hash&& hash) {
  std::vector<Client> found;
  for (std::uint32_t ip = 0x0a000001; found.size() < kColliding; ++ip) {
    Client client{ip, 0};
    Endpoint endpoint = client.endpoint();
    for (std::uint32_t port = 10000; port < 65536 && found.size() < kColliding; ++port) {
      endpoint.port = client.port = static_cast<std::uint16_t>(port);
      if ((hash(endpoint) & (kPlaces - 1)) == 0) found.push_back(client);
    }
  }
  return found;
}

struct Tally final : TransactionSink {
  void emit(TransactionRef t) override {
    if (const auto* c = std::get_if<const Connection*>(&t)) {
      ++connections;
      kept += (*c)->end == ConnectionEnd::capture_end ? 1 : 0;
    }
    dns += std::holds_alternative<const DnsTransaction*>(t) ? 1 : 0;
  }
  std::size_t connections = 0;
  std::size_t kept = 0;  ///< to the end
  std::size_t dns = 0;
};

struct Result {
  Tally out;
  std::uint64_t hash_evicted;
};

Result run(const std::vector<Octets>& frames, std::uint64_t seed) {
  WorkerLimits limits;
  limits.tcp.connections = kTable;
  limits.dns.pending_queries = kTable;
  limits.seed_hashes(seed);
  Result result{};
  Worker worker(0, limits, Signatures::compile({}).value(), result.out, false);
  FrameNumber number = 0;
  for (const Octets& bytes : frames) {
    ++number;
    const Frame frame = test::frame_of(bytes, {.time_ns = number * 1000, .number = number});
    worker.process({&frame, 1});
  }
  worker.finish();
  result.hash_evicted = worker.counters().of(Counter::hash_evicted);
  return result;
}

TEST(CraftedCollisions, OfConnections) {
  std::vector<Octets> frames;
  for (const Client& c : colliding_clients([server = server_at(80)](const Endpoint& client) {
         return flow_hash(client, server, Transport::tcp);
       })) {
    frames.push_back(FrameBuilder()
                         .ethernet()
                         .ipv4(c.text(), "192.0.2.80")
                         .tcp(c.port, 80, {.flags = tcp_flag::syn})
                         .bytes());
  }
  const Result known = run(frames, 0);
  EXPECT_EQ(known.out.kept, FlowIndex::kMaxProbe);
  EXPECT_EQ(known.hash_evicted, kColliding - FlowIndex::kMaxProbe);
  EXPECT_EQ(known.out.connections, kColliding);
  const Result secret = run(frames, kSecret);
  EXPECT_EQ(secret.out.kept, kColliding);
  EXPECT_EQ(secret.hash_evicted, 0U);
}

/// As src/track/dns/query_table.cpp has it, without a seed.
std::uint64_t query_hash(const Endpoint& client, const Endpoint& resolver, std::uint16_t id) {
  const std::uint64_t rest = std::uint64_t{client.port} << 48 | std::uint64_t{resolver.port} << 32 |
                             std::uint64_t{id} << 8;
  std::uint64_t h = combine64(seeded64(0, rest), client.ip.high());
  h = combine64(h, client.ip.low());
  h = combine64(h, resolver.ip.high());
  return combine64(h, resolver.ip.low());
}

TEST(CraftedCollisions, OfQueries) {
  std::vector<Octets> frames;
  for (const Client& c : colliding_clients([resolver = server_at(53)](const Endpoint& client) {
         return query_hash(client, resolver, 1);
       })) {
    frames.push_back(FrameBuilder()
                         .ethernet()
                         .ipv4(c.text(), "192.0.2.80")
                         .udp(c.port, 53)
                         .payload(std::string("\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", 19))
                         .bytes());
  }
  const Result known = run(frames, 0);
  EXPECT_EQ(known.hash_evicted, kColliding - FlowIndex::kMaxProbe);
  EXPECT_EQ(known.out.dns, kColliding);
  const Result secret = run(frames, kSecret);
  EXPECT_EQ(secret.hash_evicted, 0U);
  EXPECT_EQ(secret.out.dns, kColliding);
}

TEST(CraftedCollisions, OneHalfOfAnAddressCannotMakeUpForTheOther) {
  // GIVEN IPv6 clients whose lower halves undo what the upper halves add to the hash without a seed
  const Endpoint server{.ip = test::address("2001:db8::1"), .port = 80};
  std::set<std::uint32_t> known, secret;
  for (std::uint64_t n = 1; n <= kColliding; ++n) {
    const std::uint64_t high = 0x2001'0db8'0000'0000 + n;
    const std::uint64_t low = 0 - seeded64(0, high);
    Endpoint client;
    std::memcpy(client.ip.bytes.data(), &high, sizeof high);
    std::memcpy(client.ip.bytes.data() + 8, &low, sizeof low);
    client.port = 4000;
    known.insert(flow_hash(client, server, Transport::tcp));
    secret.insert(flow_hash(client, server, Transport::tcp, kSecret));
  }
  EXPECT_EQ(known.size(), 1U);
  EXPECT_GE(secret.size(), kColliding - 2);
}

TEST(SeededHash, IsTheSameForBothDirections) {
  const Endpoint client{.ip = test::address("10.0.0.1"), .port = 4000};
  const Endpoint client6{.ip = test::address("2001:db8::7"), .port = 4000};
  const Endpoint server6{.ip = test::address("2001:db8::1"), .port = 80};
  for (const std::uint64_t seed : {std::uint64_t{0}, kSecret}) {
    EXPECT_EQ(flow_hash(client, server_at(80), Transport::tcp, seed),
              flow_hash(server_at(80), client, Transport::tcp, seed));
    EXPECT_EQ(flow_hash(client6, server6, Transport::udp, seed),
              flow_hash(server6, client6, Transport::udp, seed));
  }
  EXPECT_NE(flow_hash(client, server_at(80), Transport::tcp),
            flow_hash(client, server_at(80), Transport::tcp, kSecret));
}

}  // namespace
}  // namespace wirelag
