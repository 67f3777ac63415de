// Texts of varying length from a fixed pool: a chain of 256-byte blocks that is appended to and
// copied out whole. One chain holds all texts of one HTTP exchange. One thread; no allocation after
// construction.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <wirelag/base/pool.hpp>

namespace wirelag {

class TextStore {
  struct Block {
    static constexpr std::size_t kBytes = 252;
    std::uint32_t next;
    std::array<char, kBytes> bytes;
  };

 public:
  struct Chain {
    std::uint32_t first = Pool<Block>::kNone;
    std::uint32_t last = Pool<Block>::kNone;
    std::uint32_t size = 0;
  };

  explicit TextStore(std::size_t blocks) : blocks_(blocks) {}

  /// How many of the bytes found room: fewer than asked for when the pool is used up.
  [[nodiscard]] std::size_t append(Chain& chain, std::string_view text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const std::size_t at = chain.size % Block::kBytes;
      if (at == 0 && !grow(chain)) break;
      const std::size_t n = std::min(text.size() - done, Block::kBytes - at);
      std::memcpy(&blocks_[chain.last].bytes[at], text.data() + done, n);
      chain.size += static_cast<std::uint32_t>(n);
      done += n;
    }
    return done;
  }

  /// `out` has room for chain.size bytes.
  void copy(const Chain& chain, char* out) const {
    std::size_t left = chain.size;
    for (std::uint32_t i = chain.first; left > 0; i = blocks_[i].next) {
      const std::size_t n = std::min(left, Block::kBytes);
      std::memcpy(out, blocks_[i].bytes.data(), n);
      out += n;
      left -= n;
    }
  }

  void release(Chain& chain) {
    for (std::uint32_t i = chain.first; i != Pool<Block>::kNone;) {
      const std::uint32_t next = blocks_[i].next;
      blocks_.give(i);
      i = next;
    }
    chain = {};
  }

  [[nodiscard]] std::size_t blocks_in_use() const { return blocks_.in_use(); }

 private:
  bool grow(Chain& chain) {
    const std::uint32_t i = blocks_.take();
    if (i == Pool<Block>::kNone) return false;
    blocks_[i].next = Pool<Block>::kNone;
    (chain.last == Pool<Block>::kNone ? chain.first : blocks_[chain.last].next) = i;
    chain.last = i;
    return true;
  }

  Pool<Block> blocks_;
};

}  // namespace wirelag
