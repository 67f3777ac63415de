// What a connection was used for: rows of HTTP requests, DNS queries and the TLS handshake.
#include "text_tasks.hpp"

#include <fmt/format.h>

#include <wirelag/track/dns/message.hpp>

#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

/// A request younger than this when the capture ends may still have been answered.
constexpr DurationNs kMayBeAnsweredNs = kSecondNs;
constexpr std::size_t kDnsTasks = 10;  ///< per connection: part 1 has them already

/// A request without a response first, then by how long it took.
bool costs_more(const HttpTransaction& a, const HttpTransaction& b) {
  const bool a_unanswered = a.request_seen && a.status == 0;
  const bool b_unanswered = b.request_seen && b.status == 0;
  if (a_unanswered != b_unanswered) return a_unanswered;
  return a.total_ns() > b.total_ns();
}

/// What is known of a request without a response: silence is only claimed where it could be heard.
std::string unanswered(const Report& r, const HttpTransaction& t) {
  const std::size_t i = r.data.connection_index(t.connection);
  if (i == Dataset::kNone) return "no answer yet";
  const Connection& c = r.data.connections()[i];
  if (c.half.s2c.packets == 0) return "not captured";
  const DurationNs heard_ns = elapsed_ns(t.request_first_ns, r.capture.last_time_ns);
  const bool cut_off =
      c.end == ConnectionEnd::capture_end && known(heard_ns) && heard_ns < kMayBeAnsweredNs;
  return cut_off ? "capture ended" : "no answer";
}

std::string status(const Report& r, const HttpTransaction& t) {
  if (t.status == 0) return unanswered(r, t);
  std::string text = std::to_string(t.status);
  if (!t.response_complete) return text + ", cut off";
  if (t.early_response) return text + ", early";
  if (t.pipelined) return text + ", pipelined";
  return text;
}

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
             t.request_seen ? safe(t.method) + " " + safe(t.target) : "(request not captured)",
             status(r, t), responded ? bytes(t.response_bytes) : std::string(kNone),
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

void text_http_tasks(std::string& out, const Report& r, const std::vector<std::size_t>& tasks,
                     std::size_t max_rows) {
  const auto chosen = choose(tasks.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(r.data.http()[tasks[a]], r.data.http()[tasks[b]]);
  });
  Table table = task_table(false, 2);
  for (const std::size_t i : chosen) http_row(table, r, tasks[i], "");
  table.drop_if_empty(0);
  table.print(out);
  more(out, tasks.size() - chosen.size(), "request", "requests", 2);
}

void text_dns_tasks(std::string& out, const Report& r, const std::vector<std::size_t>& tasks,
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
               std::string(name(t.outcome)), ms_number(t.latency_ns())});
  }
  table.print(out);
  more(out, tasks.size() - shown, "DNS query", "DNS queries", 2);
}

void text_tls_task(std::string& out, const TlsHandshake& t) {
  std::string text = tls_version(t.version != 0 ? t.version : t.client_version);
  if (t.version == 0) text += " offered";
  if (!t.sni.empty()) text += " with " + safe(t.sni);
  if (!t.alpn.empty()) text += ", ALPN " + safe(t.alpn);
  text += fmt::format(": ClientHello to ServerHello {} (frames {} / {})", duration(t.hello_ns()),
                      frames(t.client_hello_frames), frames(t.server_hello_frames));
  if (known(t.handshake_ns())) text += fmt::format(", handshake {}", duration(t.handshake_ns()));
  if (t.round_trips != 0) {
    text += fmt::format(" in {} round trip{}", t.round_trips, t.round_trips == 1 ? "" : "s");
  }
  if (t.resumed == TriState::yes) text += ", resumed";
  if (t.hello_retry) text += ", one round trip more for a HelloRetryRequest";
  if (t.early_data_accepted == TriState::no) text += ", 0-RTT data refused";
  if (t.alert_frame != 0) {
    const std::string why = tls_alert(t.alert);
    text += fmt::format(", ended by the {}'s alert {} (frame {})",
                        t.alert_by_client ? "client" : "server",
                        why.empty() ? std::to_string(t.alert) : why, t.alert_frame);
  } else if (!known(t.server_hello_ns)) {
    text += ", no ServerHello captured";
  }
  paragraph(out, "tls", text, kBlockLabel, 2);
}

void text_slowest_tasks(std::string& out, const Report& r, std::size_t max_rows) {
  const std::vector<HttpTransaction>& all = r.data.http();
  if (all.empty()) return;
  const auto chosen = choose(all.size(), max_rows, [&](std::size_t a, std::size_t b) {
    return costs_more(all[a], all[b]);
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
