// db-slow-fingerprint: statements of one shape for which the server takes long, by operation and
// fingerprint. Judged on the server's own time: the wait for the first byte less the round trip, of a
// pipelined one from the end of the answer before it. Left out: logins, what waits by design (BLPOP), what
// has no reply. Measured: an unindexed count on a 6.1 ms path 18.0 to 19.9 ms, with an index 6.8.
//
// How fast it could be is not on the wire: between what its own fastest calls take (p10, from ten calls on)
// and what the fastest call of any other shape takes on that server. Few rows and a long time hint at a missing
// index; locks and a busy server look the same.
#include <algorithm>
#include <map>

#include "../nodes.hpp"
#include "../queries.hpp"
#include "../round_trips.hpp"
#include "../undivided.hpp"

namespace wirelag {
namespace {

struct Call {
  std::size_t item = 0;  ///< index into database()
  DurationNs think_ns = 0;
  NodePlace place;
};

struct Shape {
  std::vector<Call> calls;
  DurationNs p95_ns = 0;
  DurationNs total_ns = 0;
  DurationNs fastest_ns = INT64_MAX;
};

struct Server {
  std::map<std::pair<std::string_view, std::uint64_t>, Shape> shapes;

  /// The fastest call of any other shape; 0 when there is no other.
  [[nodiscard]] DurationNs fastest_besides(const Shape& shape) const {
    DurationNs fastest_ns = kUnknownNs;
    for (const auto& [key, other] : shapes) {
      if (&other == &shape) continue;
      if (!known(fastest_ns) || other.fastest_ns < fastest_ns) fastest_ns = other.fastest_ns;
    }
    return known(fastest_ns) ? fastest_ns : 0;
  }
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input), limits_(input.thresholds.db_slow_fingerprint) {}

  RuleResult run() {
    collect();
    if (servers_.empty()) {
      const Unjudged why = cannot_judge_queries(input_, false);
      return {why.outcome, {}, why.reason};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [endpoint, server] : servers_) {
      std::vector<Shape*> largest;
      for (auto& [key, shape] : server.shapes) largest.push_back(&shape);
      std::stable_sort(largest.begin(), largest.end(),
                       [](const Shape* a, const Shape* b) { return a->total_ns > b->total_ns; });
      if (largest.size() > limits_.max_per_server) largest.resize(limits_.max_per_server);
      for (Shape* shape : largest) {
        if (slow(*shape)) {
          result.findings.push_back(finding_for(endpoint, *shape, server.fastest_besides(*shape)));
        }
      }
    }
    if (!result.findings.empty()) return result;
    const Undivided undivided = long_waits();
    return undivided.any() ? undivided.not_visible() : fine(servers_);
  }

 private:
  [[nodiscard]] const DatabaseTransaction& query(const Call& c) const {
    return input_.data.database()[c.item];
  }

  void collect() {
    const std::vector<Visit>& visits = input_.visits.stored;
    for (std::uint32_t v = 0; v < visits.size(); ++v) {
      for (std::uint32_t n = 0; n < visits[v].nodes.size(); ++n) {
        const VisitNode& node = visits[v].nodes[n];
        if (node.kind != VisitNode::Kind::query) continue;
        const DatabaseTransaction& t = input_.data.database()[node.item];
        if (!counts(t)) continue;
        Server& server = servers_[t.server];
        Shape& shape = server.shapes[{t.operation, t.fingerprint_hash}];
        const DurationNs think = time_of(node, Category::think);
        shape.calls.push_back({node.item, think, {v, n}});
        shape.total_ns += think;
        shape.fastest_ns = std::min(shape.fastest_ns, think);
      }
    }
  }

  [[nodiscard]] bool way_known(const Call& c) const {
    const VisitNode& n = input_.visits.stored[c.place.visit].nodes[c.place.node];
    return input_.visits.round_trips->way_known(n.connection);
  }

