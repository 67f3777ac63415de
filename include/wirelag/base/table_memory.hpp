// The memory of a table that is taken once and looked at in no order: address space now, pages when they
// are touched. Beyond the first MiB the kernel is asked for huge pages: a look-up in a large table does
// not also miss the TLB, and one that fills has a page fault for every 2 MiB. Small tables stay small.
// A hash index has no beginning that fills first: all of it is asked for in huge pages.
//
// A failure to get the address space throws std::bad_alloc: tables are made before the first packet.
#pragma once

#include <cstddef>

namespace wirelag {

class TableMemory {
 public:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  /// What of a table lies before its first huge page.
  static constexpr std::size_t kSmallStart = std::size_t{1} << 20;

  enum class Use : bool {
    from_the_start,  ///< what is taken first lies first
    scattered,       ///< anywhere from the first item on
  };

  /// `bytes` of zeros, aligned to a page.
  explicit TableMemory(std::size_t bytes, Use use = Use::from_the_start);
  ~TableMemory();
  TableMemory(TableMemory&& other) noexcept;
  TableMemory& operator=(TableMemory&&) = delete;

  [[nodiscard]] void* get() const { return begin_; }
  /// What nobody needs any more of [from, to) bytes goes back to the system, as far as it is whole huge
  /// pages; it reads as zeros.
  void discard(std::size_t from, std::size_t to);

 private:
  void* begin_ = nullptr;
  std::size_t size_ = 0;  ///< whole pages
};

}  // namespace wirelag
