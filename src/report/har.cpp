// HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/): a page per visit, an entry per
// request. What the packets do not show is -1, an empty string or an empty list, as the specification
// has it for what is not known; members of our own begin with "_".
//
//   | blocked | dns | blocked | connect, ssl within | blocked | send | wait | receive |
//
// An entry lasts from its first phase to the last byte of its response, so that its time is the sum of
// its phases. A lookup and a handshake belong to the request that they were made for: the first one of
// the connection, if it followed at once; a lookup counts once per visit. Times are milliseconds with
// all nanoseconds kept.
#include <algorithm>
#include <cctype>
#include <ctime>
#include <set>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/track/http/parser.hpp>

#include "format.hpp"
#include "json_values.hpp"
#include "task_words.hpp"
#include "waits.hpp"

namespace wirelag {
namespace report {
namespace {

/// A request that left later than this after its connection was ready did not wait for it, as in
/// rule http-late-connection.
constexpr DurationNs kAtOnceNs = 10 * kMillisecondNs;

double ms(DurationNs ns) { return static_cast<double>(ns) / static_cast<double>(kMillisecondNs); }

/// ISO 8601 with nanoseconds, UTC.
std::string iso_time(TimeNs time_ns) {
  TimeNs rest = time_ns % kSecondNs;
  std::time_t seconds = static_cast<std::time_t>(time_ns / kSecondNs);
  if (rest < 0) {
    rest += kSecondNs;
    --seconds;
  }
  std::tm t{};
  if (gmtime_r(&seconds, &t) == nullptr) return "1970-01-01T00:00:00Z";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, rest);
}

/// As it may stand in a URL: what RFC 3986 does not allow there becomes %NN.
std::string url_text(std::string_view wire) {
  static constexpr std::string_view kAllowed = "-._~:/?#[]@!$&'()*+,;=%";
  std::string out;
  for (const char c : wire) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || kAllowed.find(c) != std::string_view::npos)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

Json pair(std::string_view name, std::string_view value) {
  return Json{{"name", std::string(name)}, {"value", utf8(value)}};
}

/// Of a header, what was kept; others are not known.
void add_header(Json& headers, std::string_view name, std::string_view value) {
  if (!value.empty()) headers.push_back(pair(name, value));
}

Json query_string(std::string_view target) {
  Json out = Json::array();
  const std::size_t at = target.find('?');
  if (at == std::string_view::npos) return out;
  std::string_view rest = target.substr(at + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    out.push_back(pair(utf8(one.substr(0, equals)), equals == std::string_view::npos
                                                        ? std::string_view()
                                                        : one.substr(equals + 1)));
  }
  return out;
}

/// Phases one after the other from `start_ns` on; a gap between two of them is `blocked`.
class Phases {
 public:
  explicit Phases(TimeNs start_ns) : start_ns_(start_ns), at_ns_(start_ns) {}

  [[nodiscard]] TimeNs start_ns() const { return start_ns_; }
  /// The part of [from, to] that lies after the phases before it.
  DurationNs take(TimeNs from_ns, TimeNs to_ns) {
    if (!known(from_ns) || !known(to_ns)) return 0;
    blocked_ns_ += std::max<DurationNs>(from_ns - at_ns_, 0);
    at_ns_ = std::max(at_ns_, from_ns);
    const DurationNs taken = std::max<DurationNs>(to_ns - at_ns_, 0);
    at_ns_ += taken;
    return taken;
  }
  [[nodiscard]] DurationNs blocked_ns() const { return blocked_ns_; }
  [[nodiscard]] DurationNs total_ns() const { return at_ns_ - start_ns_; }

 private:
  TimeNs start_ns_;
  TimeNs at_ns_;
  DurationNs blocked_ns_ = 0;
};

/// The entries of one visit.
class VisitEntries {
 public:
  VisitEntries(const Report& r, std::size_t visit) : r_(r), id_(visit + 1) {}

  void write(std::vector<std::string>& out) {
    for (const VisitNode& n : r_.visits.stored[id_ - 1].nodes) {
      if (n.kind == VisitNode::Kind::request) out.push_back(dump(entry(n)));
    }
  }

  static std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  /// What a connection cost before its first request; empty when it was not waited for here.
  struct Opening {
    const Lookup* lookup = nullptr;
    const Connection* connection = nullptr;
    const TlsHandshake* tls = nullptr;
    [[nodiscard]] TimeNs start_ns() const {
      if (lookup != nullptr) return lookup->start_time_ns;
      return connection != nullptr ? connection->start_time_ns : kUnknownNs;
    }
  };

