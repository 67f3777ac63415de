#include "named.hpp"

#include <algorithm>
#include <cctype>

#include <wirelag/advise/rule.hpp>

namespace wirelag::report {

bool names(const Mark& mark, std::string_view rule) {
  const auto of_a_name = [](char c) {
    return c == '-' || c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  std::string what = mark.what;
  std::transform(what.begin(), what.end(), what.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::size_t at = what.find(rule); at != std::string::npos; at = what.find(rule, at + 1)) {
    const std::size_t end = at + rule.size();
    const bool begins = at == 0 || !of_a_name(what[at - 1]);
    if (begins && (end == what.size() || !of_a_name(what[end]))) return true;
  }
  return false;
}

bool names_any(const Mark& mark) {
  const auto& rules = all_rules();
  return std::any_of(rules.begin(), rules.end(),
                     [&mark](const Rule& rule) { return names(mark, rule.id); });
}

}  // namespace wirelag::report
