// tcp-tail-rto: the last segment of a message was lost, and nothing behind it told the sender: no
// duplicate ACK, so only its timer (RFC 6298; Linux: at least 200 ms) made it send again. Measured on a
// 40 ms path: only segment lost +246 ms, last of ten +286 ms, one in the middle +40 ms.
//
// High: nothing is lost. Low: it still is, and a tail loss probe (RFC 8985 section 7.2: two round trips)
// finds out.
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../graph.hpp"
#include "../losses.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kExamples = 3;

struct Server {
  std::size_t exchanges = 0;
  std::vector<Loss> timeouts;
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tcp_tail_rto),
        round_trips_(input.data),
        places_(input.visits) {}

  RuleResult run() {
    const Losses losses = find_losses(input_);
    if (losses.seen == 0) {
      return {Outcome::not_applicable, {}, "no request of HTTP/1 or a database that can be read"};
    }
    if (losses.judged == 0) {
      return {Outcome::not_visible, {}, "no request and its answer were captured from both sides"};
    }
    for (const Channel& channel : input_.correlation.channels) {
      const Connection& c = input_.data.connections()[channel.connection];
      servers_[c.server].exchanges += channel.http.size() + channel.database.size();
    }
    for (const Loss& loss : losses.found) {
      if (loss.stall_ns < limits_.min_stall_ns) continue;
      servers_[input_.data.connections()[loss.connection].server].timeouts.push_back(loss);
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      if (server.timeouts.empty()) continue;
      const double share =
          static_cast<double>(server.timeouts.size()) / static_cast<double>(server.exchanges);
      if (share >= limits_.min_share) result.findings.push_back(finding_for(endpoint, server));
    }
    if (result.findings.empty()) result.outcome = Outcome::fine;
    return result;
  }

 private:
  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = fmt::format("Find what loses the last segments to or from {}", endpoint.text());
    f.fault = fmt::format("{} of {} stood still until a timer ran out", server.timeouts.size(),
                          count_of(server.exchanges, "exchange"));
    f.why = fmt::format(
        "{}: the last segment of a message was lost, and without anything behind it the sender "
        "notices only by its timer, 200 ms or more.",
        f.fault);
    f.families = {Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.exchanges;
    f.threshold = fmt::format(
        "a silence of {} or more that a resend ended, in {:.1f} % or more of the exchanges "
        "(rule.tcp-tail-rto; Linux TCP_RTO_MIN is 200 ms)",
        in_ms(limits_.min_stall_ns), 100 * limits_.min_share);
    bool holes = false;
    for (const Loss& loss : server.timeouts) {
      const Connection& c = input_.data.connections()[loss.connection];
      holes |= capture_has_holes(c);
      const DurationNs rtt = round_trips_.whole_ns(c);
      const DurationNs low = known(rtt) ? std::max<DurationNs>(0, loss.stall_ns - 2 * rtt) : 0;
      if (const NodePlace* at = places_.find(loss)) {
        f.edits.push_back(shorten(*at, Category::stall, low, loss.stall_ns));
      }
      if (f.evidence.size() < kExamples) f.evidence.push_back(evidence_of(input_, loss));
    }
    if (holes) f.why_not_higher.emplace_back("the capture lacks bytes of some of the connections");
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

  const RuleInput& input_;
  const decltype(Thresholds::tcp_tail_rto)& limits_;
  RoundTrips round_trips_;
  LossPlaces places_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_tail_rto;
constinit const Rule tcp_tail_rto{"tcp-tail-rto", "No exchange waited for a retransmission timer",
                                  &judge};
}  // namespace rules

}  // namespace wirelag
