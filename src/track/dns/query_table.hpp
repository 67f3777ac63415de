// Queries that wait for their response, and answered ones that wait for duplicates of it.
//
//             query                    response                   no duplicate for
//   (none) ----------> waiting ----------------------> answered ---------------------> emitted
//                      |  ^ | kept for 4 query timeouts           duplicate window        ^
//              re-sent +--+ +------------------------------------------------------------+
//                                           unanswered
//
// Entries whose keys (client, resolver, transport, id) have one hash are a list from the newest to the oldest; of
// one key there are kPerKey at most. Every entry is also in one of three lists by age, `waiting`, `answered` and
// `unasked`, whose heads are the next to leave.
//
// A query sent again while its first copy waits belongs to the same transaction for one query timeout. A
// later one begins its own, and the next response is that one's: the first has been unanswered for longer
// than any resolver library waits.
//
// A mirror may deliver a datagram twice. The copy has the original's bytes and IPv4 identification and comes
// within kMirrorCopyNs: it is listed or counted with its original and nobody's second query or answer. A
// response without a query waits so long for its copy.
//
// Over TCP a query may be handed over after its response: the stream waits for a hole before it to
// be filled. So a TCP response without a query waits as well, and a query that was sent before it
// takes it.
//
// Expiry depends on the time of the key's own packets only: an entry that is too old for a packet
// is emitted before that packet is looked at. expire() does the same earlier: as long as time goes on
// it changes when a transaction is emitted, not what it says.
//
// Memory: 96 bytes per entry: its 88, one link of the free ones, its share of the buckets. Most queries have their
// answer in no time, and what answered ones take beside that is reserved too: the answer, three 64-byte blocks for
// its bytes (and for what is beyond 23 bytes of a name), 32 bytes for addresses of IPv6; for every fourth entry
// the frames of re-sent copies. What is never used is never touched. When there is no room
// for a new entry or its bytes, the oldest unasked one is emitted, then the oldest answered one before its
// duplicate window is over, and when there is none the oldest waiting one is given up.
#pragma once

#include <array>
#include <memory>

#include <wirelag/base/age_list.hpp>
#include <wirelag/base/counters.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/track/dns/message.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/transaction.hpp>

#include "byte_chains.hpp"
#include "query_entry.hpp"

namespace wirelag {

/// Where and when a message was seen, and its bytes.
struct DnsSighting {
  Endpoint src;
  Endpoint dst;
  DnsTransport transport = DnsTransport::udp;
  ConnectionKey connection = 0;
  TimeNs time_ns = 0;
  FrameNumber frame = 0;
  Bytes bytes;
  std::uint32_t print =
      0;  ///< of the bytes and the IPv4 identification; 0: the mirror makes no copies of it
  bool malformed = false;
  bool untimed = false;  ///< time_ns is good for timeouts and order only
};

class DnsQueryTable {
 public:
  DnsQueryTable(const DnsLimits& limits, Classifier& classifier, TransactionSink& sink,
                Counters& counters);

  /// Asks for where the entries of a datagram's message are found; the hash of their key.
  [[nodiscard]] std::uint32_t prefetch_bucket(const Endpoint& src, const Endpoint& dst,
                                              const DnsHeader& header) const;
  /// Asks for the newest entry of that hash, once its bucket is near.
  void prefetch_entry(std::uint32_t hash) const;
  /// The service of the question, kNoService when the message has none.
  ServiceId on_message(const DnsSighting& seen, const DnsMessage& message);
  /// Emits at most `budget` entries that no packet at `now` or later could change; the next messages
  /// go on with it.
  void expire(TimeNs now, std::size_t budget);
  void finish();

 private:
  using Key = DnsQueryKey;
  using Entry = DnsQueryEntry;
  using Stage = Entry::Stage;
  using Index = Entry::Index;
  static constexpr Index kNone = Entry::kNone;
  static constexpr std::size_t kPerKey = 16;

  struct Copies {
    TimeNs last_query_ns = 0;
    BoundedList<FrameNumber, 16> frames;  ///< the first query and its copies
  };
  struct Answer {
    TimeNs response_ns = 0;
    TimeNs last_copy_ns = 0;  ///< the response or its latest duplicate
    FrameNumber frame = 0;
    std::uint32_t print = 0;  ///< of the response or its latest duplicate
    Index bytes = ByteChain::kNone;
    Index copies = kNone;  ///< of its query
    std::uint32_t size = 0;
    std::uint16_t answer_count = 0;
    std::uint16_t rcode = 0;     ///< with the bits of EDNS
    std::uint16_t mirrored = 0;  ///< the mirror's copies of the response and its duplicates
    bool no_data = false;        ///< RFC 2308
    bool truncated = false;
    bool malformed = false;
    BoundedList<FrameNumber, 8> duplicates;
  };
  using ByAge = AgeList<&Entry::before, &Entry::after>;
  /// The live entries of one key, oldest first.
  struct KeyEntries {
    std::array<Index, kPerKey> at;
    std::size_t size = 0;
    std::size_t in_bucket = 0;  ///< those of other keys too

