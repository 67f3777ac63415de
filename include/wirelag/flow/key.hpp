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
  bool operator==(const FlowKey&) const = default;
};

}  // namespace wirelag
