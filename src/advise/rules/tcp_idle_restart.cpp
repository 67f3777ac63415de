// tcp-idle-restart: a connection that had grown its window is idle for longer than its timer, and the
// sender begins slow start anew (RFC 5681 section 4.1; Linux tcp_slow_start_after_idle=1): a large answer
// takes as many flights as on a new connection. Measured: 200 kB on a 40.4 ms path after a second of
// silence 162.0 ms, with the setting off 41.0. Linux halves the window once for each timer that the silence is
// long: 300 kB on a 40 ms path after 0.9 s began with 27 segments of 217 and took 224 ms, with the setting off 39.
//
// Saving: the flights that were seen less those with the window as it was. Low: the largest flight this
// connection has shown. High: what slow start had grown to, one segment for each one acknowledged.
// Senders that pace (BBR) do not do this the same way, and are not seen as such.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../by_server.hpp"
#include "../estimate.hpp"
#include "../flights.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Slow {
  std::size_t http = 0;
  DurationNs idle_ns = 0;
  std::uint32_t window_segments = 0;  ///< that the connection had shown
  DurationNs low_ns = 0;
  DurationNs high_ns = 0;
};

struct Server {
  std::size_t judged = 0;
  std::vector<Slow> slow;
};

/// As many segments as `bytes` of a response took.
[[nodiscard]] std::uint32_t segments_of(std::uint64_t bytes, const TransferShape& s) {
  if (s.first_burst_segments == 0) return 0;
  const std::uint64_t each = std::max<std::uint64_t>(
      1, std::min<std::uint64_t>(kFullSegmentBytes, s.first_burst_bytes / s.first_burst_segments));
  return static_cast<std::uint32_t>((bytes + each - 1) / each);
}

/// What a connection has carried so far, since a loss cut its window (RFC 5681 section 3.1).
struct Grown {
  std::uint32_t largest_segments = 0;  ///< in one flight
  std::uint64_t segments = 0;

