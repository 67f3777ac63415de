#include "writer.hpp"

#include <cstdint>

#include <fmt/format.h>

#include "../format.hpp"
#include "../letters.hpp"

namespace wirelag::report::html {
namespace {

void append(std::string& out, std::string_view sequence) {
  if (sequence.size() > 1) {
    const std::uint32_t c = code_point(sequence);
    if (deceptive(c)) {
      out += fmt::format("\\u{{{:04x}}}", c);
    } else {
      out += sequence;
    }
    return;
  }
  const char c = sequence[0];
  switch (c) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  if ((byte < 0x20 && c != '\n') || byte == 0x7f) {
    out += fmt::format("\\x{:02x}", byte);
  } else {
    out += c;
  }
}

}  // namespace

std::string escaped(std::string_view wire) {
  const std::string text = utf8(wire);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text[i]);
    append(out, std::string_view(text).substr(i, length));
    i += length;
  }
  return out;
}

Writer::Element::~Element() {
  writer_.out_ += "</";
  writer_.out_ += tag_.view();
  writer_.out_ += '>';
  // A line each for what is laid out as a block: within a line, a break would be a space.
  const bool within_a_line = tag_.view() == "a" || tag_.view() == "b" || tag_.view() == "code" ||
                             tag_.view() == "span" || tag_.view() == "text";
  if (!within_a_line) writer_.out_ += '\n';
}

void Writer::open(Literal tag, Attributes attributes) {
  out_ += '<';
  out_ += tag.view();
  for (const Attribute& a : attributes) {
    out_ += ' ';
    out_ += a.name.view();
    out_ += "=\"";
    out_ += escaped(a.value);
    out_ += '"';
  }
}

Writer::Element Writer::element(Literal tag, Attributes attributes) {
  open(tag, attributes);
  out_ += '>';
  return {*this, tag};
}

void Writer::leaf(Literal tag, std::string_view content, Attributes attributes) {
  const Element e = element(tag, attributes);
  text(content);
}

void Writer::lone(Literal tag, Attributes attributes) {
  open(tag, attributes);
  out_ += "/>";
}

void Writer::text(std::string_view wire) { out_ += escaped(wire); }

namespace {

bool write_head(Writer& w, std::string_view caption, const std::vector<Column>& columns) {
  if (!caption.empty()) w.leaf("caption", caption);
  const auto head = w.element("thead", {{"role", "rowgroup"}});
  const auto row = w.element("tr", {{"role", "row"}});
  for (const Column& c : columns) {
    w.leaf("th", c.title.view(),
           {{"role", "columnheader"}, {"scope", "col"}, {"class", c.number ? "n" : ""}});
  }
  return true;
}

}  // namespace

Table::Table(Writer& writer, std::string_view caption, std::vector<Column> columns)
    : writer_(writer),
      columns_(std::move(columns)),
      table_(writer.element("table", {{"role", "table"}})),
      head_written_(write_head(writer, caption, columns_)),
      body_(writer.element("tbody", {{"role", "rowgroup"}})) {}

namespace {

/// An address with its port, a number, a frame list: not to be broken within a word.
bool stays_whole(std::string_view cell) {
  constexpr std::size_t kLongest = 21;  // "255.255.255.255:65535"
  return cell.size() <= kLongest;
}

}  // namespace

void Table::row(const std::vector<std::string>& cells, std::string_view row_class) {
  const auto row = writer_.element("tr", {{"role", "row"}, {"class", std::string(row_class)}});
  for (std::size_t i = 0; i < columns_.size() && i < cells.size(); ++i) {
    writer_.leaf("td", cells[i],
                 {{"role", "cell"},
                  {"class", columns_[i].number      ? "n"
                            : stays_whole(cells[i]) ? "w"
                                                    : ""},
                  {"data-label", std::string(columns_[i].title.view())}});
  }
}

void and_more(Writer& w, std::size_t hidden, std::string_view noun, std::string_view plural) {
  if (hidden == 0) return;
  const std::string things = hidden == 1      ? std::string(noun)
                             : plural.empty() ? std::string(noun) + "s"
                                              : std::string(plural);
  w.leaf("p", fmt::format("… and {} more {}; the JSON report has them all.", hidden, things),
         {{"class", "more"}});
}

}  // namespace wirelag::report::html
