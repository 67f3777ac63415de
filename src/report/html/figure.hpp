// What the figures share. Horizontal positions are per cent of the figure's width and vertical ones
// pixels, so that a figure fits any page without its text being scaled.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

#include "writer.hpp"

namespace wirelag::report::html {

/// `part` of `whole` as "12.345%", from 0 to 100.
[[nodiscard]] std::string percent(double part, double whole);
[[nodiscard]] std::string pixels(double y);
/// "c-dns": the colour of a category, the same in every figure.
[[nodiscard]] std::string colour(Category category);
/// Colours and names of the categories that occur in `shown`.
void legend(Writer& w, const Breakdown& shown);
/// At most six round values from 0 to below `top`.
[[nodiscard]] std::vector<double> ticks(double top);

/// An <svg> as wide as the page, `height` pixels high; `words` says what it shows.
[[nodiscard]] Writer::Element figure(Writer& w, double height, std::string words,
                                     Literal css_class = "");

/// The class of a label at `at` of an axis up to `top`: the first and those near the end stay inside.
[[nodiscard]] inline std::string label_class(double at, double top) {
  constexpr double kNearTheEnd = 0.9;
  return at <= 0 ? "first" : at > kNearTheEnd * top ? "end" : "";
}

}  // namespace wirelag::report::html
