// The identity of a flow: both endpoints in a canonical order, so that its two directions have the
// same key. VLAN, tunnel ids and capture ports are not part of it.
#pragma once

#include <wirelag/base/ip.hpp>

namespace wirelag {

struct FlowKey {
  Endpoint low;
  Endpoint high;

  [[nodiscard]] static FlowKey of(const Endpoint& a, const Endpoint& b) {
    return b < a ? FlowKey{b, a} : FlowKey{a, b};
  }
  /// Whether this is the flow between the two, whichever of them is `low`.
  [[nodiscard]] bool joins(const Endpoint& a, const Endpoint& b) const {
    return (low == a && high == b) || (low == b && high == a);
  }
  bool operator==(const FlowKey&) const = default;
};

}  // namespace wirelag
