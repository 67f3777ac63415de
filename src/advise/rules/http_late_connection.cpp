// http-late-connection: a connection opened at the moment of need, to a server the client was in
// contact with already, makes the request wait for a handshake. HTTP/1.1 answers in order, so a
// browser opens more connections when it wants more than it has free ones.
//
//   waited for        SYN --R-- request          a ready connection would have carried the request
//                                                one R earlier
//   opened for        SYN --R------              the request left on a connection that became free
//   another's request      ^ request elsewhere   first: it had waited since the SYN
//   spare             SYN --R-- nothing          costs nothing
//
// R = the pair's smallest handshake round trip; with TLS its rounds come on top and, at
// the high end, what both sides compute for a handshake (measured: 4 to 12 ms on a 2-core machine, most of it
// the client's before its ClientHello). Handshakes of one
// wave run side by side, so the simulation counts them once. Of an encrypted connection only the first
// exchange is in the graph; sure is what it ends after the last byte of all that may hide more:
//
//   other, encrypted   request ... answer|            what it asked later cannot be read, but it was
//   late, encrypted    SYN --R-- TLS --R-- request ... answer|     silent from here on
//                                        |<-- surely saved -->|
//
// A visit's first contact has to open a
// connection; one that had been closed in between is tcp-connection-churn's. Measured: the timeline
// of one page replayed on demand and preconnected, 6.1 ms saved where one round trip of 5.9 ms was
// predicted.
#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../hidden_requests.hpp"
#include "../round_trips.hpp"

namespace wirelag {
namespace {

/// A late connection of one visit.
struct Late {
  std::size_t connection = 0;
  std::size_t request = Dataset::kNone;  ///< the node that left elsewhere; kNone: on itself
  DurationNs waited_ns = 0;
};

struct Server {
  std::size_t visits = 0;  ///< with a handshake that can be judged
  std::size_t late_visits = 0;
  std::size_t opened = 0;  ///< in the late visits
  std::vector<Late> late;
  std::vector<std::size_t> unused;  ///< opened in the middle and not used
  std::vector<Edit> edits;
};

/// A late connection whose first request waited for its handshakes.
struct Waited {
  Server* server = nullptr;
  std::size_t node = 0;  ///< CONNECT
  DurationNs rtt_ns = 0;
};

/// A handshake seen whole, from both sides.
bool judgeable(const Connection& c) {
  return c.state == ConnectionState::complete && !c.one_sided && known(c.established_time_ns);
}

/// Round trips of the TLS handshake before the client may send; where they could not be counted, what
/// the version needs (RFC 8446 section 2, RFC 5246 section 7.3), the fewest possible when that was not
/// seen either.
DurationNs tls_rounds(const TlsHandshake& t) {
  if (t.round_trips != 0) return t.round_trips;
  const bool one_round = t.version == 0x0304 || t.version == 0 || t.resumed == TriState::yes;
  return (one_round ? 1 : 2) + (t.hello_retry == TriState::yes ? 1 : 0);
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        connections_(input.data.connections()),
        limits_(input.thresholds.http_late_connection),
        hidden_(input.data, input.correlation) {}

  RuleResult run() {
    for (const Connection& c : connections_) {
      if (!speaks_web(c)) continue;
      bool& seen = web_[c.server];
      seen = seen || judgeable(c);
    }
    if (web_.empty()) {
      return {Outcome::not_applicable, {}, "no HTTP or TLS connection in the capture"};
    }
    const bool any_visible =
        std::any_of(web_.begin(), web_.end(), [](const auto& entry) { return entry.second; });
    if (!any_visible) {
      return {Outcome::not_visible,
              {},
              "no handshake of an HTTP or TLS connection was seen whole and from both sides"};
    }
    for (std::uint32_t v = 0; v < input_.visits.stored.size(); ++v) collect(v);

    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      if (!server.edits.empty()) result.findings.push_back(finding_for(endpoint, server));
    }
    return result.findings.empty() ? fine(servers_) : result;
  }

