// Writes HTML and inline SVG. Tags and attribute names are literals of the program; everything else
// is escaped on its way in, so that a host name, a URL or a statement from a hostile packet is text
// and nothing else. There is no way to write a run-time string as markup.
//
//   auto row = w.element("tr");          <tr>
//   w.leaf("td", wire);                    <td>&lt;script&gt;</td>
//                                        </tr>  when `row` ends
//
// Control thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace wirelag::report::html {

/// Text of the program itself: only a compile-time constant becomes one.
class Literal {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a tag is written as "td"
  consteval Literal(const char* text) : text_(text) {}
  [[nodiscard]] constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

struct Attribute {
  Literal name;
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

/// Text as it stands between tags or in a quoted attribute: well-formed UTF-8, the five characters
/// that mean something to HTML as references; control characters, and those that change the
/// direction of text or are invisible, as \xNN or \u{NNNN}.
[[nodiscard]] std::string escaped(std::string_view wire);

class Writer {
 public:
  /// Closes its tag when it goes.
  class Element {
   public:
    Element(const Element&) = delete;
    Element& operator=(const Element&) = delete;
    ~Element();

   private:
    friend class Writer;
    Element(Writer& writer, Literal tag) : writer_(writer), tag_(tag) {}
    Writer& writer_;
    Literal tag_;
  };

  [[nodiscard]] Element element(Literal tag, Attributes attributes = {});
  /// An element with nothing but text in it.
  void leaf(Literal tag, std::string_view text, Attributes attributes = {});
  /// An element without content.
  void lone(Literal tag, Attributes attributes = {});
  void text(std::string_view wire);
  /// Markup of the program itself, as it is.
  void markup(Literal markup) { out_ += markup.view(); }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void open(Literal tag, Attributes attributes);

  std::string out_;
};

struct Column {
  Literal title;
  bool number = false;  ///< right-aligned
};

/// A table; on a narrow page every row becomes a block with its columns' titles beside the cells.
class Table {
 public:
  Table(Writer& writer, std::string_view caption, std::vector<Column> columns);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() = default;

  /// As many cells as columns.
  void row(const std::vector<std::string>& cells, std::string_view row_class = {});

 private:
  Writer& writer_;
  std::vector<Column> columns_;
  Writer::Element table_;
  bool head_written_;  ///< before body_, so that the head is written first
  Writer::Element body_;
};

/// "... and 12 more connections" below a list that shows only some; nothing when `hidden` is 0.
void and_more(Writer& writer, std::size_t hidden, std::string_view noun,
              std::string_view plural = {});

}  // namespace wirelag::report::html
