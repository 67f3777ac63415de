// The origin's questions 1 to 3: every DNS request and its result, every channel and why, one
// handshake frame by frame; and what the capture let be seen.
#include <algorithm>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/track/dns/message.hpp>

#include "../choose.hpp"
#include "../database_words.hpp"
#include "../dns_words.hpp"
#include "../explain.hpp"
#include "../explain_words.hpp"
#include "../format.hpp"
#include "../task_words.hpp"
#include "../tcp_words.hpp"
#include "../visibility.hpp"
#include "../words.hpp"
#include "sections.hpp"

namespace wirelag::report::html {
namespace {

constexpr std::size_t kLookupsInDetail = 5;
constexpr std::size_t kRecords = 12;
constexpr std::size_t kMembers = 12;
constexpr std::size_t kMaxText = 200;

std::string clipped(std::string_view wire) {
  return wire.size() <= kMaxText ? std::string(wire) : std::string(wire.substr(0, kMaxText)) + "…";
}

// ------------------------------------------------------------------------------------------ DNS

void lookups(Writer& w, const Report& r, const std::vector<const Lookup*>& all) {
  const auto chosen = choose(all.size(), kRows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, *all[a], *all[b]);
  });
  {
    Table t(w, chosen.size() == all.size() ? "Lookups" : "Lookups that failed or waited longest",
            {{"frames"},
             {"at ms", true},
             {"client"},
             {"name"},
             {"type"},
             {"result"},
             {"transactions", true},
             {"wait ms", true}});
    for (const std::size_t i : chosen) {
      const Lookup& l = *all[i];
      t.row({frames(FrameSpan{l.first_frame, l.last_frame}), at_ms(r, l.start_time_ns),
             l.client_ip.text(), clipped(l.qname), types(l), short_result(r, l),
             std::to_string(l.members.size()), ms_number(l.wait_ns)},
            failed(r, l) ? "bad" : "");
    }
  }
  and_more(w, all.size() - chosen.size(), "lookup");
}

void records(Writer& w, const Report& r, const Lookup& l) {
  std::vector<DnsRecord> shown;
  std::size_t left_out = 0;
  for (const LookupMember& m : l.members) {
    if (m.answer != AnswerRole::released && m.answer != AnswerRole::contributed) continue;
    for (DnsRecord& record : decode_answers(r.data.dns()[m.transaction].response)) {
      if (std::find(shown.begin(), shown.end(), record) != shown.end()) continue;
      if (shown.size() == kRecords) {
        ++left_out;
      } else {
        shown.push_back(std::move(record));
      }
    }
  }
  if (shown.empty()) return;
  {
    const auto list = w.element("ul", {{"class", "evidence"}});
    for (const DnsRecord& record : shown) {
      w.leaf("li", fmt::format("{} {} {} (TTL {} s)", clipped(record.name), type_name(record.type),
                               clipped(record.data), record.ttl));
    }
  }
  and_more(w, left_out, "record");
}

void lookup(Writer& w, const Report& r, const Lookup& l) {
  const auto box = w.element("article", {{"class", "card"}});
  w.leaf("h4", fmt::format("{} {} asked by {}: {}", clipped(l.qname), types(l), l.client_ip.text(),
                           how_it_went(r, l)));
  records(w, r, l);
  {
    Table t(w, "",
            {{"frames, query / answer"},
             {"client"},
             {"resolver"},
             {"type"},
             {"result"},
             {"answered after, ms", true},
             {"the answer"}});
    for (std::size_t i = 0; i < std::min(kMembers, l.members.size()); ++i) {
      const DnsTransaction& d = r.data.dns()[l.members[i].transaction];
      t.row({query_and_answer_frames(d), d.client.text(),
             d.resolver.text() + (d.transport == DnsTransport::tcp ? "/tcp" : ""), question_type(d),
             result(r, l, d), ms_number(d.latency_ns()), part_played(r, l, l.members[i])});
    }
  }
  and_more(w, l.members.size() - std::min(kMembers, l.members.size()), "transaction");
  for (const std::string& note : lookup_notes(r, l)) w.leaf("p", note, {{"class", "note"}});
}

// ------------------------------------------------------------------------------------- channels

