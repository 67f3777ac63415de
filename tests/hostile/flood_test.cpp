// Memory stays bounded: floods of what an attacker, a scanner or a broken peer can send without end,
// through one worker beside connections that go on. For each flood
//   no call of operator new, no lock, no clock after construction;
//   the process does not grow any more once the tables are full;
//   the counters tell what was given up;
//   the connections that were there before come out whole.
#include <cstdio>
#include <functional>
#include <unistd.h>

#include <gtest/gtest.h>

#include <wirelag/worker/worker.hpp>

#include "support/allocation_count.hpp"
#include "support/frame_builder.hpp"

namespace wirelag {
namespace {

using test::FrameBuilder;
using test::Octets;

#ifdef WIRELAG_SANITIZED
constexpr std::uint32_t kFlood = 100'000;
#else
constexpr std::uint32_t kFlood = 1'000'000;
#endif
constexpr std::uint32_t kEstablished = 48;  ///< more in a row than one look for a victim takes in
/// Frames of the flood between two turns of the established connections.
constexpr std::uint32_t kTurn = kFlood / 64;

/// A few thousand of everything: full early in a flood.
WorkerLimits limits() {
  WorkerLimits limits;
  limits.tcp.connections = 1U << 13;
  limits.tcp.reorder_segments = 1U << 10;
  limits.dns.pending_queries = 1U << 12;
  limits.dns.tcp_streams = 1U << 8;
  limits.http = {.connections = 1U << 12, .open_requests = 1U << 12, .header_buffers = 1U << 8};
  limits.tls = {.connections = 1U << 12, .hello_buffers = 1U << 8};
  limits.summary.servers = 64;
  return limits;
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*s %zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// What the worker may not do while it processes frames.
struct Misdeeds {
  std::size_t allocations = test::allocation_count();
  std::size_t locks = test::lock_count();
  std::size_t clocks = test::clock_count();
};

/// Keeps no transaction, so that only the worker's memory is looked at.
struct Tally final : TransactionSink {
  void emit(TransactionRef transaction) override {
    if (const auto* c = std::get_if<const Connection*>(&transaction)) {
      ++connections;
      const Connection& connection = **c;
      if (connection.server.port == 8080 && connection.half.c2s.payload_bytes > 0 &&
          connection.state == ConnectionState::complete &&
          connection.end == ConnectionEnd::capture_end) {
        ++established_whole;
      }
    }
    if (const auto* h = std::get_if<const HttpTransaction*>(&transaction)) {
      if ((*h)->server.port == 8080 && (*h)->status == 200 && (*h)->response_complete) ++answered;
    }
    if (std::holds_alternative<const DnsTransaction*>(transaction)) ++dns;
  }
  std::uint64_t connections = 0;
  std::uint64_t established_whole = 0;
  std::uint64_t answered = 0;
  std::uint64_t dns = 0;
};

// A frame of the flood: a template whose fields are overwritten in place.
constexpr std::size_t kIpAt = 14, kSourceAt = kIpAt + 12, kDestinationAt = kIpAt + 16,
                      kPortsAt = kIpAt + 20, kSequenceAt = kPortsAt + 4, kPayloadAt = kPortsAt + 20,
                      kUdpPayloadAt = kPortsAt + 8;

void put16(Octets& bytes, std::size_t at, std::uint32_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
void put32(Octets& bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value);
}
/// Another client for every n.
void put_client(Octets& bytes, std::uint32_t n) {
  put32(bytes, kSourceAt, 0x0b000000U + n / 50'000);
  put16(bytes, kPortsAt, 10'000 + n % 50'000);
}

Octets tcp_template(const test::TcpFields& tcp, std::string_view payload = "") {
  return FrameBuilder()
      .ethernet()
      .ipv4("11.0.0.1", "192.0.2.80")
      .tcp(9, 80, tcp)
      .payload(payload)
      .bytes();
}

class Flood : public ::testing::Test {
 protected:
  using Change = std::function<void(Octets&, std::uint32_t n)>;

  void SetUp() override { establish(); }

  void give(const Octets& bytes, DurationNs later = kMicrosecondNs) {
    now_ += later;
    const Frame frame = test::frame_of(bytes, {.time_ns = now_, .number = ++number_});
    worker_.process({&frame, 1});
  }

  /// One connection's segment, from the client or the server.
  static Octets segment(std::uint32_t i, bool c2s, std::uint32_t seq, std::uint32_t ack,
                        std::uint8_t flags, std::string_view payload = "") {
    const auto port = static_cast<std::uint16_t>(20'000 + i);
    FrameBuilder frame;
    frame.ethernet();
    if (c2s) {
      frame.ipv4("10.0.0.1", "192.0.2.1").tcp(port, 8080, {.seq = seq, .ack = ack, .flags = flags});
    } else {
      frame.ipv4("192.0.2.1", "10.0.0.1").tcp(8080, port, {.seq = seq, .ack = ack, .flags = flags});
    }
    return frame.payload(payload).bytes();
  }

  void establish() {
    for (std::uint32_t i = 0; i < kEstablished; ++i) {
      give(segment(i, true, 0, 0, tcp_flag::syn));
      give(segment(i, false, 0, 1, tcp_flag::syn | tcp_flag::ack));
      give(segment(i, true, 1, 1, tcp_flag::ack));
      requests_.push_back(segment(i, true, 1, 1, tcp_flag::ack, kRequest));
      responses_.push_back(segment(i, false, 1, 1, tcp_flag::ack, kResponse));
    }
  }

  /// Every established connection asks once more and is answered.
  void exchange() {
    const auto asked = static_cast<std::uint32_t>(kRequest.size());
    const auto told = static_cast<std::uint32_t>(kResponse.size());
    for (std::uint32_t i = 0; i < kEstablished; ++i) {
      put32(requests_[i], kSequenceAt, 1 + exchanges_ * asked);
      put32(requests_[i], kSequenceAt + 4, 1 + exchanges_ * told);
      give(requests_[i]);
      put32(responses_[i], kSequenceAt, 1 + exchanges_ * told);
      put32(responses_[i], kSequenceAt + 4, 1 + (exchanges_ + 1) * asked);
      give(responses_[i]);
    }
    ++exchanges_;
  }

  void half_of_flood(Octets& bytes, const Change& change, std::uint32_t from) {
    for (std::uint32_t n = from; n < from + kFlood / 2; ++n) {
      if (n % kTurn == 0) exchange();
      change(bytes, n);
      give(bytes);
      if (n % 1024 == 0) worker_.tick(worker_.now());
    }
  }

  /// The whole flood, and everything that must hold whatever it consists of.
  void flood(Octets bytes, const Change& change) {
    const Misdeeds before;
    half_of_flood(bytes, change, 0);
    const std::size_t full = resident_bytes();
    half_of_flood(bytes, change, kFlood / 2);
    const Misdeeds after;
    // /proc was read in between: not by the worker.
    EXPECT_EQ(after.allocations, before.allocations);
    EXPECT_EQ(after.locks, before.locks);
    EXPECT_EQ(after.clocks, before.clocks);
    const std::size_t end = resident_bytes();
    EXPECT_LE(end, full + (std::size_t{1} << 20)) << "grows by " << end - full << " bytes";
    EXPECT_TRUE(worker_.accounting().balanced());
    (void)worker_.summariser().publish(worker_.now());
    worker_.finish();
    EXPECT_EQ(out_.established_whole, kEstablished);
    EXPECT_EQ(out_.answered, std::uint64_t{exchanges_} * kEstablished);
  }

  [[nodiscard]] std::uint64_t counted(Counter counter) const {
    return worker_.counters().of(counter);
  }
  [[nodiscard]] std::uint64_t not_analysed(NotAnalysed reason) const {
    return worker_.accounting().of(reason);
  }

  static constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
  static constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  Tally out_;
  Worker worker_{0, limits(), Signatures::compile({}).value(), out_, /*live=*/true};

 private:
  TimeNs now_ = 1'700'000'000 * kSecondNs;
  FrameNumber number_ = 0;
  std::uint32_t exchanges_ = 0;
  std::vector<Octets> requests_;
  std::vector<Octets> responses_;
};

// -------------------------------------------------------------------------------------------- TCP

TEST_F(Flood, HalfOpenConnections) {
  flood(tcp_template({.flags = tcp_flag::syn}), put_client);
  EXPECT_EQ(counted(Counter::tcp_connections), kFlood + kEstablished);
  EXPECT_EQ(counted(Counter::tcp_evicted), kFlood - limits().tcp.connections);
  EXPECT_EQ(not_analysed(NotAnalysed::flow_table_full), 0U);
}

TEST_F(Flood, HalfOpenConnectionsThatAskAgain) {
  flood(tcp_template({.flags = tcp_flag::syn}),
        [](Octets& bytes, std::uint32_t n) { put_client(bytes, n / 2); });
  EXPECT_EQ(counted(Counter::tcp_connections), kFlood / 2 + kEstablished);
  EXPECT_GT(counted(Counter::tcp_evicted_unanswered), kFlood / 2 - 2 * limits().tcp.connections);
  EXPECT_EQ(not_analysed(NotAnalysed::flow_table_full), 0U);
}

TEST_F(Flood, AcksWithoutSyn) {
  flood(tcp_template({.seq = 1, .ack = 1}), put_client);
  EXPECT_EQ(counted(Counter::tcp_connections), kFlood + kEstablished);
  EXPECT_EQ(not_analysed(NotAnalysed::flow_table_full), 0U);
  EXPECT_GT(counted(Counter::tcp_evicted), 0U);
}

TEST_F(Flood, SegmentsBeyondAHole) {
  give(tcp_template({.flags = tcp_flag::syn}));
  give(tcp_template({.seq = 1, .ack = 1}, "GET / HTTP/1.1\r\nHost: a"));
  flood(tcp_template({.ack = 1}, std::string(1400, 'x')), [](Octets& bytes, std::uint32_t n) {
    put32(bytes, kSequenceAt, 5000 + 1401 * n);  // a byte is missing before each
  });
  EXPECT_GT(counted(Counter::tcp_gaps), kFlood / 2);
}

TEST_F(Flood, Servers) {
  flood(tcp_template({.flags = tcp_flag::syn}),
        [](Octets& bytes, std::uint32_t n) { put32(bytes, kDestinationAt, 0x0c000000U + n); });
  EXPECT_GT(counted(Counter::summary_rows_full), 0U);
}

// --------------------------------------------------------------------------------------- messages

TEST_F(Flood, HeaderBytes) {
  const Octets line = tcp_template({.ack = 1}, "X-Filler: " + std::string(1388, 'x') + "\r\n");
  give(tcp_template({.flags = tcp_flag::syn}));
  give(tcp_template({.seq = 1, .ack = 1}, "GET / HTTP/1.1\r\n"));
  flood(line, [](Octets& bytes, std::uint32_t n) { put32(bytes, kSequenceAt, 17 + 1400 * n); });
  EXPECT_EQ(counted(Counter::http_headers_too_long), 1U);
}

TEST_F(Flood, OneHeaderLine) {
  give(tcp_template({.flags = tcp_flag::syn}));
  give(tcp_template({.seq = 1, .ack = 1}, "GET / HTTP/1.1\r\n"));
  flood(tcp_template({.ack = 1}, std::string(1400, 'x')),
        [](Octets& bytes, std::uint32_t n) { put32(bytes, kSequenceAt, 17 + 1400 * n); });
  EXPECT_EQ(counted(Counter::http_headers_too_long), 1U);
}

TEST_F(Flood, HelloBytes) {
  // A ClientHello of 64 KiB in records of 1395 bytes, one a segment; what follows never ends.
  constexpr std::uint32_t kRecord = 1395;
  give(tcp_template({.flags = tcp_flag::syn}));
  Octets bytes = tcp_template({.ack = 1}, std::string(5, ' ') + std::string(kRecord, '\0'));
  const Octets header = {22, 3, 1, kRecord >> 8, kRecord & 0xff, 1, 0, 0xff, 0xff, 3, 3};
  std::copy(header.begin(), header.end(), bytes.begin() + kPayloadAt);
  flood(std::move(bytes), [](Octets& segment, std::uint32_t n) {
    put32(segment, kSequenceAt, 1 + (5 + kRecord) * n);
    if (n == 1) std::fill_n(segment.begin() + kPayloadAt + 5, 6, std::uint8_t{0});
  });
  EXPECT_GT(counted(Counter::tls_hellos_too_long), 0U);
}

// -------------------------------------------------------------------------------------------- DNS

Octets dns_query(std::string_view label) {
  const std::string name = static_cast<char>(label.size()) + std::string(label);
  return FrameBuilder()
      .ethernet()
      .ipv4("11.0.0.1", "192.0.2.53")
      .udp(9, 53)
      .payload(std::string("\0\1\1\0\0\1\0\0\0\0\0\0", 12) + name + name +
               std::string("\0\0\1\0\1", 5))
      .bytes();
}

TEST_F(Flood, UnansweredQueries) {
  flood(dns_query("example"), [](Octets& bytes, std::uint32_t n) { put_client(bytes, n); });
  EXPECT_EQ(out_.dns, kFlood);
  EXPECT_EQ(counted(Counter::dns_evicted), kFlood - limits().dns.pending_queries);
}

TEST_F(Flood, DistinctLongNames) {
  flood(dns_query(std::string(60, 'a')), [](Octets& bytes, std::uint32_t n) {
    put_client(bytes, n);
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[kUdpPayloadAt + 13 + i] = static_cast<std::uint8_t>('a' + (n >> (4 * i) & 15));
    }
  });
  EXPECT_EQ(out_.dns, kFlood);
  EXPECT_GT(counted(Counter::dns_evicted), 0U);
}

TEST_F(Flood, QueriesOfOneKey) {
  flood(dns_query("example"), [](Octets& bytes, std::uint32_t n) {
    put16(bytes, kUdpPayloadAt + 13, 0x6161 + (n % 20) * 0x0101);  // names take turns
  });
  EXPECT_GT(counted(Counter::dns_evicted), 0U);
}

// -------------------------------------------------------------------------------------- fragments

TEST_F(Flood, FirstFragments) {
  const Octets fragment = FrameBuilder()
                              .ethernet()
                              .ipv4("11.0.0.1", "192.0.2.80", {.more_fragments = true})
                              .tcp(9, 80)
                              .payload(std::string(980, 'x'))
                              .bytes();
  flood(fragment, [](Octets& bytes, std::uint32_t n) {
    put32(bytes, kSourceAt, 0x0b000000U + n / 60'000);
    put16(bytes, kIpAt + 4, n % 60'000);
  });
  EXPECT_EQ(not_analysed(NotAnalysed::fragment_incomplete), kFlood);
  EXPECT_EQ(counted(Counter::fragment_datagrams_evicted),
            kFlood - limits().decode.fragment_datagrams);
}

}  // namespace
}  // namespace wirelag
