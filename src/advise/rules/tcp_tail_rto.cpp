// tcp-tail-rto: the last segment of a message was lost, and nothing behind it told the sender: no
// duplicate ACK, so only its timer (RFC 6298; Linux: at least 200 ms) made it send again. Measured on a
// 40 ms path: only segment lost +246 ms, last of ten +286 ms, one in the middle +40 ms.
//
// Saving: the silence. A tail loss probe would not have found out sooner: it waits as long when one
// segment is unacknowledged (RFC 8985 section 7.2), and these were measured with probes on.
//
// What was lost before the probe is not seen as lost: the response pauses and goes on. Where most of a
// server's long pauses, and several, have just the length of the timer, they count as it, and the
// finding says that it is inferred. Low: none of them, as a server may pause so long by itself.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../losses.hpp"

namespace wirelag {
namespace {

struct Server {
  std::size_t exchanges = 0;
  std::vector<Loss> timeouts;
  std::vector<Loss> as_a_timer;  ///< inferred
  std::size_t silences = 0;      ///< as_a_timer and others
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input), limits_(input.thresholds.tcp_tail_rto), places_(input.visits) {}

  RuleResult run() {
    const Losses losses = find_losses(input_);
    if (losses.seen == 0) {
      return {Outcome::not_applicable, {}, "no request of HTTP/1 or a database that can be read"};
    }
    if (losses.judged == 0 && losses.found.empty()) {
      return {Outcome::not_visible, {}, "no request and its answer were captured from both sides"};
    }
    for (const Channel& channel : input_.correlation.channels) {
      const Connection& c = input_.data.connections()[channel.connection];
      servers_[c.server].exchanges += channel.http.size() + channel.database.size();
    }
    for (const Loss& loss : losses.found) {
      if (loss.stall_ns < limits_.min_stall_ns || !by_a_timer(loss)) continue;
      servers_[input_.data.connections()[loss.connection].server].timeouts.push_back(loss);
    }
    for (const Silence& s : losses.silences) {
      Server& server = servers_[input_.data.connections()[s.loss.connection].server];
      ++server.silences;
      if (s.as_a_timer) server.as_a_timer.push_back(s.loss);
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [endpoint, server] : servers_) {
      if (!timers(server)) server.as_a_timer.clear();
      const std::size_t stood_still = server.timeouts.size() + server.as_a_timer.size();
      if (stood_still == 0) continue;
      const double share = static_cast<double>(stood_still) / static_cast<double>(server.exchanges);
      if (share >= limits_.min_share) result.findings.push_back(finding_for(endpoint, server));
    }
    return result.findings.empty() ? fine(servers_) : result;
  }

 private:
  /// Whether its silences of a timer's length are more than chance.
  [[nodiscard]] bool timers(const Server& server) const {
    return server.as_a_timer.size() >= limits_.min_alike &&
           2 * server.as_a_timer.size() > server.silences;
  }

  /// Several short silences that other segments ended are no timer's.
  [[nodiscard]] bool by_a_timer(const Loss& loss) const {
    const Connection& c = input_.data.connections()[loss.connection];
    const auto& resends = c.half[loss.direction].impairment().retransmissions;
    const auto of = [&](RetransmissionClass k) { return resends[static_cast<std::size_t>(k)]; };
    return of(RetransmissionClass::fast) == 0 || of(RetransmissionClass::rto) > 0 ||
           of(RetransmissionClass::tail_probe) > 0;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = fmt::format("Find what loses the last segments to or from {}", endpoint.text());
    f.fault =
        fmt::format("{} of {} stood still {}", server.timeouts.size() + server.as_a_timer.size(),
                    count_of(server.exchanges, "exchange"),
                    server.timeouts.empty() ? "as long as a timer takes" : "until a timer ran out");
    f.why = fmt::format(
        "{}: {} the last segment of a message was lost, and without anything behind it the sender "
        "notices only by its timer, 200 ms or more.",
        f.fault,
        server.timeouts.empty() ? "no loss was seen, but that is how it looks when" : "there");
    f.families = {Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.exchanges;
    f.threshold = fmt::format(
        "a silence of {} or more that a resend ended, in {:.1f} % or more of the exchanges "
        "(rule.tcp-tail-rto; Linux TCP_RTO_MIN is 200 ms)",
        in_ms(limits_.min_stall_ns), 100 * limits_.min_share);
    for (const Loss& loss : server.timeouts) add(f, loss, loss.stall_ns);
    for (const Loss& loss : server.as_a_timer) add(f, loss, 0);
    if (has_holes(server)) {
      f.why_not_higher.emplace_back("the capture lacks bytes of some of the connections");
    }
    if (!server.as_a_timer.empty()) {
      f.why_not_higher.push_back(fmt::format(
          "in {} the loss itself was not seen (it was before the probe): silences as long as the "
          "timer stand for it",
          count_of(server.as_a_timer.size(), "exchange")));
    }
    f.change = {{"network", "look for drops: ethtool -S DEVICE; tc -s qdisc show dev DEVICE",
                 "infrastructure", "none: it only shows"},
                {"sysctl",
                 "net.ipv4.tcp_early_retrans = 3\nnet.ipv4.tcp_recovery = 1\nnet.ipv4.tcp_sack = 1",
                 "config line", "none: the defaults; look whether they were changed"},
                {"sysctl", "net.ipv4.tcp_ecn = 1", "config line",
                 "helps where routers mark; some old ones drop such SYNs"},
                {"data centre", "ip route change ... rto_min 20ms", "config line",
                 "only where round trips stay far below; else spurious resends"}};
    f.verify = "capture again: no silence of 200 ms or more that a resend ends";
    return f;
  }

  void add(Finding& f, const Loss& loss, DurationNs low_ns) const {
    shorten(f, places_.find(loss), Category::stall, low_ns, loss.stall_ns);
    if (f.evidence.size() < kExamples) f.evidence.push_back(evidence_of(input_, loss));
  }

  [[nodiscard]] bool has_holes(const Server& server) const {
    return std::any_of(server.timeouts.begin(), server.timeouts.end(), [this](const Loss& loss) {
      return capture_has_holes(input_, input_.data.connections()[loss.connection]);
    });
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_tail_rto)& limits_;
  LossPlaces places_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_tail_rto;
constinit const Rule tcp_tail_rto{"tcp-tail-rto",
                                  "Hardly any exchange waited for a retransmission timer", &judge};
}  // namespace rules

}  // namespace wirelag
