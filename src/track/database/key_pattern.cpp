#include <wirelag/track/database/key_pattern.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kLongestPart = 24;

bool is_separator(char c) {
  return c >= ' ' && c <= '~' && !is_letter(c) && !is_digit(c) && c != '_';
}

bool varies(std::string_view part) {
  if (part.size() > kLongestPart) return true;
  return std::any_of(part.begin(), part.end(),
                     [](char c) { return is_digit(c) || c < ' ' || c > '~'; });
}

}  // namespace

void append_key_pattern(BoundedText<512>& out, std::string_view key, bool cut) {
  while (!key.empty()) {
    const auto end = std::find_if(key.begin(), key.end(), is_separator);
    const auto length = static_cast<std::size_t>(end - key.begin());
    const std::string_view part = key.substr(0, length);
    key.remove_prefix(length);
    if (varies(part) || (cut && key.empty() && !part.empty())) {
      out.push('?');
    } else {
      out.append(part);
    }
    if (key.empty()) return;
    out.push(key.front());
    key.remove_prefix(1);
  }
}

}  // namespace wirelag
