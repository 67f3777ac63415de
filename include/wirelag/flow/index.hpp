// Hash index from a flow's 32-bit hash to the number of its record: cache lines of eight hashes and their
// records, half full at most. A record lies in the line that its hash points to; where that is full, in the first
// one behind it with room (one line in fifty has more than it holds when as many records are kept as there may be).
// So a look-up compares one line's hashes at once, and touches no other line. The record's key is compared by the
// caller, which has the record anyway; a full 32-bit hash makes a false candidate rare. Removal brings back what
// lies behind a line for want of room, so there are no tombstones and no rehash.
//
// A record lies within kMaxProbe slots of where its hash points, so no look-up and no insertion looks at more,
// whatever hashes come; a removal does so for each record that it brings back, hardly ever one. Where hashes fall
// together so much that a new one finds no slot, the caller gives up records in the way. Hashes should be seeded
// (base/hash.hpp): then a sender cannot choose where they point.
//
// All memory is taken at construction. One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <wirelag/base/prefetch.hpp>
#include <wirelag/base/table_memory.hpp>

namespace wirelag {

class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kLineSlots = 8;
  static constexpr std::size_t kMaxProbe = 128;

  /// Room for `capacity` records.
  explicit FlowIndex(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < kLineSlots ? 2 * kLineSlots : 2 * capacity) / kLineSlots -
              1),
        memory_((mask_ + 1) * sizeof(Line), TableMemory::Use::scattered),
        lines_(static_cast<Line*>(memory_.get())) {}

  void prefetch(std::uint32_t hash) const { prefetch_line(&lines_[home(hash)]); }
  /// The same by a load: for many in a row (fetch_line()).
  void fetch(std::uint32_t hash) const { fetch_line(&lines_[home(hash)]); }

  /// The record with this hash for which same(record) holds, kNone when there is none.
  template <class Same>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, Same&& same) const {
    for (std::size_t n = 0, at = home(hash); n < kMaxLines; ++n, at = behind(at)) {
      const Line& line = lines_[at];
      for (unsigned left = line.matches(hash); left != 0; left &= left - 1) {
        const std::uint32_t record = line.record(first(left));
        if (record == kNone) break;  // an empty slot looks like hash 0: only empty ones follow
        if (same(record)) return record;
      }
      if (!line.full()) return kNone;
    }
    return kNone;
  }

  /// The record that is looked for, save for two flows with the same hash; kNone when it is not in its own
  /// line. To prefetch it.
  [[nodiscard]] std::uint32_t candidate(std::uint32_t hash) const {
    const Line& line = lines_[home(hash)];
    const unsigned matches = line.matches(hash);
    return matches != 0 ? line.record(first(matches)) : kNone;
  }

  /// A record to be erased before insert(hash), and then asked for again; kNone when there is room.
  [[nodiscard]] std::uint32_t in_the_way(std::uint32_t hash) const {
    for (std::size_t n = 0, at = home(hash); n < kMaxLines; ++n, at = behind(at)) {
      if (!lines_[at].full()) return kNone;
    }
    return lines_[home(hash)].record(0);
  }

  /// The caller keeps the number of records within the capacity; nothing is in_the_way(hash).
  void insert(std::uint32_t hash, std::uint32_t record) {
    std::size_t at = home(hash);
    while (lines_[at].full()) at = behind(at);
    lines_[at].set(lines_[at].slots_taken(), hash, record + 1);
  }

  /// Another record of the same hash takes the place of `from`, which is there.
  void replace(std::uint32_t hash, std::uint32_t from, std::uint32_t to) {
    const Place place = place_of(hash, from);
    lines_[place.line].record_plus_1[place.slot] = to + 1;
  }

  /// The record is there.
  void erase(std::uint32_t hash, std::uint32_t record) {
    Place hole = place_of(hash, record);
    for (;;) {
      Line& line = lines_[hole.line];
      const Place from = line.full() ? displaced_beyond(hole.line) : Place{hole.line, kLineSlots};
      if (from.slot == kLineSlots) return line.remove(hole.slot);
      line.set(hole.slot, lines_[from.line].hash[from.slot],
               lines_[from.line].record_plus_1[from.slot]);
      hole = from;
    }
  }

 private:
  static constexpr std::size_t kMaxLines = kMaxProbe / kLineSlots;
  static constexpr unsigned kBeyond = 1U << kLineSlots;  ///< the bit of no slot

  /// A bit for each of the words that has this value.
  [[nodiscard]] static unsigned equal(const std::uint32_t (&words)[kLineSlots],
                                      std::uint32_t value) {
#ifdef __SSE2__
    const __m128i all = _mm_set1_epi32(static_cast<int>(value));
    const auto of_four = [all](const std::uint32_t* four) {
      const __m128i same =
          _mm_cmpeq_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(four)), all);
      return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(same)));
    };
    return of_four(words) | of_four(words + 4) << 4;
