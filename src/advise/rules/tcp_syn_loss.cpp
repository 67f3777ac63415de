// tcp-syn-loss: the first SYN was not answered, and the client's timer ran before it sent another:
// one second the first time, then twice as long each time (RFC 6298 section 2.1, Linux
// TCP_TIMEOUT_INIT). Measured: first SYN dropped on a 40 ms path, connect 40.5 -> 1052 ms.
//
// A lost SYN-ACK costs the same. Captured behind the loss, near the server, the SYN was answered at
// once, and the wait is that for the last SYN-ACK.
//
// Several at once on one listener are tcp-accept-overflow's. Captured in one direction only, the
// wait ends with the last SYN, and nothing says that the answer was not just slow: then it is at most
// that.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <wirelag/control/opening.hpp>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Server {
  std::size_t opened = 0;
  std::vector<std::size_t> lost;
};

/// First SYN to the last one that was seen.
DurationNs between_syns_ns(const Connection& c) {
  TimeNs first = kUnknownNs;
  TimeNs last = kUnknownNs;
  for (const HandshakeSegment& s : c.handshake()) {
    const bool syn = (s.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
    if (!syn || s.direction != Direction::c2s) continue;
    if (!known(first)) first = s.time_ns;
    last = s.time_ns;
  }
  return elapsed_ns(first, last);
}

/// From the first SYN to the one that was answered, and from the first SYN-ACK to the one that got
/// through; unknown when the answer was not seen.
DurationNs resend_wait_ns(const Connection& c) {
  if (!known(c.syn_wait_ns)) return kUnknownNs;
  if (!known(c.synack_wait_ns) && c.handshake_ambiguous) return kUnknownNs;
  return c.syn_wait_ns + (known(c.synack_wait_ns) ? c.synack_wait_ns : 0);
}

/// The first SYN was answered before the client sent the next: what was lost came after, on the way to the client.
bool lost_its_answer(const Connection& c) {
  std::size_t syns = 0;
  for (const HandshakeSegment& s : c.handshake()) {
    if (s.direction == Direction::s2c && (s.flags & tcp_flag::syn) != 0) return syns == 1;
    syns += s.direction == Direction::c2s && (s.flags & tcp_flag::syn) != 0 ? 1 : 0;
  }
  return false;
}

/// What answered its SYN was of an earlier connection on the same ports: nothing was lost.
bool met_an_earlier_one(const Connection& c) {
  const Handshake all = c.handshake();
  return std::any_of(all.begin(), all.end(), [](const HandshakeSegment& s) {
    return s.earlier && s.direction == Direction::s2c;
  });
}

Finding finding_for(const RuleInput& input, const NodeIndex& nodes, const Endpoint& endpoint,
                    const Server& server) {
  const auto& limits = input.thresholds.tcp_syn_loss;
  Finding f;
  const auto unheard = static_cast<std::size_t>(
      std::count_if(server.lost.begin(), server.lost.end(),
                    [&](std::size_t i) { return lost_its_answer(input.data.connections()[i]); }));
  const char* const what = unheard == 0 ? "SYNs are lost on the way to "
                           : unheard == server.lost.size()
                               ? "SYN-ACKs are lost on the way from "
                               : "SYNs or SYN-ACKs are lost to or from ";
  f.title = fmt::format("Find where {}{}", what, endpoint.text());
  f.fault = fmt::format("{} of {} had to send the SYN again", server.lost.size(),
                        count_of(server.opened, "connection"));
  f.why = fmt::format(
      "{} to {}: {}, and the client waited for its timer (1 s, then 2 s, "
      "4 s ...) before it sent the next. Nothing else is slow about these connections.",
      f.fault, endpoint.text(),
      unheard == 0                    ? "the first SYN got no answer"
      : unheard == server.lost.size() ? "the answer to the first SYN did not reach the client"
                                      : "the first SYN or its answer was lost");
  f.families = {Family::network};
  f.scope = tcp_scope(endpoint);
  f.looked_at = server.opened;
  f.affected_actions = server.lost.size();
  f.threshold = fmt::format(
      "an opening answered {} or more after the first SYN, on {:.1f} % or more of the connections "
      "(rule.tcp-syn-loss; RFC 6298 section 2.1: the first timer is 1 s)",
      in_ms(limits.min_wait_ns), 100 * limits.min_share);
  for (const std::size_t i : server.lost) {
    const Connection& c = input.data.connections()[i];
    const DurationNs seen = resend_wait_ns(c);
    const DurationNs wait = known(seen) ? seen : between_syns_ns(c);
    shorten(f, nodes.find(i), Category::connect, known(seen) ? wait : 0, wait);
    if (f.evidence.size() == kExamples) continue;
    f.evidence.push_back({fmt::format("{} sent {}", c.client.text(), count_of(c.syns(), "SYN")), i,
                          handshake_frames(c), c.start_time_ns, wait});
  }
  f.change = {{"network",
               "look for loss, a full connection table of a firewall, or a rate limit "
               "on SYNs between the client and " +
                   endpoint.ip.text(),
               "infrastructure", "none"},
              {"Linux router",
               "sysctl net.netfilter.nf_conntrack_count "
               "net.netfilter.nf_conntrack_max",
               "config line", "none: it only shows how full the table is"}};
  f.verify = "capture again: one SYN per connection, no connect time near 1, 3 or 7 seconds";
  return f;
}

/// As far as it could be heard, and long enough for an answer to come.
bool nobody_answered(const Dataset& data, const Connection& c) {
  return c.state == ConnectionState::syn_unanswered && !server_not_captured(c) &&
         !still_opening(data, c);
}

std::string silent_servers(std::size_t connections) {
  return fmt::format("{}: a server that is not there looks the same as a path that loses every SYN",
                     connections == 1
                         ? "1 connection was never answered"
                         : fmt::format("{} connections were never answered", connections));
}

RuleResult judge(const RuleInput& input) {
  const auto& limits = input.thresholds.tcp_syn_loss;
  std::map<Endpoint, Server> servers;
  bool any = false;
  std::size_t never_answered = 0;
  for (std::size_t i = 0; i < input.data.connections().size(); ++i) {
    const Connection& c = input.data.connections()[i];
    any = true;
    never_answered += nobody_answered(input.data, c) ? 1 : 0;
    if (!c.syn_seen() || c.state == ConnectionState::syn_unanswered) continue;
    Server& server = servers[c.server];
    ++server.opened;
    const DurationNs seen = resend_wait_ns(c);
    const DurationNs wait = known(seen) ? seen : between_syns_ns(c);
    if (!known(wait) || wait < limits.min_wait_ns || met_an_earlier_one(c)) continue;
    server.lost.push_back(i);
  }
  if (!any) return {Outcome::not_applicable, {}, "no TCP connection in the capture"};
  if (servers.empty()) {
    return {Outcome::not_visible, {}, "no connection's opening was captured with its answer"};
  }
  const NodeIndex nodes(input.visits, VisitNode::Kind::connect);
  RuleResult result{Outcome::fires, {}, {}};
  std::size_t opened = 0;
  for (const auto& [endpoint, server] : servers) {
    opened += server.opened;
    if (server.lost.empty()) continue;
    const double share =
        static_cast<double>(server.lost.size()) / static_cast<double>(server.opened);
    if (share >= limits.min_share) {
      result.findings.push_back(finding_for(input, nodes, endpoint, server));
    }
  }
  if (!result.findings.empty()) return result;
  // So few as may have lost their SYN without a finding change nothing about the others.
  const auto silent = static_cast<double>(never_answered);
  const double attempts = silent + static_cast<double>(opened);
  if (never_answered > 0 && silent >= limits.min_share * attempts) {
    return {Outcome::not_visible, {}, silent_servers(never_answered)};
  }
  return fine(servers);
}

}  // namespace

namespace rules {
extern const Rule tcp_syn_loss;
constinit const Rule tcp_syn_loss{"tcp-syn-loss", "Hardly any connection had to send its SYN again",
                                  &judge};
}  // namespace rules

}  // namespace wirelag