void channels(Writer& w, const Report& r) {
  const Transactions<Connection>& all = r.data.connections();
  const auto chosen = choose(all.size(), kRows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, all[a], all[b]);
  });
  {
    Table t(w,
            chosen.size() == all.size() ? "Connections"
                                        : "Connections that failed or took longest to open",
            {{"#", true},
             {"client"},
             {"server"},
             {"frames SYN / SYN-ACK / ACK"},
             {"connect ms", true},
             {"server half ms", true},
             {"client half ms", true},
             {"tasks", true},
             {"bytes down", true},
             {"why it was opened"}});
    for (const std::size_t i : chosen) {
      const Connection& c = all[i];
      const Channel& channel = r.correlation.channels[i];
      const std::string server = server_name(r, i);
      const std::string state = why_incomplete(r, c);
      t.row({std::to_string(Dataset::connection_id(i)), c.client.text(),
             server.empty() ? c.server.text()
                            : fmt::format("{} ({})", c.server.text(), clipped(server)),
             handshake_frames(c), ms_number(c.connect_time_ns), ms_number(c.rtt_probe_server_ns),
             ms_number(c.rtt_probe_client_ns), task_count(channel), bytes(c.half.s2c.payload_bytes),
             state.empty() ? why_opened(r, channel) : state},
            failed(r, c) ? "bad" : "");
    }
  }
  and_more(w, all.size() - chosen.size(), "connection");
}

void tasks(Writer& w, const Report& r) {
  const Transactions<HttpTransaction>& all = r.data.http();
  if (all.empty()) return;
  const auto chosen = choose(all.size(), kRows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, all[a], all[b]);
  });
  {
    Table t(w,
            chosen.size() == all.size() ? "Tasks: what they carried"
                                        : "Tasks without a response, or slowest",
            {{"#", true},
             {"frames, request / response"},
             {"at ms", true},
             {"request"},
             {"status"},
             {"size", true},
             {"server wait ms", true},
             {"transfer ms", true}});
    for (const std::size_t i : chosen) {
      const HttpTransaction& h = all[i];
      const std::size_t c = r.data.connection_index(h.connection);
      t.row({c == Dataset::kNone ? std::string(kNone) : std::to_string(Dataset::connection_id(c)),
             frames(h.request_frames) + " / " + frames(h.response_frames),
             at_ms(r, known(h.request_first_ns) ? h.request_first_ns : h.response_first_ns),
             clipped(request(h)), status(r, h),
             known(h.response_first_ns) ? bytes(h.response_bytes) : std::string(kNone),
             ms_number(h.server_wait_ns()), ms_number(h.transfer_ns())},
            h.unanswered() && !unfinished(r.data, h) ? "bad" : "");
    }
  }
  and_more(w, all.size() - chosen.size(), "request");
}

// ------------------------------------------------------------------------------------ handshake

void segment(Writer& w, const ExplainedSegment& e) {
  const HandshakeSegment& s = e.segment;
  const auto item = w.element("li");
  {
    const auto line = w.element("p");
    w.leaf("b", s.frame != 0 ? fmt::format("frame {}", s.frame) : "segment");
    w.text(fmt::format(" {}: client {} server, {}",
                       known(e.offset_ns) ? "+" + ms_number(e.offset_ns) + " ms" : "time unknown",
                       s.direction == Direction::c2s ? "→" : "←", tcp_flags(s.flags)));
  }
  w.leaf("p", e.meaning);
  const auto list = w.element("dl", {{"class", "facts"}});
  const auto fact = [&w](std::string_view label, std::string_view text) {
    w.leaf("dt", label);
    w.leaf("dd", text);
  };
  fact("numbers", numbers_words(e));
  if (!(s.flags & tcp_flag::rst)) {
    fact("window", window_words(e));
    fact("options", options_words(s.options, (s.flags & tcp_flag::syn) != 0));
  }
  fact("states", states_words(e));
}

}  // namespace

void dns_tables(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "dns"}});
  w.leaf("h2", "1. DNS: every request and its result");
  if (r.data.dns().empty()) {
    w.leaf("p", "No DNS in this capture.");
    return;
  }
  const std::vector<const Lookup*> all = asked_lookups(r);
  w.leaf("p", dns_totals(r, all));
  if (all.size() > 1) lookups(w, r, all);
  const auto detailed = choose(all.size(), kLookupsInDetail, [&](std::size_t a, std::size_t b) {
    return costs_more(r, *all[a], *all[b]);
  });
  if (all.size() > detailed.size()) w.leaf("h3", "In detail: those that failed or waited longest");
  for (const std::size_t i : detailed) lookup(w, r, *all[i]);
}

void channel_tables(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "channels"}});
  w.leaf("h2", "2. TCP channels: how many, what for, and why");
  if (r.data.connections().empty()) {
    w.leaf("p", "No TCP connection in this capture.");
    return;
  }
  w.leaf("p", channel_totals(r));
  channels(w, r);
  tasks(w, r);
  w.leaf("p",
         "connect: first SYN to the ACK that completes the handshake. server half, client half: "
         "capture point to that side and back. server wait: end of the request to the first byte "
         "of the response. -: not seen or not measurable.",
         {{"class", "note"}});
}

