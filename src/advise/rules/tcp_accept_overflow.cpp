// tcp-accept-overflow: the listener's queue was full. Linux then drops SYNs, or the ACK that completes
// a handshake: the client believes it is connected, and its request goes into the void.
//
//   (a) SYN -- 1 s -- SYN, SYN-ACK        while the listener answers others
//   (b) SYN, SYN-ACK, ACK, request -- 200 ms -- request again ...
//   (c) the same, and a SYN-ACK again after the client's ACK
//
// Loss on the way hits one connection here and there; an overflow hits several at once. Measured: 24
// clients at once on a backlog of 4, the last one 1743 ms, with a backlog of 64 495 ms. A longer
// backlog hides the stall and not the queue: what remains is the queue's wait, so the low end is 0.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

constexpr std::uint32_t kMaxTimers = 10;  ///< by then the sum is more than any wait

struct Event {
  std::size_t connection = 0;
  TimeNs time_ns = 0;
  DurationNs stall_ns = 0;
  Category category = Category::connect;
  std::size_t request = Dataset::kNone;  ///< index into http()
  const char* what = "";
};

struct Listener {
  std::vector<TimeNs> answered;  ///< first SYNs that were answered at once
  std::vector<Event> events;
  std::size_t opened = 0;
};

bool synack_after_ack(const Connection& c) {
  return std::any_of(c.handshake.begin(), c.handshake.end(), [&](const HandshakeSegment& s) {
    return s.direction == Direction::s2c && (s.flags & tcp_flag::syn) != 0 &&
           known(c.established_time_ns) && s.time_ns > c.established_time_ns;
  });
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tcp_accept_overflow),
        connects_(input.visits, VisitNode::Kind::connect),
        requests_(input.visits, VisitNode::Kind::request) {}

  RuleResult run() {
    bool any = false;
    for (std::size_t i = 0; i < input_.data.connections().size(); ++i) {
      const Connection& c = input_.data.connections()[i];
      any = true;
      if (c.one_sided || c.syn_frames.empty() || c.state != ConnectionState::complete) continue;
      collect(i, c);
    }
    if (!any) return {Outcome::not_applicable, {}, "no TCP connection in the capture"};
    if (listeners_.empty()) {
      return {Outcome::not_visible, {}, "no handshake was captured whole and from both sides"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [endpoint, listener] : listeners_) {
      keep_clusters(listener);
      if (!listener.events.empty()) result.findings.push_back(finding_for(endpoint, listener));
    }
    return result.findings.empty() ? fine(listeners_) : result;
  }

 private:
  void collect(std::size_t i, const Connection& c) {
    Listener& listener = listeners_[c.server];
    ++listener.opened;
    const bool late = known(c.syn_wait_ns) && c.syn_wait_ns >= limits_.min_syn_wait_ns;
    if (!late) listener.answered.push_back(c.start_time_ns);
    if (late) {
      listener.events.push_back({i, c.start_time_ns, c.syn_wait_ns, Category::connect,
                                 Dataset::kNone, "its SYN was ignored"});
      return;
    }
    const std::uint32_t resent =
        c.half.c2s.impairment().retransmissions[static_cast<std::size_t>(RetransmissionClass::rto)];
    if (resent == 0 && !synack_after_ack(c)) return;
    const Channel& channel = input_.correlation.channels[i];
    if (channel.http.empty()) return;
    const std::size_t first = channel.http.front();
    const HttpTransaction& h = input_.data.http()[first];
    const DurationNs waited = h.server_wait_ns();
    if (!known(waited) || waited < limits_.min_wait_ns) return;
    const std::uint32_t timers = std::clamp<std::uint32_t>(resent, 1, kMaxTimers);
    // The timer doubles each time (RFC 6298 section 5.5).
    const DurationNs stall =
        std::min(waited, input_.thresholds.resend_timer.min_ns * ((std::int64_t{1} << timers) - 1));
    // What was seen to be sent again is no time of the server's in the graph.
    const bool seen = known(h.stalls.request_resend_ns) && h.stalls.request_resend_ns > 0;
    listener.events.push_back({i, h.request_first_ns, seen ? h.stalls.request_resend_ns : stall,
                               seen ? Category::stall : Category::think, first,
                               "connected, but its first request was ignored"});
  }

  /// Only events with company: enough of them within the time, and others answered then.
  void keep_clusters(Listener& listener) const {
    std::vector<Event>& events = listener.events;
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::tie(a.time_ns, a.connection) < std::tie(b.time_ns, b.connection);
    });
    std::sort(listener.answered.begin(), listener.answered.end());
    std::vector<Event> kept;
    for (std::size_t n = 0; n < events.size(); ++n) {
      const TimeNs t = events[n].time_ns;
      const auto before = [](const Event& e, TimeNs time) { return e.time_ns < time; };
      const auto from =
          std::lower_bound(events.begin(), events.end(), t - limits_.within_ns, before);
      const auto to =
          std::lower_bound(events.begin(), events.end(), t + limits_.within_ns + 1, before);
      const auto near = to - from;
      const auto other = std::lower_bound(listener.answered.begin(), listener.answered.end(),
                                          t - limits_.within_ns);
      const bool answered_others =
          other != listener.answered.end() && *other <= t + limits_.within_ns;
      const bool request = events[n].request != Dataset::kNone;
      if (static_cast<std::uint32_t>(near) >= limits_.min_events && (answered_others || request)) {
        kept.push_back(events[n]);
      }
    }
    events = std::move(kept);
  }

  Finding finding_for(const Endpoint& endpoint, const Listener& listener) const {
    Finding f;
    f.title = fmt::format("Let {} accept connections faster: its queue was full", endpoint.text());
    f.fault = fmt::format("{} of {} met a full accept queue", listener.events.size(),
                          count_of(listener.opened, "connection"));
    f.why = fmt::format(
        "{} at {}: several at once were ignored while others were answered, and the clients waited "
        "for their timers. A longer backlog hides the stall; only more capacity cures the queue.",
        f.fault, endpoint.text());
    f.families = {Family::concurrency};
    f.scope = tcp_scope(endpoint);
    f.looked_at = listener.opened;
    f.affected_actions = listener.events.size();
    f.threshold = fmt::format(
        "{} or more ignored SYNs or first requests on one address and port within {} "
        "(rule.tcp-accept-overflow; from runs with backlogs of 4, 64 and 128)",
        limits_.min_events, in_ms(limits_.within_ns));
    for (const Event& e : listener.events) add(f, e);
    f.change = {
        {"nginx", "listen " + std::to_string(endpoint.port) + " backlog=4096 reuseport;", "reload",
         "more connections wait in the queue before they fail"},
        {"sysctl", "net.core.somaxconn = 4096", "config line",
         "counts when the program calls listen() again: restart it, or reload nginx with "
         "another backlog"},
        {"redis.conf", "tcp-backlog 4096", "restart", "capped by net.core.somaxconn"},
        {"application", "more workers, or accept in a thread of its own", "code change", ""}};
    f.verify = "nstat -az TcpExtListenOverflows TcpExtListenDrops stays 0 on the server";
    return f;
  }

  void add(Finding& f, const Event& e) const {
    const NodePlace* at =
        e.request == Dataset::kNone ? connects_.find(e.connection) : requests_.find(e.request);
    if (at != nullptr) f.edits.push_back(shorten(*at, e.category, 0, e.stall_ns));
    if (f.evidence.size() == kExamples) return;
    const Connection& c = input_.data.connections()[e.connection];
    std::vector<FrameNumber> frames = handshake_frames(c);
    if (e.request != Dataset::kNone) {
      const FrameSpan& asked = input_.data.http()[e.request].request_frames;
      if (asked.first != 0) frames.push_back(asked.first);
    }
    f.evidence.push_back(
        {c.client.text() + ": " + e.what, e.connection, std::move(frames), e.time_ns, e.stall_ns});
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_accept_overflow)& limits_;
  NodeIndex connects_;
  NodeIndex requests_;
  std::map<Endpoint, Listener> listeners_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_accept_overflow;
constinit const Rule tcp_accept_overflow{
    "tcp-accept-overflow", "No listener left several connections waiting at once", &judge};
}  // namespace rules

}  // namespace wirelag