  [[nodiscard]] Opening opening(std::size_t index, TimeNs request_ns) {
    Opening o;
    if (index == Dataset::kNone || !opened_.insert(index).second) return o;
    const Connection& c = r_.data.connections()[index];
    const Channel& channel = r_.correlation.channels[index];
    if (!known(c.established_time_ns) || !known(c.connect_time_ns)) return o;
    TimeNs ready_ns = c.established_time_ns;
    if (channel.tls != Dataset::kNone) {
      const TlsHandshake& t = r_.data.tls()[channel.tls];
      if (known(t.handshake_ns())) {
        o.tls = &t;
        ready_ns = std::max(t.client_finished_ns, t.server_finished_ns);
      }
    }
    // With TLS 1.3 the request may leave with the client's last flight.
    if (request_ns - ready_ns > kAtOnceNs || request_ns < c.established_time_ns) return {};
    o.connection = &c;
    if (channel.lookup == Dataset::kNone) return o;
    const Lookup& l = r_.correlation.lookups[channel.lookup];
    const bool used_at_once = known(l.end_time_ns) && l.end_time_ns <= c.start_time_ns &&
                              c.start_time_ns - l.end_time_ns <= kAtOnceNs;
    if (used_at_once && looked_up_.insert(channel.lookup).second) o.lookup = &l;
    return o;
  }

  Json entry(const VisitNode& n) {
    const HttpTransaction* h = n.item == Dataset::kNone ? nullptr : &r_.data.http()[n.item];
    const TimeNs request_ns = h != nullptr ? h->request_first_ns : n.start_ns;
    const Opening o = opening(n.connection, request_ns);
    Phases phases(known(o.start_ns()) ? std::min(o.start_ns(), request_ns) : request_ns);
    Json timings = before_request(phases, o);
    if (h != nullptr) {
      exchange(timings, phases, *h);
    } else {
      timings["send"] = 0;
      timings["wait"] = ms(phases.take(n.start_ns, n.end_ns));
      timings["receive"] = 0;
    }
    timings["blocked"] = phases.blocked_ns() > 0 ? Json(ms(phases.blocked_ns())) : Json(-1);
    Json out{{"pageref", fmt::format("visit_{}", id_)},
             {"startedDateTime", iso_time(phases.start_ns())},
             {"time", ms(phases.total_ns())},
             {"request", h != nullptr ? request(*h) : unread_request(n)},
             {"response", h != nullptr ? response(*h) : unread_response()},
             {"cache", Json::object()},
             {"timings", std::move(timings)}};
    if (n.connection != Dataset::kNone) {
      out["serverIPAddress"] = r_.data.connections()[n.connection].server.ip.text();
      out["connection"] = std::to_string(Dataset::connection_id(n.connection));
    }
    if (h == nullptr) {
      out["comment"] = "cannot be read (encrypted, or not HTTP/1): only its times are known";
    } else if (h->status == 0) {
      out["comment"] = "not answered within the capture: wait is what was seen of it";
    }
    if (h != nullptr) add_frames(out, *h);
    return out;
  }

  static Json before_request(Phases& phases, const Opening& o) {
    Json t{{"blocked", -1}, {"dns", -1}, {"connect", -1}, {"ssl", -1}};
    if (o.lookup != nullptr) {
      t["dns"] = ms(phases.take(o.lookup->start_time_ns, o.lookup->end_time_ns));
    }
    if (o.connection == nullptr) return t;
    DurationNs connect =
        phases.take(o.connection->start_time_ns, o.connection->established_time_ns);
    if (o.tls != nullptr) {
      // The client's time between the two is part of connecting: ssl is within connect.
      const TimeNs done = std::max(o.tls->client_finished_ns, o.tls->server_finished_ns);
      connect += phases.take(o.connection->established_time_ns, o.tls->client_hello_ns);
      const DurationNs ssl = phases.take(o.tls->client_hello_ns, done);
      t["ssl"] = ms(ssl);
      connect += ssl;
    }
    t["connect"] = ms(connect);
    return t;
  }

  void exchange(Json& t, Phases& phases, const HttpTransaction& h) const {
    const bool whole = !h.early_response && (h.request_complete || !known(h.request_headers_ns));
    const TimeNs sent_ns = whole ? h.request_last_ns : h.request_headers_ns;
    const TimeNs send_end = known(sent_ns) ? sent_ns : h.request_first_ns;
    t["send"] = ms(phases.take(h.request_first_ns, send_end));
    const TimeNs answered_ns = known(h.response_first_ns) ? h.response_first_ns : watched_until(h);
    t["wait"] = ms(phases.take(send_end, std::max(answered_ns, send_end)));
    t["receive"] = ms(phases.take(h.response_first_ns, h.response_last_ns));
  }

  [[nodiscard]] TimeNs watched_until(const HttpTransaction& h) const {
    const std::size_t c = r_.data.connection_index(h.connection);
    return c == Dataset::kNone ? r_.capture.last_time_ns
                               : watched_until_ns(r_.data, r_.data.connections()[c]);
  }

  [[nodiscard]] static std::string url(const HttpTransaction& h) {
    if (h.target.text().find("://") != std::string_view::npos) return url_text(h.target);
    std::string host = url_text(h.host.empty() ? std::string_view(h.server.text()) : h.host.text());
    if (h.method == "CONNECT") return "http://" + url_text(h.target);
    if (!h.host.empty() && h.host.text().find(':') == std::string_view::npos &&
        h.server.port != 80) {
      host += fmt::format(":{}", h.server.port);
    }
    const std::string target = url_text(h.target);
    return "http://" + host + (target.starts_with('/') ? "" : "/") + target;
  }

