// db-n-plus-one: one query reads a list, and then one query for every row of it reads the rest: the same
// statement, with other values, again and again on one connection. One statement (JOIN, IN) reads all of
// it in one round trip. Measured: 50 selects on a 6.1 ms path against one with IN: 349 ms less, where 49
// round trips are 299 and the server's and the client's part of 49 statements is the rest.
//
// Low: the round trips; nothing without a handshake, they may be the server's time. High: with them the server's time for each statement (reading n rows at once is
// work too) and the client's turn. Only reads count: many writes in a row are db-serial-roundtrips'. A
// batch job that walks a table looks the same.
//
// A loop is told by its statement, or by connection and name of a prepared one whose text was not
// captured. Of these a server has one finding in all: a pool of connections prepares the same statement
// once on each, and nothing on the wire says that it is the same.
#include <algorithm>
#include <map>
#include <set>

#include "../graph.hpp"
#include "../queries.hpp"

namespace wirelag {
namespace {

/// The same statement, repeated: nodes of one visit.
struct Loop {
  std::uint32_t visit = 0;
  std::vector<std::uint32_t> nodes;
  DurationNs total_ns = 0;
};

struct Shape {
  std::size_t seen = 0;
  std::vector<Loop> loops;
  std::size_t in_loops = 0;
  std::set<std::uint64_t> statements;  ///< in loops
  DurationNs total_ns = 0;             ///< of the loops
};

constexpr std::uint64_t kNoText = 0;  ///< no fingerprint's hash
std::uint64_t shape_key(const DatabaseTransaction& t) {
  return t.name_only ? kNoText : t.fingerprint_hash;
}

bool reads(const DatabaseTransaction& t) {
  if (t.name_only) return t.operation == "SELECT";  // as the server's command tag says
  return t.fingerprint.text().starts_with("select") || t.fingerprint.text().starts_with("with ");
}

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input),
        limits_(input.thresholds.db_n_plus_one),
        round_trips_(*input.visits.round_trips) {}