 private:
  /// A connection that a visit opened.
  struct Opened {
    Endpoint server;
    std::string_view name;
    std::size_t node = 0;  ///< CONNECT
  };
  /// Those of one visit to one server under one name.
  struct Group {
    std::span<const Opened> opened;
    DurationNs rtt_ns = kUnknownNs;
  };

  void collect(std::uint32_t v) {
    const Visit& visit = input_.visits.stored[v];
    opened_.clear();
    for (std::size_t i = 0; i < visit.nodes.size(); ++i) {
      const VisitNode& n = visit.nodes[i];
      if (n.kind != VisitNode::Kind::connect) continue;
      const Connection& c = connections_[n.item];
      if (!web_.contains(c.server)) continue;
      opened_.push_back({c.server, input_.correlation.channels[n.item].name, i});
    }
    if (opened_.empty()) return;
    each_run(std::span(opened_), &Opened::server, [&](std::span<Opened> of_server) {
      // One without a name carried nothing that tells it: it goes with the one before it.
      std::string_view name;
      for (Opened& o : of_server) {
        if (o.name.empty()) o.name = name;
        name = o.name;
      }
      judge_server(v, of_server);
    });
    shorten(v);
  }

  /// Hands over those that are alike in `what`, each in order of time.
  template <class What, class Take>
  static void each_run(std::span<Opened> all, What Opened::*what, const Take& take) {
    if (all.size() > 1) std::ranges::stable_sort(all, {}, what);
    for (auto from = all.begin(); from != all.end();) {
      const auto to =
          std::find_if(from, all.end(), [&](const Opened& o) { return o.*what != (*from).*what; });
      take(std::span<Opened>(from, to));
      from = to;
    }
  }

  void judge_server(std::uint32_t v, std::span<Opened> opened) {
    Server& server = servers_[opened.front().server];
    const std::size_t late_before = server.late.size();
    bool visible = false;
    each_run(opened, &Opened::name, [&](std::span<Opened> of_name) {
      Group group{of_name, kUnknownNs};
      for (const Opened& o : of_name) {
        const VisitNode& n = input_.visits.stored[v].nodes[o.node];
        group.rtt_ns = smaller(group.rtt_ns, connections_[n.item].handshake_rtt_ns);
      }
      if (!known(group.rtt_ns)) return;
      visible = true;
      judge_group(server, v, group);
    });
    server.visits += visible ? 1 : 0;
    if (server.late.size() == late_before) return;
    ++server.late_visits;
    server.opened += opened.size();
  }

  /// Connections opened before the first handshake of a wave is done belong to the wave.
  void judge_group(Server& server, std::uint32_t v, const Group& group) {
    const Visit& visit = input_.visits.stored[v];
    TimeNs wave_ends_ns = kUnknownNs;
    bool late = false;
    for (std::size_t k = 0; k < group.opened.size(); ++k) {
      const VisitNode& n = visit.nodes[group.opened[k].node];
      const Connection& c = connections_[n.item];
      if (!judgeable(c)) continue;
      if (!known(wave_ends_ns) || c.start_time_ns >= wave_ends_ns) {
        const ChannelPurpose purpose = input_.correlation.channels[n.item].purpose;
        late = (k > 0 || contacted_before(visit, c, group.opened.front().name)) &&
               purpose != ChannelPurpose::first_contact && purpose != ChannelPurpose::reopened &&
               purpose != ChannelPurpose::retry_after_failure;
        wave_ends_ns = c.established_time_ns;
      }
      if (late) judge_late(server, v, group.opened[k].node, group.rtt_ns);
    }
  }

  void judge_late(Server& server, std::uint32_t v, std::size_t node, DurationNs rtt_ns) {
    const Visit& visit = input_.visits.stored[v];
    const VisitNode& n = visit.nodes[node];
    const Channel& channel = input_.correlation.channels[n.item];
    for (std::size_t i = node + 1; i < visit.nodes.size(); ++i) {
      const VisitNode& r = visit.nodes[i];
      if (r.opened_for_it != n.item) continue;
      server.edits.push_back(
          {v, static_cast<std::uint32_t>(i), Edit::What::unqueue, Category::client, 1, 1});
      server.late.push_back({n.item, i, r.start_ns - n.start_ns});
      evidence_visit_.emplace(n.item, v);
      return;
    }
    const TimeNs ready = channel.tls == Dataset::kNone ? n.end_ns : ready_after_tls_ns(channel);
    const DurationNs after = elapsed_ns(ready, first_request_ns(channel));
    if (!known(after) || after > limits_.speculative_after_ns) {
      server.unused.push_back(n.item);
      return;
    }
    if (after > limits_.request_after_handshake_ns) return;
    waited_.push_back({&server, node, rtt_ns});
    server.late.push_back({n.item, Dataset::kNone, after});
  }

