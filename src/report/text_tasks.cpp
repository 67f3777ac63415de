// What a connection was used for: rows of HTTP requests, DNS queries and the TLS handshake.
#include "text_tasks.hpp"

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/track/dns/message.hpp>

#include "format.hpp"
#include "table.hpp"
#include "task_words.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kDnsTasks = 10;  ///< per connection: part 1 has them already

Table task_table(bool with_connection, std::size_t indent) {
  return Table({{with_connection ? "id" : "", Align::right},
                {"frames", Align::left},
                {"at ms", Align::right},
                {"request", Align::left, Shrink::end, 16},
                {"status", Align::left},
                {"size", Align::right},
                {"wait ms", Align::right},
                {"xfer ms", Align::right}},
               indent);
}

void http_row(Table& table, const Report& r, std::size_t index, std::string id) {
  const HttpTransaction& t = r.data.http()[index];
  const bool responded = known(t.response_first_ns);
  table.row({std::move(id), frames(t.request_frames) + " / " + frames(t.response_frames),
             at_ms(r, known(t.request_first_ns) ? t.request_first_ns : t.response_first_ns),
             request(t), status(r, t), responded ? bytes(t.response_bytes) : std::string(kNone),
             ms_number(t.server_wait_ns()), ms_number(t.transfer_ns())});
}

}  // namespace

void text_task_legend(std::string& out, const Report& r) {
  if (r.data.http().empty()) return;
  paragraph(
      out, "",
      "Tasks: frames = request / response; at = since the capture began; size = response as sent; "
      "wait = last byte of the request to first byte of the response; xfer = first to last byte "
      "of the response.",
      1);
}

void text_http_tasks(std::string& out, const Report& r, std::span<const SmallIndex> tasks,
                     std::size_t max_rows) {
  const auto chosen = choose(tasks.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, r.data.http()[tasks[a]], r.data.http()[tasks[b]]);
  });
  Table table = task_table(false, 2);
  for (const std::size_t i : chosen) http_row(table, r, tasks[i], "");
  table.drop_if_empty(0);
  table.print(out);
  more(out, tasks.size() - chosen.size(), "request", "requests", 2);
}

void text_dns_tasks(std::string& out, const Report& r, std::span<const SmallIndex> tasks,
                    std::size_t max_rows) {
  const std::size_t limit = max_rows == 0 ? tasks.size() : std::min(max_rows, kDnsTasks);
  const std::size_t shown = std::min(limit, tasks.size());
  Table table({{"frames", Align::left},
               {"id", Align::left},
               {"DNS query", Align::left, Shrink::middle, 16},
               {"outcome", Align::left},
               {"ms", Align::right}},
              2);
  for (std::size_t i = 0; i < shown; ++i) {
    const DnsTransaction& t = r.data.dns()[tasks[i]];
    table.row({frame_list(t.query_frames) + " / " + frames(FrameSpan{t.response_frame, 0}),
               fmt::format("0x{:04x}", t.id), type_name(t.qtype) + " " + safe(t.qname),
               std::string(unfinished(r.data, t) ? kCaptureEnded : name(t.outcome)),
               ms_number(t.latency_ns())});
  }
  table.print(out);
  more(out, tasks.size() - shown, "DNS query", "DNS queries", 2);
}

void text_tls_task(std::string& out, const TlsHandshake& t) {
  paragraph(out, "tls", tls_words(t), kBlockLabel, 2);
}

void text_slowest_tasks(std::string& out, const Report& r, std::size_t max_rows) {
  const Transactions<HttpTransaction>& all = r.data.http();
  if (all.empty()) return;
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(r, all[a], all[b]);
  });
  Table table = task_table(true, 1);
  for (const std::size_t i : chosen) {
    const std::size_t connection = r.data.connection_index(all[i].connection);
    http_row(table, r, i,
             connection == Dataset::kNone ? std::string(kNone)
                                          : std::to_string(Dataset::connection_id(connection)));
  }
  out += chosen.size() == all.size() ? "\nTasks, in order of first frame (id = connection)\n"
                                     : "\nTasks without a response or slowest (id = connection)\n";
  table.print(out);
  more(out, all.size() - chosen.size(), "request", "requests", 1);
}

}  // namespace wirelag::report
