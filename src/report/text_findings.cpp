// Part 4: where the wait goes; what to change, ranked; what frees load; what could not be judged; what was fine.
#include <fmt/format.h>

#include "finding_words.hpp"
#include "format.hpp"
#include "marks.hpp"
#include "servers.hpp"
#include "table.hpp"
#include "text.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kLabel = 12;
constexpr std::size_t kMaxSnippetIndent = 40;
constexpr std::size_t kEvidence = 6;  ///< lines per finding

std::string key_line(const Finding& f) {
  std::string families;
  for (const Family family : f.families)
    families += (families.empty() ? "" : ",") + std::string(name(family));
  return fmt::format("rule={} scope={} families={} confidence={}", f.rule, safe(f.scope), families,
                     f.confidence);
}

void evidence(std::string& out, const Report& r, const Finding& f) {
  const std::size_t shown = std::min(kEvidence, f.evidence.size());
  for (std::size_t i = 0; i < shown; ++i) {
    paragraph(out, i == 0 ? "evidence" : "", evidence_line(r, f.evidence[i]), kLabel, 2);
  }
  more(out, f.evidence.size() - shown, "piece of evidence", "pieces of evidence", kLabel);
}

void what_if(std::string& out, const Finding& f) {
  if (f.what_if.empty()) return;
  Table table({{"what if", Align::left, Shrink::middle, 20},
               {"wait ms", Align::right},
               {"against now ms", Align::right}},
              kLabel);
  for (const WhatIf& w : f.what_if) {
    const bool slower = known(w.change_ns) && w.change_ns > 0;
    table.row({safe(w.what), ms_number(w.wait_ns), (slower ? "+" : "") + ms_number(w.change_ns)});
  }
  table.print(out);
}

void changes(std::string& out, const Finding& f) {
  for (const Change& c : f.change) {
    std::string about = safe(c.label);
    if (!c.effort.empty()) about += fmt::format(" (effort: {})", safe(c.effort));
    if (!c.risk.empty()) about += fmt::format("; risk: {}", safe(c.risk));
    paragraph(out, "change", about, kLabel, 2);
    std::string_view rest = c.snippet;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      const std::size_t indent = std::min(line.find_first_not_of(' '), kMaxSnippetIndent);
      paragraph(out, "", safe(line), kLabel + 4 + indent);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
}

void finding(std::string& out, const Report& r, const Finding& f, std::size_t rank) {
  const auto say = [&](std::string_view label, std::string_view text) {
    if (!text.empty()) paragraph(out, label, safe(text), kLabel, 2);
  };
  out += '\n';
  paragraph(out, fmt::format("{}.", rank), fmt::format("{}: {}", safe(f.title), saving(f)), 4);
  paragraph(out, "", key_line(f), 2);
  if (f.done) say("done", done_words(*f.done));
  say("why", f.why);
  say("affects", affected(f));
  if (!f.capacity_only) {
    say("in all", in_all(r, f));
  }
  if (!f.capacity_only && f.after_higher_ranked_ns != f.saving.mid_ns) {
    say("beside", fmt::format("saves about {} once the findings above are done",
                              duration(f.after_higher_ranked_ns)));
  }
  if (f.jitter_ns > 0) {
    say("varies",
        fmt::format("round trips of this capture vary; that alone moves low and high by {}",
                    rounded(f.jitter_ns)));
  }
  say("frees", f.capacity);
  evidence(out, r, f);
  what_if(out, f);
  for (const std::string& warning : f.warnings) say("WARNING", warning);
  changes(out, f);
  say("verify", f.verify);
  say("threshold", f.threshold);
  say("how sure", confidence_sentence(f));
}

/// What was changed already.
void done(std::string& out, const Report& r, std::size_t max_rows) {
  const std::vector<Finding>& all = r.advice.done;
  if (all.empty()) return;
  out += "\nMarked as done, and not recommended again\n";
  const std::size_t shown = max_rows == 0 ? all.size() : std::min(max_rows, all.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Finding& f = all[i];
    paragraph(out, f.rule, fmt::format("{}: {}", safe(f.title), done_words(*f.done)), 26, 2);
    paragraph(out, "", fmt::format("{}; {}", safe(f.scope), cost_before(f)), 26);
  }
  more(out, all.size() - shown, "finding", "findings", 2);
}

void verdicts(std::string& out, const VerdictList& list) {
  out += '\n';
  out += list.title;
  out += '\n';
  for (const Verdict& v : list.verdicts) {
    paragraph(out, v.rule, safe(verdict_words(v)), 26, 2);
  }
}

/// What servers had to carry.
void servers(std::string& out, const Report& r, std::size_t max_rows) {
  if (r.servers.empty()) return;
  const std::size_t shown = max_rows == 0 ? r.servers.size() : std::min(max_rows, r.servers.size());
  Table table({{"server", Align::left, Shrink::middle, 14},
               {"clients", Align::right},
               {"conns/client", Align::right},
               {"open", Align::right},
               {"requests", Align::right},
               {"per s", Align::right},
               {"mean ms", Align::right},
               {"in flight", Align::right},
               {"limit/s", Align::right},
               {"used", Align::right}},
              1);
  for (std::size_t i = 0; i < shown; ++i) table.row(server_cells(r.servers[i]));
  table.drop_if_empty(9);
  table.drop_if_empty(8);
  out += "\nWhat servers had to carry\n";
  table.print(out);
  more(out, r.servers.size() - shown, "server", "servers", 1);
  paragraph(out, "", std::string(about_servers()), 1);
}

}  // namespace

void text_findings(std::string& out, const Report& r, const TextOptions& options) {
  heading(out, "4. What to change", '-');
  text_wait(out, r);
  text_marks(out, r);
  const std::vector<Finding>& all = r.advice.findings;
  if (all.empty() && r.advice.done.empty()) {
    out += "\nNo rule found anything worth changing in this capture.\n";
  }
  std::size_t shown = 0;
  bool capacity_title = false;
  for (const Finding& f : all) {
    if (options.max_rows != 0 && shown == options.max_rows) break;
    if (f.capacity_only && !capacity_title) {
      out += "\nCapacity: no user gets faster, but the load drops\n";
      capacity_title = true;
    }
    finding(out, r, f, ++shown);
  }
  more(out, all.size() - shown, "finding", "findings", 0);
  done(out, r, options.max_rows);
  servers(out, r, options.max_rows);
  for (const VerdictList& list : verdict_lists(r.advice)) verdicts(out, list);
}

}  // namespace wirelag::report
