#include "waits.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <wirelag/control/opening.hpp>

#include "format.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kServices = 8;
constexpr double kBand = 0.05;  ///< visits around a quantile that stand for it, either side

/// A visit's wait and where it stands, so that the order is the same every time.
struct Wait {
  DurationNs wait_ns = 0;
  std::size_t visit = 0;
  double weight = 1;
  bool operator<(const Wait& other) const {
    return std::tie(wait_ns, visit) < std::tie(other.wait_ns, other.visit);
  }
};

/// The first one that, with those before it, stands for the share `q` of all.
std::size_t rank(const std::vector<Wait>& sorted, double q) {
  double total = 0;
  for (const Wait& w : sorted) total += w.weight;
  double passed = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    passed += sorted[i].weight;
    if (passed >= q * total) return i;
  }
  return sorted.size() - 1;
}

/// The waits of some visits: those that are known, and how many are not.
struct Group {
  std::vector<Wait> waits;
  double end_unseen = 0;
  void add(const Visit& v, std::size_t i) {
    if (v.flags.end_unseen) {
      end_unseen += v.weight;
    } else {
      waits.push_back({v.wait_ns, i, v.weight});
    }
  }
};

/// So many times the breakdown, in whole nanoseconds that add up to so many times the wait.
Breakdown times(const Breakdown& b, double weight, DurationNs weighted_wait_ns) {
  if (weight == 1) return b;
  Breakdown out{};
  DurationNs rest = weighted_wait_ns;
  for (std::size_t c = 0; c < kCategories; ++c) {
    out[c] = static_cast<DurationNs>(weight * static_cast<double>(b[c]));
    rest -= out[c];
  }
  *std::max_element(out.begin(), out.end()) += rest;  // what rounding left
  return out;
}

DurationNs weighted(const Wait& w) {
  return w.weight == 1
             ? w.wait_ns
             : static_cast<DurationNs>(std::llround(w.weight * static_cast<double>(w.wait_ns)));
}

/// The shares of the visits around the rank, of the wait at the rank.
Breakdown around(const std::vector<Wait>& sorted, const std::vector<Breakdown>& of, double q) {
  const std::size_t from = rank(sorted, std::max(q - kBand, 0.0));
  const std::size_t to = rank(sorted, std::min(q + kBand, 1.0));
  std::array<double, kCategories> sum{};
  double all = 0;
  for (std::size_t i = from; i <= to; ++i) {
    for (std::size_t c = 0; c < kCategories; ++c) {
      sum[c] += sorted[i].weight * static_cast<double>(of[sorted[i].visit][c]);
    }
    all += sorted[i].weight * static_cast<double>(sorted[i].wait_ns);
  }
  Breakdown out{};
  DurationNs rest = sorted[rank(sorted, q)].wait_ns;
  const double wait = static_cast<double>(rest);
  for (std::size_t c = 0; c < kCategories && all > 0; ++c) {
    out[c] = static_cast<DurationNs>(wait * sum[c] / all);
    rest -= out[c];
  }
  *std::max_element(out.begin(), out.end()) += rest;  // what rounding left
  return out;
}

class Builder {
 public:
  explicit Builder(const Visits& visits)
      : visits_(visits), breakdowns_(breakdowns(visits.stored)) {}

