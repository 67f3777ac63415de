// db-serial-roundtrips: commands to a cache or database go out one by one, each as soon as the answer
// before it is read, and each pays a round trip. Sent together (pipeline, or a command that takes many
// keys) they pay one. Measured: 50 GETs on a 6.11 ms path 334 ms one by one, 6.6 ms in a pipeline.
//
//   GET a --r-- GET b --r-- GET c --r--        run: one in flight, the next within turn_gap
//   GET a, GET b, GET c --r--                  saves (n - 1) r
//
// Whether a command needs the answer before it is not on the wire. Low: only a command like the one
// before it, as MGET or one statement for many rows would do. High: every one, with the client's turn and
// what commands take above the round trip: waking up both sides and the path's jitter, which a batch pays
// once. How much of that is work, which a batch does not save, is not on the wire either: none of it at
// the high end, but of a command unlike the one before no more than the run's typical one takes. Without a
// handshake a round trip may be the server's time (RoundTrips::way_known): then nothing is sure.
#include <algorithm>
#include <map>

#include "../graph.hpp"
#include "../queries.hpp"

namespace wirelag {
namespace {

/// Consecutive queries of one visit, by node.
struct Run {
  std::uint32_t visit = 0;
  std::vector<std::uint32_t> nodes;
  DurationNs rtt_ns = 0;
};

struct Server {
  std::size_t judged = 0;  ///< queries
  Protocol protocol = Protocol::unknown;
  std::vector<Run> runs;
  std::size_t in_runs = 0;
};

/// Commands of caches of which one can do for many keys.
bool takes_many(std::string_view operation) {
  static constexpr std::string_view kOperations[] = {
      "GET",   "SET",   "DEL",  "UNLINK", "EXISTS", "TOUCH", "HGET", "HSET", "HDEL",
      "LPUSH", "RPUSH", "SADD", "SREM",   "ZADD",   "ZREM",  "get",  "gets", "mg"};
  return std::find(std::begin(kOperations), std::end(kOperations), operation) !=
         std::end(kOperations);
}

bool batchable(const DatabaseTransaction& before, const DatabaseTransaction& t) {
  if (t.fingerprint_hash != 0 && t.fingerprint_hash == before.fingerprint_hash) return true;
  return t.operation == before.operation && takes_many(t.operation);
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.db_serial_roundtrips),
        round_trips_(*input.visits.round_trips) {}

