// What is kept of a query while it waits for its response, in 88 bytes: a resolver that has stopped answering leaves
// hundreds of thousands of them. What most queries have not lies elsewhere: the addresses of IPv6, the end of a long
// name, the frames of copies, the answer.
#pragma once

#include <array>
#include <bit>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/base/table_memory.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

/// Who asks whom what under which number.
struct DnsQueryKey {
  Endpoint client;
  Endpoint resolver;
  std::uint16_t id = 0;
  DnsTransport transport = DnsTransport::udp;

  [[nodiscard]] bool is_v4() const { return client.ip.is_v4() && resolver.ip.is_v4(); }
  [[nodiscard]] std::uint32_t hash(std::uint64_t seed) const;
};

/// The addresses of a key that are not both of IPv4.
struct DnsAddresses {
  IpAddress client;
  IpAddress resolver;
};

struct DnsQueryEntry {
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  static constexpr std::uint8_t kMostMirrored = 31;
  static constexpr std::size_t kOwnName = 23;
  enum class Stage : std::uint8_t { waiting, answered, query_missing };
  /// What a mirror copies has no connection, and what has one is put in order by TCP.
  union Origin {
    struct {
      std::uint32_t print;         ///< of the latest query
      FrameNumber mirrored_frame;  ///< the mirror's copy of the first query
    } datagram;
    ConnectionKey connection;  ///< over TCP
  };

  TimeNs first_ns = 0;  ///< first query; query_missing: the response
  Origin origin = {.connection = 0};
  FrameNumber first_frame = 0;
  Index older = kNone;   ///< next entry of the same bucket
  Index before = kNone;  ///< neighbours in the list by age
  Index after = kNone;
  Index side = kNone;  ///< waiting: its copies, or kNone; else its answer, which has the copies
  Index name_rest = kNone;  ///< head of a chain: what is beyond kOwnName
  /// Client and resolver of IPv4, in network order; `wide`: the first is the number of DnsAddresses.
  std::array<std::uint32_t, 2> addresses{};
  std::uint16_t client_port = 0;
  std::uint16_t resolver_port = 0;
  std::uint16_t id = 0;
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
  ServiceId service = kNoService;
  std::uint16_t edns_size = 0;       ///< of the query
  std::uint16_t name_size : 10 = 0;  ///< DnsName::kMaxText at most
  Stage stage : 2 = Stage::waiting;
  bool wide : 1 = false;
  bool has_question : 1 = false;
  bool malformed : 1 = false;  ///< the query is
  bool untimed : 1 = false;    ///< a message of it is
  DnsTransport transport : 1 = DnsTransport::udp;
  std::uint8_t mirrored : 5 = 0;  ///< the mirror's copies of queries, kMostMirrored at most
  std::array<char, kOwnName> name;

  /// A response that no query will claim: datagrams are handed over in order.
  [[nodiscard]] bool unasked() const {
    return stage == Stage::query_missing && transport == DnsTransport::udp;
  }
};
static_assert(sizeof(DnsQueryEntry) == 88, "what memory_budget.cpp counts");

/// Where the entries of a hash are: as many buckets as there can be entries, or down to half as many, each a list
/// through `older` from its newest entry on. 4 bytes per entry.
class DnsQueryBuckets {
 public:
  using Index = DnsQueryEntry::Index;
  /// More than ever fall together of hashes that nobody chose: who adds one more gives up the oldest.
  static constexpr std::size_t kMost = 128;

  explicit DnsQueryBuckets(std::size_t entries)
      : mask_(std::bit_floor(entries) - 1),
        memory_((mask_ + 1) * sizeof(Index), TableMemory::Use::scattered),
        newest_plus_1_(static_cast<Index*>(memory_.get())) {}

  void prefetch(std::uint32_t hash) const { prefetch_line(&newest_plus_1_[hash & mask_]); }
  /// DnsQueryEntry::kNone when there is none.
  [[nodiscard]] Index newest(std::uint32_t hash) const { return newest_plus_1_[hash & mask_] - 1; }

  template <class Entries>
  void add(Entries& entries, std::uint32_t hash, Index i) {
    entries[i].older = newest(hash);
    newest_plus_1_[hash & mask_] = i + 1;
  }
  template <class Entries>
  void remove(Entries& entries, std::uint32_t hash, Index i) {
    const Index older = entries[i].older;
    Index at = newest(hash);
    if (at == i) {
      newest_plus_1_[hash & mask_] = older + 1;
      return;
    }
    while (entries[at].older != i) at = entries[at].older;
    entries[at].older = older;
  }

 private:
  std::size_t mask_;
  TableMemory memory_;
  Index* newest_plus_1_;  ///< 0 = none
};

}  // namespace wirelag