  [[nodiscard]] WaitScope scope(std::string name, Group group) const {
    std::vector<Wait>& waits = group.waits;
    WaitScope s;
    s.name = std::move(name);
    s.visits = waits.size();
    s.end_unseen = static_cast<std::uint64_t>(std::llround(group.end_unseen));
    if (waits.empty()) return s;
    std::sort(waits.begin(), waits.end());
    double seen = 0;
    for (const Wait& w : waits) {
      const DurationNs wait_ns = weighted(w);
      seen += w.weight;
      s.wait_ns = plus_ns(s.wait_ns, wait_ns);
      for (std::size_t form = 0; form < kForms.size(); ++form) {
        const Breakdown part = times(breakdowns_[form][w.visit], w.weight, wait_ns);
        for (std::size_t c = 0; c < kCategories; ++c) {
          DurationNs& total = s.total[form][c];
          total = plus_ns(total, part[c]);
        }
      }
    }
    s.seen = static_cast<std::uint64_t>(std::llround(seen));
    const std::vector<Breakdown>& serial = breakdowns_[static_cast<std::size_t>(Form::serial)];
    s.p50_ns = waits[rank(waits, 0.5)].wait_ns;
    s.p95_ns = waits[rank(waits, 0.95)].wait_ns;
    s.at_p50 = around(waits, serial, 0.5);
    s.at_p95 = around(waits, serial, 0.95);
    return s;
  }

  void services(Waits& out) const {
    std::map<std::string_view, Group> by_service;
    for (std::size_t i = 0; i < visits_.stored.size(); ++i) {
      by_service[visits_.stored[i].service].add(visits_.stored[i], i);
    }
    std::erase_if(by_service, [](const auto& entry) { return entry.second.waits.empty(); });
    if (by_service.size() < 2) return;
    // Which ones matter is decided by the sums; only those are worked out.
    std::vector<std::pair<DurationNs, std::string_view>> order;
    for (const auto& [name, group] : by_service) {
      DurationNs sum = 0;
      for (const Wait& w : group.waits) sum = plus_ns(sum, weighted(w));
      order.emplace_back(-sum, name);
    }
    std::sort(order.begin(), order.end());
    const std::size_t shown = std::min(order.size(), kServices);
    for (std::size_t i = 0; i < shown; ++i) {
      const std::string_view name = order[i].second;
      out.services.push_back(scope(std::string(name), by_service[name]));
    }
    out.services_left_out = order.size() - shown;
  }

 private:
  const Visits& visits_;
  std::array<std::vector<Breakdown>, 2> breakdowns_;  ///< by Form, of every stored visit
};

void add(VisitFlags& all, const VisitFlags& f) {
  all.incomplete |= f.incomplete;
  all.end_unseen |= f.end_unseen;
  all.think_has_rtt |= f.think_has_rtt;
  all.transfer_unsplit |= f.transfer_unsplit;
  all.encrypted |= f.encrypted;
  all.midstream |= f.midstream;
  all.one_sided |= f.one_sided;
  all.shared_address |= f.shared_address;
  all.cut |= f.cut;
}

/// The median, the slow end and the longest of one kind; each visit once.
void typical(std::vector<TypicalVisit>& out, std::vector<Wait> waits, std::string_view kind) {
  if (waits.empty()) return;
  std::sort(waits.begin(), waits.end());
  const std::size_t n = waits.size();
  std::vector<std::size_t> shown;
  const auto add_at = [&](std::size_t at, std::string what) {
    if (std::find(shown.begin(), shown.end(), at) != shown.end()) return;
    shown.push_back(at);
    out.push_back({waits[at].visit, std::move(what), {}});
  };
  if (n == 1) {
    add_at(0, fmt::format("the only {}", kind));
    return;
  }
  add_at(rank(waits, 0.5), fmt::format("the median {}", kind));
  if (n >= kEnoughForP95) add_at(rank(waits, 0.95), fmt::format("the {} at p95", kind));
  add_at(n - 1, fmt::format("the {} that took longest", kind));
}

using Way = std::pair<IpAddress, IpAddress>;
Way way_of(const Connection& c) { return {c.client.ip, c.server.ip}; }

/// Round trips of visits on connections whose handshake did not show the way to the server.
struct Unshown {
  Way way;
  double rounds;
  bool shown = false;  ///< by another connection
  bool operator<(const Unshown& other) const { return way < other.way; }
};

