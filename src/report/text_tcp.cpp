// Part 2: every TCP channel: its frames, what connecting cost, what it was used for, why it was
// opened.
//
// Few connections: the table, then a block each. Many: the table of those that failed or took
// longest, who opened how many, the reasons counted, and the slowest tasks.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include <wirelag/control/phases.hpp>

#include "format.hpp"
#include "table.hpp"
#include "tcp_words.hpp"
#include "text.hpp"
#include "text_tasks.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kAllInDetail = 12;  ///< up to so many connections get a block each
constexpr std::size_t kPairs = 10;

void complete_table(std::string& out, const Report& r, const std::vector<std::size_t>& rows) {
  Table table({{"id", Align::right},
               {"client", Align::left, Shrink::middle, 14},
               {"server", Align::left, Shrink::middle, 14},
               {"frames", Align::left},
               {"connect", Align::right},
               {"resent", Align::right},
               {"server", Align::right},
               {"client", Align::right},
               {"tasks", Align::right}},
              1);
  for (const std::size_t i : rows) {
    const Connection& c = r.data.connections()[i];
    const Channel& channel = r.correlation.channels[i];
    table.row({std::to_string(Dataset::connection_id(i)), c.client.text(), c.server.text(),
               handshake_frames(c), ms_number(c.connect_time_ns), resend_wait(c),
               ms_number(c.rtt_probe_server_ns), ms_number(c.rtt_probe_client_ns),
               task_count(channel)});
  }
  table.drop_if_empty(5);
  table.print(out);
}

void incomplete_table(std::string& out, const Report& r, const std::vector<std::size_t>& rows) {
  Table table({{"id", Align::right},
               {"client", Align::left, Shrink::middle, 14},
               {"server", Align::left, Shrink::middle, 14},
               {"state", Align::left},
               {"frames", Align::left, Shrink::end, 12},
               {"lasted", Align::right},
               {"tasks", Align::right}},
              1);
  for (const std::size_t i : rows) {
    const Connection& c = r.data.connections()[i];
    const Channel& channel = r.correlation.channels[i];
    table.row({std::to_string(Dataset::connection_id(i)), c.client.text(), c.server.text(),
               state(r, c), handshake_frames(c),
               ms_number(elapsed_ns(c.start_time_ns, c.last_time_ns)), task_count(channel)});
  }
  table.print(out);
}

using PrintTable = void (*)(std::string&, const Report&, const std::vector<std::size_t>&);

void connection_table(std::string& out, const Report& r, std::size_t max_rows, bool complete,
                      std::string_view title, PrintTable print) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < r.data.connections().size(); ++i) {
    if ((r.data.connections()[i].state == ConnectionState::complete) == complete) rows.push_back(i);
  }
  if (rows.empty()) return;
  std::vector<std::size_t> shown;
  for (const std::size_t i : choose(rows.size(), max_rows, [&](std::size_t a, std::size_t b) {
         return costs_more(r, r.data.connections()[rows[a]], r.data.connections()[rows[b]]);
       })) {
    shown.push_back(rows[i]);
  }
  out += fmt::format(
      "\n{}{} (times in ms; frames: SYN / SYN-ACK / ACK)\n", title,
      shown.size() < rows.size() ? complete ? ", the slowest" : ", failed ones first" : "");
  print(out, r, shown);
  more(out, rows.size() - shown.size(), "connection", "connections", 1);
}

void connection_tables(std::string& out, const Report& r, std::size_t max_rows) {
  connection_table(out, r, max_rows, false, "Without a complete handshake", incomplete_table);
  connection_table(out, r, max_rows, true, "Complete handshakes", complete_table);
  const auto complete = [](const Connection& c) { return c.state == ConnectionState::complete; };
  if (std::any_of(r.data.connections().begin(), r.data.connections().end(), complete)) {
    paragraph(out, "",
              "connect = first SYN to completing ACK; server = capture point to server and back; "
              "client = capture point to client and back; - = not measurable; busy = a request "
              "unanswered or a handshake going on.",
              1);
  }
}

void block(std::string& out, const Report& r, std::size_t index, std::size_t max_rows) {
  const Connection& c = r.data.connections()[index];
  const Channel& channel = r.correlation.channels[index];
  const std::string server = server_name(r, index);
  std::string title =
      fmt::format("#{} {} -> {}", Dataset::connection_id(index), c.client.text(), c.server.text());
  if (!server.empty()) title += fmt::format(" ({})", clip_middle(server, 48));
  if (c.protocol != Protocol::unknown) title += fmt::format(" {}", name(c.protocol));
  if (c.service != kNoService) title += fmt::format(" service={}", service_name(r, c.service));
  out += '\n';
  paragraph(out, "", title, 0);
  const std::string incomplete = why_incomplete(r, c);
  if (!incomplete.empty()) paragraph(out, "state", incomplete, kBlockLabel, 2);
  if (channel.purpose != ChannelPurpose::unknown || incomplete.empty()) {
    paragraph(out, "why", why_opened(r, channel), kBlockLabel, 2);
  }
  const bool nothing_sent = c.half.c2s.payload_bytes + c.half.s2c.payload_bytes == 0;
  if (!unopened(c) || !nothing_sent) paragraph(out, "data", traffic(c), kBlockLabel, 2);
  const std::string time = whereabouts(phases_of(r.data, channel));
  if (!time.empty()) paragraph(out, "time", time, kBlockLabel, 2);
  if (channel.tls != Dataset::kNone) text_tls_task(out, r.data.tls()[channel.tls]);
  text_dns_tasks(out, r, channel.dns, max_rows);
  if (!channel.http.empty()) {
    text_http_tasks(out, r, channel.http, max_rows);
  } else if (channel.dns.empty() && !unopened(c)) {
    paragraph(out, "task", other_tasks(c, channel), kBlockLabel, 2);
  }
}