  /// Where the rule would fire if the server had worked for all of a wait whose way is not known.
  [[nodiscard]] Undivided long_waits() const {
    Undivided undivided;
    for (const auto& [endpoint, server] : servers_) {
      for (const auto& [key, shape] : server.shapes) {
        if (std::ranges::all_of(shape.calls, [this](const Call& c) { return way_known(c); }))
          continue;
        Shape at_most = shape;
        if (slow(at_most)) continue;  // that is known: others took more time in all
        Undivided unknown;
        for (Call& c : at_most.calls) {
          if (way_known(c)) continue;
          c.think_ns = query(c).server_wait_ns();
          unknown.add(query(c).client.ip, query(c).server, c.think_ns);
        }
        if (unknown.any() && slow(at_most)) undivided.add(unknown);
      }
    }
    return undivided;
  }

  [[nodiscard]] std::vector<Weighted> thinks(const Shape& shape) const {
    std::vector<Weighted> all;
    for (const Call& c : shape.calls) {
      all.push_back({c.think_ns, input_.visits.stored[c.place.visit].weight});
    }
    return all;
  }

  [[nodiscard]] DurationNs limit_ns(const Shape& shape) const {
    return is_sql(query(shape.calls.front()).protocol) ? limits_.sql_p95_ns : limits_.cache_p95_ns;
  }

  [[nodiscard]] bool slow(Shape& shape) const {
    std::vector<Weighted> all = thinks(shape);
    shape.p95_ns = quantile(all, 0.95);
    return shape.p95_ns > limit_ns(shape);
  }

  Finding finding_for(const Endpoint& server, const Shape& shape, DurationNs fastest_ns) const {
    const DatabaseTransaction& t = query(shape.calls.front());
    std::vector<Weighted> all = thinks(shape);
    Finding f;
    f.title = fmt::format("Make {} answer sooner: {}", server.text(), called(t));
    f.fault = fmt::format("the server works {} on {} ({})", in_ms(quantile(all, 0.5)), called(t),
                          slow_end(all.size(), shape.p95_ns));
    f.why =
        fmt::format("Over {}, {}, {} in all. {}{}{}", count_of(shape.calls.size(), "call"), f.fault,
                    in_ms(shape.total_ns), own_time(shape), still_at_work(shape), few_rows(shape));
    f.families = {Family::database, Family::algorithms};
    f.scope = tcp_scope(server) + " " + called(t);
    f.looked_at = shape.calls.size();
    f.threshold = fmt::format(
        "among the {} shapes with the most time of a server, its own time above {} at p95 "
        "(rule.db-slow-fingerprint; Redis' slowlog-log-slower-than is 10 ms)",
        limits_.max_per_server, in_ms(limit_ns(shape)));
    add_edits(f, shape, all, fastest_ns);
    add_evidence(f, shape);
    add_change(f, t.protocol);
    f.verify = "capture again: the server's own time for this shape, median and p95";
    return f;
  }

  [[nodiscard]] std::string_view own_time(const Shape& shape) const {
    bool known_way = true;
    bool seen = true;
    for (const Call& c : shape.calls) {
      known_way &= way_known(c);
      seen &= !input_.visits.stored[c.place.visit].flags.think_has_rtt;
    }
    return about_own_time(known_way, seen);
  }

  /// Rows may be sent as they are found.
  [[nodiscard]] std::string still_at_work(const Shape& shape) const {
    DurationNs arriving_ns = 0;
    for (const Call& c : shape.calls) {
      arriving_ns = plus_ns(arriving_ns, std::max<DurationNs>(0, query(c).transfer_ns()));
    }
    if (arriving_ns <= shape.total_ns / 10) return {};
    return fmt::format(
        " It begins to answer then: the answers took {} more in all to arrive, in which it may "
        "have worked too.",
        in_ms(arriving_ns));
  }

  [[nodiscard]] std::string few_rows(const Shape& shape) const {
    std::uint64_t rows = 0;
    for (const Call& c : shape.calls) {
      const DatabaseTransaction& t = query(c);
      if (!is_sql(t.protocol) || t.rows == DatabaseTransaction::kUnknownRows) return {};
      rows = std::max(rows, t.rows);
    }
    if (rows > limits_.few_rows) return {};
    return fmt::format(" It gives {} at most: an index may be missing.", count_of(rows, "row"));
  }

