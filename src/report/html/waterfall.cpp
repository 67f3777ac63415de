// Typical visits, step by step. What the wait consists of (the critical path) is outlined; work beside
// it is pale, because making it faster saves nothing.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <wirelag/advise/statement.hpp>
#include <wirelag/control/opening.hpp>

#include "../choose.hpp"
#include "../finding_words.hpp"
#include "../format.hpp"
#include "../task_words.hpp"
#include "../words.hpp"
#include "figure.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr double kBar = 18;  ///< pixels
constexpr std::size_t kSteps = 40;
constexpr std::size_t kMaxText = 120;
constexpr std::size_t kMaxTitle = 90;  ///< of a change beside its bar

std::string clipped(std::string_view text, std::size_t length) {
  return text.size() <= length ? std::string(text) : utf8(text.substr(0, length)) + "…";
}

class Waterfall {
 public:
  Waterfall(Writer& w, const Report& r, const Visit& visit)
      : w_(w),
        r_(r),
        v_(visit),
        path_(critical_path(visit, Form::serial)),
        scale_(static_cast<double>(std::max<DurationNs>(visit.wait_ns, 1))) {
    for (const PathStep& s : path_.steps) on_path_[s.node] = &s;
  }

  void write() {
    const auto box = w_.element("div", {{"class", "waterfall"}});
    axis();
    const auto chosen = choose(v_.nodes.size(), kSteps, [&](std::size_t a, std::size_t b) {
      const bool a_on = on_path_.contains(a);
      const bool b_on = on_path_.contains(b);
      if (a_on != b_on) return a_on;
      return length(a) > length(b);
    });
    for (const std::size_t i : chosen) step(i);
    and_more(w_, v_.nodes.size() - chosen.size(), "step");
  }

  [[nodiscard]] const Breakdown& breakdown() const { return path_.breakdown; }

 private:
  [[nodiscard]] DurationNs length(std::size_t i) const {
    return v_.nodes[i].end_ns - v_.nodes[i].start_ns;
  }

  void axis() {
    const auto row = w_.element("div", {{"class", "step axis"}, {"aria-hidden", "true"}});
    w_.leaf("p", "");
    {
      const auto svg =
          w_.element("svg", {{"aria-hidden", "true"}, {"width", "100%"}, {"height", "18"}});
      const double top_ms = scale_ / static_cast<double>(kMillisecondNs);
      const std::vector<double> at = ticks(top_ms);
      for (std::size_t i = 0; i < at.size(); ++i) {
        w_.leaf(
            "text", fmt::format("{:g}{}", at[i], i == 0 ? " ms" : ""),
            {{"x", percent(at[i], top_ms)},
             {"y", "13"},
             {"class", label_class(at[i], top_ms) + (i % 2 == 1 && at.size() > 4 ? " wide" : "")}});
      }
    }
    w_.leaf("p", "");
  }

  [[nodiscard]] std::string label(const VisitNode& n) const {
    switch (n.kind) {
      case VisitNode::Kind::dns:
        return "look up " + std::string(r_.correlation.lookups[n.item].qname);
      case VisitNode::Kind::connect: {
        const Connection& c = r_.data.connections()[n.item];
        return fmt::format("connect #{} to {}", Dataset::connection_id(n.item), c.server.text());
      }
      case VisitNode::Kind::tls: {
        const std::string_view sni = r_.data.tls()[n.item].sni;
        return fmt::format("TLS #{} {}", Dataset::connection_id(n.connection), sni);
      }
      case VisitNode::Kind::request: return request(n);
      case VisitNode::Kind::query: return query(n);
    }
    return "";
  }

  [[nodiscard]] std::string query(const VisitNode& n) const {
    const DatabaseTransaction& t = r_.data.database()[n.item];
    return fmt::format("{} #{}", called(t), Dataset::connection_id(n.connection));
  }

  [[nodiscard]] std::string request(const VisitNode& n) const {
    const std::size_t id = Dataset::connection_id(n.connection);
    if (n.item == Dataset::kNone) return fmt::format("request #{} (cannot be read)", id);
    const HttpTransaction& t = r_.data.http()[n.item];
    return fmt::format("{} {} #{}", t.method.text(), t.target.text(), id);
  }

  [[nodiscard]] std::string about(const VisitNode& n, std::size_t i) const {
    std::string text = "+" + rounded(n.start_ns - v_.start_ns);
    if (is_open(n)) {
      text += fmt::format(", {} so far", rounded(r_.data.ended_ns() - n.start_ns));
    } else if (n.ended || length(i) > 0) {
      // Of what did not end, and was seen at one moment only, nobody knows how long it took.
      text += ", " + rounded(length(i));
    }
    const std::string ending = how_it_ended(r_, n);
    if (!ending.empty()) text += ", " + ending;
    if (!n.waited_for) text += ", not waited for";
    return text;
  }

  /// A connection that was still being opened when the capture ended.
  [[nodiscard]] bool is_open(const VisitNode& n) const {
    return n.kind == VisitNode::Kind::connect && !n.ended &&
           still_opening(r_.data, r_.data.connections()[n.item]);
  }

