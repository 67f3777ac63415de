// From transactions to visits: the activities of one client address in order of time, cut where the
// client was quiet for a second, and after 30 seconds. A burst in which no answer is of a type that
// a page is made of is API traffic: there every request is a visit of its own, with the connection
// and the lookup that it was the first to use. What goes to a database is apart from both, connection by
// connection: those of a pool serve users that have nothing to do with each other. Bursts that begin at
// the same time are one: a client that asks on several connections at once and waits for all.
//
// Users behind one address cannot be told apart by it. A burst that reads more than one document
// with no word (Referer) of another is marked shared_address.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <wirelag/advise/visit.hpp>

#include "graph.hpp"
#include "sample.hpp"

namespace wirelag {
namespace {

struct Activity {
  IpAddress client_ip;
  TimeNs from_ns;
  TimeNs to_ns;
  std::uint32_t lane;  ///< 0, or 1 + the connection to a database that it belongs to
  NodeRef node;
  auto operator<=>(const Activity& other) const {
    return std::tie(client_ip, lane, from_ns, node, to_ns) <=>
           std::tie(other.client_ip, other.lane, other.from_ns, other.node, other.to_ns);
  }
};
static_assert(sizeof(Activity) == 48);

class Activities {
 public:
  Activities(const Dataset& data, const Correlation& correlation)
      : data_(data), correlation_(correlation), used_by_(correlation.lookups.size()) {}

  /// Sorted by client, lane and time.
  std::vector<Activity> all() {
    found_.reserve(4 * data_.connections().size() + data_.http().size() + data_.database().size());
    for (std::size_t i = 0; i < data_.connections().size(); ++i) add_connection(i);
    for (std::size_t i = 0; i < data_.http().size(); ++i) {
      const HttpTransaction& h = data_.http()[i];
      const std::size_t c = data_.connection_index(h.connection);
      const bool untimed = h.response_frames.last != 0 && !known(h.response_last_ns);
      if (!h.request_seen || c == Dataset::kNone || untimed) continue;
      const TimeNs end = known(h.response_last_ns) ? h.response_last_ns : h.request_last_ns;
      add(h.client.ip, h.request_first_ns, end, {VisitNode::Kind::request, i, c});
    }
    for (std::size_t i = 0; i < data_.database().size(); ++i) {
      const DatabaseTransaction& d = data_.database()[i];
      const std::size_t c = data_.connection_index(d.connection);
      if (c == Dataset::kNone) continue;
      const TimeNs end = known(d.response_last_ns) ? d.response_last_ns : d.request_last_ns;
      add(d.client.ip, d.request_first_ns, end, {VisitNode::Kind::query, i, c}, c + 1);
    }
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  void add(const IpAddress& client, TimeNs from, TimeNs to, NodeRef node, std::size_t lane) {
    if (!known(from)) return;
    found_.push_back({client, from, std::max(from, to), static_cast<std::uint32_t>(lane), node});
  }
  void add(const IpAddress& client, TimeNs from, TimeNs to, NodeRef node) {
    add(client, from, to, node, 0);
  }

  void add_connection(std::size_t i) {
    const Connection& c = data_.connections()[i];
    const Channel& channel = correlation_.channels[i];
    if (!channel.dns.empty()) return;  // part of a lookup
    const std::size_t lane = channel.database.empty() ? 0 : i + 1;
    const bool opened =
        c.state != ConnectionState::midstream && c.state != ConnectionState::no_syn_seen;
    if (opened && !c.untimed) {
      const TimeNs end = known(c.established_time_ns) ? c.established_time_ns : c.last_time_ns;
      add(c.client.ip, c.start_time_ns, end, {VisitNode::Kind::connect, i, i}, lane);
      add_lookup(c, channel.lookup, lane);
    }
    if (channel.tls != Dataset::kNone) {
      const TlsHandshake& t = data_.tls()[channel.tls];
      add(c.client.ip, t.client_hello_ns, std::max(t.client_finished_ns, t.server_finished_ns),
          {VisitNode::Kind::tls, channel.tls, i});
      add(c.client.ip, t.first_client_data_ns, t.first_server_data_ns,
          {VisitNode::Kind::request, Dataset::kNone, i});
    } else if (channel.http.empty() && channel.database.empty()) {
      add(c.client.ip, c.half.c2s.first_payload_ns, c.half.s2c.first_payload_ns,
          {VisitNode::Kind::request, Dataset::kNone, i});
    }
  }

  /// A lookup belongs to the client that connected to the address, once.
  void add_lookup(const Connection& c, std::size_t lookup, std::size_t lane) {
    if (lookup == Dataset::kNone) return;
    const Lookup& l = correlation_.lookups[lookup];
    if (!known(l.wait_ns) || !is_first_use(c.client.ip, lookup)) return;
    add(c.client.ip, l.start_time_ns, l.end_time_ns, {VisitNode::Kind::dns, lookup, Dataset::kNone},
        lane);
  }

  /// Nearly every lookup is used by one client alone.
  bool is_first_use(const IpAddress& client, std::size_t lookup) {
    std::optional<IpAddress>& first = used_by_[lookup];
    if (first == client) return false;
    if (first) return used_by_more_.emplace(lookup, client).second;
    first = client;
    return true;
  }

  const Dataset& data_;
  const Correlation& correlation_;
  std::vector<std::optional<IpAddress>> used_by_;  ///< by lookup: its first user
  std::set<std::pair<std::size_t, IpAddress>> used_by_more_;
  std::vector<Activity> found_;
};

/// What a page is made of: anything that is not known to be something else.
bool of_a_page(const HttpTransaction& h) {
  if (!h.referer.empty()) return true;
  for (const std::string_view other :
       {"application/json", "application/xml", "text/xml", "application/grpc",
        "application/x-protobuf", "application/octet-stream", "text/plain"}) {
    if (h.content_type.starts_with(other)) return false;
  }
  return true;
}

class Grouping {
 public:
  Grouping(const Dataset& data, const Correlation& correlation, const VisitLimits& limits)
      : data_(data), correlation_(correlation), limits_(limits) {}

