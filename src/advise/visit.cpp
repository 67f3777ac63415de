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
#include <tuple>

#include <wirelag/advise/visit.hpp>

#include "activities.hpp"
#include "nodes.hpp"
#include "sample.hpp"

namespace wirelag {
namespace {

/// What a page is made of: anything that is not known to be something else.
bool of_a_page(const HttpTransaction& h) {
  if (!h.referer.empty()) return true;
  for (const std::string_view other :
       {"application/json", "application/xml", "text/xml", "application/grpc",
        "application/x-protobuf", "application/octet-stream", "text/plain"}) {
    if (h.content_type.text().starts_with(other)) return false;
  }
  return true;
}

class Grouping {
 public:
  Grouping(const Dataset& data, const Correlation& correlation, const VisitLimits& limits)
      : data_(data), correlation_(correlation), limits_(limits) {}

  VisitDrafts run() {
    const auto [clients, activities] = find_activities(data_, correlation_);
    // Address space: no more bursts than activities, which are once in a burst, and once more where that is
    // split, or joined with another one.
    drafts_.all.reserve(activities.size());
    drafts_.nodes = ListRoom<NodeRef>(2 * activities.size());
    TimeNs end_ns = 0;
    const Activity* before = nullptr;
    for (const Activity& a : activities) {
      const DurationNs quiet = a.database ? limits_.database_quiet_ns : limits_.quiet_ns;
      const bool goes_on = before != nullptr && before->client == a.client &&
                           before->lane() == a.lane() && a.from_ns - end_ns < quiet &&
                           a.from_ns - burst_.start_ns < limits_.longest_ns;
      if (!goes_on) {
        finish();
        if (before != nullptr && before->client != a.client) join_queries();
        burst_.client_ip = clients[a.client];
        burst_.database = a.database;
        burst_.start_ns = a.from_ns;
        end_ns = a.to_ns;
      }
      end_ns = std::max(end_ns, a.to_ns);
      append(burst_, a.node());
      before = &a;
    }
    finish();
    join_queries();
    return std::move(drafts_);
  }

 private:
  void finish() {
    if (burst_.nodes.empty()) return;
    if (burst_.database) {
      queries_.push_back(burst_);
    } else if (is_api()) {
      split();
    } else {
      drafts_.all.push_back(burst_);
    }
    burst_ = {};
  }

  /// Bursts of queries of the client at hand that begin together become one.
  void join_queries() {
    std::sort(queries_.begin(), queries_.end(), [](const VisitDraft& a, const VisitDraft& b) {
      // Of those that begin at once, in the order they were found: their nodes lie in it.
      return std::tuple(a.start_ns, a.nodes.data()) < std::tuple(b.start_ns, b.nodes.data());
    });
    for (auto first = queries_.begin(); first != queries_.end();) {
      const auto next = std::find_if(first, queries_.end(), [&](const VisitDraft& draft) {
        return draft.start_ns - first->start_ns > limits_.together_within_ns;
      });
      drafts_.all.push_back(*first);
      if (next - first > 1) {
        VisitDraft& joined = drafts_.all.back();
        joined.nodes = {};
        for (auto one = first; one != next; ++one) append(joined, one->nodes);
      }
      first = next;
    }
    queries_.clear();
  }

  void append(VisitDraft& draft, const NodeRef& n) {
    drafts_.nodes.append(draft.nodes, n);
    draft.troubled |= n.troubled;
  }
  void append(VisitDraft& draft, std::span<const NodeRef> nodes) {
    for (const NodeRef& n : nodes) append(draft, n);
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
      VisitDraft draft;
      draft.client_ip = burst_.client_ip;
      draft.api = true;
      append(draft, own);
      own.clear();
      draft.start_ns = start_of(draft.nodes.front());
      drafts_.all.push_back(draft);
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
  std::vector<VisitDraft> queries_;  ///< bursts of queries of the client at hand
  VisitDrafts drafts_;
};

/// Those of a sample with what they show, where the nodes of all the others take no room.
VisitDrafts compacted(const std::vector<VisitDraft>& sample) {
  std::size_t nodes = 0;
  for (const VisitDraft& draft : sample) nodes += draft.nodes.size();
  VisitDrafts found{{}, ListRoom<NodeRef>(nodes)};
  found.all.reserve(sample.size());
  for (const VisitDraft& draft : sample) {
    VisitDraft& copy = found.all.emplace_back(draft);
    copy.nodes = {};
    for (const NodeRef& n : draft.nodes) found.nodes.append(copy.nodes, n);
  }
  return found;
}

}  // namespace

Visits find_visits(const Dataset& data, const Correlation& correlation, const VisitLimits& limits) {
  VisitDrafts found = Grouping(data, correlation, limits).run();
  Visits visits;
  visits.seen = found.all.size();
  sample(found.all, limits.max_stored);
  if (visits.seen > found.all.size()) found = compacted(found.all);
  std::vector<VisitDraft>& drafts = found.all;
  std::sort(drafts.begin(), drafts.end(), comes_before);
  visits.stored.reserve(drafts.size());
  visits.round_trips = std::make_shared<const RoundTrips>(data, limits);
  for (const VisitDraft& draft : drafts) {
    visits.stored.push_back(build_graph(draft, data, correlation, *visits.round_trips, limits));
  }
  visits.places = std::make_shared<const NodePlaces>(visits.stored);
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
