// What clients did, before it is cut into visits: one activity for each lookup that a connection used,
// handshake, request and query. Private to advise; pure.
#pragma once

#include <map>
#include <vector>

#include "graph.hpp"

namespace wirelag {

/// Client addresses by number, in the order they came: what is sorted by client is sorted by these. A tree, no
/// hash: whoever chooses addresses could choose them so that all hash to one place.
class Clients {
 public:
  [[nodiscard]] SmallIndex number(const IpAddress& ip) {
    const auto [at, is_new] = numbers_.try_emplace(ip, addresses_.size());
    if (is_new) addresses_.push_back(ip);
    return at->second;
  }
  [[nodiscard]] const IpAddress& operator[](std::size_t i) const { return addresses_[i]; }
  [[nodiscard]] std::size_t size() const { return addresses_.size(); }

 private:
  std::map<IpAddress, SmallIndex> numbers_;
  std::vector<IpAddress> addresses_;
};

/// Small: a large capture has a million of them, and they are sorted.
struct Activity {
  TimeNs from_ns;
  TimeNs to_ns;
  SmallIndex client;  ///< into Activities::clients
  SmallIndex item;
  SmallIndex connection;  ///< of a lookup: that was opened with its answer
  VisitNode::Kind kind;
  bool database;  ///< belongs to what `connection` asks a database
  bool troubled;  ///< something failed or was lost in it

  [[nodiscard]] NodeRef node() const {
    return {kind, troubled, item, kind == VisitNode::Kind::dns ? SmallIndex{} : connection};
  }
  /// Bursts are of one client and lane: 0, or 1 + the connection to a database.
  [[nodiscard]] std::uint32_t lane() const {
    return database ? static_cast<std::uint32_t>(std::size_t{connection}) + 1 : 0;
  }
};
static_assert(sizeof(Activity) == 32);

struct Activities {
  Clients clients;
  std::vector<Activity> all;  ///< sorted by client, lane and time
};
[[nodiscard]] Activities find_activities(const Dataset& data, const Correlation& correlation);

}  // namespace wirelag