  RuleResult run() {
    const std::vector<Visit>& visits = input_.visits.stored;
    for (std::uint32_t v = 0; v < visits.size(); ++v) {
      if (visits[v].database) collect(v);
    }
    if (!any_) return without_sql();
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [server, shapes] : servers_) {
      std::vector<Shape*> repeated;
      for (auto& [key, shape] : shapes) {
        if (!shape.loops.empty()) repeated.push_back(&shape);
      }
      std::stable_sort(repeated.begin(), repeated.end(),
                       [](const Shape* a, const Shape* b) { return a->total_ns > b->total_ns; });
      const std::size_t all = repeated.size();
      if (all > limits_.max_per_server) repeated.resize(limits_.max_per_server);
      for (Shape* shape : repeated) result.findings.push_back(finding_for(server, *shape, all));
    }
    return result.findings.empty() ? fine(servers_) : result;
  }

 private:
  [[nodiscard]] RuleResult without_sql() const {
    const Transactions<DatabaseTransaction>& all = input_.data.database();
    const bool sql = std::any_of(all.begin(), all.end(), [](const DatabaseTransaction& t) {
      return is_sql(t.protocol) && !t.login;
    });
    if (!sql) return {Outcome::not_applicable, {}, "no SQL statement that can be read"};
    return {Outcome::not_visible, {}, "no SQL statement was seen with its text and its answer"};
  }

  [[nodiscard]] const DatabaseTransaction& query(const VisitNode& n) const {
    return input_.data.database()[n.item];
  }

  void collect(std::uint32_t v) {
    const Visit& visit = input_.visits.stored[v];
    std::map<std::uint64_t, Loop> open;
    for (std::uint32_t i = 0; i < visit.nodes.size(); ++i) {
      const VisitNode& n = visit.nodes[i];
      if (n.kind != VisitNode::Kind::query) continue;
      const DatabaseTransaction& t = query(n);
      if (!is_sql(t.protocol) || !counts(t) || t.fingerprint_hash == 0) continue;
      if (t.name_only && !reads(t)) continue;  // it may be anything
      any_ = true;
      if (!reads(t) || t.pipelined) continue;
      ++servers_[t.server][shape_key(t)].seen;
      Loop& loop = open[t.fingerprint_hash];
      if (!loop.nodes.empty() &&
          n.start_ns - visit.nodes[loop.nodes.back()].end_ns > limits_.within_ns) {
        keep(t, std::exchange(loop, {}));
      }
      loop.visit = v;
      loop.nodes.push_back(i);
      loop.total_ns += n.end_ns - n.start_ns;
    }
    for (auto& [hash, loop] : open) {
      if (loop.nodes.empty()) continue;
      const DatabaseTransaction& first = query(visit.nodes[loop.nodes.front()]);
      keep(first, std::move(loop));
    }
  }

  void keep(const DatabaseTransaction& t, Loop loop) {
    if (loop.nodes.size() < limits_.min_repeats || loop.total_ns < limits_.min_total_ns) return;
    Shape& shape = servers_[t.server][shape_key(t)];
    shape.in_loops += loop.nodes.size();
    shape.total_ns += loop.total_ns;
    shape.statements.insert(t.fingerprint_hash);
    shape.loops.push_back(std::move(loop));
  }

  /// All but the first statement go.
  void edit(Finding& f, const Loop& loop) const {
    const Visit& visit = input_.visits.stored[loop.visit];
    for (std::size_t k = 1; k < loop.nodes.size(); ++k) {
      const std::uint32_t i = loop.nodes[k];
      const VisitNode& n = visit.nodes[i];
      const DurationNs rtt = round_trips_.whole_ns(n.connection);
      const DurationNs rounds = known(rtt) ? rtt : time_of(n, Category::rounds);
      const DurationNs client_round = round_trips_.probe_client_ns(n.connection);
      const DurationNs gap = n.start_ns - visit.nodes[i - 1].end_ns;
      const DurationNs turn =
          std::max<DurationNs>(0, gap - (known(client_round) ? client_round : 0));
      const auto add = [&](Category category, DurationNs low, DurationNs high) {
        f.edits.push_back({loop.visit, i, Edit::What::shorten, category, low, high});
      };
      add(Category::rounds, round_trips_.way_known(n.connection) ? rounds : 0, rounds);
      add(Category::think, 0, time_of(n, Category::think));
      if (turn <= input_.thresholds.db_serial_roundtrips.turn_gap_ns) {
        add(Category::client, 0, turn);
      }
    }
  }

  /// What was repeated; in a scope, which stays the same over captures, without how many of them.
  static std::string repeated(const DatabaseTransaction& t, std::size_t statements) {
    if (!t.name_only) return called(t);
    constexpr std::string_view kWhat =
        "SELECT statements prepared before the capture (text not known)";
    return statements == 0 ? std::string(kWhat) : fmt::format("{} {}", statements, kWhat);
  }

  Finding finding_for(const Endpoint& server, Shape& shape, std::size_t of) const {
    const Loop& first = shape.loops.front();
    const DatabaseTransaction& t =
        query(input_.visits.stored[first.visit].nodes[first.nodes.front()]);
    const std::size_t statements = shape.statements.size();
    Finding f;
    f.title = "Read all rows with one statement: " +
              (statements == 1 ? called(t) : repeated(t, statements));
    f.fault = fmt::format(
        "{} repeated in a loop, {} of {} times",
        statements == 1 ? "one statement was" : fmt::format("{} statements were", statements),
        shape.in_loops, shape.seen);
    f.why = fmt::format(
        "{} asked {} the same statement with other values, one after the other, {} in {}. Each "
        "waits for a round trip and for the server.",
        clients_of(shape), server.text(), count_of(shape.in_loops, "time"),
        count_of(shape.loops.size(), "loop"));
    f.families = {Family::database, Family::batching};
    f.scope = tcp_scope(server) + " " + repeated(t, 0);
    f.looked_at = shape.seen;
    f.threshold = fmt::format(
        "{} or more repeats, at most {} apart, {} or more in all{} (rule.db-n-plus-one; Sentry's "
        "N+1 "
        "detector: 5 repeats)",
        limits_.min_repeats, in_ms(limits_.within_ns), in_ms(limits_.min_total_ns),
        of > limits_.max_per_server
            ? fmt::format("; of {} such statements the {} with the most time", of,
                          limits_.max_per_server)
            : "");
    for (const Loop& loop : shape.loops) edit(f, loop);
    std::stable_sort(shape.loops.begin(), shape.loops.end(),
                     [](const Loop& a, const Loop& b) { return a.total_ns > b.total_ns; });
    for (std::size_t k = 0; k < std::min(kExamples, shape.loops.size()); ++k) {
      const Loop& loop = shape.loops[k];
      const std::vector<VisitNode>& nodes = input_.visits.stored[loop.visit].nodes;
      const DatabaseTransaction& begin = query(nodes[loop.nodes.front()]);
      f.evidence.push_back(stretch(
          input_,
          fmt::format("{}: {}{} times in a loop", begin.client.text(),
                      begin.name_only ? fmt::format("{}, ", begin.statement_name.text()) : "",
                      loop.nodes.size()),
          begin, query(nodes[loop.nodes.back()])));
    }
    f.change = {
        {"SQL", "SELECT ... WHERE id IN (...)   or a JOIN with the query that gave the list",
         "code change", "very long lists: in parts of some hundreds"},
        {"ORM",
         "Django select_related / prefetch_related, Rails includes, Hibernate JOIN FETCH, "
         "SQLAlchemy selectinload",
         "code change", "loads rows that one page may not need"}};
    f.verify = "capture again: the statement appears once per page, with all values in it";
    return f;
  }

  [[nodiscard]] std::string clients_of(const Shape& shape) const {
    std::map<IpAddress, bool> clients;
    for (const Loop& loop : shape.loops) {
      clients[query(input_.visits.stored[loop.visit].nodes[loop.nodes.front()]).client.ip] = true;
    }
    return names_of(clients);
  }

  const RuleInput& input_;
  const decltype(Thresholds::db_n_plus_one)& limits_;
  const RoundTrips& round_trips_;
  std::map<Endpoint, std::map<std::uint64_t, Shape>> servers_;
  bool any_ = false;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule db_n_plus_one;
constinit const Rule db_n_plus_one{"db-n-plus-one",
                                   "No statement that reads was repeated in a long loop", &judge};
}  // namespace rules

}  // namespace wirelag
