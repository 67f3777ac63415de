// tcp-initcwnd-rounds: a response did not fit into the first flights of slow start, and each further
// flight cost a round trip. Judged are responses on new connections whose only gaps were round trips:
// no loss, no closed window, no pause of the sender, a first flight of the default size. A larger
// initial window (or a smaller response) needs fewer flights.
//
// Saving: the flights that were seen less those that the simulation gives for the proposed window,
// times the round trip. Where a few segments or the receiver's window would decide, the low end is the
// flights with those more, in the smallest window that was seen; receivers open it as they read.
// Measured on a 40.4 ms path, initial window 10 -> 30: 20 kB saves 39.8 ms, 50 kB 40.1, 100 kB 81.1.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../by_server.hpp"
#include "../estimate.hpp"
#include "../flights.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

/// No sender begins with less than two full segments (RFC 5681 section 3.1).
constexpr std::uint64_t kSmallestWindowBytes = 2 * kFullSegmentBytes;

struct Slow {
  std::size_t http = 0;
  std::uint32_t flights_now = 0;
  std::uint32_t flights_then = 0;
  std::uint32_t flights_then_at_most = 0;
};

struct Server {
  std::size_t judged = 0;
  std::vector<Slow> slow;
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.tcp_initcwnd_rounds),
        nodes_(input.visits, VisitNode::Kind::request) {}

  RuleResult run() {
    bool any = false;
    for (const Channel& channel : input_.correlation.channels) {
      if (channel.http.empty()) continue;
      const HttpTransaction& h = input_.data.http()[channel.http.front()];
      if (!h.response_complete) continue;
      any = true;
      if (h.response_shape.flights == 0) continue;
      judge_first(channel.http.front(), h);
    }
    if (!any) {
      const bool asked = !input_.data.http().empty();
      return {asked ? Outcome::not_visible : Outcome::not_applicable,
              {},
              asked ? "no connection's first HTTP/1 response was captured whole"
                    : "no HTTP/1 request that can be read in the capture"};
    }
    if (servers_.empty()) {
      return {Outcome::not_visible,
              {},
              "no response's flights could be told apart: no handshake was seen from both sides"};
    }
    return judge_by_share(servers_, limits_.min_share,
                          [this](const Endpoint& endpoint, const Server& server) {
                            return finding_for(endpoint, server);
                          });
  }

 private:
  /// The first response of a connection: slow start begins with it.
  void judge_first(std::size_t i, const HttpTransaction& h) {
    const TransferShape& s = h.response_shape;
    Server& server = servers_[h.server];
    ++server.judged;
    const auto none = [](DurationNs d) { return known(d) && d == 0; };
    if (s.flights < 2 || h.response_bytes > limits_.max_response_bytes) return;
    if (!none(s.pause_ns) || !none(s.resend_stall_ns) || !none(s.window_stall_ns)) return;
    if (known(s.held_ns) && s.held_ns > 0) return;
    if (s.resent_segments > 0 || s.first_burst_shared) return;
    if (s.first_burst_segments > limits_.initial_segments + limits_.slack_segments) return;
    if (s.first_burst_bytes < kSmallestWindowBytes) return;  // the server had no more to send yet
    const FlightPath open_path{s.rtt_ns, kFullSegmentBytes, limits_.proposed_segments, {}, 0};
    FlightPath path = open_path;
    if (s.smallest_window_bytes != TransferShape::kUnknownWindow) {
      path.window_bytes = {s.smallest_window_bytes};
    }
    const bool clipped = s.window_limited_bursts > 0;
    const std::uint32_t then = simulate_flights(s.segments, clipped ? path : open_path).count;
    const std::uint32_t at_most = simulate_flights(s.segments + limits_.slack_segments, path).count;
    if (then < s.flights) server.slow.push_back({i, s.flights, then, std::min(at_most, s.flights)});
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = fmt::format("Let {} send {} segments at once, or send less", endpoint.text(),
                          limits_.proposed_segments);
    f.fault = fmt::format("{} of {} needed more than one flight", server.slow.size(),
                          count_of(server.judged, "first response"));
    f.why = fmt::format(
        "{}. A new connection may send {} segments (a flight) before it has to wait for an "
        "acknowledgement; what does not fit waits a round trip for the next one.",
        f.fault, limits_.initial_segments);
    f.families = {Family::network};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.judged;
    f.threshold = fmt::format(
        "{:.0f} % or more of the first responses of up to {} bytes have a first flight of at most "
        "{} segments and need fewer flights with {} (rule.tcp-initcwnd-rounds; RFC 6928 section 2)",
        100 * limits_.min_share, limits_.max_response_bytes, limits_.initial_segments,
        limits_.proposed_segments);
    for (const Slow& s : server.slow) add(f, s);
    f.change = {
        {"Linux",
         fmt::format("ip route change default via GATEWAY dev DEVICE initcwnd {}",
                     limits_.proposed_segments),
         "config line",
         "larger bursts: a slow link near the client may drop them; gone after a reboot, so "
         "write it where the network is configured"},
        {"nginx",
         "gzip on;\ngzip_types text/css application/javascript application/json "
         "image/svg+xml;",
         "reload", "a little more CPU; below 14.6 kB a response fits into one flight"},
        {"nginx", "keepalive_timeout 75s;", "reload",
         "more idle connections; a warm one has a larger window"}};
    f.verify = "capture again: fewer flights per response, first flight of the new size";
    return f;
  }

  void add(Finding& f, const Slow& s) const {
    const HttpTransaction& h = input_.data.http()[s.http];
    const std::uint32_t fewer = s.flights_now - s.flights_then;
    const std::uint32_t surely_fewer = s.flights_now - s.flights_then_at_most;
    const DurationNs rtt = h.response_shape.rtt_ns;
    // The first `rounds` of a request is its own round trip and stays.
    shorten(f, nodes_.find(s.http), Category::rounds, rtt * surely_fewer, rtt * fewer);
    if (f.evidence.size() == kExamples) return;
    f.evidence.push_back(evidence_of_response(
        input_, h,
        fmt::format("{} of {} bytes: {} flights, {} segments in the first", h.target.text(),
                    h.response_bytes, s.flights_now, h.response_shape.first_burst_segments)));
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_initcwnd_rounds)& limits_;
  NodeIndex nodes_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_initcwnd_rounds;
constinit const Rule tcp_initcwnd_rounds{
    "tcp-initcwnd-rounds",
    "Hardly any first response of a connection would need fewer flights with a larger window",
    &judge};
}  // namespace rules

}  // namespace wirelag
