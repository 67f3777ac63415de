#include <algorithm>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <utility>

#include <wirelag/base/table_memory.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kPage = 4096;

[[nodiscard]] std::uintptr_t round_up(std::uintptr_t at, std::size_t to) {
  return (at + to - 1) & ~(std::uintptr_t{to} - 1);
}

[[nodiscard]] void* map(std::size_t bytes) {
  void* const begin = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  return begin;
}

void unmap(std::uintptr_t from, std::uintptr_t to) {
  if (from < to) munmap(reinterpret_cast<void*>(from), to - from);
}

}  // namespace

TableMemory::TableMemory(std::size_t bytes, Use use)
    : size_(round_up(std::max<std::size_t>(bytes, 1), kPage)) {
  std::size_t small_start = kSmallStart;
  if (use == Use::scattered && size_ >= kHugePage / 2) {
    small_start = 0;
    size_ = round_up(size_, kHugePage);
  }
  if (size_ <= small_start) {
    begin_ = map(size_);
    return;
  }
  // More than that, so that a huge page can begin where the small start ends; the rest goes back.
  const auto first = reinterpret_cast<std::uintptr_t>(map(size_ + kHugePage));
  const std::uintptr_t huge = round_up(first + small_start, kHugePage);
  const std::uintptr_t begin = huge - small_start;
  unmap(first, begin);
  unmap(begin + size_, first + size_ + kHugePage);
  begin_ = reinterpret_cast<void*>(begin);
  // Advice only: without huge pages the table works as well, more slowly.
  (void)madvise(reinterpret_cast<void*>(huge), size_ - small_start, MADV_HUGEPAGE);
}

void TableMemory::discard(std::size_t from, std::size_t to) {
  const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
  const std::uintptr_t first = round_up(begin + from, kHugePage);
  const std::uintptr_t end = (begin + to) & ~(kHugePage - 1);
  if (first < end) (void)madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

TableMemory::~TableMemory() {
  if (begin_ != nullptr) munmap(begin_, size_);
}

TableMemory::TableMemory(TableMemory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), size_(other.size_) {}

}  // namespace wirelag