/// Which ways other connections showed.
void look_for_ways(std::vector<Unshown>& all, const Dataset& data) {
  if (all.empty()) return;
  std::stable_sort(all.begin(), all.end());
  for (const Connection& c : data.connections()) {
    if (!known(c.rtt_probe_server_ns)) continue;
    const auto [from, to] = std::equal_range(all.begin(), all.end(), Unshown{way_of(c), 0});
    for (auto one = from; one != to && !one->shown; ++one) one->shown = true;
  }
}

/// Waits::rounds_unsure
bool rounds_unsure(const Dataset& data, const Visits& visits) {
  double sure = 0;
  double unsure = 0;
  std::vector<Unshown> unshown;
  for (const Visit& v : visits.stored) {
    for (const VisitNode& n : v.nodes) {
      if (n.connection == Dataset::kNone) continue;
      double rounds = 0;
      for (const VisitPart& p : n.parts) {
        if (p.category == Category::rounds) rounds += static_cast<double>(p.duration_ns);
      }
      const Connection& c = data.connections()[n.connection];
      if (known(c.rtt_probe_server_ns)) {
        sure += v.weight * rounds;
      } else if (rounds > 0) {
        unshown.push_back({way_of(c), v.weight * rounds});
      }
    }
  }
  look_for_ways(unshown, data);
  for (const Unshown& u : unshown) (u.shown ? sure : unsure) += u.rounds;
  return unsure > sure;
}

/// Waits::bandwidth_unsure
bool bandwidth_unsure(const Visits& visits) {
  double sure = 0;
  double unsure = 0;
  for (const Visit& v : visits.stored) {
    for (const VisitNode& n : v.nodes) {
      const bool unreadable = n.kind == VisitNode::Kind::request && n.item == Dataset::kNone;
      for (const VisitPart& p : n.parts) {
        if (p.category != Category::bandwidth) continue;
        (unreadable ? unsure : sure) += v.weight * static_cast<double>(p.duration_ns);
      }
    }
  }
  return unsure > sure;
}

/// What of the visits' ends was not seen (VisitFlags::incomplete).
class UnendedFinder {
 public:
  explicit UnendedFinder(const Dataset& data) : data_(data) {}

  Unended in(const Visits& visits) {
    for (const Visit& v : visits.stored) {
      if (!v.flags.incomplete) continue;
      for (const VisitNode& n : v.nodes) {
        if (!n.ended) note(n);
      }
    }
    return found_;
  }

 private:
  void note(const VisitNode& n) {
    switch (n.kind) {
      case VisitNode::Kind::dns: break;
      case VisitNode::Kind::connect:
        found_.openings |= still_opening(data_, data_.connections()[n.item]);
        break;
      case VisitNode::Kind::tls: found_.handshakes |= data_.tls()[n.item].alert_frame == 0; break;
      case VisitNode::Kind::request:
      case VisitNode::Kind::query:
        (has_answer(n) ? found_.responses : found_.requests) = true;
        break;
    }
  }

  /// Of what cannot be read, that something came back.
  [[nodiscard]] bool has_answer(const VisitNode& n) const {
    if (n.kind == VisitNode::Kind::query) return known(data_.database()[n.item].response_first_ns);
    if (n.item != Dataset::kNone) return known(data_.http()[n.item].response_first_ns);
    return known(data_.connections()[n.connection].half.s2c.first_payload_ns);
  }

  const Dataset& data_;
  Unended found_;
};

}  // namespace

Waits waits_of(const Dataset& data, const Visits& visits, const Advice& advice) {
  Waits out;
  Group all;
  std::array<Group, 3> by_kind;
  for (std::size_t i = 0; i < visits.stored.size(); ++i) {
    const Visit& v = visits.stored[i];
    all.add(v, i);
    by_kind[v.database ? 2 : v.api ? 1 : 0].add(v, i);
    add(out.flags, v.flags);
  }
  out.rounds_unsure = rounds_unsure(data, visits);
  out.bandwidth_unsure = bandwidth_unsure(visits);
  out.unended = UnendedFinder(data).in(visits);
  const Builder builder(visits);
  out.all = builder.scope("", std::move(all));
  builder.services(out);
  typical(out.typical, std::move(by_kind[0].waits), "page");
  typical(out.typical, std::move(by_kind[1].waits), "API request");
  typical(out.typical, std::move(by_kind[2].waits), "burst of queries");
  for (TypicalVisit& t : out.typical) {
    t.after = waits_after(visits, static_cast<std::uint32_t>(t.visit), advice);
  }
  return out;
}

