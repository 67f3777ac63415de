#include <bit>

#include <wirelag/config/memory_budget.hpp>

namespace wirelag {
namespace {

// What a table keeps for one item beside the transaction it becomes: index slots, list links, the
// working state, texts of ordinary length. The unit test compares the sum with a real worker.
/// Both directions of a connection, and their progress while its bytes are followed.
constexpr std::uint64_t kFlowStateBytes = 1732 + 2 * sizeof(TransferProgress);
/// Ports, index, and the place in the queue of those that will be over (departed.hpp).
constexpr std::uint64_t kDepartedBytes = 64 + 16 + 16;
constexpr std::uint64_t kMirroredSideBytes =
    516 + 4;                                       ///< what recognises its copies (flow_state.hpp)
constexpr std::uint64_t kLoneSynBytes = 128 + 16;  ///< lone_syns.hpp, index
constexpr std::uint64_t kLiveHandshakeBytes = 96;  ///< waits for its name (summariser.hpp)
constexpr std::uint64_t kSegmentBytes = 2048 + 428;
constexpr std::uint64_t kDatagramBytes = 4 * 2048 + 224;  ///< pages of ordinary datagrams
/// The entry, one link of the free ones, its share of the buckets (track/dns/query_entry.hpp).
constexpr std::uint64_t kQueryBytes = 88 + 4 + 4;
/// What an answered one takes beside it while its duplicates are waited for, and few others: the answer, three blocks
/// for its bytes or a long name, addresses of IPv6; frames of copies for every fourth. Each with its link.
constexpr std::uint64_t kAnswerBytes = (88 + 4) + 3 * (64 + 4) + (32 + 4) + (80 + 4) / 4;
constexpr std::uint64_t kDnsStreamBytes = 2208;
constexpr std::uint64_t kHttpStreamBytes = 140;
/// Target, host, referer ..., and what its response's shape is made from.
constexpr std::uint64_t kRequestBytes = 571 + sizeof(TransferMeter);
constexpr std::uint64_t kTlsStreamBytes = 699;  ///< SNI, ALPN, record reader
/// Of Redis, memcached, PostgreSQL and MySQL one each: readers, user, database, statement.
constexpr std::uint64_t kDatabaseStreamBytes = 884 + 1180 + 1292 + 1260;
constexpr std::uint64_t kDatabaseExchangeBytes = 624;  ///< fingerprint, operation, error
constexpr std::uint64_t kStatementBytes = 544;         ///< fingerprint, index
constexpr std::uint64_t kReportViewBytes = 256;        ///< texts and lists of ordinary length

std::vector<MemoryItem> per_worker(const Config& c) {
  const WorkerLimits& w = c.worker;
  return {
      {"TCP connections", "tcp.connections", w.tcp.connections, kFlowStateBytes},
      {"SYNs that nothing has followed", "tcp.connections", w.tcp.connections, kLoneSynBytes},
      {"connections that are over", "tcp.connections", std::bit_ceil(w.tcp.connections),
       kDepartedBytes},
      {"sides of connections that a mirror delivers twice", "tcp.connections",
       std::min(2 * w.tcp.connections, TcpLimits::kMostMirroredSides), kMirroredSideBytes},
      {"handshakes of live connections", "tcp.connections", std::bit_ceil(w.tcp.connections),
       kLiveHandshakeBytes},
      {"segments out of order", "tcp.reorder_segments", w.tcp.reorder_segments, kSegmentBytes},
      {"datagrams from fragments", "decode.fragment_datagrams", w.decode.fragment_datagrams,
       kDatagramBytes},
      {"pending DNS queries", "dns.pending_queries", w.dns.pending_queries, kQueryBytes},
      {"answers to DNS queries", "dns.pending_queries", w.dns.pending_queries, kAnswerBytes},
      {"DNS over TCP", "dns.tcp_streams", w.dns.tcp_streams, kDnsStreamBytes},
      {"HTTP connections", "http.connections", w.http.connections, kHttpStreamBytes},
      {"open HTTP requests", "http.open_requests", w.http.open_requests,
       sizeof(HttpTransaction) + kRequestBytes},
      {"HTTP headers being read", "http.header_buffers", w.http.header_buffers,
       w.http.header_bytes},
      {"TLS connections", "tls.connections", w.tls.connections,
       sizeof(TlsHandshake) + kTlsStreamBytes},
      {"TLS hellos being read", "tls.hello_buffers", w.tls.hello_buffers, w.tls.hello_bytes},
      {"connections to databases", "database.connections", w.database.connections,
       kDatabaseStreamBytes},
      {"prepared statements", "database.statements", w.database.statements, kStatementBytes},
      {"open database requests", "database.open_requests", w.database.open_requests,
       sizeof(DatabaseTransaction) + kDatabaseExchangeBytes},
      {"summary rows, two summaries", "summary.servers",
       2 * (std::uint64_t{1} + w.summary.services + w.summary.servers), sizeof(Summary::Row)},
      {"ring from the dispatcher", "ring.frame_bytes", 1, std::bit_ceil(c.rings.frame_bytes)},
      {"ring to the control core", "ring.transaction_bytes", 1,
       std::bit_ceil(c.rings.transaction_bytes)},
  };
}

std::vector<MemoryItem> shared(const Config& c) {
  constexpr std::uint64_t kOneOfEachKind = sizeof(Connection) + sizeof(DnsTransaction) +
                                           sizeof(HttpTransaction) + sizeof(TlsHandshake) +
                                           sizeof(DatabaseTransaction);
  return {{"transactions kept for the report, when all five kinds are full",
           "report.max_transactions", c.report.max_transactions,
           kOneOfEachKind + 5 * kReportViewBytes, false}};
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
