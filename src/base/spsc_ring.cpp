// Positions count bytes since the start and never wrap; a position's place in the buffer is its
// remainder. Every record starts at a multiple of 8 with an 8-byte header:
//
//   | u32 length | u32 unused | length bytes, padded to 8 |
//   | u32 kSkip  | u32 unused | nothing of interest up to the end of the buffer |
//
// The skip mark and the record behind it become visible together, with the producer's one store to
// tail_. A record is at most half the buffer, so an empty ring always has room for it, skipped tail
// included.
#include <algorithm>
#include <bit>
#include <cstring>
#include <thread>

#include <wirelag/base/spsc_ring.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::uint32_t kSkip = UINT32_MAX;

std::size_t padded(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

void put_length(std::uint8_t* header, std::uint32_t length) {
  std::memcpy(header, &length, sizeof length);
}

std::uint32_t get_length(const std::uint8_t* header) {
  std::uint32_t length;
  std::memcpy(&length, header, sizeof length);
  return length;
}

}  // namespace

SpscRing::SpscRing(std::size_t capacity_bytes)
    : capacity_(std::bit_ceil(std::clamp(capacity_bytes, kSmallest, std::size_t{1} << 31))),
      bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_)) {}

std::uint8_t* SpscRing::reserve(std::size_t n) {
  if (n == 0 || n > largest_record()) return nullptr;
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::size_t at = tail & (capacity_ - 1);
  const std::size_t need = kHeader + padded(n);
  const std::size_t skipped = capacity_ - at < need ? capacity_ - at : 0;

  if (tail + skipped + need - head_seen_ > capacity_) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (tail + skipped + need - head_seen_ > capacity_) return nullptr;
  }
  if (skipped > 0) put_length(&bytes_[at], kSkip);
  std::uint8_t* header = &bytes_[skipped > 0 ? 0 : at];
  put_length(header, static_cast<std::uint32_t>(n));
  reserved_ = tail + skipped + need;
  return header + kHeader;
}

std::uint8_t* SpscRing::reserve(std::size_t n, WhenFull policy) {
  std::uint8_t* room = reserve(n);
  if (policy == WhenFull::drop || n == 0 || n > largest_record()) return room;
  while (room == nullptr) {
    std::this_thread::yield();  // the consumer may be waiting for this very core
    room = reserve(n);
  }
  return room;
}

void SpscRing::commit() { tail_.store(reserved_, std::memory_order_release); }

Bytes SpscRing::next() {
  for (;;) {
    if (taken_ == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (taken_ == tail_seen_) return {};
    }
    const std::size_t at = taken_ & (capacity_ - 1);
    const std::uint32_t length = get_length(&bytes_[at]);
    if (length != kSkip) {
      taken_ += kHeader + padded(length);
      return {&bytes_[at + kHeader], length};
    }
    taken_ += capacity_ - at;
  }
}

void SpscRing::release() {
  // An idle consumer must not take the cache line from the producer again and again.
  if (head_.load(std::memory_order_relaxed) == taken_) return;
  head_.store(taken_, std::memory_order_release);
}

std::size_t SpscRing::used_bytes() const {
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  return tail - head;
}

}  // namespace wirelag
