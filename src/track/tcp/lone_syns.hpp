// SYNs that nothing has followed yet: the opening of most connections for one round trip, and all that a SYN
// flood or a scan ever sends. They have a table of their own with small records, the oldest of which gives
// way to the next: however many come, they cost little and take no established connection's place. What comes
// next on the same ports makes a connection of it, as if it had been one from the beginning.
//
// One thread; all memory is taken at construction and touched as it is needed.
#pragma once

#include <wirelag/base/age_list.hpp>
#include <wirelag/base/prefetch.hpp>
#include <wirelag/flow/index.hpp>
#include <wirelag/flow/key.hpp>
#include <wirelag/track/transaction.hpp>

#include "kept_syn.hpp"

namespace wirelag::tcp {

class LoneSyns {
 public:
  using Place = std::uint32_t;
  static constexpr Place kNone = UINT32_MAX;

  struct alignas(64) Entry {
    Endpoint client;
    Endpoint server;
    std::uint32_t hash;        ///< of the flow
    std::uint64_t serial = 0;  ///< of the connection that it begins; 0 = the entry is not in use
    Place older;               ///< neighbours in by_age_
    Place newer;
    KeptSyn syn;

    [[nodiscard]] bool kept() const { return serial != 0; }
  };
  static_assert(sizeof(Entry) == 128);

  explicit LoneSyns(std::size_t most);
  LoneSyns(const LoneSyns&) = delete;
  LoneSyns& operator=(const LoneSyns&) = delete;

  /// Whether a packet that belongs to no flow can be kept here: a SYN alone and ordinary, so that what is kept
  /// is all of it.
  [[nodiscard]] static bool may_keep(const Packet& packet) {
    constexpr std::uint8_t kOthers = tcp_flag::ack | tcp_flag::fin | tcp_flag::rst;
    const TcpHeader& tcp = packet.tcp;
    return (tcp.flags & (tcp_flag::syn | kOthers)) == tcp_flag::syn && tcp.ack == 0 &&
           packet.payload_length == 0 && !packet.untimed;
  }

  void prefetch(std::uint32_t hash) const {
    if (size_ > 0) index_.prefetch(hash);
  }
  /// The SYN on the ports of this packet, from either side; kNone when there is none.
  [[nodiscard]] Place find(const Packet& packet) const;
  /// Which must end before this packet is kept, as too many hashes fall together; kNone when none must.
  [[nodiscard]] Place in_the_way(const Packet& packet) const {
    return index_.in_the_way(packet.flow_hash);
  }
  [[nodiscard]] bool full() const { return size_ == entries_.size(); }
  /// may_keep(packet), it was not found, there is room and nothing is in the way.
  void keep(const Packet& packet, std::uint64_t serial);
  void drop(Place at);

  [[nodiscard]] const Entry& operator[](Place at) const { return entries_[at]; }
  [[nodiscard]] Place oldest() const { return by_age_.oldest(); }
  /// Once full, each that comes ends the oldest: fetches what ending the next ones will touch, many at a time.
  void fetch_oldest() {
    if (fetched_ > 0) {
      --fetched_;
      return;
    }
    Place at = oldest();
    for (; fetched_ < kFetched && at != kNone; ++fetched_, at = entries_[at].newer) {
      index_.fetch(entries_[at].hash);
    }
    if (at != kNone) prefetch_lines<sizeof(Entry)>(&entries_[at]);
  }
  /// To the end of the row: its clock is ahead of the others', and it must not keep them waiting.
  void set_back(Place at);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Places below this number have been in use at least once.
  [[nodiscard]] std::size_t touched() const { return touched_; }

  /// The connection that it is so far: valid until the next call.
  [[nodiscard]] const Connection& describe(const Entry& entry, ConnectionKey key,
                                           ConnectionEnd end);

 private:
  static constexpr std::uint32_t kFetched = 16;

  FlowIndex index_;
  TableMemory memory_;
  std::span<Entry> entries_;
  AgeList<&Entry::older, &Entry::newer> by_age_;  ///< by arrival
  Place free_ = kNone;                            ///< linked by Entry::newer
  std::size_t touched_ = 0;
  std::size_t size_ = 0;
  std::uint32_t fetched_ = 0;  ///< of the oldest, at least
  // The connection that was described last: a flood's differ in little.
  Connection connection_;
  ConnectionOpening opening_;
  KeptSyn options_of_;  ///< whose options those of opening_ are
  FrameNumber frame_ = 0;
};

}  // namespace wirelag::tcp