  static Json request(const HttpTransaction& h) {
    Json headers = Json::array();
    add_header(headers, "Host", h.host);
    add_header(headers, "Referer", h.referer);
    return Json{{"method", utf8(h.method)},
                {"url", url(h)},
                {"httpVersion", "HTTP/1.1"},
                {"cookies", Json::array()},
                {"headers", std::move(headers)},
                {"queryString", query_string(h.target)},
                {"headersSize", -1},
                {"bodySize", -1},
                {"_bytes", h.request_bytes}};
  }

  static Json response(const HttpTransaction& h) {
    Json headers = Json::array();
    add_header(headers, "Content-Type", h.content_type);
    add_header(headers, "Location", h.location);
    const bool answered = known(h.response_first_ns);
    const bool counted = h.response_body_bytes != kUnknownBodyBytes;
    const bool sized = answered && h.response_complete && counted;
    return Json{{"status", h.status},
                {"statusText", ""},
                {"httpVersion", answered ? "HTTP/1.1" : ""},
                {"cookies", Json::array()},
                {"headers", std::move(headers)},
                {"content",
                 {{"size", answered && counted ? Json(h.response_body_bytes) : Json(0)},
                  {"mimeType", utf8(h.content_type)}}},
                {"redirectURL", utf8(h.location)},
                {"headersSize", -1},
                {"bodySize", sized ? Json(h.response_body_bytes) : Json(-1)},
                {"_bytes", h.response_bytes}};
  }

  Json unread_request(const VisitNode& n) const {
    std::string host;
    if (n.connection != Dataset::kNone) {
      const Connection& c = r_.data.connections()[n.connection];
      const std::string_view name = r_.correlation.channels[n.connection].name;
      const bool usual = c.server.port == 443 && !name.empty();
      host = name.empty() ? c.server.text()
                          : url_text(name) + (usual ? "" : fmt::format(":{}", c.server.port));
    }
    return Json{{"method", ""},
                {"url", "https://" + host + "/"},
                {"httpVersion", ""},
                {"cookies", Json::array()},
                {"headers", Json::array()},
                {"queryString", Json::array()},
                {"headersSize", -1},
                {"bodySize", -1}};
  }

  static Json unread_response() {
    return Json{{"status", 0},
                {"statusText", ""},
                {"httpVersion", ""},
                {"cookies", Json::array()},
                {"headers", Json::array()},
                {"content", {{"size", 0}, {"mimeType", ""}}},
                {"redirectURL", ""},
                {"headersSize", -1},
                {"bodySize", -1}};
  }

  static void add_frames(Json& out, const HttpTransaction& h) {
    out["_request_frames"] = span_or_null(h.request_frames);
    out["_response_frames"] = span_or_null(h.response_frames);
  }

  const Report& r_;
  std::size_t id_;                   ///< of the visit, from 1
  std::set<std::size_t> opened_;     ///< connections whose first request has been written
  std::set<std::size_t> looked_up_;  ///< lookups that an entry has counted
};

Json page(const Report& r, std::size_t visit) {
  const Visit& v = r.visits.stored[visit];
  Json breakdown = Json::object();
  const Breakdown b = critical_path(v, Form::serial).breakdown;
  for (std::size_t c = 0; c < kCategories; ++c) {
    breakdown[std::string(name(static_cast<Category>(c)))] = ms(b[c]);
  }
  return Json{{"startedDateTime", iso_time(v.start_ns)},
              {"id", fmt::format("visit_{}", visit + 1)},
              {"title", utf8(fmt::format("{} for {}", v.service.empty() ? "?" : v.service,
                                         v.client_ip.text()))},
              // When a browser had parsed or painted the page is not on the wire.
              {"pageTimings", {{"onContentLoad", -1}, {"onLoad", -1}, {"_wait", ms(v.wait_ns)}}},
              {"_breakdown", std::move(breakdown)},
              {"_client", v.client_ip.text()}};
}

void lines(std::string& out, const std::vector<std::string>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += items[i];
    out += i + 1 < items.size() ? ",\n" : "\n";
  }
}

}  // namespace
}  // namespace report

std::string render_har(const Report& r) {
  std::vector<std::string> pages;
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < r.visits.stored.size(); ++i) {
    pages.push_back(report::VisitEntries::dump(report::page(r, i)));
    report::VisitEntries(r, i).write(entries);
  }
  std::string out =
      "{\"log\": {\n\"version\": \"1.2\",\n"
      "\"creator\": {\"name\": \"wirelag\", \"version\": \"" WIRELAG_VERSION "\"},\n\"pages\": [\n";
  report::lines(out, pages);
  out += "],\n\"entries\": [\n";
  report::lines(out, entries);
  out += "]}}\n";
  return out;
}

}  // namespace wirelag
