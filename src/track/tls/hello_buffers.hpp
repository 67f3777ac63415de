// Room for hellos that do not arrive in one piece: a fixed number of buffers of one size. Memory is
// reserved at construction and becomes real when a buffer is first used; the one given back last is
// used next. One thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag::tls {

class HelloBuffers {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  HelloBuffers(std::uint32_t buffers, std::uint32_t bytes_each)
      : bytes_each_(bytes_each),
        memory_(std::make_unique_for_overwrite<std::uint8_t[]>(std::size_t{buffers} * bytes_each)) {
    free_.reserve(buffers);
    for (Index i = buffers; i > 0; --i) free_.push_back(i - 1);
  }

  /// kNone when all are in use.
  [[nodiscard]] Index take() {
    if (free_.empty()) return kNone;
    const Index i = free_.back();
    free_.pop_back();
    return i;
  }
  void give(Index i) { free_.push_back(i); }

  [[nodiscard]] std::span<std::uint8_t> operator[](Index i) {
    return {&memory_[std::size_t{i} * bytes_each_], bytes_each_};
  }
  [[nodiscard]] std::uint32_t bytes_each() const { return bytes_each_; }
  [[nodiscard]] std::size_t available() const { return free_.size(); }

 private:
  std::uint32_t bytes_each_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<Index> free_;
};

}  // namespace wirelag::tls
