// The short way for the common frame: Ethernet with at most one VLAN tag, IPv4 without options or
// fragments or IPv6 without extension headers, and TCP or UDP that is no tunnel. It makes of such a frame
// exactly what the walk makes of it, in a third of the instructions (tests/unit/decode/common_test.cpp,
// tests/fuzz/targets/decode_frame.cpp).
#pragma once

#include <wirelag/decode/packet.hpp>

namespace wirelag::decode {

/// Whether `frame` is a common one; if so, `out` is complete. Otherwise `out` is undefined and the walk
/// has to look at the frame.
[[nodiscard]] bool decode_common(const Frame& frame, std::uint64_t hash_seed, Packet& out);

}  // namespace wirelag::decode
