// Frames in bursts, each of which has its headers asked for while the one before it is looked at; the first, and what
// a port or a ring hands over alone, right before. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// Has the headers of the frames fetched.
inline void prefetch_headers(std::span<const Frame> burst) {
  for (const Frame& frame : burst) {
    const Bytes bytes = frame.bytes;
    if (bytes.empty()) continue;
    fetch_line(bytes.data());
    // The headers of nearly every frame end within two lines.
    fetch_line(&bytes[std::min(bytes.size() - 1, kCacheLineBytes)]);
  }
}

/// use(burst) for `most` frames at a time.
template <class Use>
void for_each_burst(std::span<const Frame> frames, std::size_t most, Use&& use) {
  std::span<const Frame> next = frames.first(std::min(frames.size(), most));
  prefetch_headers(next);
  while (!next.empty()) {
    const std::span<const Frame> burst = next;
    frames = frames.subspan(burst.size());
    next = frames.first(std::min(frames.size(), most));
    prefetch_headers(next);
    use(burst);
  }
}

}  // namespace wirelag
