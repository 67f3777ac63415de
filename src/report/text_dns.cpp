// Part 1: every DNS request and its result.
//
// Few lookups: a block each, with the answer's chain of records and a row per transaction. Many:
// one row per lookup, the names asked most often, and blocks for those that cost most.
#include <map>

#include <fmt/format.h>

#include <wirelag/track/dns/message.hpp>

#include "dns_words.hpp"
#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kAllInDetail = 8;    ///< up to so many lookups get a block each
constexpr std::size_t kWorstInDetail = 3;  ///< else only these
constexpr std::size_t kRecords = 12;       ///< of one answer
constexpr std::size_t kNames = 10;
constexpr std::size_t kWithoutQuestion = 10;
constexpr std::size_t kLabel = 12;

void records(std::string& out, const Report& r, const Lookup& l) {
  Table table({{"", Align::left},
               {"", Align::left, Shrink::middle, 20},
               {"", Align::left},
               {"", Align::left, Shrink::end, 20},
               {"", Align::right}},
              2);
  std::size_t left_out = 0;
  std::vector<DnsRecord> shown;
  for (const LookupMember& m : l.members) {
    if (m.answer != AnswerRole::released && m.answer != AnswerRole::contributed) continue;
    for (DnsRecord& record : decode_answers(r.data.dns()[m.transaction].response)) {
      if (std::find(shown.begin(), shown.end(), record) != shown.end()) continue;
      if (shown.size() == kRecords) {
        ++left_out;
        continue;
      }
      table.row({shown.empty() ? "answer  " : "", safe(record.name), type_name(record.type),
                 safe(record.data), fmt::format("TTL {} s", record.ttl)});
      shown.push_back(std::move(record));
    }
  }
  table.print_rows(out);
  more(out, left_out, "record", "records", kLabel);
}

void transactions(std::string& out, const Report& r, const Lookup& l, std::size_t max_rows) {
  Table table({{"frames", Align::left},
               {"id", Align::left},
               {"type", Align::left},
               {"client", Align::left, Shrink::middle, 15},
               {"resolver", Align::left, Shrink::middle, 15},
               {"result", Align::left},
               {"ms", Align::right},
               {"the answer", Align::left}},
              2);
  const bool one_type = l.qtypes.size() <= 1;
  const std::size_t shown = max_rows == 0 ? l.members.size() : std::min(max_rows, l.members.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const LookupMember& m = l.members[i];
    const DnsTransaction& t = r.data.dns()[m.transaction];
    table.row({query_and_answer_frames(t), fmt::format("0x{:04x}", t.id),
               one_type ? "" : question_type(t), t.client.text(),
               t.resolver.text() + (t.transport == DnsTransport::tcp ? "/tcp" : ""),
               result(r, l, t), ms_number(t.latency_ns()), part_played(r, l, m)});
  }
  if (one_type) table.drop_if_empty(2);
  table.print(out);
  more(out, l.members.size() - shown, "transaction", "transactions", 2);
}

void block(std::string& out, const Report& r, const Lookup& l, std::size_t max_rows) {
  out += '\n';
  paragraph(out, "",
            fmt::format("{} {} asked by {} at {} ms: {}", clip_middle(safe(l.qname), 64), types(l),
                        l.client_ip.text(), at_ms(r, l.start_time_ns), how_it_went(r, l)),
            0);
  records(out, r, l);
  transactions(out, r, l, max_rows);
  for (const std::string& note : lookup_notes(r, l)) paragraph(out, "note", note, kLabel, 2);
}

