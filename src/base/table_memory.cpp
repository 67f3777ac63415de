#include <algorithm>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <utility>

#include <wirelag/base/table_memory.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// What of a table lies before its first huge page.
constexpr std::size_t kSmallStart = std::size_t{256} << 10;

}  // namespace

TableMemory::TableMemory(std::size_t bytes) : size_(std::max<std::size_t>(bytes, 1)) {
  const bool huge = size_ > kSmallStart;
  // So much that there is room for whole huge pages wherever the kernel puts it.
  if (huge) size_ = ((size_ - kSmallStart + kHugePage - 1) & ~(kHugePage - 1)) + 2 * kHugePage;
  mapping_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  begin_ = mapping_;
  if (!huge) return;
  const auto first = reinterpret_cast<std::uintptr_t>(mapping_);
  const std::uintptr_t from = (first + kSmallStart + kHugePage - 1) & ~(kHugePage - 1);
  begin_ = reinterpret_cast<void*>(from - kSmallStart);
  // Advice only: without huge pages the table works as well, more slowly.
  (void)madvise(reinterpret_cast<void*>(from), first + size_ - from, MADV_HUGEPAGE);
}

void TableMemory::discard(std::size_t from, std::size_t to) {
  const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
  const std::uintptr_t first = (begin + from + kHugePage - 1) & ~(kHugePage - 1);
  const std::uintptr_t end = (begin + to) & ~(kHugePage - 1);
  if (first < end) (void)madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

TableMemory::~TableMemory() {
  if (mapping_ != nullptr) munmap(mapping_, size_);
}

TableMemory::TableMemory(TableMemory&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), size_(other.size_), begin_(other.begin_) {}

}  // namespace wirelag
