// A card per finding: what it saves, why, the evidence, what to change, how to verify.
#include <algorithm>

#include <fmt/format.h>

#include "../finding_words.hpp"
#include "../format.hpp"
#include "../marks.hpp"
#include "../servers.hpp"
#include "figure.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr std::size_t kCards = 20;
constexpr std::size_t kEvidence = 6;
constexpr std::size_t kWhatIf = 12;
constexpr std::size_t kServers = 25;
constexpr double kBar = 26;  ///< pixels

/// From low to high, on one scale for all cards.
void interval_bar(Writer& w, const Finding& f, DurationNs scale_ns) {
  const auto scale = static_cast<double>(scale_ns);
  const auto low = static_cast<double>(f.saving.low_ns);
  const auto mid = static_cast<double>(f.saving.mid_ns);
  const auto high = static_cast<double>(f.saving.high_ns);
  const auto svg = figure(
      w, kBar,
      fmt::format("saves {} at least, {} in the middle, {} at most", rounded(f.saving.low_ns),
                  rounded(f.saving.mid_ns), rounded(f.saving.high_ns)),
      "interval");
  w.lone("rect", {{"class", "ground"}, {"y", "9"}, {"width", "100%"}, {"height", "8"}});
  w.lone("rect", {{"class", "span"},
                  {"x", percent(low, scale)},
                  {"width", percent(high - low, scale)},
                  {"y", "7"},
                  {"height", "12"}});
  for (const double at : {low, mid, high}) {
    w.lone("line", {{"class", at == mid ? "mark mid" : "mark"},
                    {"x1", percent(at, scale)},
                    {"x2", percent(at, scale)},
                    {"y1", "3"},
                    {"y2", "23"}});
  }
}

class Card {
 public:
  Card(Writer& w, const Report& r, const Finding& f) : w_(w), r_(r), f_(f) {}

  void write(std::size_t rank, DurationNs scale_ns) {
    const auto card =
        w_.element("article", {{"class", "card"}, {"id", fmt::format("finding-{}", rank)}});
    w_.leaf("h3", fmt::format("{}. {}", rank, f_.title));
    {
      const auto line = w_.element("p", {{"class", "saves"}});
      w_.leaf("b", f_.capacity_only ? "saves load, not time" : "saves " + interval(f_.saving));
      if (!f_.capacity_only) w_.text(" per visit it affects");
      w_.leaf("span", "confidence " + f_.confidence,
              {{"class", "chip"}, {"title", confidence_sentence(f_)}});
      w_.leaf("span", f_.scope, {{"class", "chip"}});
    }
    if (!f_.capacity_only) interval_bar(w_, f_, scale_ns);
    if (f_.done) w_.leaf("p", "It is " + done_words(*f_.done) + ".", {{"class", "warning"}});
    w_.leaf("p", f_.why);
    for (const std::string& warning : f_.warnings) {
      const auto box = w_.element("p", {{"class", "warning"}, {"role", "note"}});
      w_.leaf("b", "Careful: ");
      w_.text(warning);
    }
    changes();
    facts();
    evidence();
    what_if();
  }

 private:
  void changes() {
    if (f_.change.empty()) return;
    w_.leaf("h4", "What to change");
    for (const Change& c : f_.change) {
      const auto box = w_.element("div", {{"class", "change"}});
      {
        const auto line = w_.element("p");
        w_.leaf("b", c.label);
        if (!c.effort.empty()) w_.leaf("span", "effort: " + c.effort, {{"class", "chip"}});
      }
      {
        const auto pre = w_.element("pre");
        w_.leaf("code", c.snippet);
      }
      if (!c.risk.empty()) w_.leaf("p", "Risk: " + c.risk, {{"class", "note"}});
    }
  }

  void fact(std::string_view label, std::string_view text) {
    if (text.empty()) return;
    w_.leaf("dt", label);
    w_.leaf("dd", text);
  }

  void facts() {
    const auto list = w_.element("dl", {{"class", "facts"}});
    fact("How to verify", f_.verify);
    fact("Affects", affected(f_));
    if (!f_.capacity_only) {
      fact("In all", in_all(r_, f_));
      if (f_.after_higher_ranked_ns != f_.saving.mid_ns) {
        fact("After those above",
             fmt::format("saves about {} once they are done", rounded(f_.after_higher_ranked_ns)));
      }
    }
    fact("Frees", f_.capacity);
    fact("Confidence", confidence_sentence(f_));
    fact("Threshold", f_.threshold);
    std::string families;
    for (const Family family : f_.families) {
      families += (families.empty() ? "" : ", ") + std::string(name(family));
    }
    fact("Rule", f_.rule + (families.empty() ? "" : " (" + families + ")"));
  }

