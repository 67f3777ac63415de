#include <bit>

#include <wirelag/config/memory_budget.hpp>

namespace wirelag {
namespace {

// What stands beside the record of a table: index slots, list links, texts of ordinary length.
constexpr std::uint64_t kIndexBytes = 32;
constexpr std::uint64_t kTextBytes = 256;
constexpr std::uint64_t kSegmentBytes = 2048;
constexpr std::uint64_t kDatagramBytes = 65536;
/// Two stream states and the endpoints of a connection whose protocol is followed.
constexpr std::uint64_t kStreamBytes = 128;
/// A handshake that waits for its name (summariser.hpp), and its place in the queue.
constexpr std::uint64_t kLiveHandshakeBytes = 96;

std::vector<MemoryItem> per_worker(const Config& c) {
  const WorkerLimits& w = c.worker;
  return {
      {"TCP connections", "tcp.connections", w.tcp.connections, sizeof(Connection) + kIndexBytes},
      {"handshakes of live connections", "tcp.connections", std::bit_ceil(w.tcp.connections),
       kLiveHandshakeBytes},
      {"segments out of order", "tcp.reorder_segments", w.tcp.reorder_segments,
       kSegmentBytes + kIndexBytes},
      {"datagrams from fragments", "decode.fragment_datagrams", w.decode.fragment_datagrams,
       kDatagramBytes + kIndexBytes},
      {"pending DNS queries", "dns.pending_queries", w.dns.pending_queries,
       sizeof(DnsTransaction) + kTextBytes + kIndexBytes},
      {"DNS over TCP", "dns.tcp_streams", w.dns.tcp_streams, kStreamBytes + kTextBytes},
      {"HTTP connections", "http.connections", w.http.connections, kStreamBytes},
      {"open HTTP requests", "http.open_requests", w.http.open_requests,
       sizeof(HttpTransaction) + kTextBytes + kIndexBytes},
      {"HTTP headers being read", "http.header_buffers", w.http.header_buffers,
       w.http.header_bytes},
      {"TLS connections", "tls.connections", w.tls.connections,
       sizeof(TlsHandshake) + kStreamBytes + 2 * kTextBytes},
      {"TLS hellos being read", "tls.hello_buffers", w.tls.hello_buffers, w.tls.hello_bytes},
      {"summary rows, two summaries", "summary.servers",
       2 * (std::uint64_t{1} + w.summary.services + w.summary.servers), sizeof(Summary::Row)},
      {"ring from the dispatcher", "ring.frame_bytes", 1, std::bit_ceil(c.rings.frame_bytes)},
      {"ring to the control core", "ring.transaction_bytes", 1,
       std::bit_ceil(c.rings.transaction_bytes)},
  };
}

std::vector<MemoryItem> shared(const Config& c) {
  constexpr std::uint64_t kOneOfEachKind =
      sizeof(Connection) + sizeof(DnsTransaction) + sizeof(HttpTransaction) + sizeof(TlsHandshake);
  return {{"transactions kept for the report, when all four kinds are full",
           "report.max_transactions", c.report.max_transactions, kOneOfEachKind + 4 * kTextBytes,
           false}};
}

}  // namespace

MemoryBudget memory_budget(const Config& config) {
  MemoryBudget budget;
  budget.items = per_worker(config);
  for (const MemoryItem& item : budget.items) budget.bytes_per_worker += item.bytes();
  for (const MemoryItem& item : shared(config)) {
    budget.bytes_shared += item.bytes();
    budget.items.push_back(item);
  }
  budget.bytes_total = config.appliance.workers * budget.bytes_per_worker + budget.bytes_shared;
  return budget;
}

}  // namespace wirelag
