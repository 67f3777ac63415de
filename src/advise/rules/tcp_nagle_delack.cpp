// tcp-nagle-delack: a message leaves in small writes. Nagle's algorithm holds the second one back until
// the first is acknowledged, and the receiver delays that ACK because it has nothing to send yet (Linux:
// 40 to 200 ms; RFC 1122 section 4.2.3.2, RFC 9293 section 3.7.4).
//
//   header --------->
//                      d     the receiver waits: 40 ms
//          <--------- ACK
//   body   --------->        the gap is R + d
//
// A receiver's first ACKs come at once (Linux: quick ACKs at the beginning of a connection). Then the
// second write waits for R alone; where the same server's exchanges show delayed ACKs, those waits count
// as well: one write, or TCP_NODELAY, ends them all.
//
// Without a handshake the way may be known from nothing but an ACK that was delayed itself, or not at all:
// a gap that may have been a delayed ACK is then neither one nor none.
//
// Measured: two writes, then a read, on a 6 ms path 56.0 ms against 6.5 in one write; at 60 ms 164
// against 60.6. The gap had no data from the receiver in it, so it is not its work.
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../graph.hpp"
#include "../nodes.hpp"
#include "../undivided.hpp"

namespace wirelag {
namespace {

struct Event {
  std::size_t connection = 0;
  VisitNode::Kind kind = VisitNode::Kind::request;
  std::size_t item = 0;
  Direction sender = Direction::c2s;
  DurationNs held_ns = 0;
  TimeNs time_ns = kUnknownNs;
  FrameSpan frames;
};

struct Server {
  std::size_t exchanges = 0;              ///< measured
  std::vector<Event> events;              ///< with a delayed ACK
  std::vector<Event> quick;               ///< held back, but the ACK came at once
  PerDirection<std::size_t> by_sender{};  ///< of events
  std::size_t pauses = 0;                 ///< may have been events: nobody can tell
  Undivided undivided;                    ///< those pauses
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tcp_nagle_delack),
        round_trips_(*input.visits.round_trips),
        requests_(input.visits, VisitNode::Kind::request),
        queries_(input.visits, VisitNode::Kind::query) {}

