// From the activities of a visit to its graph. Private to advise.
#pragma once

#include <wirelag/advise/visit.hpp>

#include "round_trips.hpp"

namespace wirelag {

/// An index into the dataset, or Dataset::kNone, in half the room: a large capture has millions of them.
class SmallIndex {
 public:
  constexpr SmallIndex(std::size_t index) : index_(static_cast<std::uint32_t>(index)) {}
  constexpr operator std::size_t() const { return index_ == kNone ? Dataset::kNone : index_; }
  auto operator<=>(const SmallIndex&) const = default;
  bool operator==(const SmallIndex&) const = default;
  bool operator==(std::size_t index) const { return static_cast<std::size_t>(*this) == index; }

 private:
  static constexpr auto kNone = static_cast<std::uint32_t>(Dataset::kNone);
  std::uint32_t index_;
};

/// An activity that becomes a node.
struct NodeRef {
  VisitNode::Kind kind;
  SmallIndex item;
  SmallIndex connection;
  auto operator<=>(const NodeRef&) const = default;
};

/// A visit before its graph is built: activities in order of start.
struct VisitDraft {
  IpAddress client_ip;
  TimeNs start_ns = 0;
  bool api = false;
  bool database = false;
  std::vector<NodeRef> nodes;
  double weight = 1;  ///< how many drafts it stands for
};

[[nodiscard]] Visit build_graph(const VisitDraft& draft, const Dataset& data,
                                const Correlation& correlation, const RoundTrips& round_trips,
                                const VisitLimits& limits);

}  // namespace wirelag
