// Byte strings of any length in a fixed amount of memory: chains of 64-byte blocks from one pool.
// Used for the names and responses of pending transactions and for messages that come in several
// segments.
//
// All memory is taken at construction; each operation costs as much as the bytes it touches. One
// thread.
#pragma once

#include <algorithm>
#include <cstring>

#include <wirelag/base/pool.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag {

/// A string in a ByteChains. Give it back with release() of the same ByteChains.
struct ByteChain {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t head = kNone;
  std::uint32_t tail = kNone;
  std::uint32_t size = 0;
};

class ByteChains {
 public:
  explicit ByteChains(std::size_t blocks) : blocks_(blocks) {}

  [[nodiscard]] static std::size_t blocks_for(std::size_t bytes) {
    return (bytes + kBlockBytes - 1) / kBlockBytes;
  }
  [[nodiscard]] bool has_room_for(std::size_t bytes) const {
    return blocks_for(bytes) <= blocks_.capacity() - blocks_.in_use();
  }

  /// All of `bytes` or nothing: false when there is no room.
  [[nodiscard]] bool append(ByteChain& chain, Bytes bytes) {
    const std::size_t used = chain.size % kBlockBytes;
    const std::size_t in_tail = used == 0 ? 0 : std::min(kBlockBytes - used, bytes.size());
    if (!has_room_for(bytes.size() - in_tail)) return false;
    if (in_tail > 0) std::memcpy(&blocks_[chain.tail].bytes[used], bytes.data(), in_tail);
    chain.size += static_cast<std::uint32_t>(bytes.size());
    for (std::size_t at = in_tail; at < bytes.size(); at += kBlockBytes) {
      const std::uint32_t block = blocks_.take();
      std::memcpy(blocks_[block].bytes, &bytes[at], std::min(kBlockBytes, bytes.size() - at));
      if (chain.head == ByteChain::kNone) {
        chain.head = block;
      } else {
        blocks_[chain.tail].next = block;
      }
      chain.tail = block;
    }
    return true;
  }

  /// Copies the string to `out`, which has room for `size` bytes.
  void read(std::uint32_t head, std::size_t size, std::uint8_t* out) const {
    for (std::size_t at = 0; at < size; at += kBlockBytes, head = blocks_[head].next) {
      std::memcpy(out + at, blocks_[head].bytes, std::min(kBlockBytes, size - at));
    }
  }

  [[nodiscard]] bool equals(std::uint32_t head, Bytes bytes) const {
    for (std::size_t at = 0; at < bytes.size(); at += kBlockBytes, head = blocks_[head].next) {
      const std::size_t n = std::min(kBlockBytes, bytes.size() - at);
      if (std::memcmp(&bytes[at], blocks_[head].bytes, n) != 0) return false;
    }
    return true;
  }

  void release(std::uint32_t head, std::size_t size) {
    for (std::size_t left = blocks_for(size); left > 0; --left) {
      const std::uint32_t next = blocks_[head].next;
      blocks_.give(head);
      head = next;
    }
  }

 private:
  static constexpr std::size_t kBlockBytes = 60;
  struct Block {
    std::uint32_t next;
    std::uint8_t bytes[kBlockBytes];
  };

  Pool<Block> blocks_;
};

}  // namespace wirelag