  std::vector<VisitDraft> run() {
    TimeNs end_ns = 0;
    for (const Activity& a : Activities(data_, correlation_).all()) {
      const DurationNs quiet = a.lane == 0 ? limits_.quiet_ns : limits_.database_quiet_ns;
      const bool goes_on = !burst_.nodes.empty() && burst_.client_ip == a.client_ip &&
                           lane_ == a.lane && a.from_ns - end_ns < quiet &&
                           a.from_ns - burst_.start_ns < limits_.longest_ns;
      if (!goes_on) {
        finish();
        burst_.client_ip = a.client_ip;
        lane_ = a.lane;
        burst_.database = a.lane != 0;
        burst_.start_ns = a.from_ns;
        end_ns = a.to_ns;
      }
      end_ns = std::max(end_ns, a.to_ns);
      burst_.nodes.push_back(a.node);
    }
    finish();
    join_queries();
    return std::move(drafts_);
  }

 private:
  void finish() {
    if (burst_.nodes.empty()) return;
    if (!burst_.database && is_api()) {
      split();
    } else {
      drafts_.push_back(std::move(burst_));
    }
    burst_ = {};
  }

  /// Bursts of queries of one client that begin together become one.
  void join_queries() {
    const auto queries = std::stable_partition(
        drafts_.begin(), drafts_.end(), [](const VisitDraft& draft) { return !draft.database; });
    std::stable_sort(queries, drafts_.end(), [](const VisitDraft& a, const VisitDraft& b) {
      return std::tie(a.client_ip, a.start_ns) < std::tie(b.client_ip, b.start_ns);
    });
    auto kept = queries;
    for (auto draft = queries; draft != drafts_.end(); ++draft) {
      const bool joins = kept != queries && std::prev(kept)->client_ip == draft->client_ip &&
                         draft->start_ns - std::prev(kept)->start_ns <= limits_.together_within_ns;
      if (joins) {
        std::vector<NodeRef>& nodes = std::prev(kept)->nodes;
        nodes.insert(nodes.end(), draft->nodes.begin(), draft->nodes.end());
        continue;
      }
      if (kept != draft) *kept = std::move(*draft);
      ++kept;
    }
    drafts_.erase(kept, drafts_.end());
  }