  /// What a ready connection would have taken from the late ones of a visit.
  void shorten(std::uint32_t v) {
    if (waited_.empty()) return;
    const Visit& visit = input_.visits.stored[v];
    const std::vector<HiddenRequests::Span> hidden = hidden_.during(visit, sooner_ns(visit));
    for (const Waited& w : waited_) {
      const Channel& channel = input_.correlation.channels[visit.nodes[w.node].item];
      const std::size_t tls = channel.tls == Dataset::kNone
                                  ? Dataset::kNone
                                  : node_of(visit, VisitNode::Kind::tls, channel.tls);
      const DurationNs tls_ns = tls == Dataset::kNone ? 0 : tls_rounds_ns(w, channel);
      const DurationNs sure_ns = hidden_.may_hide(channel)
                                     ? HiddenRequests::ends_last_by_ns(
                                           channel.connection, first_answer_ns(channel), hidden)
                                     : w.rtt_ns + tls_ns;
      const auto edit = [&](std::size_t node, Category category, DurationNs sure, DurationNs by) {
        w.server->edits.push_back({v, static_cast<std::uint32_t>(node), Edit::What::shorten,
                                   category, std::clamp<DurationNs>(sure, 0, by), by});
      };
      edit(w.node, Category::connect, sure_ns, w.rtt_ns);
      if (tls == Dataset::kNone) continue;
      // Surely the round trips; and with them what both sides compute: before the ClientHello, and within.
      const Computing computing = computing_of(visit, w.node, tls, tls_ns);
      const DurationNs sure_of_tls_ns = std::min(sure_ns - w.rtt_ns, tls_ns);
      edit(tls, Category::tls, sure_of_tls_ns, tls_ns + computing.within_ns);
      edit(tls, Category::client, 0, computing.before_ns);
    }
    waited_.clear();
  }

  /// What a TLS handshake takes beside its round trips.
  struct Computing {
    DurationNs before_ns = 0;  ///< the client's, from the connection to the ClientHello
    DurationNs within_ns = 0;
  };
  static Computing computing_of(const Visit& visit, std::size_t connect, std::size_t tls,
                                DurationNs rounds_ns) {
    // GnuTLS takes 30 ms when it reads all certificates of the system; who takes longer waits for something else.
    constexpr DurationNs kMostBefore = 50 * kMillisecondNs;
    const VisitNode& t = visit.nodes[tls];
    const DurationNs before_ns = std::max<DurationNs>(0, t.start_ns - visit.nodes[connect].end_ns);
    return {before_ns <= kMostBefore ? before_ns : 0,
            std::max<DurationNs>(0, t.end_ns - t.start_ns - rounds_ns)};
  }

  [[nodiscard]] DurationNs tls_rounds_ns(const Waited& w, const Channel& channel) const {
    return channel.tls == Dataset::kNone ? 0
                                         : w.rtt_ns * tls_rounds(input_.data.tls()[channel.tls]);
  }

  /// By how much the late ones would have been done sooner without their handshakes.
  [[nodiscard]] HiddenRequests::Sooner sooner_ns(const Visit& visit) const {
    HiddenRequests::Sooner sooner_ns;
    for (const Waited& w : waited_) {
      const std::size_t i = visit.nodes[w.node].item;
      sooner_ns[i] = w.rtt_ns + tls_rounds_ns(w, input_.correlation.channels[i]);
    }
    return sooner_ns;
  }

