// tcp-path-loss: the path to a client's network loses segments. Counted per network (IPv4 /24, IPv6
// /48) and direction: data segments that were sent again because they were lost (timer, duplicate ACKs or
// SACK, tail probe), of all. Loss costs a round trip where what follows reveals it and a timer where it
// does not (measured on a 40 ms path: +40 ms and +246 to +286 ms), and it makes the sender slow: with half
// its window (RFC 5681 section 3.1) what is left of a response takes more flights.
//
// Low: the silences that resends ended. High: with them, on a path that loses, the flights beyond those of
// a new connection that loses nothing, and silences as long as the timer (a last segment that was lost before
// the probe). Measured with 2 % random loss at 30 ms: the silences are a fifth of what loss costs.
//
// Resends that turned out to be unnecessary, as all of it had been acknowledged or as the receiver says that it had
// the segment already (duplicate SACK: RFC 2883, RFC 3708), and copies that the mirror made are no loss.
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../flights.hpp"
#include "../losses.hpp"

namespace wirelag {
namespace {

struct Way {
  std::uint64_t segments = 0;
  std::uint64_t lost = 0;
  std::uint64_t needless = 0;  ///< sent again as the lost ones, but the receiver had them
  void add(const Way& other) {
    segments += other.segments;
    lost += other.lost;
    needless += other.needless;
  }
  [[nodiscard]] double share() const {
    return segments == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(segments);
  }
};

/// What loss may have cost an exchange beside its silences.
struct Slowed {
  Loss place;
  Category category = Category::rounds;
};

struct Network {
  PerDirection<Way> way;
  std::vector<Loss> losses;
  std::vector<Slowed> slowed;
  std::size_t exchanges = 0;
  std::size_t unreadable = 0;  ///< connections that lost segments of what cannot be read
  bool holes = false;
};

/// "10.0.0.0/24", "2001:db8::/48"
IpAddress network_of(IpAddress ip) {
  const std::size_t kept = ip.is_v4() ? 15 : 6;
  for (std::size_t i = kept; i < ip.bytes.size(); ++i) ip.bytes[i] = 0;
  return ip;
}
std::string text_of(const IpAddress& network) {
  return network.text() + (network.is_v4() ? "/24" : "/48");
}

Way way_of(const HalfConnection& half) {
  const Resends resends = resends_of(half);
  return {half.payload_packets, resends.lost, resends.needless};
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input), limits_(input.thresholds.tcp_path_loss), places_(input.visits) {}

  RuleResult run() {
    bool both = false;
    for (const Channel& channel : input_.correlation.channels) {
      const Connection& c = input_.data.connections()[channel.connection];
      if (c.one_sided) continue;
      both = true;
      Network& network = networks_[network_of(c.client.ip)];
      bool lost = false;
      for (const Direction d : {Direction::c2s, Direction::s2c}) {
        const Way own = way_of(c.half[d]);
        network.way[d].add(own);
        lost |= own.lost > 0;
      }
      if (lost && channel.http.empty() && channel.database.empty()) ++network.unreadable;
      network.holes |= capture_has_holes(input_, c);
    }
    if (input_.data.connections().empty()) {
      return {Outcome::not_applicable, {}, "no TCP connection in the capture"};
    }
    if (!both) return {Outcome::not_visible, {}, "no connection was captured from both sides"};
    if (!enough()) {
      return {Outcome::not_visible,
              {},
              fmt::format("fewer than {} data segments to or from any client's network",
                          limits_.min_segments)};
    }
    const Losses losses = find_losses(input_);
    for (const Loss& loss : losses.found) network_with(loss).losses.push_back(loss);
    for (const Silence& s : losses.silences) {
      if (s.as_a_timer) network_with(s.loss).slowed.push_back({s.loss, Category::stall});
    }
    add_slow_responses();
    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [network, seen] : networks_) {
      if (loses(seen.way.c2s) || loses(seen.way.s2c)) {
        result.findings.push_back(finding_for(network, seen));
      }
    }
    if (!result.findings.empty()) return result;
    std::string looked_at;
    for (const auto& [network, seen] : networks_) {
      if (!enough(seen.way.c2s) && !enough(seen.way.s2c)) continue;
      looked_at += (looked_at.empty() ? "" : ", ") + text_of(network);
    }
    return {Outcome::fine, {}, std::move(looked_at)};
  }

 private:
  Network& network_with(const Loss& loss) {
    return networks_[network_of(input_.data.connections()[loss.connection].client.ip)];
  }

