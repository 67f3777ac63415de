// tls-extra-rtt: the TLS handshake took more than the one round trip that TLS 1.3 needs: a full
// handshake of TLS 1.2 (RFC 5246 section 7.3), or a HelloRetryRequest because the client's key share
// was of a group the server does not want (RFC 8446 section 4.1.4). Measured on a 40.4 ms path: TLS 1.2
// full to 1.3 full saves 40.7 ms. A client that offers no more than 1.2 is the client's limit and
// is not counted.
#include <map>

#include <fmt/format.h>

#include "../by_server.hpp"
#include "../estimate.hpp"
#include "../graph.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

constexpr std::uint16_t kTls12 = 0x0303;
constexpr std::uint16_t kTls13 = 0x0304;

struct Server {
  std::size_t judged = 0;
  std::vector<std::size_t> slow;  ///< indexes into tls()
  std::size_t retried = 0;        ///< of these
};

bool retried(const TlsHandshake& t) { return t.hello_retry == TriState::yes; }

DurationNs extra_rounds(const TlsHandshake& t) {
  const bool two = t.version != 0 && t.version < kTls13 && t.resumed != TriState::yes;
  return (two ? 1 : 0) + (retried(t) ? 1 : 0);
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tls_extra_rtt),
        round_trips_(*input.visits.round_trips),
        nodes_(input.visits, VisitNode::Kind::tls) {}

  RuleResult run() {
    const Transactions<TlsHandshake>& all = input_.data.tls();
    if (all.empty()) return {Outcome::not_applicable, {}, "no TLS handshake in the capture"};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const TlsHandshake& t = all[i];
      if (t.version == 0 || !known(t.handshake_ns())) continue;
      Server& server = servers_[t.server];
      ++server.judged;
      if (extra_rounds(t) == 0 || (t.client_version <= kTls12 && !retried(t))) continue;
      server.slow.push_back(i);
      server.retried += retried(t) ? 1 : 0;
    }
    if (servers_.empty()) {
      return {Outcome::not_visible, {}, "no TLS handshake was captured with both hellos"};
    }
    return judge_by_share(servers_, limits_.min_share,
                          [this](const Endpoint& endpoint, const Server& server) {
                            return finding_for(endpoint, server);
                          });
  }

 private:
  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = "Let " + endpoint.text() + " finish the TLS handshake in one round trip";
    f.fault = fmt::format("{} of {} took more than one round trip", server.slow.size(),
                          count_of(server.judged, "TLS handshake"));
    f.why = fmt::format("{}, though the client could do with one: {}.", f.fault,
                        server.retried * 2 > server.slow.size()
                            ? "the server asked for another key share (HelloRetryRequest)"
                            : "a full handshake of TLS 1.2 needs two");
    f.families = {Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.judged;
    f.affected_actions = server.slow.size();
    f.threshold = fmt::format(
        "{:.0f} % or more of the handshakes (rule.tls-extra-rtt; RFC 8446 section 2: one round "
        "trip)",
        100 * limits_.min_share);
    for (const std::size_t i : server.slow) {
      const TlsHandshake& t = input_.data.tls()[i];
      const std::size_t c = input_.data.connection_index(t.connection);
      if (c == Dataset::kNone) continue;
      const DurationNs rtt = round_trips_.whole_ns(c);
      if (known(rtt)) {
        const DurationNs saved = rtt * extra_rounds(t);
        // Without a TCP handshake the shortest round trip may have the server's time in it.
        const bool sure = round_trips_.way_known(c);
        shorten(f, nodes_.find(i), Category::tls, sure ? saved : 0, saved);
      } else {
        ++f.unplaced;
      }
      if (f.evidence.size() == kExamples) continue;
      Evidence e{fmt::format("{} to {}{}", t.client.text(), t.sni.empty() ? "?" : t.sni.text(),
                             retried(t) ? ", HelloRetryRequest" : ""),
                 c,
                 {t.client_hello_frames.first, t.hello_retry_frame, t.server_hello_frames.first},
                 t.client_hello_ns,
                 t.handshake_ns()};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
    f.change = {{"nginx", "ssl_protocols TLSv1.2 TLSv1.3;", "reload",
                 "none; the default server of the address decides for all names on it"},
                {"nginx", "ssl_ecdh_curve auto;   (or X25519:prime256v1)", "reload",
                 "with a list, clients without these groups are turned away"}};
    f.verify = "capture again: TLS 1.3, one round trip from ClientHello to the first request";
    return f;
  }

  const RuleInput& input_;
  const decltype(Thresholds::tls_extra_rtt)& limits_;
  const RoundTrips& round_trips_;
  NodeIndex nodes_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tls_extra_rtt;
constinit const Rule tls_extra_rtt{
    "tls-extra-rtt", "TLS handshakes take no more round trips than the client's offer needs",
    &judge};
}  // namespace rules

}  // namespace wirelag
