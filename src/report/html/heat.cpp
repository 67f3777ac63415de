// Latency heat maps: time from left to right, latency upwards on a logarithmic scale, darker (on a
// dark page: brighter) where more answers were. One for each of what users waited for most, all over the
// same time: from the capture's first packet to its last. The marks that the operator set stand in them as
// dashed lines with their numbers.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "../format.hpp"
#include "../words.hpp"
#include "figure.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr std::size_t kMaps = 4;
constexpr std::size_t kMinSamples = 20;
constexpr std::size_t kColumns = 60;
constexpr std::size_t kBands = 10;  ///< of the table beside the map
constexpr int kRowsPerDecade = 8;
constexpr int kFewestRows = 5;
constexpr double kRow = 7;      ///< pixels
constexpr double kLabels = 16;  ///< below the map
constexpr std::size_t kShades = 6;

struct Sample {
  TimeNs time_ns = 0;
  DurationNs latency_ns = 0;
};

struct Series {
  std::string what;
  std::vector<Sample> samples;
  double sum_ns = 0;
  void add(TimeNs time_ns, DurationNs latency_ns) {
    if (!known(time_ns) || !known(latency_ns) || latency_ns <= 0) return;
    samples.push_back({time_ns, latency_ns});
    sum_ns += static_cast<double>(latency_ns);
  }
};

/// What was waited for most in all.
std::vector<Series> collect(const Report& r) {
  Series lookups{"DNS lookups", {}, 0};
  for (const Lookup& l : r.correlation.lookups) lookups.add(l.start_time_ns, l.wait_ns);
  Series connects{"TCP handshakes", {}, 0};
  for (const Connection& c : r.data.connections()) connects.add(c.start_time_ns, c.connect_time_ns);
  std::map<std::string, Series> by_server;
  for (const HttpTransaction& t : r.data.http()) {
    by_server["HTTP requests to " + t.server.text()].add(t.request_first_ns, t.total_ns());
  }
  for (const DatabaseTransaction& t : r.data.database()) {
    if (t.waits_by_design) continue;
    by_server[fmt::format("{} requests to {}", name(t.protocol), t.server.text())].add(
        t.request_first_ns, t.total_ns());
  }
  std::vector<Series> all{std::move(lookups), std::move(connects)};
  for (auto& [what, series] : by_server) {
    series.what = what;
    all.push_back(std::move(series));
  }
  std::erase_if(all, [](const Series& s) { return s.samples.size() < kMinSamples; });
  std::stable_sort(all.begin(), all.end(),
                   [](const Series& a, const Series& b) { return a.sum_ns > b.sum_ns; });
  return all;
}

class Map {
 public:
  Map(Writer& w, const Report& r, const Series& series) : w_(w), r_(r), series_(series) {
    begin_ns_ = r.capture.first_time_ns;
    column_ns_ = (r.capture.last_time_ns - begin_ns_) / static_cast<DurationNs>(kColumns) + 1;
    low_ = std::numeric_limits<int>::max();
    for (const Sample& s : series.samples) {
      low_ = std::min(low_, row(s.latency_ns));
      high_ = std::max(high_, row(s.latency_ns));
      const std::uint32_t n = ++cells_[{row(s.latency_ns), column(s.time_ns)}];
      most_ = std::max(most_, n);
    }
    while (high_ - low_ + 1 < kFewestRows) {  // room for the scale beside it
      --low_;
      ++high_;
    }
  }

  void write() {
    const auto box = w_.element("article", {{"class", "heat"}});
    w_.leaf("h3", fmt::format("{}: {}", series_.what, count(series_.samples.size(), "answer")));
    map();
    table();
  }

 private:
  static int row(DurationNs latency_ns) {
    const double decades = std::log10(static_cast<double>(latency_ns));
    return static_cast<int>(std::floor(decades * kRowsPerDecade));
  }
  /// A clock that stepped back may have put an answer outside of the capture's span.
  [[nodiscard]] std::size_t column(TimeNs t) const {
    const TimeNs after_ns = std::max<TimeNs>(t - begin_ns_, 0);
    return std::min(static_cast<std::size_t>(after_ns / column_ns_), kColumns - 1);
  }

  void map() {
    const double height = kRow * (high_ - low_ + 1);
    const auto frame = w_.element("div", {{"class", "plot"}});
    latencies(height);
    const auto svg = figure(
        w_, height + kLabels,
        fmt::format("{} over time, by latency on a logarithmic scale; the numbers are in the table",
                    series_.what),
        "map");
    w_.lone("rect", {{"class", "ground"}, {"width", "100%"}, {"height", pixels(height)}});
    for (const auto& [at, n] : cells_) {
      w_.lone("rect", {{"class", fmt::format("h{}", shade(n))},
                       {"x", percent(static_cast<double>(at.second), kColumns)},
                       {"width", percent(1, kColumns)},
                       {"y", pixels(kRow * (high_ - at.first))},
                       {"height", pixels(kRow)}});
    }
    marks();
    const double span_s =
        static_cast<double>(column_ns_) * kColumns / static_cast<double>(kSecondNs);
    const bool in_seconds = span_s >= 2;
    const double span = in_seconds ? span_s : span_s * 1000;
    for (const double t : ticks(span)) {
      w_.leaf("text", fmt::format("{:g}{}", t, t == 0 ? in_seconds ? " s" : " ms" : ""),
              {{"class", label_class(t, span)},
               {"x", percent(t, span)},
               {"y", pixels(height + kLabels - 3)}});
    }
  }