std::string how_long(const Report& r) {
  std::string text = count(r.visits.seen, "visit");
  if (r.visits.seen > r.visits.stored.size()) {
    text += fmt::format(" ({} of them looked into)", r.visits.stored.size());
  }
  const WaitScope& all = r.waits.all;
  if (all.visits == 0) return text + ": how long users waited is not known, no end was captured";
  const std::string rest = left_out(all);
  if (all.visits == 1) {
    const char* which = all.end_unseen == 0 ? ", which" : "; one of them";
    return text + which + " waited " + (r.waits.flags.incomplete ? "at least " : "") +
           duration(all.wait_ns) + rest;
  }
  const char* which = all.end_unseen == 0 ? ", which" : "; those whose end was captured";
  return text + fmt::format("{} waited {} at the median and {}{}", which, duration(all.p50_ns),
                            slow_end(all, duration(all.p95_ns)), rest);
}

std::string slow_end(const WaitScope& scope, std::string_view p95) {
  return std::string(p95) +
         (scope.visits < kEnoughForP95 ? " at most" : " at p95 (one in twenty waited longer)");
}

std::string left_out(const WaitScope& all) {
  if (all.end_unseen == 0) return {};
  return fmt::format(" ({} left out: no answer was captured to what {} asked last)",
                     count(all.end_unseen, "visit"), all.end_unseen == 1 ? "it" : "they");
}

std::vector<std::string> wait_limits(const Waits& waits) {
  const VisitFlags& f = waits.flags;
  std::vector<std::string> limits;
  const auto say = [&limits](bool flag, const char* text) {
    if (flag) limits.emplace_back(text);
  };
  say(waits.unended.requests,
      "Some requests were not answered within the capture: the wait is at least this.");
  say(waits.unended.responses,
      "The end of some responses was not captured: the wait is at least this.");
  say(waits.unended.openings,
      "Some connections were still being opened when the capture ended: the wait is at least "
      "this.");
  say(waits.unended.handshakes,
      "Some TLS handshakes did not end within the capture: the wait is at least this.");
  say(f.think_has_rtt,
      "No round trip to some servers was seen: it is inside think, which is an upper bound there.");
  say(waits.rounds_unsure,
      "Round trips cannot be told from the server's own work where no handshake was captured: most "
      "of rounds may be either.");
  say(f.transfer_unsplit,
      "How some answers travelled was not measured: their time is in bandwidth as a whole.");
  say(f.encrypted, "Encrypted: only the first exchange of such a connection is seen.");
  say(f.shared_address, "More than one user may be behind some client addresses.");
  say(f.cut, "The largest visits are cut (visits.max_nodes).");
  return limits;
}

std::string_view plain(Category c) {
  switch (c) {
    case Category::dns: return "looking up names";
    case Category::connect: return "opening connections";
    case Category::tls: return "TLS handshakes";
    case Category::send: return "sending requests";
    case Category::think: return "the server's own work";
    case Category::rounds: return "round trips on the network";
    case Category::bandwidth: return "bytes arriving";
    case Category::stall: return "stalls of the transfer";
    case Category::client: return "the client's own time, or not captured";
  }
  return "";
}

std::string_view plain(Category c, const Waits& waits) {
  if (c == Category::rounds && waits.rounds_unsure) return "round trips, or the server's own work";
  if (c == Category::bandwidth && waits.bandwidth_unsure) {
    return "bytes arriving, or the server's own work";
  }
  return plain(c);
}

}  // namespace wirelag::report