  void evidence() {
    if (f_.evidence.empty()) return;
    w_.leaf("h4", "Evidence");
    const std::size_t shown = std::min(kEvidence, f_.evidence.size());
    {
      const auto list = w_.element("ul", {{"class", "evidence"}});
      for (std::size_t i = 0; i < shown; ++i) {
        w_.leaf("li", evidence_line(r_, f_.evidence[i]));
      }
    }
    and_more(w_, f_.evidence.size() - shown, "piece of evidence", "pieces of evidence");
  }

  void what_if() {
    if (f_.what_if.empty()) return;
    Table t(w_, "What if", {{"with"}, {"wait ms", true}, {"against now, ms", true}});
    const std::size_t shown = std::min(kWhatIf, f_.what_if.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const WhatIf& w = f_.what_if[i];
      const bool slower = known(w.change_ns) && w.change_ns > 0;
      t.row({w.what, ms_number(w.wait_ns), (slower ? "+" : "") + ms_number(w.change_ns)});
    }
  }

  Writer& w_;
  const Report& r_;
  const Finding& f_;
};

}  // namespace

namespace {

/// What servers had to carry.
void servers(Writer& w, const Report& r) {
  if (r.servers.empty()) return;
  const std::size_t shown = std::min(kServers, r.servers.size());
  {
    Table t(w, "What servers had to carry",
            {{"server"},
             {"clients", true},
             {"conns/client", true},
             {"open", true},
             {"requests", true},
             {"per s", true},
             {"mean ms", true},
             {"in flight", true},
             {"limit/s", true},
             {"used", true}});
    for (std::size_t i = 0; i < shown; ++i) t.row(server_cells(r.servers[i]));
  }
  and_more(w, r.servers.size() - shown, "server");
  w.leaf("p", about_servers(), {{"class", "note"}});
}

/// What was changed already.
void done(Writer& w, const Report& r) {
  const std::vector<Finding>& all = r.advice.done;
  if (all.empty()) return;
  w.leaf("h3", "Marked as done, and not recommended again");
  const std::size_t shown = std::min(kCards, all.size());
  {
    Table t(w, "Findings of changes that were made", {{"what"}, {"where"}, {"before"}, {"since"}});
    for (std::size_t i = 0; i < shown; ++i) {
      const Finding& f = all[i];
      t.row({f.title, f.scope, cost_before(f), done_words(*f.done)});
    }
  }
  and_more(w, all.size() - shown, "finding");
}

}  // namespace

void findings(Writer& w, const Report& r) {
  const std::vector<Finding>& all = r.advice.findings;
  DurationNs scale_ns = 1;
  for (const Finding& f : all) scale_ns = std::max(scale_ns, f.saving.high_ns);
  const auto first_capacity = static_cast<std::size_t>(
      std::find_if(all.begin(), all.end(), [](const Finding& f) { return f.capacity_only; }) -
      all.begin());
  const auto list = [&](Literal id, Literal title, std::string_view about, std::size_t from,
                        std::size_t to, std::string_view none) {
    const auto section = w.element("section", {{"id", std::string(id.view())}});
    w.leaf("h2", title.view());
    w.leaf("p", from == to ? none : about, {{"class", "note"}});
    const std::size_t shown = std::min(to, from + kCards);
    for (std::size_t i = from; i < shown; ++i) Card(w, r, all[i]).write(i + 1, scale_ns);
    and_more(w, to - shown, "finding");
    if (id.view() == "findings") done(w, r);
    if (id.view() == "capacity") servers(w, r);
  };
  list("findings", "What to change",
       fmt::format("Ranked by what all users together would save. The bars go from what is sure to "
                   "what is plausible, on one scale from 0 to {}.",
                   rounded(scale_ns)),
       0, first_capacity,
       r.advice.done.empty() ? "No rule found a change that would save a user time worth having."
                             : "No rule found a change beside those that were made already.");
  list("capacity", "Capacity", "No user gets faster, but the load drops.", first_capacity,
       all.size(), "Nothing found that only costs load.");
}

void not_judged(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "not-judged"}});
  w.leaf("h2", "Rules without a finding");
  for (const VerdictList& list : verdict_lists(r.advice)) {
    w.leaf("h3", list.title);
    const auto box = w.element("dl", {{"class", "facts"}});
    for (const Verdict& v : list.verdicts) {
      w.leaf("dt", v.rule);
      w.leaf("dd", verdict_words(v));
    }
  }
}

}  // namespace wirelag::report::html