  void marks() {
    const double span_ns = static_cast<double>(column_ns_) * kColumns;
    for (std::size_t i = 0; i < r_.changes.size(); ++i) {
      const auto after_ns = static_cast<double>(r_.changes[i].mark.time_ns - begin_ns_);
      if (after_ns < 0 || after_ns > span_ns) continue;
      const std::string x = percent(after_ns, span_ns);
      w_.lone("line", {{"class", "level knee"},
                       {"x1", x},
                       {"x2", x},
                       {"y1", "0"},
                       {"y2", pixels(kRow * (high_ - low_ + 1))}});
      w_.leaf("text", std::to_string(i + 1),
              {{"class", after_ns > span_ns / 2 ? "mark end" : "mark first"},
               {"x", x},
               {"dx", after_ns > span_ns / 2 ? "-4" : "4"},
               {"y", "11"}});
    }
  }

  /// Beside the map, so that their letters need no place in it.
  void latencies(double height) {
    const auto svg = w_.element("svg", {{"class", "scale"},
                                        {"aria-hidden", "true"},
                                        {"width", "66"},
                                        {"height", pixels(height + kLabels)}});
    double last_y = -100;
    for (int decade = 11; decade >= 0; --decade) {
      for (const double lead : {5.0, 2.0, 1.0}) {
        const double latency = lead * std::pow(10.0, decade);
        const double y = kRow * (high_ + 1 - std::log10(latency) * kRowsPerDecade);
        if (y < 8 || y > height || y - last_y < 14) continue;
        last_y = y;
        w_.leaf("text", rounded(static_cast<DurationNs>(latency)),
                {{"x", "62"}, {"y", pixels(y + 4)}});
      }
    }
  }

  [[nodiscard]] std::size_t shade(std::uint32_t n) const {
    if (most_ <= 1) return kShades;
    const double part = std::log(static_cast<double>(n)) / std::log(static_cast<double>(most_));
    return 1 + static_cast<std::size_t>(part * (kShades - 1) + 0.5);
  }

  void table() {
    const auto details = w_.element("details");
    w_.leaf("summary", "The numbers");
    std::vector<std::vector<DurationNs>> bands(kBands);
    for (const Sample& s : series_.samples) {
      bands[column(s.time_ns) * kBands / kColumns].push_back(s.latency_ns);
    }
    Table t(w_, "",
            {{"from, ms after the capture begins"},
             {"answers", true},
             {"median ms", true},
             {"p95 ms", true},
             {"longest ms", true}});
    for (std::size_t i = 0; i < kBands; ++i) {
      if (bands[i].empty()) continue;
      std::sort(bands[i].begin(), bands[i].end());
      const auto at = [&](double q) {
        const auto rank =
            static_cast<std::size_t>(std::ceil(q * static_cast<double>(bands[i].size())));
        return ms_number(bands[i][std::max<std::size_t>(rank, 1) - 1]);
      };
      const auto columns = static_cast<DurationNs>(i * kColumns / kBands);
      t.row({at_ms(r_, begin_ns_ + column_ns_ * columns), std::to_string(bands[i].size()), at(0.5),
             at(0.95), at(1.0)});
    }
  }

  Writer& w_;
  const Report& r_;
  const Series& series_;
  TimeNs begin_ns_ = 0;
  DurationNs column_ns_ = 1;
  int low_ = 0;
  int high_ = 0;
  std::uint32_t most_ = 0;
  std::map<std::pair<int, std::size_t>, std::uint32_t> cells_;  ///< (row, column): answers
};

}  // namespace

void heat_maps(Writer& w, const Report& r) {
  const bool has_span = known(r.capture.first_time_ns) && known(r.capture.last_time_ns) &&
                        r.capture.last_time_ns >= r.capture.first_time_ns;
  const std::vector<Series> all = has_span ? collect(r) : std::vector<Series>{};
  const auto section = w.element("section", {{"id", "latency"}});
  w.leaf("h2", "Latency over time");
  marked_changes(w, r);
  if (all.empty()) {
    w.leaf("p", fmt::format("Nothing was answered {} times or more: too little for a picture.",
                            kMinSamples));
    return;
  }
  {
    const auto key = w.element("p", {{"class", "note key"}});
    w.text("Answers: few ");
    for (std::size_t i = 1; i <= kShades; ++i) {
      w.leaf("span", "", {{"class", fmt::format("swatch g{}", i)}, {"aria-hidden", "true"}});
    }
    w.text(
        " many (logarithmic). All pictures run from the first packet of the capture to the last. "
        "A band that lifts is load; a second band is another kind of "
        "answer, a retry or a timer.");
  }
  const std::size_t shown = std::min(kMaps, all.size());
  for (std::size_t i = 0; i < shown; ++i) Map(w, r, all[i]).write();
  and_more(w, all.size() - shown, "kind of answer", "kinds of answers");
}

}  // namespace wirelag::report::html