  [[nodiscard]] static std::string parts(const VisitNode& n) {
    std::string text;
    for (const VisitPart& p : n.parts) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name(p.category),
                          rounded(p.duration_ns));
    }
    return text;
  }

  void rect(std::string_view css, DurationNs from_ns, DurationNs length_ns, double y,
            double height) {
    const double from = static_cast<double>(std::max<DurationNs>(from_ns, 0));
    const double to = std::min(static_cast<double>(from_ns + length_ns), scale_);
    if (to <= from && from >= scale_) return;
    w_.lone("rect", {{"class", std::string(css)},
                     {"x", percent(from, scale_)},
                     {"width", percent(std::max(to - from, 0.0), scale_)},
                     {"y", pixels(y)},
                     {"height", pixels(height)}});
  }

  void step(std::size_t i) {
    const VisitNode& n = v_.nodes[i];
    const auto at = on_path_.find(i);
    const bool on = at != on_path_.end();
    const auto row = w_.element("div", {{"class", on ? "step on" : "step"}});
    w_.leaf("p", clipped(label(n), kMaxText), {{"class", "what"}});
    {
      const auto svg =
          figure(w_, kBar, (on ? "on the critical path: " : "beside it: ") + parts(n), "rail");
      DurationNs x = n.start_ns - v_.start_ns;
      if (on && at->second->client_ns > 0) {
        rect("seg c-client", x - at->second->client_ns, at->second->client_ns, 3, kBar - 6);
      }
      for (const VisitPart& p : n.parts) {
        rect("seg " + colour(p.category), x, p.duration_ns, 3, kBar - 6);
        x += p.duration_ns;
      }
      if (on) {
        const PathStep& s = *at->second;
        rect("critical", n.start_ns - v_.start_ns - s.client_ns, s.client_ns + s.duration_ns, 1.5,
             kBar - 3);
      }
    }
    w_.leaf("p", about(n, i), {{"class", "when"}});
  }

  Writer& w_;
  const Report& r_;
  const Visit& v_;
  CriticalPath path_;
  std::map<std::size_t, const PathStep*> on_path_;
  double scale_;
};

constexpr std::size_t kFixes = 8;

/// One line of the ladder: what is sure to be left, and pale what is left only if all goes well.
void rung(Writer& w, std::string_view label, std::string_view about, DurationNs least_ns,
          DurationNs most_ns, DurationNs scale_ns) {
  const auto row = w.element("div", {{"class", "step on"}});
  w.leaf("p", label, {{"class", "what"}});
  {
    const auto scale = static_cast<double>(scale_ns);
    const auto svg = figure(w, kBar, std::string(about), "rail");
    w.lone("rect", {{"class", "left"},
                    {"width", percent(static_cast<double>(least_ns), scale)},
                    {"y", "3"},
                    {"height", pixels(kBar - 6)}});
    w.lone("rect", {{"class", "open"},
                    {"x", percent(static_cast<double>(least_ns), scale)},
                    {"width", percent(static_cast<double>(most_ns - least_ns), scale)},
                    {"y", "3"},
                    {"height", pixels(kBar - 6)}});
  }
  w.leaf("p", about, {{"class", "when"}});
}

/// The visit as it is against as it would be, one change after the other.
void fixes(Writer& w, const Report& r, const TypicalVisit& t, DurationNs wait_ns) {
  if (t.after.empty()) return;
  w.leaf("h4", "As it is, and as it would be with one change after the other");
  const auto box = w.element("div", {{"class", "waterfall fixes"}});
  rung(w, "as it is", rounded(wait_ns), wait_ns, wait_ns, wait_ns);
  const std::size_t shown = std::min(kFixes, t.after.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const WaitAfter& a = t.after[i];
    rung(w,
         fmt::format("{}. {}", a.finding + 1,
                     clipped(r.advice.findings[a.finding].title, kMaxTitle)),
         interval({a.least_ns, a.least_ns, a.most_ns}), a.least_ns, a.most_ns, wait_ns);
  }
  and_more(w, t.after.size() - shown, "change");
}

}  // namespace

void waterfalls(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "visits"}});
  w.leaf("h2", "Typical visits, step by step");
  if (r.waits.typical.empty()) {
    w.leaf("p", "No visit.");
    return;
  }
  w.leaf("p",
         "Outlined: what the user waited for (the critical path). Pale: beside it; making that "
         "faster saves nothing. #: the connection.",
         {{"class", "note"}});
  for (const TypicalVisit& t : r.waits.typical) {
    const Visit& v = r.visits.stored[t.visit];
    const auto box = w.element("article", {{"class", "visit"}});
    w.leaf("h3", fmt::format("{}{}: {}", t.what, v.service.empty() ? "" : " of " + v.service,
                             rounded(v.wait_ns)));
    w.leaf("p",
           fmt::format("client {}, begins {} ms after the capture began", v.client_ip.text(),
                       at_ms(r, v.start_ns)),
           {{"class", "note"}});
    Waterfall waterfall(w, r, v);
    waterfall.write();
    legend(w, waterfall.breakdown());
    fixes(w, r, t, v.wait_ns);
  }
}

}  // namespace wirelag::report::html