void reasons_table(std::string& out, const Report& r) {
  struct Tally {
    std::size_t connections = 0;
    std::size_t example = 0;
  };
  std::map<ChannelPurpose, Tally> tally;
  for (std::size_t i = 0; i < r.correlation.channels.size(); ++i) {
    Tally& t = tally[r.correlation.channels[i].purpose];
    if (t.connections++ == 0) t.example = i;
  }
  out += "\nWhy they were opened\n";
  for (const auto& [purpose, t] : tally) {
    paragraph(out, fmt::format("{:>8} {}", t.connections, name(purpose)),
              fmt::format("e.g. #{}: {}", Dataset::connection_id(t.example),
                          why_opened(r, r.correlation.channels[t.example])),
              31);
  }
}

/// What a client address opened to a server.
struct Pair {
  IpAddress client;
  Endpoint server;
  std::size_t connections = 0, failed = 0, requests = 0;
  DurationNs slowest_ns = kUnknownNs;
};

bool matters_more(const Pair& a, const Pair& b) {
  if (a.connections != b.connections) return a.connections > b.connections;
  return std::tie(a.client, a.server) < std::tie(b.client, b.server);
}

/// The pairs that opened most, in order, of how many there are.
struct Pairs {
  std::vector<Pair> most;
  std::size_t all = 0;

  void add(const Pair& pair) {
    ++all;
    if (most.size() == kPairs && !matters_more(pair, most.back())) return;
    if (most.size() == kPairs) most.pop_back();
    most.insert(std::upper_bound(most.begin(), most.end(), pair, matters_more), pair);
  }
};

Pairs pairs_of(const Report& r) {
  struct Opened {
    IpAddress client;
    Endpoint server;
    SmallIndex connection;
    auto operator<=>(const Opened&) const = default;
  };
  const Transactions<Connection>& connections = r.data.connections();
  std::vector<Opened> opened;
  opened.reserve(connections.size());
  for (std::size_t i = 0; i < connections.size(); ++i) {
    opened.push_back({connections[i].client.ip, connections[i].server, i});
  }
  std::sort(opened.begin(), opened.end());
  Pairs pairs;
  for (auto o = opened.begin(); o != opened.end();) {
    Pair p{.client = o->client, .server = o->server};
    for (; o != opened.end() && o->client == p.client && o->server == p.server; ++o) {
      ++p.connections;
      p.failed += failed(r, connections[o->connection]);
      p.requests += r.correlation.channels[o->connection].http.size();
      p.slowest_ns = std::max(p.slowest_ns, connections[o->connection].connect_time_ns);
    }
    pairs.add(p);
  }
  return pairs;
}

void pairs_table(std::string& out, const Report& r) {
  const Pairs pairs = pairs_of(r);
  Table table({{"connections", Align::right},
               {"failed", Align::right},
               {"requests", Align::right},
               {"slowest connect ms", Align::right},
               {"client", Align::left, Shrink::middle, 12},
               {"server", Align::left, Shrink::middle, 16}},
              1);
  for (const Pair& p : pairs.most) {
    table.row({std::to_string(p.connections), std::to_string(p.failed), std::to_string(p.requests),
               ms_number(p.slowest_ns), p.client.text(), p.server.text()});
  }
  out += "\nWho opened most\n";
  table.print(out);
  more(out, pairs.all - pairs.most.size(), "pair", "pairs", 1);
}

}  // namespace

void text_tcp(std::string& out, const Report& r, const TextOptions& options) {
  heading(out, "2. TCP channels: how many, what for, and why", '-');
  const std::size_t n = r.data.connections().size();
  if (n == 0) {
    out += "No TCP connection in this capture.\n";
    return;
  }
  paragraph(out, "", channel_totals(r), 0);
  connection_tables(out, r, options.max_rows);
  text_task_legend(out, r);
  if (n <= kAllInDetail) {
    for (std::size_t i = 0; i < n; ++i) block(out, r, i, options.max_rows);
    return;
  }
  pairs_table(out, r);
  reasons_table(out, r);
  text_slowest_tasks(out, r, options.max_rows);
}

}  // namespace wirelag::report