void database_tables(Writer& w, const Report& r) {
  const Transactions<DatabaseTransaction>& all = r.data.database();
  if (all.empty()) return;
  const auto section = w.element("section", {{"id", "databases"}});
  w.leaf("h2", "Databases and caches");
  const std::vector<StatementRow> rows = statement_rows(r.data);
  const std::size_t shown = std::min(kRows, rows.size());
  {
    Table t(w, "What was asked, longest wait in all first",
            {{"server"},
             {"protocol"},
             {"statement"},
             {"requests", true},
             {"errors", true},
             {"no answer", true},
             {"p50 ms", true},
             {"p95 ms", true},
             {"longest ms", true},
             {"sum ms", true}});
    for (std::size_t i = 0; i < shown; ++i) {
      const StatementRow& s = rows[i];
      t.row({s.server.text(), std::string(name(s.protocol)), clipped(s.statement),
             std::to_string(s.requests), std::to_string(s.errors), std::to_string(s.unanswered),
             ms_or_none(s.p50_ns), ms_or_none(s.p95_ns), ms_or_none(s.longest_ns),
             ms_or_none(s.sum_ns)},
            s.errors + s.unanswered > 0 ? "bad" : "");
    }
  }
  and_more(w, rows.size() - shown, "statement");
  const auto chosen = choose(all.size(), kRows, [&](std::size_t a, std::size_t b) {
    return report::costs_more(r.data, all[a], all[b]);
  });
  {
    Table t(w, chosen.size() == all.size() ? "Requests" : "Requests that failed or waited longest",
            {{"#", true},
             {"at ms", true},
             {"frames"},
             {"statement"},
             {"wait ms", true},
             {"transfer ms", true},
             {"note"}});
    for (const std::size_t i : chosen) {
      const DatabaseTransaction& d = all[i];
      const std::size_t c = r.data.connection_index(d.connection);
      t.row({c == Dataset::kNone ? std::string(kNone) : std::to_string(Dataset::connection_id(c)),
             at_ms(r, d.request_first_ns),
             frames(d.request_frames) + " / " + frames(d.response_frames), clipped(shape_of(d)),
             ms_or_none(d.server_wait_ns()), ms_or_none(d.transfer_ns()), note(r.data, d)});
    }
  }
  and_more(w, all.size() - chosen.size(), "request");
  w.leaf("p", "wait: end of the request to the first byte of its response, a round trip included.",
         {{"class", "note"}});
}

void handshake(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "handshake"}});
  w.leaf("h2", "3. A handshake, frame by frame");
  const std::size_t index = slowest_handshake(r);
  if (index == Dataset::kNone) {
    w.leaf("p", "No handshake in this capture.");
    return;
  }
  const Connection& c = r.data.connections()[index];
  const std::string server = server_name(r, index);
  w.leaf("p", fmt::format("{}#{}: client {}, server {}{}",
                          c.state == ConnectionState::complete ? "The slowest one, " : "",
                          Dataset::connection_id(index), c.client.text(), c.server.text(),
                          server.empty() ? "" : " (" + clipped(server) + ")"));
  const std::string incomplete = why_incomplete(r, c);
  if (!incomplete.empty()) w.leaf("p", incomplete + ".");
  {
    const auto list = w.element("ol", {{"class", "segments"}});
    for (const ExplainedSegment& e : explain(c)) segment(w, e);
  }
  const std::string sum = connect_sum(c);
  if (!sum.empty()) w.leaf("p", sum);
  const std::string where = position(c);
  if (!where.empty()) w.leaf("p", where);
}

void sight_section(Writer& w, const Report& r) {
  const auto section = w.element("section", {{"id", "visibility"}});
  w.leaf("h2", "What was captured, and what was not");
  const CaptureBlock& c = r.capture;
  std::string links;
  for (const std::string& link : c.link_types) links += ", " + link;
  {
    const auto list = w.element("dl", {{"class", "facts"}});
    const auto fact = [&w](std::string_view label, std::string_view text) {
      if (text.empty()) return;
      w.leaf("dt", label);
      w.leaf("dd", text);
    };
    fact("capture", fmt::format("{} ({}{})", c.name, c.format, links));
    fact("packets", packets(r));
    fact("begins", utc(c.first_time_ns));
    fact("lasts", duration(elapsed_ns(c.first_time_ns, c.last_time_ns)));
    fact("holds", contents(r));
    fact("cut short", c.cut_short);
    fact("visibility", sight(r));
  }
  std::vector<std::string> limits = sight_limits(r);
  for (std::string& reason : not_analysed_reasons(r)) {
    limits.push_back("not analysed: " + reason);
  }
  for (std::string& note : counter_notes(r)) limits.push_back(std::move(note));
  if (limits.empty()) return;
  const auto list = w.element("ul", {{"class", "evidence"}});
  for (const std::string& limit : limits) w.leaf("li", limit);
}

}  // namespace wirelag::report::html