    [[nodiscard]] const Index* begin() const { return at.data(); }
    [[nodiscard]] const Index* end() const { return at.data() + size; }
  };

  // Pairing: query_table.cpp
  void on_query(const DnsSighting& seen, const DnsMessage& message, ServiceId service);
  void on_response(const DnsSighting& seen, const DnsMessage& message, ServiceId service);
  [[nodiscard]] KeyEntries entries_of(const Key& key, TimeNs now);
  [[nodiscard]] bool has_name(const Entry& entry, std::string_view name) const;
  [[nodiscard]] bool same_question(const Entry& entry, const DnsMessage& message) const;
  [[nodiscard]] bool may_be_same_question(const Entry& entry, const DnsMessage& message) const;
  [[nodiscard]] TimeNs latest_query_ns(const Entry& entry) const;
  [[nodiscard]] Index query_mirrored_by(const KeyEntries& known, const DnsSighting& seen) const;
  [[nodiscard]] Index answer_mirrored_by(const KeyEntries& known, const DnsSighting& seen) const;
  [[nodiscard]] Index query_repeated_by(const KeyEntries& known, const DnsSighting& seen,
                                        const DnsMessage& message) const;
  [[nodiscard]] Index response_waiting_for(const KeyEntries& known, const DnsSighting& seen,
                                           const DnsMessage& message) const;
  [[nodiscard]] Index query_answered_by(const KeyEntries& known, const DnsSighting& seen,
                                        const DnsMessage& message) const;
  [[nodiscard]] Index answer_repeated_by(const KeyEntries& known, const DnsMessage& message) const;

  // Entries: query_entries.cpp
  Index add(const Key& key, const KeyEntries& known, const DnsSighting& seen,
            const DnsMessage& message, ServiceId service);
  void take_key(Entry& entry, const Key& key);
  [[nodiscard]] Key key_of(const Entry& entry) const;
  [[nodiscard]] bool has_key(const Entry& entry, const Key& key) const;
  void make_room_in_bucket(std::uint32_t hash);
  /// In copies_, kNone when it was sent once.
  [[nodiscard]] Index copies_of(const Entry& entry) const {
    return entry.stage == Stage::waiting ? entry.side : answers_[entry.side].copies;
  }
  [[nodiscard]] bool has_copies(Entry& entry, TimeNs now);
  void note_query_copy(Entry& entry, const DnsSighting& seen);
  void note_mirrored_query(Entry& entry, const DnsSighting& seen);
  void note_mirrored_answer(Answer& answer);
  void note_answer(Index i, Stage stage, const DnsSighting& seen, const DnsMessage& message);
  void note_answer_copy(Index i, const DnsSighting& seen);
  void note_query_of_answer(Index i, const DnsSighting& seen, const DnsMessage& message);
  void make_room_for_bytes(std::size_t bytes, TimeNs now);
  void release_oldest(TimeNs now);
  void make_room_in_key(const KeyEntries& known);
  [[nodiscard]] bool release_over(TimeNs now);
  void give_up(Index i);
  [[nodiscard]] bool is_over(const Entry& entry, TimeNs now) const;
  void emit(Index i);
  void describe(const Answer& answer, DnsTransaction& out);
  void forget(Index i);
  [[nodiscard]] std::string_view name_of(const Entry& entry);
  [[nodiscard]] ByAge& list_of(const Entry& entry) {
    if (entry.stage == Stage::answered) return answered_;
    return entry.unasked() ? unasked_ : waiting_;
  }

  std::uint64_t hash_seed_;
  TimeNs expiring_to_ns_ = kUnknownNs;  ///< the time that expire() was last told
  DurationNs query_timeout_ns_;
  DurationNs duplicate_window_ns_;
  Classifier& classifier_;
  TransactionSink& sink_;
  Counters& counters_;

  Pool<Entry> entries_;
  Pool<Copies> copies_;
  Pool<Answer> answers_;
  Pool<DnsAddresses> addresses_;  ///< Entry::wide
  ByteChains bytes_;
  DnsQueryBuckets buckets_;
  ByAge waiting_;  ///< waiting, and query_missing over TCP
  ByAge answered_;
  ByAge unasked_;  ///< Entry::unasked()
  std::unique_ptr<std::uint8_t[]> name_scratch_;
  std::unique_ptr<std::uint8_t[]> response_scratch_;
};

}  // namespace wirelag
