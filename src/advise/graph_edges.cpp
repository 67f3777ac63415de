// What released every node of a visit, with an edge for each:
//
//   DNS      what the client had read                                          discovery
//   CONNECT  the lookup of its address, when the SYN follows at once           protocol
//            the attempt that failed before it                                 protocol
//            else what the client had read                                     discovery
//   TLS      its handshake                                                     protocol
//   REQ      first on its connection and right after the handshake: that       protocol
//            right after the answer before it on its connection: it had waited
//            for the connection, since some earlier time (see wanted)          queue + discovery
//            else what the client had read                                     discovery
//   QUERY    the query before it on its connection, else the handshake         queue, protocol
//
// One edge of every node holds exactly: running the graph without a change gives the observed times.
//
// wanted: when a queued request could have left if a connection had been free.
//   - A socket that was opened because all were busy, and that carried nothing at first, was opened
//     for the next request that left elsewhere before its handshake was done: wanted at its SYN.
//   - With six connections to the server busy (what a browser allows itself), a request that follows
//     another one's answer at once had been waiting since that one left, or since that one's
//     connection was opened for it.
//   - Else not before the first request that the same document led to.
#include <algorithm>
#include <map>
#include <memory_resource>
#include <unordered_map>

#include <wirelag/control/opening.hpp>

#include "graph_parts.hpp"

namespace wirelag {
namespace {

bool is_document(const HttpTransaction& h) {
  for (const std::string_view leaf :
       {"image/", "font/", "video/", "audio/", "application/octet-stream", "application/font"}) {
    if (h.content_type.text().starts_with(leaf)) return false;
  }
  return true;
}

std::string_view without_scheme(std::string_view url) {
  const std::size_t at = url.find("://");
  return at == std::string_view::npos ? url : url.substr(at + 3);
}

/// What a node is released by: another node's end, or the first byte of its answer.
struct Release {
  std::uint32_t node = UINT32_MAX;
  TimeNs at_ns = kUnknownNs;
  bool at_first_byte = false;
  [[nodiscard]] bool any() const { return node != UINT32_MAX; }
};

/// Nodes by a time of theirs; nearly every one comes later than those before it.
class Timeline {
 public:
  Timeline(std::pmr::memory_resource* memory, std::size_t most) : nodes_(memory) {
    nodes_.reserve(most);
  }
  void add(TimeNs t, std::uint32_t node) {
    const std::pair entry(t, node);
    nodes_.insert(std::upper_bound(nodes_.begin(), nodes_.end(), entry), entry);
  }
  /// The last one up to `t`.
  [[nodiscard]] Release latest(TimeNs t, bool at_first_byte) const {
    const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), std::pair(t, UINT32_MAX));
    if (after == nodes_.begin()) return {};
    const auto& [at_ns, node] = *std::prev(after);
    return {node, at_ns, at_first_byte};
  }

 private:
  std::pmr::vector<std::pair<TimeNs, std::uint32_t>> nodes_;
};

/// One form of one visit. What it keeps for that is of so many nodes at most (visits.max_nodes), and nearly
/// always so few that it fits into the memory that it brings along.
class Edges {
 public:
  Edges(Visit& visit, const GraphInput& input, Form form)
      : visit_(visit),
        data_(input.data),
        correlation_(input.correlation),
        round_trips_(input.round_trips),
        limits_(input.limits),
        form_(form),
        out_(visit.edges[static_cast<std::size_t>(form)]),
        complete_(&memory_, visit.nodes.size()),
        documents_(&memory_, visit.nodes.size()),
        first_lag_(visit.nodes.size(), {kUnknownNs, kUnknownNs}, &memory_),
        wanted_(visit.nodes.size(), 0, &memory_) {
    out_.reserve(visit.nodes.size());
    carriers_.reserve(visit.nodes.size());
    for (const VisitNode& n : visit.nodes) any_referer_ |= !referer_of(n).empty();
  }
  Edges(const Edges&) = delete;
  Edges& operator=(const Edges&) = delete;

  /// Whether anything of it is of this form alone.
  bool find() {
    list_carriers();
    list_spares();
    for (std::uint32_t i = 0; i < visit_.nodes.size(); ++i) {
      const VisitNode& n = visit_.nodes[i];
      switch (n.kind) {
        case VisitNode::Kind::dns:
          discover(i, n.start_ns);
          note_lookup(n.item, i);
          break;
        case VisitNode::Kind::connect: connect(i, n); break;
        case VisitNode::Kind::tls: tls(i, n); break;
        case VisitNode::Kind::request: request(i, n); break;
        case VisitNode::Kind::query: query(i, n); break;
      }
    }
    return inferred_;
  }

