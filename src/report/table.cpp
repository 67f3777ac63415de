#include "table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kGap = 2;

std::string fit(const std::string& cell, const Column& column, std::size_t width) {
  if (cell.size() <= width) return cell;
  return column.shrink == Shrink::middle ? clip_middle(cell, width) : clip_end(cell, width);
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

void Table::print_row(std::string& out, const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths) const {
  std::string line(indent_, ' ');
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (c > 0) line.append(kGap, ' ');
    const std::string cell = fit(cells[c], columns_[c], widths[c]);
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
  for (const auto& row : rows_) print_row(out, row, width);
}

void Table::print_rows(std::string& out) const {
  const std::vector<std::size_t> width = widths();
  for (const auto& row : rows_) print_row(out, row, width);
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
        line.append(word.substr(0, kWidth - line.size()));
        word.remove_prefix(std::min(word.size(), kWidth - start));
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
