// http-late-connection: a connection opened at the moment of need, to a server the client was in
// contact with already, makes the request wait for a handshake. HTTP/1.1 answers in order, so a
// browser opens more connections when it wants more than it has free ones.
//
// The saving is one round trip (with TLS: plus its rounds) once per wave of parallel handshakes;
// waves, and what surely and plausibly counts, are in late_wave.hpp. Measured: the timeline of one
// page replayed on demand and preconnected, 6.1 ms saved where one round trip of 5.9 ms was
// predicted.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "../estimate.hpp"
#include "../late_wave.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kExamples = 3;

/// A visit in which requests waited for connections to one server.
struct AffectedVisit {
  IpAddress client_ip;
  std::size_t connections = 0;
  std::vector<LateWave> waves;  ///< those that count
  DurationNs low_ns = 0;
  DurationNs high_ns = 0;
};

struct Server {
  std::size_t visits = 0;  ///< with a handshake that can be judged
  std::vector<AffectedVisit> affected;
};

bool speaks_web(const Connection& c) {
  return c.protocol == Protocol::http1 || c.protocol == Protocol::http2 ||
         c.protocol == Protocol::tls;
}

class Judge {
 public:
  explicit Judge(const RuleInput& input) : input_(input), connections_(input.data.connections()) {}

  RuleResult run() {
    for (const Connection& c : connections_) {
      if (!speaks_web(c)) continue;
      web_.insert_or_assign(c.server, web_[c.server] || judgeable(c));
    }
    if (web_.empty()) {
      return {Outcome::not_applicable, {}, "no HTTP or TLS connection in the capture"};
    }
    const bool any_visible =
        std::any_of(web_.begin(), web_.end(), [](const auto& entry) { return entry.second; });
    if (!any_visible) {
      return {Outcome::not_visible,
              {},
              "could not judge, because no handshake of an HTTP or TLS connection was seen whole "
              "and from both sides"};
    }
    for (const Visit& visit : find_visits(input_.data)) collect(visit);

    RuleResult result{Outcome::fires, {}, {}};
    for (const auto& [endpoint, server] : servers_) {
      if (!server.affected.empty()) result.findings.push_back(finding_for(endpoint, server));
    }
    if (result.findings.empty()) result.outcome = Outcome::fine;
    return result;
  }

 private:
  void collect(const Visit& visit) {
    std::map<Endpoint, std::vector<std::size_t>> by_server;
    for (const std::size_t i : visit.connections) {
      if (web_.contains(connections_[i].server)) by_server[connections_[i].server].push_back(i);
    }
    for (const auto& [endpoint, connections] : by_server) {
      const bool visible =
          std::any_of(connections.begin(), connections.end(),
                      [this](std::size_t i) { return judgeable(connections_[i]); });
      if (!visible) continue;
      Server& server = servers_[endpoint];
      ++server.visits;
      AffectedVisit affected{visit.client_ip, connections.size(), {}, 0, 0};
      for (const auto& [name, of_name] : by_name(connections)) {
        for (LateWave& wave : find_late_waves(input_, visit, of_name)) {
          if (wave.high_ns <= 0) continue;
          affected.low_ns += wave.low_ns;
          affected.high_ns += wave.high_ns;
          affected.waves.push_back(std::move(wave));
        }
      }
      if (affected.high_ns >= input_.thresholds.gate.min_effect_ns) {
        server.affected.push_back(std::move(affected));
      }
    }
  }

  /// A connection without a name carried nothing that tells it: it goes with the one before it.
  [[nodiscard]] std::map<std::string_view, std::vector<std::size_t>> by_name(
      const std::vector<std::size_t>& connections) const {
    std::map<std::string_view, std::vector<std::size_t>> groups;
    std::string_view name;
    for (const std::size_t i : connections) {
      const std::string& own = input_.correlation.channels[i].name;
      if (!own.empty()) name = own;
      groups[name].push_back(i);
    }
    return groups;
  }

  Finding finding_for(const Endpoint& endpoint, const Server& server) const {
    const auto n = static_cast<DurationNs>(server.affected.size());
    Finding f;
    f.rule = "http-late-connection";
    f.title = "Have connections ready before they are needed, or let one carry all requests";
    f.families = {Family::network, Family::concurrency};
    f.scope = "tcp/" + endpoint.text();
    f.affected_actions = server.affected.size();
    f.affected_share = static_cast<double>(n) / static_cast<double>(server.visits);
    std::size_t opened = 0;
    std::size_t waves = 0;
    for (const AffectedVisit& visit : server.affected) {
      f.saving.low_ns += visit.low_ns / n;
      f.saving.high_ns += visit.high_ns / n;
      opened += visit.connections;
      waves += visit.waves.size();
      for (const LateWave& wave : visit.waves) charge(f, visit, wave);
    }
    f.saving.mid_ns = (f.saving.low_ns + f.saving.high_ns) / 2;
    f.user_seconds_per_hour = user_seconds_per_hour(f, input_.data);
    f.why = fmt::format(
        "In {} the client opened connections to {} in the middle of the visit, and a request "
        "waited "
        "one round trip for a handshake. {} of parallel handshakes, each counted once; the first "
        "contact is not counted.",
        count_of(server.affected.size(), "visit"), endpoint.text(), count_of(waves, "wave"));
    add_capacity(f, opened, server.affected.size());
    f.threshold = fmt::format(
        "first request at most {} after the handshake (http_late_connection, from a replayed "
        "page), "
        "and at least {} per visit (gate)",
        in_ms(input_.thresholds.http_late_connection.request_after_handshake_ns),
        in_ms(input_.thresholds.gate.min_effect_ns));
    set_confidence(f, server.affected.size(), "visit",
                   f.saving.low_ns < f.saving.high_ns
                       ? "inferred: which request a connection was opened for, and what else the "
                         "client waited for"
                       : "");
    add_evidence(f, server);
    add_change(f, endpoint, server);
    return f;
  }