 private:
  /// What is known of a connection while the nodes pass by.
  struct Carrier {
    std::size_t connection = 0;
    std::uint32_t opened = UINT32_MAX;  ///< its CONNECT node
    std::uint32_t ready = UINT32_MAX;   ///< the same, then its TLS node
    TimeNs opened_ns = kUnknownNs;      ///< its SYN
    std::uint32_t last_request = UINT32_MAX;
  };

  [[nodiscard]] const VisitNode& node(std::uint32_t i) const { return visit_.nodes[i]; }
  [[nodiscard]] const Connection& connection(std::size_t i) const { return data_.connections()[i]; }

  void edge(std::uint32_t to, std::uint32_t from, DurationNs lag, EdgeKind kind,
            bool at_first_byte = false) {
    const DurationNs stall = std::min(stall_before(to), lag);
    const DurationNs round = std::min(client_round_ns(from), lag - stall);
    out_.push_back({from, to, lag, round, stall, kind, at_first_byte});
  }

  /// An answer takes half a round trip from the probe to the client, and what the client does then
  /// the other half. What the client sent last itself has no such gap.
  [[nodiscard]] DurationNs client_round_ns(std::uint32_t from) const {
    const VisitNode& n = node(from);
    bool answered = n.kind == VisitNode::Kind::request || n.kind == VisitNode::Kind::query;
    // Where the server greets, it has the last word of the opening.
    if (n.kind == VisitNode::Kind::connect) answered = known(greeting_ns(connection(n.item)));
    if (n.kind == VisitNode::Kind::tls) {
      const TlsHandshake& t = data_.tls()[n.item];
      answered = t.server_finished_ns > t.client_finished_ns;
    }
    if (!answered || n.connection == Dataset::kNone) return 0;
    const DurationNs rtt = round_trips_.probe_client_ns(n.connection);
    return known(rtt) ? rtt : 0;
  }

  /// What an answer that was sent again kept the client waiting before it sent this.
  [[nodiscard]] DurationNs stall_before(std::uint32_t i) const {
    const VisitNode& n = node(i);
    if (n.item == Dataset::kNone) return 0;
    DurationNs stall = 0;
    if (n.kind == VisitNode::Kind::request) stall = data_.http()[n.item].stalls().earlier_resend_ns;
    if (n.kind == VisitNode::Kind::query)
      stall = data_.database()[n.item].stalls().earlier_resend_ns;
    return known(stall) ? stall : 0;
  }

  // ------------------------------------------------------------------------------ discovery

  /// What the client had read at `t` that may have led to what it did then.
  [[nodiscard]] Release read_at(TimeNs t, std::string_view referer) {
    if (form_ == Form::serial) {
      if (const Release r = complete_.latest(t, false); r.any()) {
        inferred_ = true;
        return r;
      }
    }
    return page_at(t, referer);
  }

  /// The page that named it: by Referer, else the last document that had begun to arrive.
  [[nodiscard]] Release page_at(TimeNs t, std::string_view referer) const {
    if (!referer.empty()) {
      const auto page = by_url_.find(std::pmr::string(without_scheme(referer)));
      if (page != by_url_.end() && answer_ns(page->second) <= t) {
        return {page->second, answer_ns(page->second), true};
      }
    }
    return documents_.latest(t, true);
  }

  [[nodiscard]] TimeNs answer_ns(std::uint32_t i) const {
    const VisitNode& n = node(i);
    TimeNs t = n.start_ns;
    for (std::size_t p = 0; p < n.parts_before_answer; ++p) t += n.parts[p].duration_ns;
    return t;
  }

  /// The gap between what released it and `i` stays. False when nothing had been read.
  bool discover(std::uint32_t i, TimeNs t, std::string_view referer = {}) {
    const Release r = read_at(t, referer);
    if (!r.any()) return false;
    const DurationNs lag = node(i).start_ns - r.at_ns;
    edge(i, r.node, lag, EdgeKind::discovery, r.at_first_byte);
    DurationNs& first_ns = first_lag_[r.node][r.at_first_byte];
    first_ns = smaller(first_ns, lag);
    return true;
  }

  // ----------------------------------------------------------------------------- connections

