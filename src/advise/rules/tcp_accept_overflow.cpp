// tcp-accept-overflow: the listener's queue was full. Linux then drops SYNs, or the ACK that completes
// a handshake: the client believes it is connected, and its request goes into the void.
//
//   (a) SYN -- 1 s -- SYN, SYN-ACK        while the listener answers others
//   (b) SYN, SYN-ACK, ACK, request -- 200 ms -- request again ...
//   (c) the same, and a SYN-ACK again after the client's ACK
//
// Loss on the way hits one connection here and there; an overflow hits several at once. Measured: 24
// clients at once on a backlog of 4, the last one 1743 ms, with a backlog of 64 495 ms. A longer
// backlog hides the stall and not the queue: what is saved is what a queue of any length would save, served in order
// at the pace that the server showed (accept_queue.hpp). Where not all first requests can be read that is not known:
// from nothing to the whole stall.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../accept_queue.hpp"
#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

constexpr std::uint32_t kMaxTimers = 10;  ///< by then the sum is more than any wait

/// One connection that met a full queue: its SYN, its first request, or one after the other.
struct Event {
  std::size_t connection = 0;
  TimeNs time_ns = 0;
  DurationNs syn_ns = 0;                 ///< what it waited because its SYN was ignored
  DurationNs request_ns = 0;             ///< likewise, its first request
  std::size_t request = Dataset::kNone;  ///< index into http(); of the one that was ignored
  Category category = Category::think;   ///< of the request's wait
  [[nodiscard]] DurationNs stall_ns() const { return syn_ns + request_ns; }
};

struct Listener {
  std::vector<TimeNs> answered;  ///< first SYNs that were answered at once
  std::vector<Event> events;
  std::size_t opened = 0;
  std::size_t unreadable = 0;  ///< without a first request and its answer that can be read
  AcceptQueue queue;
  bool queue_known = false;
};

bool synack_after_ack(const Connection& c) {
  // An ordinary opening ends with the ACK.
  return std::any_of(c.segments.begin(), c.segments.end(), [&](const HandshakeSegment& s) {
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
      if (c.one_sided || !c.syn_seen() || c.state != ConnectionState::complete) continue;
      collect(i, c);
    }
    if (!any) return {Outcome::not_applicable, {}, "no TCP connection in the capture"};
    if (listeners_.empty()) {
      return {Outcome::not_visible, {}, "no handshake was captured whole and from both sides"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [endpoint, listener] : listeners_) {
      keep_clusters(listener);
      // Of those alone that were ignored nobody knows how fast the server is.
      listener.queue_known = listener.unreadable == 0 && listener.events.size() < listener.opened &&
                             listener.queue.serve_in_order();
      if (!listener.events.empty()) result.findings.push_back(finding_for(endpoint, listener));
    }
    return result.findings.empty() ? fine(listeners_) : result;
  }

 private:
  void collect(std::size_t i, const Connection& c) {
    Listener& listener = listeners_[c.server];
    ++listener.opened;
    add_to_queue(listener, i, c);
    Event e{i, c.start_time_ns};
    if (known(c.syn_wait_ns) && c.syn_wait_ns >= limits_.min_syn_wait_ns) {
      e.syn_ns = c.syn_wait_ns;
    } else {
      listener.answered.push_back(c.start_time_ns);
    }
    add_request(e, c);
    if (e.stall_ns() > 0) listener.events.push_back(e);
  }

  void add_to_queue(Listener& listener, std::size_t i, const Connection& c) const {
    const Channel& channel = input_.correlation.channels[i];
    const HttpTransaction* first =
        channel.http.empty() ? nullptr : &input_.data.http()[channel.http.front()];
    if (first == nullptr || !known(first->response_first_ns) || !known(c.handshake_rtt_ns)) {
      ++listener.unreadable;
      return;
    }
    listener.queue.add(i, c.start_time_ns + c.handshake_rtt_ns, first->response_first_ns);
  }

  /// What its first request waited because it was ignored.
  void add_request(Event& e, const Connection& c) const {
    const std::uint32_t resent =
        c.half.c2s.impairment().retransmissions[static_cast<std::size_t>(RetransmissionClass::rto)];
    const Channel& channel = input_.correlation.channels[e.connection];
    if ((resent == 0 && !synack_after_ack(c)) || channel.http.empty()) return;
    const HttpTransaction& h = input_.data.http()[channel.http.front()];
    const DurationNs waited = h.server_wait_ns();
    if (!known(waited) || waited < limits_.min_wait_ns) return;
    const std::uint32_t timers = std::clamp<std::uint32_t>(resent, 1, kMaxTimers);
    // The timer doubles each time (RFC 6298 section 5.5).
    const DurationNs stall =
        std::min(waited, input_.thresholds.resend_timer.min_ns * ((std::int64_t{1} << timers) - 1));
    // What was seen to be sent again is no time of the server's in the graph.
    const bool seen = known(h.stalls().request_resend_ns) && h.stalls().request_resend_ns > 0;
    e.request = channel.http.front();
    e.request_ns = seen ? h.stalls().request_resend_ns : stall;
    e.category = seen ? Category::stall : Category::think;
    if (e.syn_ns == 0) e.time_ns = h.request_first_ns;
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
      const bool request = events[n].syn_ns == 0;  // that was ignored, of an open connection
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
        "for their timers. A longer backlog saves that; the queue itself takes more capacity.",
        f.fault, endpoint.text());
    f.families = {Family::concurrency};
    f.scope = tcp_scope(endpoint);
    f.looked_at = listener.opened;
    f.affected_actions = listener.events.size();
    f.threshold = fmt::format(
        "{} or more ignored SYNs or first requests on one address and port within {} "
        "(rule.tcp-accept-overflow; from runs with backlogs of 4, 64 and 128)",
        limits_.min_events, in_ms(limits_.within_ns));
    for (const Event& e : listener.events) add(f, e, listener);
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

  /// What a longer queue saves comes off the SYN's wait first: that came first.
  void add(Finding& f, const Event& e, const Listener& listener) const {
    AcceptQueue::Sooner sooner{0, e.stall_ns()};
    if (listener.queue_known) sooner = listener.queue.sooner(e.connection);
    const auto of_syn = [&e](DurationNs d) { return std::min(d, e.syn_ns); };
    const auto of_request = [&](DurationNs d) { return std::min(d - of_syn(d), e.request_ns); };
    if (e.syn_ns > 0) {
      shorten(f, connects_.find(e.connection), Category::connect, of_syn(sooner.low_ns),
              of_syn(sooner.high_ns));
    }
    if (e.request_ns > 0) {
      shorten(f, requests_.find(e.request), e.category, of_request(sooner.low_ns),
              of_request(sooner.high_ns));
    }
    if (f.evidence.size() == kExamples) return;
    const Connection& c = input_.data.connections()[e.connection];
    std::vector<FrameNumber> frames = handshake_frames(c);
    if (e.request != Dataset::kNone) {
      const FrameSpan& asked = input_.data.http()[e.request].request_frames;
      if (asked.first != 0) frames.push_back(asked.first);
    }
    f.evidence.push_back({c.client.text() + ": " + what(e), e.connection, std::move(frames),
                          e.time_ns, e.stall_ns()});
  }

  static const char* what(const Event& e) {
    if (e.request_ns == 0) return "its SYN was ignored";
    return e.syn_ns == 0 ? "connected, but its first request was ignored"
                         : "its SYN was ignored, and then its first request";
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