  [[nodiscard]] TimeNs first_answer_ns(const Channel& channel) const {
    return channel.tls != Dataset::kNone
               ? input_.data.tls()[channel.tls].first_server_data_ns
               : connections_[channel.connection].half.s2c.first_payload_ns;
  }

  [[nodiscard]] TimeNs ready_after_tls_ns(const Channel& channel) const {
    const TlsHandshake& t = input_.data.tls()[channel.tls];
    const TimeNs connected = connections_[channel.connection].established_time_ns;
    const DurationNs hello_after = elapsed_ns(connected, t.client_hello_ns);
    // Clients compute for some milliseconds before their ClientHello; a spare one waits much longer.
    if (!known(hello_after) || hello_after > limits_.speculative_after_ns) return kUnknownNs;
    return std::max(t.client_finished_ns, t.server_finished_ns);
  }

  [[nodiscard]] TimeNs first_request_ns(const Channel& channel) const {
    for (const std::size_t i : channel.http) {
      if (known(input_.data.http()[i].request_first_ns)) {
        return input_.data.http()[i].request_first_ns;
      }
    }
    if (channel.tls != Dataset::kNone) return input_.data.tls()[channel.tls].first_client_data_ns;
    return connections_[channel.connection].half.c2s.first_payload_ns;
  }

  /// Whether the visit had asked this server for this name before the connection was opened.
  [[nodiscard]] bool contacted_before(const Visit& visit, const Connection& c,
                                      std::string_view name) const {
    for (const VisitNode& n : visit.nodes) {
      if (n.start_ns >= c.start_time_ns) return false;
      if (n.kind != VisitNode::Kind::request || n.item == Dataset::kNone) continue;
      const HttpTransaction& h = input_.data.http()[n.item];
      if (h.server == c.server && h.host == name) return true;
    }
    return false;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    Finding f;
    f.title = "Have connections ready before they are needed, or let one carry all requests";
    f.fault = count_of(server.late.size(), "connection") + " opened at the moment of need";
    f.families = {Family::network, Family::concurrency};
    f.scope = tcp_scope(endpoint);
    f.edits = server.edits;
    f.looked_at = server.visits;
    f.affected_actions = server.late_visits;
    f.why = fmt::format(
        "In {} the client opened connections to {} in the middle of the visit, and a request "
        "waited for a handshake. Handshakes side by side count once; the first contact is not "
        "counted.",
        count_of(server.late_visits, "visit"), endpoint.text());
    add_capacity(f, server);
    f.threshold = fmt::format(
        "first request at most {} after the handshake (rule.http-late-connection, from a replayed "
        "page), at least {} and {:.0f} % of the wait (gate)",
        in_ms(limits_.request_after_handshake_ns), in_ms(input_.thresholds.gate.min_effect_ns),
        100 * input_.thresholds.gate.min_effect_share);
    add_evidence(f, server);
    add_change(f, endpoint, server);
    return f;
  }

  static void add_capacity(Finding& f, const Server& server) {
    const double per_visit =
        static_cast<double>(server.opened) / static_cast<double>(server.late_visits);
    if (per_visit <= 1) return;
    f.capacity = fmt::format(
        "{:.1f} connections per visit, 1 with HTTP/2: {:.1f} handshakes ({:.1f} packets) fewer",
        per_visit, per_visit - 1, 3 * (per_visit - 1));
  }

  void add_evidence(Finding& f, const Server& server) const {
    std::vector<const Late*> late;
    for (const Late& l : server.late) late.push_back(&l);
    std::stable_sort(late.begin(), late.end(), [](const Late* a, const Late* b) {
      return (a->request == Dataset::kNone) > (b->request == Dataset::kNone);
    });
    if (late.size() > kExamples) late.resize(kExamples);
    for (const Late* l : late) add_late(f, *l);
    add_unused(f, server);
  }