  void charge(Finding& f, const AffectedVisit& visit, const LateWave& wave) const {
    const std::size_t first = wave.waited.empty() ? wave.opened_for : wave.waited.front();
    f.charged.push_back({visit.client_ip, connections_[first].start_time_ns, wave.high_ns});
  }

  static void add_capacity(Finding& f, std::size_t opened, std::size_t visits) {
    const double per_visit = static_cast<double>(opened) / static_cast<double>(visits);
    if (opened <= visits) return;
    f.capacity = fmt::format(
        "{:.1f} connections per visit, 1 with HTTP/2: {:.1f} handshakes ({:.1f} packets) fewer",
        per_visit, per_visit - 1, 3 * (per_visit - 1));
  }

  void add_evidence(Finding& f, const Server& server) const {
    std::vector<const LateWave*> waves;
    for (const AffectedVisit& visit : server.affected) {
      for (const LateWave& wave : visit.waves) waves.push_back(&wave);
    }
    std::stable_sort(waves.begin(), waves.end(), [](const LateWave* a, const LateWave* b) {
      return std::tie(b->low_ns, b->high_ns) < std::tie(a->low_ns, a->high_ns);
    });
    if (waves.size() > kExamples) waves.resize(kExamples);
    for (const LateWave* wave : waves) {
      if (wave->waited.empty()) {
        add_elsewhere(f, *wave);
      } else {
        add_waited(f, *wave);
      }
      add_spare(f, *wave);
    }
  }

  [[nodiscard]] std::vector<FrameNumber> handshake_frames(std::size_t i) const {
    const Connection& c = connections_[i];
    std::vector<FrameNumber> frames;
    if (!c.syn_frames.empty()) frames.push_back(c.syn_frames.front());
    if (!c.syn_ack_frames.empty()) frames.push_back(c.syn_ack_frames.front());
    if (c.ack_frame != 0) frames.push_back(c.ack_frame);
    return frames;
  }

  void add_waited(Finding& f, const LateWave& wave) const {
    const std::size_t i = wave.waited.front();
    const Connection& c = connections_[i];
    Evidence e;
    e.what = fmt::format(
        "handshake of {}: its first request followed {} after it{}", c.client.text(),
        in_ms(elapsed_ns(ready_ns(input_, i), first_request_ns(input_, i))),
        wave.waited.size() > 1 ? fmt::format("; so did {} beside it", wave.waited.size() - 1) : "");
    e.connection = i;
    e.frames = handshake_frames(i);
    e.time_ns = c.start_time_ns;
    e.duration_ns = c.connect_time_ns;
    f.evidence.push_back(std::move(e));
  }

  void add_elsewhere(Finding& f, const LateWave& wave) const {
    const Connection& c = connections_[wave.opened_for];
    const HttpTransaction& h = input_.data.http()[wave.elsewhere];
    const DurationNs waited_ns = elapsed_ns(c.start_time_ns, h.request_first_ns);
    Evidence e;
    e.what = fmt::format(
        "{} was opened while all others were busy; {} later the next request left on {}, which had "
        "become free first: it may have waited that long",
        c.client.text(), in_ms(waited_ns), h.client.text());
    e.connection = wave.opened_for;
    e.frames = handshake_frames(wave.opened_for);
    if (h.request_frames.first != 0) e.frames.push_back(h.request_frames.first);
    e.time_ns = c.start_time_ns;
    e.duration_ns = waited_ns;
    f.evidence.push_back(std::move(e));
  }

  void add_spare(Finding& f, const LateWave& wave) const {
    Evidence e;
    for (const std::size_t i : wave.spare) {
      if (i == wave.opened_for) continue;
      e.what += (e.what.empty() ? "" : ", ") + connections_[i].client.text();
      const std::vector<FrameNumber> frames = handshake_frames(i);
      e.frames.insert(e.frames.end(), frames.begin(), frames.end());
      if (e.connection == Dataset::kNone) {
        e.connection = i;
        e.time_ns = connections_[i].start_time_ns;
      }
    }
    if (e.what.empty()) return;
    e.what += ": opened in the same wave and not used, not counted";
    f.evidence.push_back(std::move(e));
  }

  void add_change(Finding& f, const Endpoint& endpoint, const Server& server) const {
    const std::size_t example = server.affected.front().waves.front().connections.front();
    const bool tls = connections_[example].protocol == Protocol::tls || endpoint.port == 443;
    const std::string& name = input_.correlation.channels[example].name;
    f.change.push_back({"nginx", "listen 443 ssl http2;", "reload",
                        tls ? "one lost packet stops all requests of a client until it is resent"
                            : "needs TLS and a certificate; browsers speak HTTP/2 only over TLS"});
    f.change.push_back({"HTML",
                        fmt::format("<link rel=\"preconnect\" href=\"{}://{}\">",
                                    tls ? "https" : "http", name.empty() ? endpoint.text() : name),
                        "code change", "connections that are opened and then not needed"});
    f.change.push_back({"nginx", "keepalive_timeout 75s; keepalive_requests 1000;", "reload",
                        "more idle connections stay open on the server"});
    f.verify =
        "capture the same visit again: no connection opened because the others were busy, and the "
        "last request starts one round trip earlier";
  }

  const RuleInput& input_;
  const std::vector<Connection>& connections_;
  std::map<Endpoint, bool> web_;  ///< servers that speak HTTP or TLS; whether a handshake was seen
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule http_late_connection;
constinit const Rule http_late_connection{
    "http-late-connection", "No request waited for a connection to be opened", &judge};
}  // namespace rules

}  // namespace wirelag
