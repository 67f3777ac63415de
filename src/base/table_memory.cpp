#include <algorithm>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <utility>

#include <wirelag/base/table_memory.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

TableMemory::TableMemory(std::size_t bytes) : bytes_(std::max<std::size_t>(bytes, 1)) {
  begin_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin_ == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
  const std::uintptr_t huge = (begin + 2 * kHugePage - 1) & ~(kHugePage - 1);
  // Advice only: without huge pages the table works as well, more slowly.
  if (huge < begin + bytes_) {
    (void)madvise(reinterpret_cast<void*>(huge), begin + bytes_ - huge, MADV_HUGEPAGE);
  }
}

TableMemory::~TableMemory() {
  if (begin_ != nullptr) munmap(begin_, bytes_);
}

TableMemory::TableMemory(TableMemory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}

}  // namespace wirelag