  void list_carriers() {
    for (const VisitNode& n : visit_.nodes) {
      if (n.connection != Dataset::kNone) carriers_.push_back({n.connection});
    }
    const auto by_connection = [](const Carrier& a, const Carrier& b) {
      return a.connection < b.connection;
    };
    std::sort(carriers_.begin(), carriers_.end(), by_connection);
    const auto same = [](const Carrier& a, const Carrier& b) {
      return a.connection == b.connection;
    };
    carriers_.erase(std::unique(carriers_.begin(), carriers_.end(), same), carriers_.end());
  }
  [[nodiscard]] Carrier& carrier_of(std::size_t connection) {
    return *std::lower_bound(
        carriers_.begin(), carriers_.end(), connection,
        [](const Carrier& c, std::size_t sought) { return c.connection < sought; });
  }

  void note_lookup(std::size_t lookup, std::uint32_t i) {
    const std::pair entry(lookup, i);
    lookups_.insert(std::upper_bound(lookups_.begin(), lookups_.end(), entry), entry);
  }
  /// The node of a lookup that has passed by, UINT32_MAX for none.
  [[nodiscard]] std::uint32_t node_of_lookup(std::size_t lookup) const {
    const auto after =
        std::upper_bound(lookups_.begin(), lookups_.end(), std::pair(lookup, UINT32_MAX));
    if (after == lookups_.begin() || std::prev(after)->first != lookup) return UINT32_MAX;
    return std::prev(after)->second;
  }

  void connect(std::uint32_t i, const VisitNode& n) {
    const Connection& c = connection(n.item);
    Carrier& carrier = carrier_of(n.connection);
    carrier.opened = carrier.ready = i;
    carrier.opened_ns = n.start_ns;
    const std::uint32_t lookup = node_of_lookup(correlation_.channels[n.item].lookup);
    const bool named = lookup != UINT32_MAX && node(lookup).end_ns <= n.start_ns;
    const DurationNs after_answer = named ? n.start_ns - node(lookup).end_ns : kUnknownNs;
    const auto failed = failed_.find(c.server.ip);
    if (!n.ended) failed_[c.server.ip] = i;

    bool held = named && after_answer <= limits_.connect_follows_lookup_ns;
    if (!held && correlation_.channels[n.item].purpose == ChannelPurpose::retry_after_failure &&
        failed != failed_.end() && node(failed->second).end_ns <= n.start_ns) {
      edge(i, failed->second, n.start_ns - node(failed->second).end_ns, EdgeKind::protocol);
      held = true;
    } else if (!held) {
      held = discover(i, n.start_ns, referer_of_first(n.item));
      if (named && held) edge(i, lookup, 0, EdgeKind::protocol);
    }
    if (named && (!held || after_answer <= limits_.connect_follows_lookup_ns)) {
      edge(i, lookup, after_answer, EdgeKind::protocol);
    }
  }

  /// What page_at() may be asked for with this node.
  [[nodiscard]] std::string_view referer_of(const VisitNode& n) const {
    if (n.item == Dataset::kNone) return {};
    if (n.kind == VisitNode::Kind::connect) return referer_of_first(n.item);
    return n.kind == VisitNode::Kind::request ? data_.http()[n.item].referer.text()
                                              : std::string_view{};
  }

  [[nodiscard]] std::string_view referer_of_first(std::size_t connection) const {
    const Channel& channel = correlation_.channels[connection];
    if (channel.http.empty()) return {};
    return data_.http()[channel.http.front()].referer;
  }

  /// Behind a request (CONNECT, STARTTLS ...) it is inside what that has opened, and so is what comes behind it.
  void tls(std::uint32_t i, const VisitNode& n) {
    Carrier& carrier = carrier_of(n.connection);
    const bool inside = has_ended(carrier.last_request, n.start_ns);
    const std::uint32_t before = inside ? carrier.last_request : carrier.ready;
    if (has_ended(before, n.start_ns)) {
      edge(i, before, n.start_ns - node(before).end_ns, EdgeKind::protocol);
    } else {
      discover(i, n.start_ns);
    }
    if (inside) carrier.last_request = UINT32_MAX;
    carrier.ready = i;
  }

