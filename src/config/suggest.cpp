#include "suggest.hpp"

#include <algorithm>

namespace wirelag::config {
namespace {

/// Levenshtein distance: insertions, deletions and substitutions.
std::size_t changes(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& names) {
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view name : names) {
    // A unit that was left out is not far: "interval" for "interval_s".
    const std::size_t n = name.starts_with(word) ? 1 : changes(word, name);
    if (n >= fewest) continue;
    fewest = n;
    best = name;
  }
  return best;
}

}  // namespace wirelag::config
