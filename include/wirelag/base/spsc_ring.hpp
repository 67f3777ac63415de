// Single-producer single-consumer ring of variable-length records, contiguous in memory.
//
//   producer: if (uint8_t* p = ring.reserve(n)) { fill p[0..n); ring.commit(); }
//   consumer: for (Bytes r = ring.next(); !r.empty(); r = ring.next()) { collect r; }
//             ... use all of them ...
//             ring.release();
//
// A record never wraps: when the tail of the buffer is too short it is skipped. All memory is taken
// at construction. The producer's and the consumer's indexes live on their own cache lines and each
// side keeps a copy of the other's, so that an uncontended operation touches no shared line.
#pragma once

#include <atomic>
#include <memory>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// What a producer does when there is no room.
enum class WhenFull : std::uint8_t {
  wait,  ///< replay: back-pressure, nothing is lost
  drop,  ///< live: the caller counts what it drops
};

class SpscRing {
 public:
  /// `capacity_bytes` is rounded up to a power of two.
  explicit SpscRing(std::size_t capacity_bytes);

  /// Producer: room for a record of n > 0 bytes, 8-byte aligned; null when the ring is full now (or
  /// when n exceeds largest_record()).
  [[nodiscard]] std::uint8_t* reserve(std::size_t n);
  /// The same; WhenFull::wait stays until the consumer has made room, so that null then means only
  /// that n exceeds largest_record().
  [[nodiscard]] std::uint8_t* reserve(std::size_t n, WhenFull policy);
  /// Producer: makes the reserved record visible.
  void commit();

  /// Consumer: the next record not yet taken, empty when there is none. Records stay valid until
  /// release().
  [[nodiscard]] Bytes next();
  /// Consumer: gives the room of all records taken so far back.
  void release();

  [[nodiscard]] std::size_t largest_record() const { return capacity_ / 2 - kHeader; }
  [[nodiscard]] std::size_t capacity_bytes() const { return capacity_; }
  /// Either side: bytes waiting, a moment ago.
  [[nodiscard]] std::size_t used_bytes() const;

 private:
  static constexpr std::size_t kHeader = 8;

  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  alignas(64) std::atomic<std::uint64_t> head_{0};  ///< consumer: wo, producer: ro
  std::uint64_t taken_ = 0;                         ///< consumer: next record to hand out
  std::uint64_t tail_seen_ = 0;                     ///< consumer's copy of tail_
  alignas(64) std::atomic<std::uint64_t> tail_{0};  ///< producer: wo, consumer: ro
  std::uint64_t head_seen_ = 0;                     ///< producer's copy of head_
  std::uint64_t reserved_ = 0;                      ///< producer: tail after commit()
};

}  // namespace wirelag