  [[nodiscard]] bool has_ended(std::uint32_t i, TimeNs at_ns) const {
    return i != UINT32_MAX && node(i).end_ns <= at_ns;
  }
  /// What a request at `at_ns` on a connection had waited for: its handshakes, or what is over of them (0-RTT data
  /// goes out with the ClientHello). UINT32_MAX for nothing.
  [[nodiscard]] std::uint32_t ready_at(const Carrier& carrier, TimeNs at_ns) const {
    if (has_ended(carrier.ready, at_ns)) return carrier.ready;
    return has_ended(carrier.opened, at_ns) ? carrier.opened : UINT32_MAX;
  }

  void query(std::uint32_t i, const VisitNode& n) {
    Carrier& carrier = carrier_of(n.connection);
    const Release other = form_ == Form::serial ? complete_.latest(n.start_ns, false) : Release{};
    if (carrier.last_request != UINT32_MAX) {
      const TimeNs own_ns = node(carrier.last_request).end_ns;
      const bool held = other.any() && other.at_ns > own_ns;
      if (held) edge(i, other.node, n.start_ns - other.at_ns, EdgeKind::discovery);
      inferred_ |= held;
      edge(i, carrier.last_request, held ? 0 : n.start_ns - own_ns, EdgeKind::queue);
    } else if (has_ended(carrier.ready, n.start_ns)) {
      edge(i, carrier.ready, n.start_ns - node(carrier.ready).end_ns, EdgeKind::protocol);
    }
    carrier.last_request = i;
    if (n.ended) complete_.add(n.end_ns, i);
  }

  // -------------------------------------------------------------------------------- requests

  void request(std::uint32_t i, const VisitNode& n) {
    Carrier& carrier = carrier_of(n.connection);
    const HttpTransaction* h = n.item == Dataset::kNone ? nullptr : &data_.http()[n.item];
    const std::string_view referer = referer_of(n);
    const Endpoint& server = connection(n.connection).server;
    const std::uint32_t ready = ready_at(carrier, n.start_ns);
    TimeNs wanted = n.start_ns;

    if (has_ended(carrier.last_request, n.start_ns)) {
      const VisitNode& before = node(carrier.last_request);
      const DurationNs gap = n.start_ns - before.end_ns;
      const bool queued = gap <= at_once_ns(n) && before.ended &&
                          page_at(n.start_ns, referer).node != carrier.last_request;
      wanted = wanted_ns(i, n, carrier, queued);
      if (queued || wanted < n.start_ns) {
        edge(i, carrier.last_request, gap, EdgeKind::queue);
        wanted = could_have_left(i, wanted, referer, wanted < n.start_ns);
      } else {
        const bool held = discover(i, n.start_ns, referer);
        edge(i, carrier.last_request, held ? 0 : gap, EdgeKind::queue);
      }
    } else if (carrier.last_request == UINT32_MAX && ready != UINT32_MAX) {
      const DurationNs gap = n.start_ns - node(ready).end_ns;
      const bool waited = gap <= limits_.request_follows_handshake_ns;
      const bool held = !waited && discover(i, n.start_ns, referer);
      edge(i, ready, held ? 0 : gap, EdgeKind::protocol);
      if (waited && known(carrier.opened_ns)) wanted = carrier.opened_ns;
    } else {
      discover(i, n.start_ns, referer);
    }

    wanted_[i] = wanted;
    carrier.last_request = i;
    std::pmr::vector<TimeNs>& busy = busy_until_[server];
    busy.insert(std::upper_bound(busy.begin(), busy.end(), n.end_ns), n.end_ns);
    if (n.ended) complete_.add(n.end_ns, i);
    if (h == nullptr || (is_document(*h) && known(h->response_first_ns))) {
      if (n.parts_before_answer > 0) documents_.add(answer_ns(i), i);
    }
    const bool last = i + 1 == visit_.nodes.size();  // leads to nothing
    const bool may_be_named = any_referer_ && !last;
    if (may_be_named && h != nullptr && !h->host.empty() && n.parts_before_answer > 0) {
      std::pmr::string url(h->host.text(), &memory_);
      by_url_.emplace(url += h->target.text(), i);
    }
  }

  /// The longest that "at once" takes at the probe: an answer has to reach the client first.
  [[nodiscard]] DurationNs at_once_ns(const VisitNode& n) const {
    const Connection& c = connection(n.connection);
    const DurationNs client = smaller(c.rtt_probe_client_ns, c.rtt_probe_client.min_ns);
    return limits_.queued_within_ns + (known(client) ? client : 0);
  }

