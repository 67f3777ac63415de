// Ranges of sequence space that were skipped and have not been captured since: what fills one was overtaken
// or sent again, what fills none stays missing.
//
// One side of a connection has a HoleList, its holes in order of sequence. Bounded: kMostOfSide of one side,
// `capacity` of all; the oldest of the side gives way and stays missing for good. One thread.
#pragma once

#include <wirelag/base/counters.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag::tcp {

struct HoleList {
  static constexpr std::uint32_t kNone = Pool<int>::kNone;

  std::uint32_t first = kNone;  ///< index into Holes
  std::uint32_t last = kNone;
  std::uint32_t count = 0;
};

class Holes {
 public:
  static constexpr std::uint32_t kMostOfSide = 256;

  Holes(std::size_t capacity, Counters& counters) : holes_(capacity), counters_(counters) {}

  /// Notes [begin, end); `begin` is where the side's numbers stand, behind all holes of the list. `sent`:
  /// how many bytes the side has sent so far, captured or not, which tells a number from the same one 4 GiB later.
  void note(HoleList& list, std::uint32_t begin, std::uint32_t end, std::uint64_t sent, TimeNs now);

  struct Filled {
    std::uint32_t bytes = 0;
    TimeNs noticed_ns = kUnknownNs;  ///< of the first hole concerned; unknown: none was
  };
  /// Takes [begin, end) out of the holes; the side's numbers stand at `next_seq`.
  [[nodiscard]] Filled fill(HoleList& list, std::uint32_t begin, std::uint32_t end,
                            std::uint32_t next_seq, std::uint64_t sent);
  /// Forgets them all.
  void release(HoleList& list);

 private:
  struct Hole {
    TimeNs noticed_ns = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t next = HoleList::kNone;
    std::uint32_t sent_kib = 0;  ///< when it was noted
  };

  void forget_far(HoleList& list, std::uint32_t next_seq, std::uint64_t sent);
  [[nodiscard]] std::uint32_t take(HoleList& list);
  void keep_rest(HoleList& list, std::uint32_t i, std::uint32_t begin, std::uint32_t end);
  void unlink(HoleList& list, std::uint32_t before, std::uint32_t i);

  Pool<Hole> holes_;
  Counters& counters_;
};

}  // namespace wirelag::tcp
