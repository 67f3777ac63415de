#include "table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "format.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kGap = 2;

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(differ.first - a.begin());
}

/// The cells of one column, clipped at their ends. Those that would read alike and are not are clipped
/// around the place where they differ from the one most like them.
std::map<std::string_view, std::string> clipped_apart(const std::set<std::string_view>& cells,
                                                      std::size_t width) {
  std::map<std::string, std::set<std::string_view>> alike;
  for (const std::string_view cell : cells) alike[clip_end(cell, width)].insert(cell);
  std::map<std::string_view, std::string> out;
  for (const auto& [clipped, group] : alike) {
    for (auto at = group.begin(); at != group.end(); ++at) {
      std::size_t shared = 0;
      if (at != group.begin()) shared = common_prefix(*at, *std::prev(at));
      if (std::next(at) != group.end()) {
        shared = std::max(shared, common_prefix(*at, *std::next(at)));
      }
      out.emplace(*at, group.size() == 1 ? clipped : clip_around(*at, width, shared));
    }
  }
  return out;
}

void end_line(std::string& out) {
  while (!out.empty() && out.back() == ' ') out.pop_back();
  out += '\n';
}

}  // namespace

void Table::drop_if_empty(std::size_t column) {
  const auto says_nothing = [&](const auto& row) {
    return row[column].empty() || row[column] == kNone;
  };
  if (!std::all_of(rows_.begin(), rows_.end(), says_nothing)) return;
  const auto at = static_cast<std::ptrdiff_t>(column);
  columns_.erase(columns_.begin() + at);
  for (auto& row : rows_) row.erase(row.begin() + at);
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> width(columns_.size());
  std::size_t total = indent_;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    width[c] = columns_[c].title.size();
    for (const auto& row : rows_) width[c] = std::max(width[c], row[c].size());
    total += width[c] + (c == 0 ? 0 : kGap);
  }
  while (total > kWidth) {
    std::size_t widest = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const bool may = columns_[c].shrink != Shrink::never &&
                       width[c] > std::max(columns_[c].min_width, columns_[c].title.size());
      if (may && (widest == columns_.size() || width[c] > width[widest])) widest = c;
    }
    if (widest == columns_.size()) break;
    --width[widest];
    --total;
  }
  return width;
}

std::vector<std::vector<std::string>> Table::fitted(const std::vector<std::size_t>& widths) const {
  std::vector<std::vector<std::string>> rows = rows_;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::set<std::string_view> long_ones;
    for (const auto& row : rows_) {
      if (row[c].size() > widths[c]) long_ones.insert(row[c]);
    }
    if (long_ones.empty()) continue;
    const bool middle = columns_[c].shrink == Shrink::middle;
    const auto apart = clipped_apart(middle ? std::set<std::string_view>{} : long_ones, widths[c]);
    for (auto& row : rows) {
      if (row[c].size() <= widths[c]) continue;
      row[c] = middle ? clip_middle(row[c], widths[c]) : apart.at(row[c]);
    }
  }
  return rows;
}

void Table::print_row(std::string& out, const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths) const {
  std::string line(indent_, ' ');
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (c > 0) line.append(kGap, ' ');
    const std::string& cell = cells[c];
    const std::size_t padding = widths[c] - cell.size();
    if (columns_[c].align == Align::right) line.append(padding, ' ');
    line += cell;
    if (columns_[c].align == Align::left) line.append(padding, ' ');
  }
  if (line.size() > kWidth) line.resize(kWidth);
  out += line;
  end_line(out);
}

void Table::print(std::string& out) const {
  if (rows_.empty()) return;
  const std::vector<std::size_t> width = widths();
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  print_row(out, titles, width);
  for (const auto& row : fitted(width)) print_row(out, row, width);
}

void Table::print_rows(std::string& out) const {
  const std::vector<std::size_t> width = widths();
  for (const auto& row : fitted(width)) print_row(out, row, width);
}

void paragraph(std::string& out, std::string_view label, std::string_view text, std::size_t column,
               std::size_t indent) {
  std::string line = std::string(indent, ' ') + std::string(label);
  if (line.size() + 1 > column && line.size() > indent) {
    line += ' ';
  } else {
    line.resize(column, ' ');
  }
  std::size_t start = line.size();
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    while (!word.empty()) {
      const std::size_t gap = line.size() > start ? 1 : 0;
      if (line.size() + gap + word.size() <= kWidth) {
        line.append(gap, ' ').append(word);
        break;
      }
      if (gap == 0) {  // alone on its line and still too long
        std::size_t fits = kWidth - line.size();
        while (fits > 1 && (word[fits] & 0xc0) == 0x80) --fits;  // a letter of UTF-8 stays whole
        line.append(word.substr(0, fits));
        word.remove_prefix(fits);
      }
      out += line;
      end_line(out);
      line.assign(column, ' ');
      start = column;
    }
  }
  out += line;
  end_line(out);
}

void heading(std::string& out, std::string_view title, char underline) {
  const std::string text = clip_end(title, kWidth);
  out += text + '\n' + std::string(text.size(), underline) + '\n';
}

void more(std::string& out, std::size_t hidden, std::string_view noun, std::string_view plural,
          std::size_t indent) {
  if (hidden == 0) return;
  out += fmt::format("{:{}}... and {} more {}; the JSON report has them all.\n", "", indent, hidden,
                     hidden == 1 ? noun : plural);
}

}  // namespace wirelag::report
