// Runs the graph of a visit forward, as it was or with edits. A node starts when everything that
// releases it has, plus each one's lag; it takes as long as its parts. Without edits the times come
// out as observed. What an edit takes from a category comes from the node's parts, then from the gap
// before it. Private to advise; pure.
#pragma once

#include <span>

#include <wirelag/advise/finding.hpp>

namespace wirelag {

enum class Bound : std::uint8_t { low, high };  ///< which side of every edit counts

/// What lay behind the capture's end (VisitNode::unseen_ns): left out of a wait. Of what is saved it is in the upper
/// bound; the lower one is no more than the wait that was seen less what a change leaves of it.
enum class Until : std::uint8_t { capture_end, answer };

struct Run {
  struct Times {
    TimeNs start_ns = 0;
    TimeNs answer_ns = 0;  ///< first byte of the answer
    TimeNs end_ns = 0;
    std::uint32_t held_by = UINT32_MAX;  ///< index of the edge that released it last
  };
  std::vector<Times> nodes;
  std::uint32_t last = UINT32_MAX;  ///< the node waited for that ends last
  DurationNs wait_ns = 0;
};

/// `edits`: those of this visit.
[[nodiscard]] Run simulate(const Visit& visit, Form form, std::span<const Edit> edits, Bound bound);
/// The same into `run`, whose memory is used again.
void simulate(const Visit& visit, Form form, std::span<const Edit> edits, Bound bound, Run& run,
              Until until = Until::capture_end);

/// Shortest and longest wait with `edits`, over both forms and bounds: the visit's less what they save.
struct WaitRange {
  DurationNs least_ns = 0;
  DurationNs most_ns = 0;
};
[[nodiscard]] WaitRange wait_range(const Visit& visit, std::span<const Edit> edits);

/// How much shorter the visit's wait is with `edits` than with `before` alone: smallest and largest
/// over both forms, never below 0. `edits` includes `before`.
struct SavedTime {
  DurationNs low_ns = 0;
  DurationNs high_ns = 0;
};
[[nodiscard]] SavedTime saved_time(const Visit& visit, std::span<const Edit> before,
                                   std::span<const Edit> edits);

}  // namespace wirelag
