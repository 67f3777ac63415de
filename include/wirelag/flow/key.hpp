// The identity of a flow: both endpoints in a canonical order, so that its two directions have the
// same key. VLAN, tunnel ids and capture ports are not part of it.
#pragma once

#include <wirelag/base/ip.hpp>

namespace wirelag {

/// How a packet from one endpoint to another travels on a flow, if it does.
enum class Orientation : std::uint8_t { none, from_low, from_high };

struct FlowKey {
  Endpoint low;
  Endpoint high;

  [[nodiscard]] static FlowKey of(const Endpoint& a, const Endpoint& b) {
    return b < a ? FlowKey{b, a} : FlowKey{a, b};
  }
  [[nodiscard]] Orientation orientation(const Endpoint& src, const Endpoint& dst) const {
    if (low == src && high == dst) return Orientation::from_low;
    return low == dst && high == src ? Orientation::from_high : Orientation::none;
  }
  /// Whether this is the flow between the two, whichever of them is `low`.
  [[nodiscard]] bool joins(const Endpoint& a, const Endpoint& b) const {
    return orientation(a, b) != Orientation::none;
  }
  bool operator==(const FlowKey&) const = default;
};

}  // namespace wirelag
