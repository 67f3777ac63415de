// Lays text out for a terminal of 100 columns: tables whose columns are as wide as their widest
// cell, and paragraphs that hang under a label.
//
//   id  client               connect ms
//    1  10.11.29.131:60686        6.062
//
// Invariant: no line is longer than kWidth. A table that would be wider shrinks the columns that
// say they may shrink, longest first; a cell that is then too long is clipped with "..". Cells of a column
// that would be clipped to the same show where they differ. Everything added is plain text; text from the
// wire goes through safe() on its way in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wirelag::report {

inline constexpr std::size_t kWidth = 100;

enum class Align : std::uint8_t { left, right };
enum class Shrink : std::uint8_t { never, end, middle };  ///< where a cell may be clipped

struct Column {
  std::string title;
  Align align = Align::left;
  Shrink shrink = Shrink::never;
  std::size_t min_width = 8;  ///< shrinking stops here
};

class Table {
 public:
  Table(std::vector<Column> columns, std::size_t indent)
      : columns_(std::move(columns)), indent_(indent) {}

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// A column that says the same nothing ("-" or "") in every row only takes room: leaves it out.
  void drop_if_empty(std::size_t column);
  /// Title line and rows, each ended by a newline; nothing when there are no rows.
  void print(std::string& out) const;
  /// The same without the title line.
  void print_rows(std::string& out) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::vector<std::vector<std::string>> fitted(
      const std::vector<std::size_t>& widths) const;
  void print_row(std::string& out, const std::vector<std::string>& cells,
                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::size_t indent_;
};

/// `label` once, then `text` wrapped at word boundaries, all of it at column `column`:
///   label     text text text
///             text text
/// A word that does not fit on a line by itself is broken.
void paragraph(std::string& out, std::string_view label, std::string_view text, std::size_t column,
               std::size_t indent = 0);

/// A section's title, underlined.
void heading(std::string& out, std::string_view title, char underline);

/// "... and 960 more connections; the JSON report has them all." Nothing when `hidden` is 0.
void more(std::string& out, std::size_t hidden, std::string_view noun, std::string_view plural,
          std::size_t indent);

}  // namespace wirelag::report