#else
    unsigned bits = 0;
    for (std::size_t i = 0; i < kLineSlots; ++i) bits |= unsigned{words[i] == value} << i;
    return bits;
#endif
  }
  [[nodiscard]] static std::size_t first(unsigned bits) {
    return static_cast<std::size_t>(std::countr_zero(bits));
  }

  /// Its slots are taken from the first on.
  struct alignas(kCacheLineBytes) Line {
    std::uint32_t hash[kLineSlots];
    std::uint32_t record_plus_1[kLineSlots];  ///< 0 = empty

    [[nodiscard]] bool full() const { return record_plus_1[kLineSlots - 1] != 0; }
    [[nodiscard]] std::uint32_t record(std::size_t slot) const { return record_plus_1[slot] - 1; }
    /// A bit per slot with this hash; empty slots have hash 0.
    [[nodiscard]] unsigned matches(std::uint32_t wanted) const { return equal(hash, wanted); }
    /// kLineSlots when it is not here.
    [[nodiscard]] std::size_t slot_of(std::uint32_t record) const {
      return first(equal(record_plus_1, record + 1) | kBeyond);
    }
    [[nodiscard]] std::size_t slots_taken() const {
      return first(equal(record_plus_1, 0) | kBeyond);
    }
    void set(std::size_t slot, std::uint32_t its_hash, std::uint32_t its_record_plus_1) {
      hash[slot] = its_hash;
      record_plus_1[slot] = its_record_plus_1;
    }
    /// The last one takes its slot.
    void remove(std::size_t slot) {
      const std::size_t last = slots_taken() - 1;
      set(slot, hash[last], record_plus_1[last]);
      set(last, 0, 0);
    }
  };
  struct Place {
    std::size_t line;
    std::size_t slot;
  };

  [[nodiscard]] std::size_t home(std::uint32_t hash) const { return hash & mask_; }
  [[nodiscard]] std::size_t behind(std::size_t line) const { return (line + 1) & mask_; }

  /// The record is there.
  [[nodiscard]] Place place_of(std::uint32_t hash, std::uint32_t record) const {
    for (std::size_t at = home(hash);; at = behind(at)) {
      if (const std::size_t slot = lines_[at].slot_of(record); slot < kLineSlots) return {at, slot};
    }
  }

  /// The first record behind a full line that lies there only because that line had no room; slot kLineSlots
  /// when there is none.
  [[nodiscard]] Place displaced_beyond(std::size_t full_line) const {
    std::size_t at = full_line;
    for (std::size_t n = 1; n < kMaxLines; ++n) {
      at = behind(at);
      const Line& line = lines_[at];
      for (std::size_t slot = 0; slot < kLineSlots && line.record_plus_1[slot] != 0; ++slot) {
        if (((at - home(line.hash[slot])) & mask_) >= n) return {at, slot};
      }
      if (!line.full()) break;
    }
    return {full_line, kLineSlots};
  }

  std::size_t mask_;  ///< of lines
  TableMemory memory_;
  Line* lines_;
};

}  // namespace wirelag
