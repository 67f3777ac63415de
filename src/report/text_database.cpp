// Databases and caches: one row per server and statement, those that made clients wait longest in
// total first, and the requests that failed or waited longest, with their frames.
#include "choose.hpp"
#include "database_words.hpp"
#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

void shape_table(std::string& out, const Report& r, std::size_t max_rows) {
  const std::vector<StatementRow> rows = statement_rows(r.data);
  const std::size_t shown = max_rows == 0 ? rows.size() : std::min(max_rows, rows.size());
  Table table({{"server", Align::left, Shrink::middle, 14},
               {"", Align::left},
               {"n", Align::right},
               {"errors", Align::right},
               {"no answer", Align::right},
               {"p50 ms", Align::right},
               {"p95 ms", Align::right},
               {"longest ms", Align::right},
               {"sum ms", Align::right},
               {"statement", Align::left, Shrink::end, 16}},
              1);
  for (std::size_t i = 0; i < shown; ++i) {
    const StatementRow& s = rows[i];
    const auto nonzero = [](std::size_t n) {
      return n > 0 ? std::to_string(n) : std::string(kNone);
    };
    table.row({s.server.text(), std::string(name(s.protocol)), std::to_string(s.requests),
               nonzero(s.errors), nonzero(s.unanswered), ms_or_none(s.p50_ns), ms_or_none(s.p95_ns),
               ms_or_none(s.longest_ns), ms_or_none(s.sum_ns), safe(s.statement)});
  }
  table.drop_if_empty(6);
  table.drop_if_empty(4);
  table.drop_if_empty(3);
  out += "\nWhat was asked (wait = end of the request to the first byte of its response)\n";
  table.print(out);
  more(out, rows.size() - shown, "statement", "statements", 1);
}

void example_table(std::string& out, const Report& r, std::size_t max_rows) {
  const Transactions<DatabaseTransaction>& all = r.data.database();
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(r.data, all[a], all[b]);
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
    table.row({c == Dataset::kNone ? std::string(kNone) : std::to_string(Dataset::connection_id(c)),
               at_ms(r, t.request_first_ns),
               frames(t.request_frames) + " / " + frames(t.response_frames),
               ms_or_none(t.server_wait_ns()), ms_or_none(t.transfer_ns()), note(r.data, t),
               safe(shape_of(t))});
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
  const Transactions<DatabaseTransaction>& all = r.data.database();
  if (all.empty()) return;
  heading(out, "Databases and caches", '-');
  shape_table(out, r, options.max_rows);
  example_table(out, r, options.max_rows);
  out += '\n';
}

}  // namespace wirelag::report