  void add(const TransferShape& s) {
    if (s.resent_segments > 0) {
      *this = {};
      return;
    }
    largest_segments = std::max(largest_segments, segments_of(s.largest_burst_bytes, s));
    segments += s.segments;
  }
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tcp_idle_restart),
        nodes_(input.visits, VisitNode::Kind::request) {}

  RuleResult run() {
    for (const Channel& channel : input_.correlation.channels) follow(channel);
    const Transactions<HttpTransaction>& http = input_.data.http();
    const bool answered = std::any_of(http.begin(), http.end(), [](const HttpTransaction& h) {
      return known(h.response_first_ns);
    });
    if (!http.empty() && !answered) {
      return {Outcome::not_visible, {}, "no HTTP/1 request was captured with its answer"};
    }
    if (!reused_) {
      return {Outcome::not_applicable,
              {},
              fmt::format("no HTTP/1 connection was used again for {} bytes or more after {}",
                          limits_.min_response_bytes, in_ms(limits_.min_idle_ns))};
    }
    if (servers_.empty()) {
      return {Outcome::not_visible,
              {},
              "no such response's flights could be told apart: no handshake was seen from both "
              "sides"};
    }
    return judge_by_share(servers_, limits_.min_share,
                          [this](const Endpoint& endpoint, const Server& server) {
                            return finding_for(endpoint, server);
                          });
  }

 private:
  void follow(const Channel& channel) {
    Grown grown;
    TimeNs before_ns = kUnknownNs;
    for (const std::size_t i : channel.http) {
      const HttpTransaction& h = input_.data.http()[i];
      const DurationNs idle_ns = elapsed_ns(before_ns, h.request_first_ns);
      if (known(idle_ns) && idle_ns >= limits_.min_idle_ns && h.response_complete &&
          h.response_bytes >= limits_.min_response_bytes) {
        judge_one(i, h, idle_ns, grown);
      }
      grown.add(h.response_shape);
      before_ns = h.response_last_ns;
    }
  }

  void judge_one(std::size_t i, const HttpTransaction& h, DurationNs idle_ns, const Grown& grown) {
    reused_ = true;
    const TransferShape& s = h.response_shape;
    if (s.flights == 0) return;
    Server& server = servers_[h.server];
    ++server.judged;
    const auto none = [](DurationNs d) { return !known(d) || d == 0; };
    if (s.flights < 2 || s.first_burst_shared || s.resent_segments > 0) return;
    if (!none(s.pause_ns) || !none(s.window_stall_ns) || !none(s.held_ns)) return;
    if (s.window_limited_bursts > 0) return;
    const auto slow_start = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(limits_.initial_segments + grown.segments, UINT32_MAX));
    // Slow start goes on while the window is used: twice the largest flight, and what was acknowledged of the last one.
    const std::uint32_t window =
        std::clamp(slow_start, grown.largest_segments, 3 * grown.largest_segments);
    if (s.first_burst_segments > restarted(window, idle_ns, s.rtt_ns) + limits_.slack_segments)
      return;
    if (keeps_its_window(s)) return;
    // What it had shown before does not say that its window was any larger.
    if (grown.largest_segments <= s.first_burst_segments + limits_.slack_segments) return;

    const std::uint32_t sure = flights(s, grown.largest_segments);
    const std::uint32_t likely = flights(s, window);
    if (likely >= s.flights) return;
    const DurationNs round_ns = std::max(s.rtt_ns, s.rounds_ns / (s.flights - 1));
    server.slow.push_back({i, idle_ns, grown.largest_segments,
                           s.rtt_ns * (s.flights - std::min(sure, s.flights)),
                           round_ns * (s.flights - likely)});
  }

  /// Slow start doubles the second flight, or sends all there is left: this one is hardly larger than the first.
  [[nodiscard]] static bool keeps_its_window(const TransferShape& s) {
    const std::uint32_t first = s.first_burst_segments;
    const std::uint32_t second = std::min(2 * first, s.segments - std::min(s.segments, first));
    const std::uint32_t largest = segments_of(s.largest_burst_bytes, s);
    return second > first + first / 4 && largest < (first + second) / 2;
  }

  /// What Linux leaves of a window: half for each timer in the silence, the shortest one here, never less than the initial
  /// one.
  [[nodiscard]] std::uint32_t restarted(std::uint32_t window, DurationNs idle_ns,
                                        DurationNs rtt_ns) const {
    constexpr DurationNs kShortestRtoNs = 200 * kMillisecondNs;
    const DurationNs timers = idle_ns / (kShortestRtoNs + rtt_ns);
    const std::uint32_t left = timers > 0 && timers < 32 ? window >> timers : 0;
    return std::max<std::uint32_t>(limits_.initial_segments, left);
  }

  [[nodiscard]] static std::uint32_t flights(const TransferShape& s, std::uint32_t window) {
    FlightPath path{s.rtt_ns, kFullSegmentBytes, window, {}, 0};
    if (s.smallest_window_bytes != TransferShape::kUnknownWindow) {
      path.window_bytes = {s.smallest_window_bytes};
    }
    return simulate_flights(s.segments, path).count;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = fmt::format("Let connections of {} keep their window over a pause", endpoint.text());
    f.fault = fmt::format("{} of {} after a pause began slow start anew", server.slow.size(),
                          count_of(server.judged, "large answer"));
    f.why = fmt::format(
        "{}: the connection had sent more at a time before (larger flights). After the pause it "
        "sends {} segments and waits for their acknowledgement, as a new one does: after a short "
        "pause Linux halves the window, after a longer one it begins with {}.",
        f.fault, first_flights(server), limits_.initial_segments);
    f.families = {Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.judged;
    f.threshold = fmt::format(
        "{:.0f} % or more of the answers of {} bytes or more after {} or more of silence have a "
        "first "
        "flight of no more than {} segments, or than halving for each timer leaves "
        "(rule.tcp-idle-restart; RFC 5681 section 4.1)",
        100 * limits_.min_share, limits_.min_response_bytes, in_ms(limits_.min_idle_ns),
        limits_.initial_segments);
    for (const Slow& s : server.slow) add(f, s);
    f.change = {{"Linux", "sysctl -w net.ipv4.tcp_slow_start_after_idle=0", "config line",
                 "a burst after a pause may meet a path that has changed: watch tcp-tail-rto; in "
                 "/etc/sysctl.d it outlives a reboot"}};
    f.verify =
        "capture again: after a pause the first flight is as large as the last one before it";
    return f;
  }

  /// "10", "10 to 27"
  [[nodiscard]] std::string first_flights(const Server& server) const {
    const auto first = [this](const Slow& s) {
      return input_.data.http()[s.http].response_shape.first_burst_segments;
    };
    const auto [least, most] = std::ranges::minmax(server.slow, {}, first);
    return first(least) == first(most) ? std::to_string(first(least))
                                       : fmt::format("{} to {}", first(least), first(most));
  }

  void add(Finding& f, const Slow& s) const {
    const HttpTransaction& h = input_.data.http()[s.http];
    shorten(f, nodes_.find(s.http), Category::rounds, s.low_ns, s.high_ns);
    if (f.evidence.size() == kExamples) return;
    f.evidence.push_back(evidence_of_response(
        input_, h,
        fmt::format("{} of {} bytes after {} of silence: {} flights, {} segments in the first; "
                    "{} in one flight before",
                    h.target, h.response_bytes, in_ms(s.idle_ns), h.response_shape.flights,
                    h.response_shape.first_burst_segments, s.window_segments)));
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_idle_restart)& limits_;
  NodeIndex nodes_;
  std::map<Endpoint, Server> servers_;
  bool reused_ = false;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_idle_restart;
constinit const Rule tcp_idle_restart{
    "tcp-idle-restart", "Hardly any large answer after a pause began slow start anew", &judge};
}  // namespace rules

}  // namespace wirelag