  void add_edits(Finding& f, const Shape& shape, std::vector<Weighted>& all,
                 DurationNs fastest_ns) const {
    const DurationNs p10 = all.size() >= limits_.min_for_p10 ? quantile(all, 0.1) : kUnknownNs;
    bool bound = false;
    for (const Call& c : shape.calls) {
      const DurationNs high = c.think_ns - fastest_ns;
      if (high <= 0) continue;
      const DurationNs low = known(p10) ? std::clamp<DurationNs>(c.think_ns - p10, 0, high) : 0;
      f.edits.push_back(shorten(c.place, Category::think, low, high));
      bound |= input_.visits.stored[c.place.visit].flags.think_has_rtt;
    }
    if (bound) {
      f.why_not_higher.emplace_back(
          "no round trip of the server's side was seen: its time is an upper bound");
    }
  }

  void add_evidence(Finding& f, const Shape& shape) const {
    std::vector<const Call*> slowest;
    for (const Call& c : shape.calls) slowest.push_back(&c);
    const std::size_t n = std::min(kExamples, slowest.size());
    std::partial_sort(slowest.begin(), slowest.begin() + static_cast<std::ptrdiff_t>(n),
                      slowest.end(), [](const Call* a, const Call* b) {
                        return std::pair(b->think_ns, a->item) < std::pair(a->think_ns, b->item);
                      });
    for (std::size_t k = 0; k < n; ++k) {
      const DatabaseTransaction& t = query(*slowest[k]);
      Evidence e{t.client.text() + ": the server's own time",
                 input_.data.connection_index(t.connection),
                 {t.request_frames.last, t.response_frames.first},
                 t.request_last_ns,
                 slowest[k]->think_ns};
      std::erase(e.frames, 0U);
      f.evidence.push_back(std::move(e));
    }
  }

  static void add_change(Finding& f, Protocol protocol) {
    switch (protocol) {
      case Protocol::postgres:
        f.change = {{"PostgreSQL", "EXPLAIN (ANALYZE, BUFFERS) SELECT ...;", "one statement",
                     "it runs the statement that it explains"},
                    {"PostgreSQL", "CREATE INDEX CONCURRENTLY ON table (column);", "one statement",
                     "writes to the table become slower; not within a transaction block"},
                    {"postgresql.conf",
                     "shared_preload_libraries = 'pg_stat_statements,auto_explain'\n"
                     "auto_explain.log_min_duration = '50ms'",
                     "restart",
                     "the libraries are loaded when the server starts: add them to those that are "
                     "there; the duration alone takes a reload"}};
        return;
      case Protocol::mysql:
        f.change = {{"MySQL", "EXPLAIN ANALYZE SELECT ...;   (MariaDB: ANALYZE SELECT ...)",
                     "one statement", "it runs the statement that it explains"},
                    {"MySQL", "CREATE INDEX name ON table (column);", "one statement",
                     "writes to the table become slower"},
                    {"MySQL", "SET GLOBAL slow_query_log = ON;\nSET GLOBAL long_query_time = 0.05;",
                     "one statement",
                     "holds for new connections, and until the server restarts: then my.cnf"}};
        return;
      case Protocol::redis:
        f.change = {
            {"Redis", "SLOWLOG GET 10", "one statement", "none: it only shows"},
            {"application",
             "SCAN instead of KEYS, UNLINK instead of DEL, HMGET fields instead of HGETALL, "
             "LRANGE in pages",
             "code change", "several small commands instead of a large one"}};
        return;
      default:
        f.change = {{"memcached", "smaller values; stats items, stats slabs", "code change", ""}};
    }
  }

  const RuleInput& input_;
  const decltype(Thresholds::db_slow_fingerprint)& limits_;
  std::map<Endpoint, Server> servers_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule db_slow_fingerprint;
constinit const Rule db_slow_fingerprint{
    "db-slow-fingerprint",
    "The kinds of query that take most time in all are each answered quickly", &judge};
}  // namespace rules

}  // namespace wirelag
