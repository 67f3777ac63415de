// Finds the node of a transaction: which visit it belongs to, and where in its graph. Private to
// advise.
#pragma once

#include <vector>

#include <wirelag/advise/rule.hpp>

namespace wirelag {

struct NodePlace {
  std::uint32_t visit = 0;
  std::uint32_t node = 0;
};

class NodeIndex {
 public:
  NodeIndex(const Visits& visits, VisitNode::Kind kind) {
    for (std::uint32_t v = 0; v < visits.stored.size(); ++v) {
      const std::vector<VisitNode>& nodes = visits.stored[v].nodes;
      for (std::uint32_t n = 0; n < nodes.size(); ++n) {
        if (nodes[n].kind == kind && nodes[n].item != Dataset::kNone) {
          note(nodes[n].item, {v, n});
        }
      }
    }
  }
  /// Null when no stored visit has it.
  [[nodiscard]] const NodePlace* find(std::size_t item) const {
    return item < places_.size() && places_[item].visit != kNowhere ? &places_[item] : nullptr;
  }

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  /// The first visit that has it counts.
  void note(std::size_t item, NodePlace place) {
    if (item >= places_.size()) places_.resize(item + 1, {kNowhere, 0});
    if (places_[item].visit == kNowhere) places_[item] = place;
  }

  std::vector<NodePlace> places_;  ///< by item
};

[[nodiscard]] inline Edit shorten(const NodePlace& at, Category category, DurationNs low_ns,
                                  DurationNs high_ns) {
  return {at.visit, at.node, Edit::What::shorten, category, low_ns, high_ns};
}

/// The edit of a finding, or, where no stored visit has the node, that one is missing.
inline void shorten(Finding& f, const NodePlace* at, Category category, DurationNs low_ns,
                    DurationNs high_ns) {
  if (at == nullptr) {
    ++f.unplaced;
  } else {
    f.edits.push_back(shorten(*at, category, low_ns, high_ns));
  }
}

}  // namespace wirelag
