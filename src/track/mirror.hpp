// Frames that a mirror session delivers twice, as its two directions or two ports see the same packet.
#pragma once

#include <wirelag/base/types.hpp>

namespace wirelag {

/// A copy that the mirror made is identical to its original and follows it within this time: no timer of a
/// sender is as short.
inline constexpr DurationNs kMirrorCopyNs = 1 * kMillisecondNs;

}  // namespace wirelag
