// An index into the dataset or the correlation, or Dataset::kNone, in half the room: a large capture has
// millions of them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include <wirelag/control/dataset.hpp>

namespace wirelag {

class SmallIndex {
 public:
  constexpr SmallIndex() = default;
  constexpr SmallIndex(std::size_t index)  // NOLINT(google-explicit-constructor): is an index
      : index_(static_cast<std::uint32_t>(index)) {}
  constexpr operator std::size_t() const {  // NOLINT(google-explicit-constructor): likewise
    return index_ == kNone ? Dataset::kNone : index_;
  }
  auto operator<=>(const SmallIndex&) const = default;
  bool operator==(const SmallIndex&) const = default;
  bool operator==(std::size_t index) const { return static_cast<std::size_t>(*this) == index; }

 private:
  static constexpr auto kNone = static_cast<std::uint32_t>(Dataset::kNone);
  std::uint32_t index_ = kNone;
};

}  // namespace wirelag
