// Frames in bursts, each of which has its headers asked for while the one before it is looked at. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

/// Has the headers of the frames fetched.
inline void prefetch_headers(std::span<const Frame> burst) {
  constexpr std::size_t kHeaderBytes = 128;  // the headers of nearly every frame end within these
  for (const Frame& frame : burst) prefetch_lines<kHeaderBytes>(frame.bytes.data());
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
