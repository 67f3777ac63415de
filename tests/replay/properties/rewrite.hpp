// What is done to a capture that must not change what it says. Each returns another one; frame
// numbers stay with their segments unless said otherwise.
#pragma once

#include "segments.hpp"

namespace wirelag::properties {

[[nodiscard]] Segments shifted(Segments segments, DurationNs by_ns);

/// Another address and port for each, one to one, twice the same gives back the original address.
/// Special addresses (loopback, multicast, unspecified) and ports below 20000 stay.
[[nodiscard]] IpAddress renamed(IpAddress address);
[[nodiscard]] std::uint16_t renamed(std::uint16_t port);
[[nodiscard]] std::uint16_t renamed_back(std::uint16_t port);
[[nodiscard]] Segments renamed(Segments segments);

/// Every segment a second time, a little later but before the next one. Numbers double: the
/// original's 2n-1, the copy's 2n.
[[nodiscard]] Segments mirrored(const Segments& segments);

/// Nothing captured behind the headers.
[[nodiscard]] Segments headers_only(Segments segments);

/// The packets of each pair of hosts together, the pairs in reverse order, each in its own time.
[[nodiscard]] Segments pairs_reversed(const Segments& segments);

/// Without the TCP packets that `from` sent to `to`.
[[nodiscard]] Segments without(const Segments& segments, const Endpoint& from, const Endpoint& to);

}  // namespace wirelag::properties
