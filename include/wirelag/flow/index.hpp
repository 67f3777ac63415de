// Hash index from a flow's 32-bit hash to the number of its record: open addressing with linear
// probing over 8-byte slots {hash, record}, eight to a cache line, at most half full. The record's
// key is compared by the caller, which has the record anyway; a full 32-bit hash in the slot makes
// a false candidate rare. Removal shifts back, so there are no tombstones and no rehash.
//
// A record lies within kMaxProbe slots of where its hash points, so no operation looks at more,
// whatever hashes come. Where hashes fall together so much that a new one finds no slot, the caller
// gives up the record in the way. Hashes should be seeded (base/hash.hpp): then a sender cannot
// choose where they point.
//
// All memory is taken at construction. One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/base/table_memory.hpp>

namespace wirelag {

class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  /// Longer than the longest run of 2^26 random hashes (about 90 at half full).
  static constexpr std::size_t kMaxProbe = 128;

  /// Room for `capacity` records.
  explicit FlowIndex(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < 8 ? std::size_t{16} : capacity * 2) - 1),
        memory_((mask_ + 1) * sizeof(Slot), TableMemory::Use::scattered),
        slots_(static_cast<Slot*>(memory_.get())) {}

  void prefetch(std::uint32_t hash) const { prefetch_line(&slots_[hash & mask_]); }

  /// The record with this hash for which same(record) holds, kNone when there is none.
  template <class Same>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, Same&& same) const {
    for (std::size_t n = 0, at = hash & mask_; n < kMaxProbe; ++n, at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.record_plus_1 == 0) return kNone;
      if (slot.hash == hash && same(slot.record_plus_1 - 1)) return slot.record_plus_1 - 1;
    }
    return kNone;
  }

  /// The record that is looked for, save for two flows with the same hash; kNone when there is none. To
  /// prefetch it: looks at a cache line's worth of slots.
  [[nodiscard]] std::uint32_t candidate(std::uint32_t hash) const {
    for (std::size_t n = 0, at = hash & mask_; n < kLineSlots; ++n, at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.hash == hash || slot.record_plus_1 == 0) return slot.record_plus_1 - 1;
    }
    return kNone;
  }

  /// The record that must be erased before insert(hash), kNone when there is room.
  [[nodiscard]] std::uint32_t in_the_way(std::uint32_t hash) const {
    for (std::size_t n = 0, at = hash & mask_; n < kMaxProbe; ++n, at = (at + 1) & mask_) {
      if (slots_[at].record_plus_1 == 0) return kNone;
    }
    return slots_[hash & mask_].record_plus_1 - 1;
  }

  /// The caller keeps the number of records within the capacity; nothing is in_the_way(hash).
  void insert(std::uint32_t hash, std::uint32_t record) {
    std::size_t at = hash & mask_;
    while (slots_[at].record_plus_1 != 0) at = (at + 1) & mask_;
    slots_[at] = {hash, record + 1};
  }

  /// Another record of the same hash takes the place of `from`.
  void replace(std::uint32_t hash, std::uint32_t from, std::uint32_t to) {
    slots_[slot_of(hash, from)].record_plus_1 = to + 1;
  }

  void erase(std::uint32_t hash, std::uint32_t record) {
    std::size_t hole = slot_of(hash, record);
    // What lies kMaxProbe or more behind the hole cannot belong before it.
    for (std::size_t at = (hole + 1) & mask_;
         slots_[at].record_plus_1 != 0 && ((at - hole) & mask_) < kMaxProbe;
         at = (at + 1) & mask_) {
      const std::size_t home = slots_[at].hash & mask_;
      if (((at - home) & mask_) >= ((at - hole) & mask_)) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole] = {};
  }

 private:
  struct Slot {
    std::uint32_t hash;
    std::uint32_t record_plus_1;  ///< 0 = empty
  };
  static constexpr std::size_t kLineSlots = kCacheLineBytes / sizeof(Slot);

  /// The record is there.
  [[nodiscard]] std::size_t slot_of(std::uint32_t hash, std::uint32_t record) const {
    std::size_t at = hash & mask_;
    while (slots_[at].record_plus_1 != record + 1) at = (at + 1) & mask_;
    return at;
  }

  std::size_t mask_;
  TableMemory memory_;
  Slot* slots_;
};

}  // namespace wirelag