  RuleResult run() {
    const std::vector<Visit>& visits = input_.visits.stored;
    for (std::uint32_t v = 0; v < visits.size(); ++v) {
      if (visits[v].database) collect(v);
    }
    if (servers_.empty()) {
      const Unjudged why = cannot_judge_queries(input_, any_);
      if (!any_) return {why.outcome, {}, why.reason};
      return {Outcome::not_visible, {}, "no round trip to a database or cache was seen"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [endpoint, server] : servers_) {
      if (!server.runs.empty()) result.findings.push_back(finding_for(endpoint, server));
    }
    return result.findings.empty() ? fine(servers_) : result;
  }

 private:
  [[nodiscard]] const DatabaseTransaction& query(const VisitNode& n) const {
    return input_.data.database()[n.item];
  }

  void collect(std::uint32_t v) {
    const Visit& visit = input_.visits.stored[v];
    Run run{v, {}, 0};
    for (std::uint32_t i = 0; i < visit.nodes.size(); ++i) {
      const VisitNode& n = visit.nodes[i];
      if (n.kind != VisitNode::Kind::query || query(n).no_reply) continue;
      const DatabaseTransaction& t = query(n);
      if (!counts(t)) {
        keep(std::exchange(run, {v, {}, 0}));
        continue;
      }
      any_ = true;
      const DurationNs rtt = round_trips_.whole_ns(n.connection);
      if (!known(rtt)) continue;
      Server& server = servers_[t.server];
      ++server.judged;
      server.protocol = t.protocol;
      if (!run.nodes.empty() && !follows(visit, run.nodes.back(), i)) {
        keep(std::exchange(run, {v, {}, 0}));
      }
      run.rtt_ns = rtt;
      if (!t.pipelined) run.nodes.push_back(i);
    }
    keep(std::move(run));
  }

  /// Sent at once after the answer before it, when nothing else was under way.
  [[nodiscard]] bool follows(const Visit& visit, std::uint32_t before, std::uint32_t i) const {
    return !query(visit.nodes[i]).pipelined &&
           visit.nodes[i].start_ns >= visit.nodes[before].end_ns &&
           turn_ns(visit, before, i) <= limits_.turn_gap_ns;
  }

  /// The client's own time between an answer and the next query.
  [[nodiscard]] DurationNs turn_ns(const Visit& visit, std::uint32_t before,
                                   std::uint32_t i) const {
    const DurationNs gap = visit.nodes[i].start_ns - visit.nodes[before].end_ns;
    const DurationNs round = round_trips_.probe_client_ns(visit.nodes[i].connection);
    return std::max<DurationNs>(0, gap - (known(round) ? round : 0));
  }

  void keep(Run run) {
    if (run.nodes.size() < limits_.min_run || run.rtt_ns < limits_.min_rtt_ns) return;
    const auto saved = static_cast<DurationNs>(run.nodes.size() - 1) * run.rtt_ns;
    if (saved < limits_.min_waste_ns) return;
    const VisitNode& first = input_.visits.stored[run.visit].nodes[run.nodes.front()];
    Server& server = servers_[query(first).server];
    server.in_runs += run.nodes.size();
    server.runs.push_back(std::move(run));
  }

  [[nodiscard]] bool way_known(const Run& run) const {
    const Visit& visit = input_.visits.stored[run.visit];
    return round_trips_.way_known(visit.nodes[run.nodes.front()].connection);
  }

  void edit(Finding& f, const Run& run) const {
    const Visit& visit = input_.visits.stored[run.visit];
    std::vector<DurationNs> thinks;
    for (const std::uint32_t i : run.nodes) {
      thinks.push_back(time_of(visit.nodes[i], Category::think));
    }
    const DurationNs typical = quantile(thinks, 0.5);
    const bool sure_way = way_known(run);
    for (std::size_t k = 1; k < run.nodes.size(); ++k) {
      const std::uint32_t before = run.nodes[k - 1];
      const std::uint32_t i = run.nodes[k];
      const bool sure = batchable(query(visit.nodes[before]), query(visit.nodes[i]));
      const auto add = [&](Category category, DurationNs low, DurationNs high) {
        f.edits.push_back({run.visit, i, Edit::What::shorten, category, low, high});
      };
      add(Category::rounds, sure && sure_way ? run.rtt_ns : 0, run.rtt_ns);
      add(Category::client, 0, turn_ns(visit, before, i));
      const DurationNs think = time_of(visit.nodes[i], Category::think);
      add(Category::think, 0, sure ? think : std::min(think, typical));
    }
  }

  Finding finding_for(const Endpoint& endpoint, Server& server) const {
    Finding f;
    f.title = fmt::format("Send commands to {} together, not one by one", endpoint.text());
    f.fault = fmt::format("{} of {} to {} followed each other one by one", server.in_runs,
                          count_of(server.judged, "query"), endpoint.text());
    const bool ways_known = std::all_of(server.runs.begin(), server.runs.end(),
                                        [this](const Run& run) { return way_known(run); });
    f.why = fmt::format(
        "{}: each left as soon as the answer before it was read, and each {}", f.fault,
        ways_known ? "waited for a round trip of its own. Sent together they wait for one."
                   : "waited for an answer of its own. Sent together they wait for one "
                     "round trip; how much of the waits that is cannot be told without a "
                     "handshake.");
    if (!ways_known) {
      f.why_not_higher.emplace_back("no handshake: the round trip may be the server's time");
    }
    f.families = {Family::batching};
    f.scope = tcp_scope(endpoint);
    f.looked_at = server.judged;
    f.threshold = fmt::format(
        "{} or more in a row, each at most {} after the answer before it, {} or more in round "
        "trips "
        "(rule.db-serial-roundtrips; from 50 GETs with and without a pipeline)",
        limits_.min_run, in_ms(limits_.turn_gap_ns), in_ms(limits_.min_waste_ns));
    for (const Run& run : server.runs) edit(f, run);
    std::stable_sort(server.runs.begin(), server.runs.end(), [](const Run& a, const Run& b) {
      return a.nodes.size() * static_cast<std::size_t>(a.rtt_ns) >
             b.nodes.size() * static_cast<std::size_t>(b.rtt_ns);
    });
    for (std::size_t k = 0; k < std::min(kExamples, server.runs.size()); ++k) {
      add_evidence(f, server.runs[k]);
    }
    const Run& longest = server.runs.front();
    const VisitNode& first = input_.visits.stored[longest.visit].nodes[longest.nodes.front()];
    add_change(f, server.protocol, query(first).operation);
    f.verify = "capture again: several commands per segment, and far fewer round trips per burst";
    return f;
  }

  void add_evidence(Finding& f, const Run& run) const {
    const Visit& visit = input_.visits.stored[run.visit];
    const DatabaseTransaction& first = query(visit.nodes[run.nodes.front()]);
    f.evidence.push_back(
        stretch(input_,
                fmt::format("{}: {} in a row, first {}, round trip {}{}", first.client.text(),
                            count_of(run.nodes.size(), "query"), called(first), in_ms(run.rtt_ns),
                            way_known(run) ? "" : " at most"),
                first, query(visit.nodes[run.nodes.back()])));
  }

  static void add_change(Finding& f, Protocol protocol, std::string_view operation) {
    switch (protocol) {
      case Protocol::redis:
        f.change = {
            {"Redis",
             operation == "SET" ? "MSET key1 value1 key2 value2 ...   (HSET, SADD key a b ...)"
                                : "MGET key1 key2 ...   (HMGET, SADD key a b ...)",
             "code change",
             "one long command holds up the others: keep it to some hundreds of keys"},
            {"Redis client", "pipe = r.pipeline(); pipe.get(a); pipe.get(b); pipe.execute()",
             "code change", "replies of a pipeline are held in memory until it ends"}};
        return;
      case Protocol::memcached:
        f.change = {{"memcached", "get key1 key2 ...   (get_multi in the client)", "code change",
                     "with several servers a request goes to each of them"}};
        return;
      case Protocol::postgres:
        f.change = {
            {"PostgreSQL", "INSERT INTO t VALUES (...), (...), (...);   or COPY t FROM STDIN",
             "code change", "one failed row fails them all"},
            {"libpq", "PQenterPipelineMode(conn); ... PQpipelineSync(conn);", "code change",
             "statements behind a failed one are skipped up to the sync"}};
        return;
      default:
        f.change = {{"MySQL", "INSERT INTO t VALUES (...), (...), (...);", "code change",
                     "one failed row fails them all; mind max_allowed_packet"},
                    {"Connector/J", "jdbc:mysql://host/db?rewriteBatchedStatements=true",
                     "config line", "only batches of prepared statements"}};
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::db_serial_roundtrips)& limits_;
  const RoundTrips& round_trips_;
  std::map<Endpoint, Server> servers_;
  bool any_ = false;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule db_serial_roundtrips;
constinit const Rule db_serial_roundtrips{"db-serial-roundtrips",
                                          "No long run of queries was sent one by one", &judge};
}  // namespace rules

}  // namespace wirelag
