#include "url_template.hpp"

#include <algorithm>
#include <cctype>

namespace wirelag {
namespace {

bool is_id(std::string_view segment) {
  const auto digits = std::count_if(segment.begin(), segment.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
  const bool hex = segment.size() >= 16 &&
                   segment.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
  return hex || (digits > 0 && static_cast<std::size_t>(digits) * 2 >= segment.size());
}

}  // namespace

std::string url_template(std::string_view target) {
  std::string out;
  target = target.substr(0, target.find('?'));
  while (!target.empty()) {
    const std::size_t slash = target.find('/', 1);
    const std::string_view part = target.substr(0, slash);
    const bool rooted = part.starts_with('/');
    const std::string_view segment = rooted ? part.substr(1) : part;
    if (rooted) out += '/';
    if (is_id(segment)) {
      out += '*';
    } else {
      out += segment;
    }
    target = slash == std::string_view::npos ? std::string_view{} : target.substr(slash);
  }
  return out;
}

}  // namespace wirelag
