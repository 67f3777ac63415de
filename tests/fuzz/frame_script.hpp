// Frames out of a fuzzer's bytes: each as it is, or TCP segments and DNS datagrams of a few flows.
#pragma once

#include <deque>
#include <vector>

#include <wirelag/ingest/frame.hpp>

#include "input.hpp"

namespace wirelag::fuzz {

/// Frames with the bytes they show.
class Frames {
 public:
  static constexpr std::size_t kMost = 200;

  void add(std::vector<std::uint8_t> bytes, TimeNs time_ns, LinkType link, std::uint32_t cut = 0);
  void repeat_last(TimeNs time_ns);
  [[nodiscard]] bool full() const { return frames_.size() >= kMost; }
  [[nodiscard]] bool empty() const { return frames_.empty(); }
  [[nodiscard]] std::span<const Frame> all() const { return frames_; }

 private:
  std::deque<std::vector<std::uint8_t>> bytes_;
  std::vector<Frame> frames_;
};

/// A capture, frame by frame:
///   u8   bits 0-2 link type, 3-5 how time goes on, 6 cut by a snaplen, 7 the frame before again
///   u16  by how much      u16 length      bytes
[[nodiscard]] Frames raw_frames(Input& input);

/// Four TCP connections and a DNS client, operation by operation (frame_script.cpp).
[[nodiscard]] Frames segments(Input& input);

}  // namespace wirelag::fuzz
