// Generated frames in memory, block by block, as a worker gets them from its ring or port. A block is
// either made anew each time (any length of traffic in little memory; making it is not timed) or all
// are made beforehand, so that several threads can run on them without a pause. Either way they lie in
// huge pages where there are any, as the buffers of a port do.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <wirelag/ingest/frame.hpp>

#include "support/traffic/sources.hpp"

namespace wirelag::bench {

/// What is generated: kind and size, the same for every stage that is compared.
struct TrafficOptions {
  std::string kind = "mix";  ///< mix, flows or flood
  std::uint64_t seed = 1;
  std::uint32_t connections = 15'000;  ///< mix
  std::uint32_t flows = 100'000;       ///< flows: alive at once
  std::uint64_t packets = 2'000'000;   ///< flows, flood: those that are measured
  std::uint64_t before_flood = 0;      ///< SYNs ahead of the measured ones
};

class Feed {
 public:
  static constexpr std::size_t kBlockFrames = 1 << 14;

  Feed(const TrafficOptions& options, bool preload);

  /// The next block; false at the end. `measured`: it is part of what is to be measured (the
  /// openings of `flows` are not). The frames are valid until the next call.
  bool next(std::span<const Frame>& out, bool& measured);

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };
  struct Block {
    std::vector<Frame> frames;
    std::unique_ptr<std::uint8_t[], Free> bytes;
    std::size_t capacity = 0;
  };
  bool make(Block& block, bool& measured);
  static void store(std::span<const std::uint8_t> bytes, Block& block);

  std::unique_ptr<traffic::Source> source_;
  std::uint64_t unmeasured_ = 0;  ///< frames that come before what is measured
  std::uint64_t made_ = 0;
  std::vector<std::pair<Block, bool>> preloaded_;
  std::size_t at_ = 0;
  bool preload_;
  Block block_;
  std::vector<std::uint8_t> made_bytes_;  ///< of the block being made
};

}  // namespace wirelag::bench
