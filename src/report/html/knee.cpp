// Load against response time: one point per second of a server's life.
#include <algorithm>

#include <fmt/format.h>

#include "../format.hpp"
#include "figure.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr std::size_t kServers = 4;
constexpr std::size_t kMinWindows = 3;
constexpr std::size_t kPoints = 400;
constexpr std::size_t kTableRows = 10;
constexpr double kHeight = 150;  ///< pixels
constexpr double kLabels = 30;
constexpr double kRoom = 1.08;  ///< beyond the outermost point

class Plot {
 public:
  Plot(Writer& w, const ServerLoad& load) : w_(w), load_(load) {
    // Every so-manyth window, when there are very many.
    step_ = 1 + (load.windows.size() - 1) / kPoints;
    for (const LoadWindow& p : load.windows) n_top_ = std::max(n_top_, p.in_flight);
    n_top_ = std::max(n_top_, load.n_star) * kRoom;
  }

  void write() {
    const auto box = w_.element("article", {{"class", "knee"}});
    w_.leaf("h3", load_.server.text());
    w_.leaf("p", summary());
    double r_top = 0;
    for (const LoadWindow& p : load_.windows) r_top = std::max(r_top, p.response_ns);
    r_top = r_top / kMillisecondNs * kRoom;
    panel("time of an answer (ms)", r_top, load_.r0_ns / kMillisecondNs, "with little to do", "end",
          [](const LoadWindow& p) { return p.response_ns / kMillisecondNs; });
    panel("answers per second", load_.x_max * kRoom, load_.x_max, "the most", "first",
          [](const LoadWindow& p) { return p.per_second; });
    table();
  }

 private:
  [[nodiscard]] std::string summary() const {
    const std::size_t beyond = load_.beyond();
    return fmt::format(
        "With little to do an answer takes {}, and at most {:.0f} answers came per second. So many "
        "can be under way before they wait for each other: {:.1f} requests in flight, the knee. "
        "{}.",
        rounded(static_cast<DurationNs>(load_.r0_ns)), load_.x_max, load_.n_star,
        beyond == 0 ? "In no second there were more, and answers slow"
                    : fmt::format("In {} of {} seconds there were more, and answers took much "
                                  "longer",
                                  beyond, load_.windows.size()));
  }

  /// The level's name stands at the `side` where no points are: long answers come with much in flight, few
  /// answers with little.
  template <class Value>
  void panel(std::string_view title, double top, double level, std::string_view level_name,
             std::string_view side, Value value) {
    w_.leaf("p", title, {{"class", "note axis-title"}});
    const auto frame = w_.element("div", {{"class", "plot"}});
    scale(top);
    const auto svg = figure(w_, kHeight + kLabels,
                            fmt::format("{} against requests in flight; the numbers are in the "
                                        "table below",
                                        title),
                            "map");
    w_.lone("rect", {{"class", "ground"}, {"width", "100%"}, {"height", pixels(kHeight)}});
    const double level_y = y(level, top);
    w_.lone("line", {{"class", "level"},
                     {"x1", "0"},
                     {"x2", "100%"},
                     {"y1", pixels(level_y)},
                     {"y2", pixels(level_y)}});
    w_.leaf("text", level_name,
            {{"class", std::string(side)},
             {"x", side == "end" ? "99.5%" : "0.5%"},
             {"y", pixels(level_y < 20 ? level_y + 13 : level_y - 4)}});
    w_.lone("line", {{"class", "level knee"},
                     {"x1", percent(load_.n_star, n_top_)},
                     {"x2", percent(load_.n_star, n_top_)},
                     {"y1", "0"},
                     {"y2", pixels(kHeight)}});
    for (std::size_t i = 0; i < load_.windows.size(); i += step_) {
      const LoadWindow& p = load_.windows[i];
      point(p, y(value(p), top));
    }
    const std::vector<double> at = ticks(n_top_);
    for (const double n : at) {
      w_.leaf("text", fmt::format("{:g}", n),
              {{"class", n == 0 ? "first" : ""},
               {"x", percent(n, n_top_)},
               {"y", pixels(kHeight + 13)}});
    }
    w_.leaf("text", "requests in flight; dashed: the knee",
            {{"class", "first"}, {"x", "0"}, {"y", pixels(kHeight + 27)}});
  }

  static double y(double value, double top) {
    return kHeight * (1 - (top > 0 ? std::clamp(value / top, 0.0, 1.0) : 0));
  }

  /// Beyond the knee: larger and ringed, so that it does not need its colour.
  void point(const LoadWindow& p, double at_y) {
    w_.lone("circle", {{"class", p.beyond ? "point beyond" : "point"},
                       {"cx", percent(p.in_flight, n_top_)},
                       {"cy", pixels(at_y)},
                       {"r", p.beyond ? "5" : "3"}});
  }

  void scale(double top) {
    const auto svg = w_.element("svg", {{"class", "scale"},
                                        {"aria-hidden", "true"},
                                        {"width", "58"},
                                        {"height", pixels(kHeight + kLabels)}});
    for (const double v : ticks(top)) {
      w_.leaf("text", fmt::format("{:g}", v),
              {{"x", "54"}, {"y", pixels(std::max(y(v, top) + 4, 10.0))}});
    }
  }

  void table() {
    std::vector<const LoadWindow*> by_load;
    for (const LoadWindow& p : load_.windows) by_load.push_back(&p);
    std::stable_sort(by_load.begin(), by_load.end(), [](const LoadWindow* a, const LoadWindow* b) {
      return a->in_flight < b->in_flight;
    });
    const auto details = w_.element("details");
    w_.leaf("summary", "The numbers");
    Table t(
        w_, "Seconds from the least busy to the busiest",
        {{"in flight", true}, {"answers/s", true}, {"mean answer ms", true}, {"beyond the knee"}});
    const std::size_t rows = std::min(kTableRows, by_load.size());
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t at = rows == 1 ? 0 : i * (by_load.size() - 1) / (rows - 1);
      const LoadWindow& p = *by_load[at];
      t.row({fmt::format("{:.1f}", p.in_flight), fmt::format("{:.0f}", p.per_second),
             ms_number(static_cast<DurationNs>(p.response_ns)), p.beyond ? "yes" : "no"});
    }
  }

  Writer& w_;
  const ServerLoad& load_;
  std::size_t step_ = 1;
  double n_top_ = 0;
};

}  // namespace

void knees(Writer& w, const Report& r) {
  std::vector<const ServerLoad*> shown;
  for (const ServerLoad& load : r.loads) {
    if (load.windows.size() >= kMinWindows) shown.push_back(&load);
  }
  const auto section = w.element("section", {{"id", "load"}});
  w.leaf("h2", "Load against response time");
  if (shown.empty()) {
    w.leaf("p",
           "No server was seen answering for long enough: it takes three seconds with several "
           "readable requests each.");
    return;
  }
  std::stable_sort(shown.begin(), shown.end(), [](const ServerLoad* a, const ServerLoad* b) {
    if (a->beyond() != b->beyond()) return a->beyond() > b->beyond();
    return a->windows.size() > b->windows.size();
  });
  for (std::size_t i = 0; i < std::min(kServers, shown.size()); ++i) Plot(w, *shown[i]).write();
  and_more(w, shown.size() - std::min(kServers, shown.size()), "server");
}

}  // namespace wirelag::report::html
