// Short texts that the database trackers keep: a fixed place, what does not fit is cut.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// ASCII only, as the protocols have it; the locale plays no part.
[[nodiscard]] constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }

template <std::size_t N>
class BoundedText {
 public:
  static_assert(N <= UINT16_MAX);
  static constexpr std::size_t kCapacity = N;

  void push(char c) {
    if (length_ == N) {
      cut_ = true;
    } else {
      bytes_[length_++] = c;
    }
  }
  void append(std::string_view text) {
    const std::size_t n = std::min(text.size(), N - length_);
    if (n > 0) std::memcpy(bytes_.data() + length_, text.data(), n);
    length_ = static_cast<std::uint16_t>(length_ + n);
    cut_ = cut_ || n < text.size();
  }
  void clear() {
    length_ = 0;
    cut_ = false;
  }
  void assign(std::string_view text) {
    clear();
    append(text);
  }
  /// Leaves the first `n` characters.
  void shorten(std::size_t n) { length_ = static_cast<std::uint16_t>(n); }
  void pop() { --length_; }
  /// More is missing.
  void mark_cut() { cut_ = true; }

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), length_}; }
  [[nodiscard]] std::size_t size() const { return length_; }
  [[nodiscard]] bool empty() const { return length_ == 0; }
  [[nodiscard]] char back() const { return length_ > 0 ? bytes_[length_ - 1U] : '\0'; }
  [[nodiscard]] bool cut() const { return cut_; }  ///< something did not fit

 private:
  std::uint16_t length_ = 0;
  bool cut_ = false;
  std::array<char, N> bytes_;
};

/// FNV-1a: the same on every machine and in every run, so that it can name a statement in a log.
[[nodiscard]] constexpr std::uint64_t fnv1a64(std::string_view text,
                                              std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char c : text) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace wirelag