void lookup_table(std::string& out, const Report& r, const std::vector<const Lookup*>& all,
                  std::size_t max_rows) {
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, *all[a], *all[b]);
  });
  Table table({{"frames", Align::left},
               {"at ms", Align::right},
               {"client", Align::left, Shrink::middle, 12},
               {"name", Align::left, Shrink::middle, 20},
               {"type", Align::left, Shrink::end, 6},
               {"result", Align::left, Shrink::middle, 12},
               {"asked", Align::right},
               {"wait ms", Align::right}},
              2);
  for (const std::size_t i : chosen) {
    const Lookup& l = *all[i];
    table.row({frames(FrameSpan{l.first_frame, l.last_frame}), at_ms(r, l.start_time_ns),
               l.client_ip.text(), safe(l.qname), types(l), short_result(r, l),
               std::to_string(l.members.size()), ms_number(l.wait_ns)});
  }
  out += chosen.size() == all.size()
             ? "\nLookups in order of first frame; asked = transactions it took\n"
             : "\nLookups that failed or waited longest; asked = transactions it took\n";
  table.print(out);
  more(out, all.size() - chosen.size(), "lookup", "lookups", 2);
}

void names_table(std::string& out, const Report& r, const std::vector<const Lookup*>& all) {
  struct Tally {
    std::size_t lookups = 0, failed = 0;
    DurationNs longest_ns = kUnknownNs;
  };
  std::map<std::string_view, Tally> tally;
  for (const Lookup* l : all) {
    Tally& t = tally[l->qname];
    ++t.lookups;
    t.failed += failed(r, *l);
    t.longest_ns = std::max(t.longest_ns, l->wait_ns);
  }
  std::vector<std::pair<std::string_view, Tally>> sorted(tally.begin(), tally.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.lookups > b.second.lookups;
  });
  if (sorted.empty() || sorted.front().second.lookups < 2) return;
  const std::size_t shown = std::min(kNames, sorted.size());
  Table table({{"lookups", Align::right},
               {"failed", Align::right},
               {"longest ms", Align::right},
               {"name", Align::left, Shrink::middle, 20}},
              2);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [qname, t] = sorted[i];
    table.row({std::to_string(t.lookups), std::to_string(t.failed), ms_number(t.longest_ns),
               safe(qname)});
  }
  out += "\nNames asked most often\n";
  table.print(out);
  more(out, sorted.size() - shown, "name", "names", 2);
}

/// Responses whose question was not captured: nothing to measure, but they were there.
void without_question(std::string& out, const Report& r, std::size_t max_rows) {
  const std::size_t limit = max_rows == 0 ? SIZE_MAX : std::min(max_rows, kWithoutQuestion);
  Table table({{"frames", Align::left},
               {"id", Align::left},
               {"type", Align::left},
               {"client", Align::left, Shrink::middle, 16},
               {"resolver", Align::left, Shrink::middle, 16},
               {"result", Align::left},
               {"name", Align::left, Shrink::middle, 16}},
              2);
  std::size_t hidden = 0;
  for (const DnsTransaction& t : r.data.dns()) {
    if (t.outcome != DnsOutcome::response_only) continue;
    if (table.rows() == limit) {
      ++hidden;
      continue;
    }
    table.row({query_and_answer_frames(t), fmt::format("0x{:04x}", t.id), question_type(t),
               t.client.text(), t.resolver.text(), result(t), safe(t.qname)});
  }
  if (table.empty()) return;
  out += "\nResponses whose question was not captured\n";
  table.print(out);
  more(out, hidden, "response", "responses", 2);
}

}  // namespace

void text_dns(std::string& out, const Report& r, const TextOptions& options) {
  heading(out, "1. DNS: every request and its result", '-');
  if (r.data.dns().empty()) {
    out += "No DNS in this capture.\n";
    return;
  }
  const std::vector<const Lookup*> all = asked_lookups(r);
  paragraph(out, "", dns_totals(r, all) + " Frames are query / answer.", 0);
  const bool few = all.size() <= kAllInDetail;
  if (!few) {
    lookup_table(out, r, all, options.max_rows);
    names_table(out, r, all);
    out += "\nIn detail: those that failed or waited longest\n";
  }
  const auto detailed =
      choose(all.size(), few ? kAllInDetail : kWorstInDetail,
             [&](std::size_t a, std::size_t b) { return costs_more(r, *all[a], *all[b]); });
  for (const std::size_t i : detailed) block(out, r, *all[i], options.max_rows);
  without_question(out, r, options.max_rows);
}

}  // namespace wirelag::report