  RuleResult run() {
    for (const Channel& channel : input_.correlation.channels) {
      for (const std::size_t i : channel.http) {
        add(channel.connection, VisitNode::Kind::request, i, input_.data.http()[i]);
      }
      for (const std::size_t i : channel.database) {
        add(channel.connection, VisitNode::Kind::query, i, input_.data.database()[i]);
      }
    }
    if (seen_ == 0) {
      return {Outcome::not_applicable, {}, "no request of HTTP/1 or a database that can be read"};
    }
    if (servers_.empty()) {
      return {Outcome::not_visible, {}, "no request was captured from both sides"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      if (!often(server.events.size(), server.exchanges)) continue;
      result.findings.push_back(finding_for(endpoint, server));
    }
    if (!result.findings.empty()) return result;
    const Undivided undivided = unknown_pauses();
    return undivided.any() ? undivided.not_visible("pauses within a message",
                                                   "the way and the delay of its acknowledgement")
                           : fine(servers_);
  }

 private:
  /// What was held back is so often seen that the rule fires.
  [[nodiscard]] bool often(std::size_t events, std::size_t exchanges) const {
    const bool share =
        static_cast<double>(events) >= limits_.min_share * static_cast<double>(exchanges);
    return events > 0 && (share || events >= limits_.min_events);
  }

  /// Where the rule would fire if all pauses of unknown reason were delayed ACKs.
  [[nodiscard]] Undivided unknown_pauses() const {
    Undivided undivided;
    for (const auto& [endpoint, server] : servers_) {
      if (often(server.events.size() + server.pauses, server.exchanges)) {
        undivided.add(server.undivided);
      }
    }
    return undivided;
  }

  /// Exchanges of a connection follow each other.
  Server& server_of(const Endpoint& endpoint) {
    if (latest_ == servers_.end() || latest_->first != endpoint) {
      latest_ = servers_.try_emplace(endpoint).first;
    }
    return latest_->second;
  }

  template <class Exchange>
  void add(std::size_t connection, VisitNode::Kind kind, std::size_t item, const Exchange& t) {
    ++seen_;
    const ExchangeStalls& s = t.stalls();
    const bool measured = known(s.earlier_resend_ns);  // both directions of the request
    if (!measured && !known(s.request_held_ns)) return;
    Server& server = server_of(t.server);
    ++server.exchanges;
    // A pause of which nobody knows what it waited for: as long as the message at most.
    const auto unknown = [&](DurationNs at_most_ns) {
      if (at_most_ns < std::min(limits_.quick_min_ns, limits_.slow_min_ns)) return;
      server.undivided.add(t.client.ip, t.server, at_most_ns);
      ++server.pauses;
    };
    if (!known(s.request_held_ns)) unknown(t.request_ns());
    if (!known(s.response_held_ns) && known(s.response_resend_ns)) unknown(t.transfer_ns());
    const auto held = [&](Direction sender, DurationNs held_ns, TimeNs time, const FrameSpan& at) {
      if (!known(held_ns) || held_ns <= 0) return;
      const DurationNs rtt = round_trips_.whole_ns(connection);
      const bool late = delayed(held_ns, known(rtt) ? rtt : 0);
      const bool unsure = !late && !round_trips_.way_known(connection);
      if (unsure && may_be_delayed(held_ns, rtt)) unknown(held_ns);
      (late ? server.events : server.quick)
          .push_back({connection, kind, item, sender, held_ns, time, at});
      server.by_sender[sender] += late ? 1 : 0;
    };
    held(Direction::c2s, s.request_held_ns, t.request_first_ns, t.request_frames);
    held(Direction::s2c, s.response_held_ns, t.response_first_ns, t.response_frames);
  }

  /// Whether the time is that of one or a few delayed ACKs on some way of at most `rtt_ns`.
  [[nodiscard]] bool may_be_delayed(DurationNs held_ns, DurationNs rtt_ns) const {
    for (DurationNs n = 1; n <= limits_.max_delays; ++n) {
      const DurationNs most = held_ns / n;
      const DurationNs least = known(rtt_ns) ? most - rtt_ns : 0;
      if (most >= limits_.quick_min_ns && least <= limits_.quick_max_ns) return true;
      if (most >= limits_.slow_min_ns && least <= limits_.slow_max_ns) return true;
    }
    return false;
  }

  /// Whether the time is that of one or a few delayed ACKs.
  [[nodiscard]] bool delayed(DurationNs held_ns, DurationNs rtt_ns) const {
    for (DurationNs n = 1; n <= limits_.max_delays; ++n) {
      const DurationNs late = held_ns / n - rtt_ns;
      if (late >= limits_.quick_min_ns && late <= limits_.quick_max_ns) return true;
      if (late >= limits_.slow_min_ns && late <= limits_.slow_max_ns) return true;
    }
    return false;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    const bool client = server.by_sender.c2s > server.by_sender.s2c;
    Finding f;
    f.title = fmt::format("Let {} send a message in one write",
                          client ? "the client of " + endpoint.text() : endpoint.text());
    f.fault = fmt::format("{} of {} waited for a delayed acknowledgement", server.events.size(),
                          count_of(server.exchanges, "exchange"));
    f.why = fmt::format(
        "{}: the {} sends a message in small pieces, Nagle's algorithm holds the next one back "
        "until "
        "the first is acknowledged, and the other side delays that acknowledgement. Nobody works "
        "in "
        "that time.",
        f.fault, client ? "client" : "server");
    f.families = {Family::batching, Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.exchanges;
    f.threshold = fmt::format(
        "an ACK late by {} to {} or by {} to {}, {} times or in {:.0f} % of the exchanges "
        "(rule.tcp-nagle-delack; Linux TCP_DELACK_MIN 40 ms, TCP_DELACK_MAX 200 ms)",
        in_ms(limits_.quick_min_ns), in_ms(limits_.quick_max_ns), in_ms(limits_.slow_min_ns),
        in_ms(limits_.slow_max_ns), limits_.min_events, 100 * limits_.min_share);
    for (const Event& e : server.events) {
      edit(f, e);
      if (f.evidence.size() < kExamples) f.evidence.push_back(evidence_of(e));
    }
    // The same program's writes wait for the ACKs that come at once, too: no write would.
    for (const Event& e : server.quick) {
      if (server.by_sender[e.sender] > 0) edit(f, e);
    }
    f.change = {{"application", "one write per message: writev(), or a buffer that is flushed once",
                 "code change", ""},
                {"application", "setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)",
                 "code change", "many tiny segments when the writes stay small"}};
    if (!client) {
      f.change.push_back({"nginx", "tcp_nodelay on;", "reload",
                          "none: the default; look whether it was switched off"});
    }
    f.verify = "capture again: no pause between the segments of one message";
    return f;
  }

  void edit(Finding& f, const Event& e) const {
    const NodePlace* at = (e.kind == VisitNode::Kind::query ? queries_ : requests_).find(e.item);
    shorten(f, at, Category::stall, e.held_ns, e.held_ns);
  }

  [[nodiscard]] Evidence evidence_of(const Event& e) const {
    const Connection& c = input_.data.connections()[e.connection];
    Evidence evidence{fmt::format("{}: the {} waited between two small segments", c.client.text(),
                                  e.sender == Direction::c2s ? "client" : "server"),
                      e.connection,
                      {e.frames.first, e.frames.last},
                      e.time_ns,
                      e.held_ns};
    std::erase(evidence.frames, 0U);
    return evidence;
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_nagle_delack)& limits_;
  const RoundTrips& round_trips_;
  NodeIndex requests_;
  NodeIndex queries_;
  std::map<Endpoint, Server> servers_;
  std::map<Endpoint, Server>::iterator latest_ = servers_.end();  ///< asked for
  std::size_t seen_ = 0;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_nagle_delack;
constinit const Rule tcp_nagle_delack{
    "tcp-nagle-delack", "Hardly any message waited for a delayed acknowledgement", &judge};
}  // namespace rules

}  // namespace wirelag
