// Asks for the headers of a burst of frames before the first of them is looked at. Any thread.
#pragma once

#include <cstddef>
#include <span>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag {

inline void prefetch_headers(std::span<const Frame> burst) {
  constexpr std::size_t kHeaderBytes = 128;  // the headers of nearly every frame end within these
  for (const Frame& frame : burst) prefetch_lines<kHeaderBytes>(frame.bytes.data());
}

}  // namespace wirelag
