// Finds the node of a transaction: which visit it belongs to, and where in its graph. Private to
// advise.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <wirelag/advise/rule.hpp>

namespace wirelag {

struct NodePlace {
  std::uint32_t visit = 0;
  std::uint32_t node = 0;
};

/// The places of all transactions that the stored visits are made of: worked out once, for all rules.
class NodePlaces {
 public:
  explicit NodePlaces(std::span<const Visit> visits) {
    std::array<std::size_t, 5> items{};
    for (const Visit& visit : visits) {
      for (const VisitNode& n : visit.nodes) {
        std::size_t& most = items[index(n.kind)];
        if (n.item != Dataset::kNone) most = std::max(most, n.item + std::size_t{1});
      }
    }
    for (std::size_t k = 0; k < of_.size(); ++k) of_[k].resize(items[k], {kNowhere, 0});
    for (std::uint32_t v = 0; v < visits.size(); ++v) {
      const std::vector<VisitNode>& nodes = visits[v].nodes;
      for (std::uint32_t n = 0; n < nodes.size(); ++n) {
        if (nodes[n].item != Dataset::kNone) note(nodes[n], {v, n});
      }
    }
  }
  /// Null when no stored visit has it.
  [[nodiscard]] const NodePlace* find(VisitNode::Kind kind, std::size_t item) const {
    const std::vector<NodePlace>& places = of_[index(kind)];
    return item < places.size() && places[item].visit != kNowhere ? &places[item] : nullptr;
  }

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  [[nodiscard]] static std::size_t index(VisitNode::Kind kind) {
    return static_cast<std::size_t>(kind);
  }
  /// The first visit that has it counts.
  void note(const VisitNode& n, NodePlace place) {
    NodePlace& noted = of_[index(n.kind)][n.item];
    if (noted.visit == kNowhere) noted = place;
  }

  std::array<std::vector<NodePlace>, 5> of_;  ///< by kind, then by item
};

/// Those of one kind. The visits must outlive it.
class NodeIndex {
 public:
  NodeIndex(const Visits& visits, VisitNode::Kind kind) : places_(*visits.places), kind_(kind) {}
  /// Null when no stored visit has it.
  [[nodiscard]] const NodePlace* find(std::size_t item) const { return places_.find(kind_, item); }

 private:
  const NodePlaces& places_;
  VisitNode::Kind kind_;
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