  /// Responses that lost segments and took more flights than a new connection would have without.
  void add_slow_responses() {
    for (const Channel& channel : input_.correlation.channels) {
      const Connection& c = input_.data.connections()[channel.connection];
      networks_[network_of(c.client.ip)].exchanges += channel.http.size() + channel.database.size();
      for (const std::size_t i : channel.http) {
        const HttpTransaction& h = input_.data.http()[i];
        const TransferShape& s = h.response_shape;
        if (s.flights == 0 || s.resent_segments == 0) continue;
        FlightPath path{s.rtt_ns,
                        kFullSegmentBytes,
                        input_.thresholds.tcp_initcwnd_rounds.initial_segments,
                        {},
                        0};
        if (s.smallest_window_bytes != TransferShape::kUnknownWindow) {
          path.window_bytes = {s.smallest_window_bytes};
        }
        const std::uint32_t flights = simulate_flights(s.segments, path).count;
        if (s.flights <= flights) continue;
        const Loss place{channel.connection, VisitNode::Kind::request,         i,
                         Direction::s2c,     s.rtt_ns * (s.flights - flights), h.response_first_ns,
                         h.response_frames};
        network_with(place).slowed.push_back({place, Category::rounds});
      }
    }
  }

  [[nodiscard]] bool enough(const Way& way) const { return way.segments >= limits_.min_segments; }
  [[nodiscard]] bool enough() const {
    for (const auto& [network, seen] : networks_) {
      if (enough(seen.way.c2s) || enough(seen.way.s2c)) return true;
    }
    return false;
  }
  [[nodiscard]] bool loses(const Way& way) const {
    return enough(way) && way.share() > limits_.min_share;
  }

  Finding finding_for(const IpAddress& network, const Network& seen) const {
    const bool to_client = seen.way.s2c.share() >= seen.way.c2s.share();
    const Way& way = to_client ? seen.way.s2c : seen.way.c2s;
    Finding f;
    f.title = fmt::format("Find what loses segments on the way {} {}", to_client ? "to" : "from",
                          text_of(network));
    f.fault =
        fmt::format("{:.1f} % of {} data segments were lost on the way {} {}", 100 * way.share(),
                    way.segments, to_client ? "to" : "from", text_of(network));
    f.why = f.fault +
            ". Each costs a round trip, or a timer of 200 ms or more, and makes the sender slower.";
    if (way.needless > 0) {
      f.why += fmt::format(" {} more {} sent again although the receiver had {}: not counted.",
                           way.needless, way.needless == 1 ? "was" : "were",
                           way.needless == 1 ? "it" : "them");
    }
    f.families = {Family::network};
    f.scope = "path/" + text_of(network);
    f.looked_at = seen.exchanges;
    f.threshold = fmt::format(
        "more than {:.1f} % of {} or more data segments were sent again (rule.tcp-path-loss; below "
        "that, loss is what makes senders slow down, RFC 5681 section 3)",
        100 * limits_.min_share, limits_.min_segments);
    for (const Loss& loss : seen.losses) {
      shorten(f, places_.find(loss), Category::stall, loss.stall_ns, loss.stall_ns);
      if (f.evidence.size() < kExamples) f.evidence.push_back(evidence_of(input_, loss));
    }
    for (const Slowed& s : seen.slowed) {
      shorten(f, places_.find(s.place), s.category, 0, s.place.stall_ns);
    }
    f.unplaced += seen.unreadable;
    if (seen.holes) {
      f.why_not_higher.emplace_back("the capture lacks bytes of some of the connections");
    }
    f.change = {
        {"network",
         "find the link, queue or shaper: ethtool -S DEVICE; tc -s qdisc show dev DEVICE; mtr",
         "infrastructure", "none: it only shows"},
        {"router", "tc qdisc replace dev DEVICE root cake bandwidth 95mbit   (of 100 Mbit/s)",
         "config line", "5 % of the bandwidth, when the queue of a bottleneck is what drops"},
        {"sysctl", "net.ipv4.tcp_ecn = 1", "config line",
         "helps where routers mark; some old ones drop such SYNs"},
        {"sysctl", "net.core.default_qdisc = fq\nnet.ipv4.tcp_congestion_control = bbr",
         "config line",
         "for loss that is not congestion; may push other flows aside; new connections only, and "
         "the qdisc of a device that is up stays: tc qdisc replace dev DEVICE root fq"}};
    f.verify = "capture again: fewer resends per data segment on this path";
    return f;
  }

  const RuleInput& input_;
  const decltype(Thresholds::tcp_path_loss)& limits_;
  LossPlaces places_;
  std::map<IpAddress, Network> networks_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule tcp_path_loss;
constinit const Rule tcp_path_loss{"tcp-path-loss", "Paths lose few segments", &judge};
}  // namespace rules

}  // namespace wirelag
