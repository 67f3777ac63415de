#include "figure.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "../waits.hpp"

namespace wirelag::report::html {

std::string percent(double part, double whole) {
  const double p = whole > 0 ? std::clamp(100 * part / whole, 0.0, 100.0) : 0.0;
  return fmt::format("{:.3f}%", p);
}

std::string pixels(double y) { return fmt::format("{:.1f}", y); }

std::string colour(Category c) { return "c-" + std::string(name(c)); }

void legend(Writer& w, const Breakdown& shown) {
  const auto list = w.element("ul", {{"class", "legend"}});
  for (std::size_t i = 0; i < kCategories; ++i) {
    if (shown[i] == 0) continue;
    const auto category = static_cast<Category>(i);
    const auto item = w.element("li");
    w.leaf("span", "", {{"class", "swatch " + colour(category)}, {"aria-hidden", "true"}});
    w.leaf("b", name(category));
    w.text(" ");
    w.text(plain(category));
  }
}

std::vector<double> ticks(double top) {
  if (!(top > 0)) return {0};
  double step = std::pow(10.0, std::floor(std::log10(top)));
  for (const double factor : {0.2, 0.5, 1.0}) {
    if (top / (step * factor) <= 6) {
      step *= factor;
      break;
    }
  }
  std::vector<double> values;
  for (int i = 0; step * i < top; ++i) values.push_back(step * i);
  return values;
}

Writer::Element figure(Writer& w, double height, std::string words, Literal css_class) {
  return w.element("svg", {{"role", "img"},
                           {"aria-label", std::move(words)},
                           {"class", std::string(css_class.view())},
                           {"width", "100%"},
                           {"height", pixels(height)}});
}

}  // namespace wirelag::report::html