  void add_late(Finding& f, const Late& late) const {
    const Connection& c = connections_[late.connection];
    Evidence e;
    e.connection = late.connection;
    e.frames = handshake_frames(c);
    e.time_ns = c.start_time_ns;
    e.duration_ns = c.connect_time_ns;
    if (late.request == Dataset::kNone) {
      const std::size_t tls = input_.correlation.channels[late.connection].tls;
      e.what = fmt::format("{} of {}: its first request followed {} after {}",
                           tls == Dataset::kNone ? "handshake" : "TCP and TLS handshake",
                           c.client.text(), in_ms(late.waited_ns),
                           tls == Dataset::kNone ? "it" : "them");
      if (tls != Dataset::kNone) add_tls(e, input_.data.tls()[tls]);
    } else {
      const Visit& visit = input_.visits.stored[evidence_visit_.at(late.connection)];
      const HttpTransaction& h = input_.data.http()[visit.nodes[late.request].item];
      e.what = fmt::format(
          "{} was opened while all others were busy; {} later the next request left on {}, which "
          "had become free first: it may have waited that long",
          c.client.text(), in_ms(late.waited_ns), h.client.text());
      if (h.request_frames.first != 0) e.frames.push_back(h.request_frames.first);
      e.duration_ns = late.waited_ns;
    }
    f.evidence.push_back(std::move(e));
  }

  static void add_tls(Evidence& e, const TlsHandshake& t) {
    if (t.client_hello_frames.first != 0) e.frames.push_back(t.client_hello_frames.first);
    e.duration_ns = elapsed_ns(e.time_ns, std::max(t.client_finished_ns, t.server_finished_ns));
  }

  void add_unused(Finding& f, const Server& server) const {
    Evidence e;
    for (const std::size_t i : server.unused) {
      if (e.frames.size() >= 3 * kExamples) break;
      e.what += (e.what.empty() ? "" : ", ") + connections_[i].client.text();
      const std::vector<FrameNumber> frames = handshake_frames(connections_[i]);
      e.frames.insert(e.frames.end(), frames.begin(), frames.end());
      if (e.connection != Dataset::kNone) continue;
      e.connection = i;
      e.time_ns = connections_[i].start_time_ns;
    }
    if (e.what.empty()) return;
    e.what += ": opened in the middle and not used, not counted";
    f.evidence.push_back(std::move(e));
  }

  void add_change(Finding& f, const Endpoint& endpoint, const Server& server) const {
    const std::size_t example = server.late.front().connection;
    const bool tls = connections_[example].protocol == Protocol::tls || endpoint.port == 443;
    const std::string_view name = input_.correlation.channels[example].name;
    const Change http2 = {
        "nginx", "listen 443 ssl;\nhttp2 on;", tls ? "reload" : "infrastructure",
        tls ? "one lost packet stops all requests of a client until it is resent; before nginx "
              "1.25.1 "
              "it is: listen 443 ssl http2;"
            : "browsers speak HTTP/2 only over TLS: a certificate, and one round trip more for "
              "the first connection of a visit"};
    if (tls) f.change.push_back(http2);
    f.change.push_back({"HTML",
                        fmt::format("<link rel=\"preconnect\" href=\"{}://{}\">",
                                    tls ? "https" : "http", name.empty() ? endpoint.text() : name),
                        "code change", "connections that are opened and then not needed"});
    if (!tls) f.change.push_back(http2);
    f.change.push_back({"nginx", "keepalive_timeout 75s; keepalive_requests 1000;", "reload",
                        "more idle connections stay open on the server"});
    f.verify = fmt::format(
        "capture the same visit again: no connection opened because the others were busy, and the "
        "last request starts earlier by a round trip{}",
        tls ? " and those of the TLS handshake" : "");
  }

  const RuleInput& input_;
  const Transactions<Connection>& connections_;
  const decltype(Thresholds::http_late_connection)& limits_;
  std::map<Endpoint, bool> web_;  ///< servers that speak HTTP or TLS; whether a handshake was seen
  std::map<Endpoint, Server> servers_;
  HiddenRequests hidden_;
  std::vector<Opened> opened_;                           ///< of the visit at hand
  std::vector<Waited> waited_;                           ///< of the visit that is looked at
  std::map<std::size_t, std::uint32_t> evidence_visit_;  ///< by connection
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule http_late_connection;
constinit const Rule http_late_connection{
    "http-late-connection", "No request waited for a connection to be opened", &judge};
}  // namespace rules

}  // namespace wirelag
