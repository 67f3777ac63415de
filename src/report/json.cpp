// The report as one JSON object, schema wirelag.report/1 (docs/report-json.md).
//
// Every value is made and written by the JSON library; this file only lays the values out, one item
// per line, and hands the text on as it grows. So a report of a million connections needs a few items in
// memory at a time, and two reports can be compared with diff.
#include "json_values.hpp"

namespace wirelag {
namespace {

using report::Json;

/// Writes the members of nested objects and lists, each on its own line.
class Layout {
 public:
  explicit Layout(const TextSink& sink) : sink_(sink) {}
  /// The last of it.
  void finish() {
    out_ += '\n';
    sink_(out_);
  }

  void open(std::string_view key, char bracket) {
    next();
    if (!key.empty()) out_ += Json(std::string(key)).dump() + ": ";
    out_ += bracket;
    ++depth_;
    first_ = true;
  }
  void close(char bracket) {
    --depth_;
    if (!first_) line();
    out_ += bracket;
    first_ = false;
  }
  void member(std::string_view key, const Json& value) {
    next();
    out_ += Json(std::string(key)).dump() + ": ";
    write(value);
  }
  void item(const Json& value) {
    next();
    write(value);
  }

 private:
  void write(const Json& value) {
    out_ += value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  void line() {
    out_ += '\n';
    out_.append(depth_, ' ');
  }
  void next() {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    if (out_.size() >= kPiece) {
      sink_(out_);
      out_.clear();
    }
    if (!first_) out_ += ',';
    if (depth_ > 0) line();
    first_ = false;
  }

  const TextSink& sink_;
  std::string out_;  ///< not handed on yet
  std::size_t depth_ = 0;
  bool first_ = true;
};

void dns(Layout& layout, const Report& r) {
  layout.open("dns", '{');
  layout.open("transactions", '[');
  for (const DnsTransaction& t : r.data.dns()) layout.item(report::dns_json(r, t));
  layout.close(']');
  layout.open("lookups", '[');
  for (const Lookup& l : r.correlation.lookups) layout.item(report::lookup_json(l));
  layout.close(']');
  layout.close('}');
}

void tcp(Layout& layout, const Report& r) {
  const report::HttpIndex http(r);
  layout.open("tcp", '{');
  layout.open("connections", '[');
  for (std::size_t i = 0; i < r.data.connections().size(); ++i) {
    layout.item(report::connection_json(r, i, http));
  }
  layout.close(']');
  layout.close('}');
}

void tls(Layout& layout, const Report& r) {
  layout.open("tls", '{');
  layout.open("handshakes", '[');
  for (const TlsHandshake& t : r.data.tls()) layout.item(report::tls_json(r, t));
  layout.close(']');
  layout.close('}');
}

void http_list(Layout& layout, const Report& r, std::string_view key, bool request_seen) {
  layout.open(key, '[');
  for (const HttpTransaction& t : r.data.http()) {
    if (t.request_seen == request_seen) layout.item(report::http_json(r, t));
  }
  layout.close(']');
}

void app(Layout& layout, const Report& r) {
  layout.open("app", '{');
  layout.open("transactions", '[');
  for (const DatabaseTransaction& t : r.data.database()) layout.item(report::database_json(r, t));
  layout.close(']');
  layout.close('}');
}

void visits(Layout& layout, const Report& r) {
  const report::HttpIndex http(r);
  layout.open("visits", '[');
  for (std::size_t i = 0; i < r.visits.stored.size(); ++i) {
    layout.item(report::visit_json(r, i, http));
  }
  layout.close(']');
  layout.member("visits_seen", r.visits.seen);
}

void waits(Layout& layout, const Report& r) {
  layout.open("waits", '{');
  layout.member("all", report::wait_scope_json(r.waits.all));
  layout.open("services", '[');
  for (const WaitScope& s : r.waits.services) layout.item(report::wait_scope_json(s));
  layout.close(']');
  layout.member("services_left_out", r.waits.services_left_out);
  layout.member("rounds_unsure", r.waits.rounds_unsure);
  layout.member("bandwidth_unsure", r.waits.bandwidth_unsure);
  layout.member("unended", report::unended_json(r.waits.unended));
  layout.open("typical", '[');
  for (const TypicalVisit& t : r.waits.typical) layout.item(report::typical_json(t));
  layout.close(']');
  layout.close('}');
  layout.open("loads", '[');
  for (const ServerLoad& load : r.loads) layout.item(report::load_json(load));
  layout.close(']');
  layout.open("servers", '[');
  for (const ServerUse& server : r.servers) layout.item(report::server_json(server));
  layout.close(']');
}

void advice(Layout& layout, const Advice& advice) {
  const auto verdicts = [&](std::string_view key, const std::vector<Verdict>& list) {
    layout.open(key, '[');
    for (const Verdict& v : list) layout.item(report::verdict_json(v));
    layout.close(']');
  };
  layout.open("findings", '[');
  for (const Finding& f : advice.findings) layout.item(report::finding_json(f));
  layout.close(']');
  layout.open("done", '[');
  for (const Finding& f : advice.done) layout.item(report::finding_json(f));
  layout.close(']');
  verdicts("not_judged", advice.not_judged);
  verdicts("fine", advice.fine);
}

}  // namespace

void render_json(const Report& r, const TextSink& sink) {
  Layout layout(sink);
  layout.open("", '{');
  layout.member("schema", "wirelag.report/1");
  layout.member("capture", report::capture_json(r));
  layout.member("accounting", report::accounting_json(r));
  layout.member("visibility", report::visibility_json(r));
  layout.member("counters", report::counters_json(r));
  dns(layout, r);
  tcp(layout, r);
  tls(layout, r);
  layout.open("http", '{');
  http_list(layout, r, "transactions", true);
  http_list(layout, r, "responses_without_request", false);
  layout.close('}');
  layout.member("quic", Json::array());
  app(layout, r);
  visits(layout, r);
  waits(layout, r);
  layout.open("marks", '[');
  for (const MarkedChange& c : r.changes) layout.item(report::marked_json(c));
  layout.close(']');
  layout.open("ledger", '[');
  for (const LedgerRow& row : r.ledger) layout.item(report::ledger_json(row));
  layout.close(']');
  advice(layout, r.advice);
  layout.close('}');
  layout.finish();
}

std::string render_json(const Report& r) {
  std::string out;
  render_json(r, [&](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace wirelag
