#include "failures.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "dns_words.hpp"
#include "format.hpp"
#include "tcp_words.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::uint16_t kFirstError =
    400;  ///< status codes from here on are errors (RFC 9110 section 15)
constexpr std::uint16_t kFirstServerError = 500;
constexpr std::size_t kReasons = 3;  ///< named; the rest are "others"

/// How it failed, for who waited: with an answer, if not the wanted one, or in vain.
enum class For : std::uint8_t { an_answer, nothing };

/// How often which reason occurred among `of` things.
class Reasons {
 public:
  void add(std::string reason, For waited) {
    ++by_reason_[std::move(reason)];
    ++failed_;
    if (waited == For::nothing) ++in_vain_;
  }

  void say(Failures& out, std::size_t of, std::string_view things) const {
    if (failed_ == 0) return;
    out.in_vain |= in_vain_ > 0;
    std::vector<std::pair<std::string, std::size_t>> most(by_reason_.begin(), by_reason_.end());
    std::stable_sort(most.begin(), most.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string text = fmt::format("{} of {}: ", failed_, count(of, things));
    std::size_t named = 0;
    for (std::size_t i = 0; i < std::min(kReasons, most.size()); ++i) {
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", most[i].second, most[i].first);
      named += most[i].second;
    }
    if (named < failed_) text += fmt::format(", {} others", failed_ - named);
    out.said.push_back(std::move(text));
  }

 private:
  std::map<std::string, std::size_t> by_reason_;
  std::size_t failed_ = 0;
  std::size_t in_vain_ = 0;
};

void failed_lookups(Failures& out, const Report& r) {
  Reasons reasons;
  const std::vector<const Lookup*> asked = asked_lookups(r);
  for (const Lookup* l : asked) {
    if (!failed(r, *l)) continue;
    if (l->outcome == DnsOutcome::nxdomain)
      reasons.add("of a name that does not exist", For::an_answer);
    if (l->outcome == DnsOutcome::failed) {
      reasons.add("refused or failed by the resolver", For::nothing);
    }
    if (l->outcome == DnsOutcome::unanswered) reasons.add("not answered", For::nothing);
  }
  reasons.say(out, asked.size(), "DNS lookup");
}

void failed_connections(Failures& out, const Report& r) {
  Reasons reasons;
  for (const Connection& c : r.data.connections()) {
    if (!failed(r, c) || server_not_captured(c)) continue;
    reasons.add(not_opened(r, c),
                c.state == ConnectionState::synack_no_ack ? For::an_answer : For::nothing);
  }
  reasons.say(out, r.data.connections().size(), "TCP connection");
}

void failed_handshakes(Failures& out, const Report& r) {
  Reasons reasons;
  for (const TlsHandshake& t : r.data.tls()) {
    if (t.alert_frame == 0 || t.complete()) continue;
    reasons.add(fmt::format("refused by the {} ({})", t.alert_by_client ? "client" : "server",
                            tls_alert(t.alert)),
                For::nothing);
  }
  reasons.say(out, r.data.tls().size(), "TLS handshake");
}

/// A cluster's word that another of its servers has the key: the client asks there.
bool is_redirect(const DatabaseTransaction& t) {
  return t.protocol == Protocol::redis && (t.error_code == "MOVED" || t.error_code == "ASK");
}

void failed_requests(Failures& out, const Report& r) {
  Reasons http;
  std::size_t requests = 0;
  for (const HttpTransaction& h : r.data.http()) {
    if (!h.request_seen) continue;
    ++requests;
    if (h.status < kFirstError) continue;
    http.add(fmt::format("with status {}", h.status),
             h.status < kFirstServerError ? For::an_answer : For::nothing);
  }
  http.say(out, requests, "HTTP request");

  Reasons database;
  for (const DatabaseTransaction& t : r.data.database()) {
    if (t.error && !is_redirect(t)) {
      database.add(t.error_code.empty() ? "with an error"
                                        : fmt::format("with error {}", t.error_code.text()),
                   For::an_answer);
    }
  }
  database.say(out, r.data.database().size(), "database request");
}

}  // namespace

Failures failures(const Report& r) {
  Failures out;
  failed_lookups(out, r);
  failed_connections(out, r);
  failed_handshakes(out, r);
  failed_requests(out, r);
  return out;
}

std::string lookups_waited(const Report& r) {
  std::vector<DurationNs> waits;
  for (const Lookup* l : asked_lookups(r)) {
    if (known(l->wait_ns)) waits.push_back(l->wait_ns);
  }
  if (waits.empty()) return {};
  std::sort(waits.begin(), waits.end());
  const std::string lookups = count(waits.size(), "DNS lookup");
  if (waits.size() == 1) return fmt::format("{} waited {}", lookups, duration(waits.front()));
  return fmt::format("{} waited {} at the median and {} at most", lookups,
                     duration(waits[(waits.size() - 1) / 2]), duration(waits.back()));
}

}  // namespace wirelag::report
