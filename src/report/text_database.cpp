// Databases and caches: one row per server and statement, those that made clients wait longest in
// total first, and the requests that failed or waited longest, with their frames.
#include <cctype>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

struct Shape {
  std::vector<DurationNs> waits_ns;  ///< of those that do not wait by design
  std::size_t requests = 0;
  std::size_t errors = 0;
  std::size_t unanswered = 0;
  DurationNs sum_ns = 0;
};
using ShapeKey = std::tuple<Endpoint, Protocol, std::string>;

bool unanswered(const DatabaseTransaction& t) { return !known(t.response_first_ns) && !t.no_reply; }

/// The statement, with the operation before it when it does not begin with that word: to prepare a
/// statement is another thing than to execute it. A login has its operation only.
std::string shape_of(const DatabaseTransaction& t) {
  const auto same = [](char a, char b) { return std::toupper(a) == std::toupper(b); };
  const std::string_view begin = t.fingerprint.substr(0, t.operation.size());
  const bool said =
      std::equal(begin.begin(), begin.end(), t.operation.begin(), t.operation.end(), same);
  if (said) return std::string(t.fingerprint);
  return fmt::format("{}{}{}", t.operation, t.fingerprint.empty() ? "" : " ", t.fingerprint);
}

DurationNs quantile(const std::vector<DurationNs>& sorted, double q) {
  if (sorted.empty()) return kUnknownNs;
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(sorted.size()) + 0.999999);
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::string ms_or_none(DurationNs ns) { return known(ns) ? ms_number(ns) : std::string(kNone); }

std::map<ShapeKey, Shape> shapes(const std::vector<DatabaseTransaction>& all) {
  std::map<ShapeKey, Shape> out;
  for (const DatabaseTransaction& t : all) {
    Shape& s = out[{t.server, t.protocol, shape_of(t)}];
    ++s.requests;
    s.errors += t.error ? 1 : 0;
    s.unanswered += unanswered(t) ? 1 : 0;
    if (t.waits_by_design || !known(t.server_wait_ns())) continue;
    s.waits_ns.push_back(t.server_wait_ns());
    s.sum_ns = plus_ns(s.sum_ns, t.server_wait_ns());
  }
  for (auto& [key, s] : out) std::sort(s.waits_ns.begin(), s.waits_ns.end());
  return out;
}

void shape_table(std::string& out, const std::vector<DatabaseTransaction>& all,
                 std::size_t max_rows) {
  const std::map<ShapeKey, Shape> by_key = shapes(all);
  std::vector<const std::pair<const ShapeKey, Shape>*> rows;
  rows.reserve(by_key.size());
  for (const auto& row : by_key) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(),
                   [](auto* a, auto* b) { return a->second.sum_ns > b->second.sum_ns; });
  const std::size_t shown = max_rows == 0 ? rows.size() : std::min(max_rows, rows.size());
  Table table({{"server", Align::left, Shrink::middle, 14},
               {"", Align::left},
               {"n", Align::right},
               {"errors", Align::right},
               {"no answer", Align::right},
               {"p50 ms", Align::right},
               {"p95 ms", Align::right},
               {"sum ms", Align::right},
               {"statement", Align::left, Shrink::end, 16}},
              1);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [server, protocol, shape] = rows[i]->first;
    const Shape& s = rows[i]->second;
    const auto nonzero = [](std::size_t n) {
      return n > 0 ? std::to_string(n) : std::string(kNone);
    };
    table.row({server.text(), std::string(name(protocol)), std::to_string(s.requests),
               nonzero(s.errors), nonzero(s.unanswered), ms_or_none(quantile(s.waits_ns, 0.5)),
               ms_or_none(quantile(s.waits_ns, 0.95)),
               s.waits_ns.empty() ? std::string(kNone) : ms_number(s.sum_ns), safe(shape)});
  }
  table.drop_if_empty(4);
  table.drop_if_empty(3);
  out += "\nWhat was asked (wait = end of the request to the first byte of its response)\n";
  table.print(out);
  more(out, rows.size() - shown, "statement", "statements", 1);
}

std::string note(const DatabaseTransaction& t) {
  std::string text;
  const auto add = [&text](std::string_view what) {
    if (!text.empty()) text += ", ";
    text += what;
  };
  if (t.error) add(t.error_code.empty() ? "error" : "error " + safe(t.error_code));
  if (unanswered(t)) add("no response");
  if (known(t.response_first_ns) && !t.response_complete) add("response cut");
  if (t.waits_by_design) add("waits by design");
  if (t.pipelined) add(fmt::format("pipelined, {} in flight", t.depth));
  if (t.statements > 1) add(fmt::format("{} statements", t.statements));
  return text.empty() ? std::string(kNone) : text;
}

bool costs_more(const DatabaseTransaction& a, const DatabaseTransaction& b) {
  const auto failed = [](const DatabaseTransaction& t) { return t.error || unanswered(t); };
  if (failed(a) != failed(b)) return failed(a);
  if (a.waits_by_design != b.waits_by_design) return b.waits_by_design;
  return a.server_wait_ns() > b.server_wait_ns();
}

void example_table(std::string& out, const Report& r, std::size_t max_rows) {
  const std::vector<DatabaseTransaction>& all = r.data.database();
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(all[a], all[b]);
  });
  Table table({{"id", Align::right},
               {"at ms", Align::right},
               {"frames", Align::left},
               {"wait ms", Align::right},
               {"transfer ms", Align::right},
               {"note", Align::left, Shrink::end, 12},
               {"statement", Align::left, Shrink::end, 16}},
              1);
  for (const std::size_t i : chosen) {
    const DatabaseTransaction& t = all[i];
    const std::size_t c = r.data.connection_index(t.connection);
    table.row(
        {c == Dataset::kNone ? std::string(kNone) : std::to_string(Dataset::connection_id(c)),
         at_ms(r, t.request_first_ns), frames(t.request_frames) + " / " + frames(t.response_frames),
         ms_or_none(t.server_wait_ns()), ms_or_none(t.transfer_ns()), note(t), safe(shape_of(t))});
  }
  table.drop_if_empty(5);
  out += chosen.size() == all.size()
             ? "\nRequests, in order of first frame (id = connection)\n"
             : "\nRequests that failed or waited longest (id = connection)\n";
  table.print(out);
  more(out, all.size() - chosen.size(), "request", "requests", 1);
}

}  // namespace

void text_database(std::string& out, const Report& r, const TextOptions& options) {
  const std::vector<DatabaseTransaction>& all = r.data.database();
  if (all.empty()) return;
  heading(out, "Databases and caches", '-');
  shape_table(out, all, options.max_rows);
  example_table(out, r, options.max_rows);
  out += '\n';
}

}  // namespace wirelag::report
