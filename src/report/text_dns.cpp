// Part 1: every DNS request and its result.
//
// Few lookups: a block each, with the answer's chain of records and a row per transaction. Many:
// one row per lookup, the names asked most often, and blocks for those that cost most.
#include <map>

#include <fmt/format.h>

#include <wirelag/track/dns/message.hpp>

#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "text_dns_notes.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kAllInDetail = 8;    ///< up to so many lookups get a block each
constexpr std::size_t kWorstInDetail = 3;  ///< else only these
constexpr std::size_t kRecords = 12;       ///< of one answer
constexpr std::size_t kNames = 10;
constexpr std::size_t kWithoutQuestion = 10;
constexpr std::size_t kLabel = 12;

/// Lookups whose question was captured: the others are listed apart.
std::vector<const Lookup*> asked_lookups(const Report& r) {
  std::vector<const Lookup*> asked;
  for (const Lookup& l : r.correlation.lookups) {
    if (l.outcome != DnsOutcome::response_only) asked.push_back(&l);
  }
  return asked;
}

bool failed(DnsOutcome o) {
  return o == DnsOutcome::unanswered || o == DnsOutcome::failed || o == DnsOutcome::nxdomain;
}

/// Unanswered and failed first, then by what the user waited.
bool costs_more(const Lookup& a, const Lookup& b) {
  const auto rank = [](const Lookup& l) {
    return l.outcome == DnsOutcome::unanswered ? 2 : failed(l.outcome) ? 1 : 0;
  };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return a.wait_ns > b.wait_ns;
}

std::string types(const Lookup& l) {
  std::string text;
  for (const std::uint16_t t : l.qtypes) text += (text.empty() ? "" : ",") + type_name(t);
  return text;
}

/// When the answer that mattered came: the winner's of several forwarded ones, else the release.
TimeNs decisive_ns(const Report& r, const Lookup& l) {
  for (const LookupMember& m : l.members) {
    if (m.answer == AnswerRole::won) return r.data.dns()[m.transaction].response_ns;
  }
  return l.end_time_ns;
}

/// What the answer did, short enough for a table.
std::string part_played(const Report& r, const Lookup& l, const LookupMember& m) {
  const DnsTransaction& t = r.data.dns()[m.transaction];
  switch (m.answer) {
    case AnswerRole::released: return "released the user";
    case AnswerRole::won: return "won";
    case AnswerRole::contributed: return "needed too";
    case AnswerRole::unanswered: return "unanswered";
    case AnswerRole::spare: {
      const DurationNs late = elapsed_ns(l.end_time_ns, t.response_ns);
      if (known(late) && late > 0) return fmt::format("too late +{}", duration(late));
      const DurationNs behind = elapsed_ns(decisive_ns(r, l), t.response_ns);
      return known(behind) ? fmt::format("spare +{}", duration(behind)) : "spare";
    }
  }
  return "";
}

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
               t.resolver.text() + (t.transport == DnsTransport::tcp ? "/tcp" : ""), result(t),
               ms_number(t.latency_ns()), part_played(r, l, m)});
  }
  if (one_type) table.drop_if_empty(2);
  table.print(out);
  more(out, l.members.size() - shown, "transaction", "transactions", 2);
}

std::string waited(const Report& r, const Lookup& l) {
  if (known(l.wait_ns)) return fmt::format("waited {}", duration(l.wait_ns));
  const DurationNs until_end = elapsed_ns(l.start_time_ns, r.capture.last_time_ns);
  if (l.outcome != DnsOutcome::unanswered || !known(until_end)) return "wait not known";
  return fmt::format("still waiting when the capture ended {} later", duration(until_end));
}

void block(std::string& out, const Report& r, const Lookup& l, std::size_t max_rows) {
  out += '\n';
  paragraph(
      out, "",
      fmt::format("{} {} asked by {} at {} ms: {}, {}", clip_middle(safe(l.qname), 64), types(l),
                  l.client_ip.text(), at_ms(r, l.start_time_ns), waited(r, l), name(l.outcome)),
      0);
  records(out, r, l);
  transactions(out, r, l, max_rows);
  for (const std::string& note : lookup_notes(r, l)) paragraph(out, "note", note, kLabel, 2);
}

std::string short_result(const Report& r, const Lookup& l) {
  if (!l.addresses.empty()) {
    const std::size_t others = l.addresses.size() - 1;
    return l.addresses.front().text() + (others > 0 ? fmt::format(" +{}", others) : "");
  }
  if (l.outcome == DnsOutcome::answered && l.released_by != Dataset::kNone) {
    const auto records = decode_answers(r.data.dns()[l.released_by].response);
    if (!records.empty()) return safe(records.back().data);
  }
  return std::string(name(l.outcome));
}

void lookup_table(std::string& out, const Report& r, const std::vector<const Lookup*>& all,
                  std::size_t max_rows) {
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(*all[a], *all[b]);
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

void names_table(std::string& out, const std::vector<const Lookup*>& all) {
  struct Tally {
    std::size_t lookups = 0, failed = 0;
    DurationNs longest_ns = kUnknownNs;
  };
  std::map<std::string_view, Tally> tally;
  for (const Lookup* l : all) {
    Tally& t = tally[l->qname];
    ++t.lookups;
    t.failed += failed(l->outcome);
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

std::string totals(const Report& r, const std::vector<const Lookup*>& asked) {
  std::map<DnsOutcome, std::size_t> outcomes;
  std::size_t transactions = 0;
  for (const Lookup* l : asked) {
    ++outcomes[l->outcome];
    transactions += l->members.size();
  }
  std::string text =
      fmt::format("{} in {}", count(asked.size(), "lookup"), count(transactions, "transaction"));
  std::string_view separator = ": ";
  for (const auto& [outcome, n] : outcomes) {
    text += fmt::format("{}{} {}", separator, n, name(outcome));
    separator = ", ";
  }
  if (r.data.dns().size() > transactions) {
    text += fmt::format("; {} without a captured question",
                        count(r.data.dns().size() - transactions, "response"));
  }
  return text + ". Frames are query / answer.";
}

}  // namespace

void text_dns(std::string& out, const Report& r, const TextOptions& options) {
  heading(out, "1. DNS: every request and its result", '-');
  if (r.data.dns().empty()) {
    out += "No DNS in this capture.\n";
    return;
  }
  const std::vector<const Lookup*> all = asked_lookups(r);
  paragraph(out, "", totals(r, all), 0);
  const bool few = all.size() <= kAllInDetail;
  if (!few) {
    lookup_table(out, r, all, options.max_rows);
    names_table(out, all);
    out += "\nIn detail: those that failed or waited longest\n";
  }
  const auto detailed =
      choose(all.size(), few ? kAllInDetail : kWorstInDetail,
             [&](std::size_t a, std::size_t b) { return costs_more(*all[a], *all[b]); });
  for (const std::size_t i : detailed) block(out, r, *all[i], options.max_rows);
  without_question(out, r, options.max_rows);
}

}  // namespace wirelag::report