  [[nodiscard]] bool is_api() const {
    bool any = false;
    for (const NodeRef& n : burst_.nodes) {
      if (n.kind != VisitNode::Kind::request) continue;
      if (n.item == Dataset::kNone || of_a_page(data_.http()[n.item])) return false;
      any = true;
    }
    return any;
  }

  /// One draft per request; what came before the first request of a connection goes with it.
  void split() {
    std::map<std::size_t, std::vector<NodeRef>> before;  // by connection
    std::map<std::size_t, NodeRef> lookups;
    for (const NodeRef& n : burst_.nodes) {
      if (n.kind == VisitNode::Kind::dns) {
        lookups.emplace(n.item, n);
        continue;
      }
      std::vector<NodeRef>& own = before[n.connection];
      if (n.kind == VisitNode::Kind::connect) {
        const auto used = lookups.find(correlation_.channels[n.connection].lookup);
        if (used != lookups.end()) {
          own.push_back(used->second);
          lookups.erase(used);
        }
      }
      own.push_back(n);
      if (n.kind != VisitNode::Kind::request) continue;
      VisitDraft draft{burst_.client_ip, 0, true, false, std::move(own), 1};
      own.clear();
      draft.start_ns = start_of(draft.nodes.front());
      drafts_.push_back(std::move(draft));
    }
  }

  [[nodiscard]] TimeNs start_of(const NodeRef& n) const {
    switch (n.kind) {
      case VisitNode::Kind::dns: return correlation_.lookups[n.item].start_time_ns;
      case VisitNode::Kind::connect: return data_.connections()[n.item].start_time_ns;
      case VisitNode::Kind::tls: return data_.tls()[n.item].client_hello_ns;
      case VisitNode::Kind::request: return data_.http()[n.item].request_first_ns;
      case VisitNode::Kind::query: return data_.database()[n.item].request_first_ns;
    }
    return kUnknownNs;
  }

  const Dataset& data_;
  const Correlation& correlation_;
  const VisitLimits& limits_;
  VisitDraft burst_;
  std::uint32_t lane_ = 0;
  std::vector<VisitDraft> drafts_;
};

}  // namespace

Visits find_visits(const Dataset& data, const Correlation& correlation, const VisitLimits& limits) {
  std::vector<VisitDraft> drafts = Grouping(data, correlation, limits).run();
  Visits visits;
  visits.seen = drafts.size();
  sample(drafts, limits.max_stored, data, correlation);
  std::sort(drafts.begin(), drafts.end(), [](const VisitDraft& a, const VisitDraft& b) {
    return std::tie(a.start_ns, a.client_ip, a.nodes) < std::tie(b.start_ns, b.client_ip, b.nodes);
  });
  visits.stored.reserve(drafts.size());
  visits.round_trips = std::make_shared<const RoundTrips>(data, limits);
  for (const VisitDraft& draft : drafts) {
    visits.stored.push_back(build_graph(draft, data, correlation, *visits.round_trips, limits));
  }
  return visits;
}

#define X(symbol, meaning) \
  case Category::symbol: return #symbol;
std::string_view name(Category c) {
  switch (c) { WIRELAG_CATEGORIES(X) }
  return "";
}
#undef X

#define X(symbol, meaning) \
  case Category::symbol: return meaning;
std::string_view meaning(Category c) {
  switch (c) { WIRELAG_CATEGORIES(X) }
  return "";
}
#undef X

std::string_view name(VisitNode::Kind k) {
  switch (k) {
    case VisitNode::Kind::dns: return "dns";
    case VisitNode::Kind::connect: return "connect";
    case VisitNode::Kind::tls: return "tls";
    case VisitNode::Kind::request: return "request";
    case VisitNode::Kind::query: return "query";
  }
  return "";
}

std::string_view name(EdgeKind k) {
  switch (k) {
    case EdgeKind::protocol: return "protocol";
    case EdgeKind::queue: return "queue";
    case EdgeKind::discovery: return "discovery";
  }
  return "";
}

std::string_view name(Form f) { return f == Form::parallel ? "parallel" : "serial"; }

}  // namespace wirelag
