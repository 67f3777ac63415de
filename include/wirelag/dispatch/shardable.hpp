// Which frames a port's own hash puts on the right queue: plain TCP and UDP over IP. The two
// directions of everything else (fragments, tunnels, MPLS, PPPoE ...) may come on different queues,
// because the port hashes the outer headers or the addresses alone; such frames go to the
// dispatcher.
#pragma once

#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// A look at a few bytes; wrong answers cost time or a measurement, never memory. ARP and the like
/// count as shardable: they belong to no flow.
[[nodiscard]] bool port_could_shard(const Frame& frame);

}  // namespace wirelag