  /// Since when a request that left right after another one's answer had waited.
  TimeNs wanted_ns(std::uint32_t i, const VisitNode& n, const Carrier& carrier, bool queued) {
    if (const TimeNs t = spare_for(i, n, carrier); known(t)) return t;
    if (!queued) return n.start_ns;
    // Connections busy, or just about to be used again; its own is one of them.
    std::pmr::vector<TimeNs>& busy = busy_until_[connection(n.connection).server];
    busy.erase(busy.begin(),
               std::lower_bound(busy.begin(), busy.end(), n.start_ns - at_once_ns(n)));
    if (busy.size() < limits_.connections_per_server) return n.start_ns;
    return wanted_[carrier.last_request];
  }

  /// The edge that holds a queued request once its connection is no obstacle. Returns when it would
  /// have left.
  TimeNs could_have_left(std::uint32_t i, TimeNs wanted, std::string_view referer, bool sure) {
    const Release r = read_at(wanted, referer);
    if (!r.any()) return wanted;
    DurationNs lag = wanted - r.at_ns;
    if (!sure) {
      lag = smaller(first_lag_[r.node][r.at_first_byte], lag);
    }
    edge(i, r.node, lag, EdgeKind::discovery, r.at_first_byte);
    return r.at_ns + lag;
  }

  // ---------------------------------------------------------------------------------- spares

  struct Spare {
    std::size_t connection;
    TimeNs opened_ns;
    TimeNs ready_ns;
  };

  /// Sockets opened while all others were busy, whose first request did not follow the handshake.
  void list_spares() {
    for (const VisitNode& n : visit_.nodes) {
      if (n.kind != VisitNode::Kind::connect || !n.ended) continue;
      const Channel& channel = correlation_.channels[n.item];
      if (channel.others_open == 0 || channel.others_busy < channel.others_open) continue;
      if (channel.tls != Dataset::kNone) continue;
      const TimeNs asked = connection(n.item).half.c2s.first_payload_ns;
      if (known(asked) && asked - n.end_ns <= limits_.request_follows_handshake_ns) continue;
      spares_.push_back({n.item, n.start_ns, n.end_ns});
    }
  }

  /// When the spare socket was opened that this request was meant for; unknown when none was.
  TimeNs spare_for(std::uint32_t i, const VisitNode& n, const Carrier& carrier) {
    for (auto at = spares_.begin(); at != spares_.end(); ++at) {
      if (at->opened_ns > n.start_ns) break;
      if (n.start_ns > at->ready_ns || at->connection == n.connection) continue;
      if (connection(at->connection).server != connection(n.connection).server) continue;
      if (carrier.ready != UINT32_MAX && node(carrier.ready).end_ns > at->opened_ns) continue;
      const TimeNs opened = at->opened_ns;
      visit_.nodes[i].opened_for_it = at->connection;
      spares_.erase(at);
      return opened;
    }
    return kUnknownNs;
  }

  Visit& visit_;
  const Dataset& data_;
  const Correlation& correlation_;
  const RoundTrips& round_trips_;
  const VisitLimits& limits_;
  Form form_;
  bool any_referer_ = false;
  bool inferred_ = false;  ///< the serial form says something of its own
  std::vector<VisitEdge>& out_;
  std::array<std::byte, 4096> at_first_;
  std::pmr::monotonic_buffer_resource memory_{at_first_.data(), at_first_.size()};
  std::pmr::vector<Spare> spares_{&memory_};
  std::pmr::vector<std::pair<std::size_t, std::uint32_t>> lookups_{&memory_};  ///< and their nodes
  std::pmr::vector<Carrier> carriers_{&memory_};                               ///< by connection
  std::pmr::map<IpAddress, std::uint32_t> failed_{&memory_};
  std::pmr::map<Endpoint, std::pmr::vector<TimeNs>> busy_until_{&memory_};  ///< ascending
  Timeline complete_;                                                       ///< by last byte
  Timeline documents_;                                                      ///< by first byte
  std::pmr::unordered_map<std::pmr::string, std::uint32_t> by_url_{&memory_};
  /// By node: the shortest gap of what was found behind its end, and behind its first byte.
  std::pmr::vector<std::array<DurationNs, 2>> first_lag_;
  std::pmr::vector<TimeNs> wanted_;  ///< by node
};

}  // namespace

bool add_edges(Visit& visit, Form form, const GraphInput& input) {
  return Edges(visit, input, form).find();
}

}  // namespace wirelag
