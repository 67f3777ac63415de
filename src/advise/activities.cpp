// Every transaction is looked at once, in the order of the dataset: what a visit needs to know of it before its
// graph is built (whether something failed or was lost in it) is found then, while it is in the cache.
#include "activities.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <wirelag/control/opening.hpp>

#include "first_answer.hpp"
#include "response_end.hpp"

namespace wirelag {
namespace {

constexpr std::uint16_t kServerError = 500;

/// Segments were sent again, and not in vain.
bool sent_again(const Connection& c) {
  if (c.syns() > 1) return true;
  for (const HalfConnection* half : {&c.half.c2s, &c.half.s2c}) {
    if (half->impaired.empty()) continue;
    for (const RetransmissionClass r :
         {RetransmissionClass::rto, RetransmissionClass::fast, RetransmissionClass::tail_probe}) {
      if (half->impairment().retransmissions[static_cast<std::size_t>(r)] > 0) return true;
    }
  }
  return false;
}

/// Of one client's.
bool is_before(const Activity& a, const Activity& b) {
  if (a.lane() != b.lane()) return a.lane() < b.lane();
  if (a.from_ns != b.from_ns) return a.from_ns < b.from_ns;
  return std::tuple(a.node(), a.to_ns) < std::tuple(b.node(), b.to_ns);
}

class ActivityFinder {
 public:
  ActivityFinder(const Dataset& data, const Correlation& correlation)
      : data_(data),
        correlation_(correlation),
        client_of_(data.connections().size()),
        lost_(data.connections().size()),
        used_by_(correlation.lookups.size()) {}

  Activities run() {
    std::vector<Activity>& all = found_.all;
    all.reserve(4 * data_.connections().size() + data_.http().size() + data_.database().size());
    for (std::size_t i = 0; i < data_.connections().size(); ++i) add_connection(i);
    for (std::size_t i = 0; i < data_.http().size(); ++i) add(i, data_.http()[i]);
    for (std::size_t i = 0; i < data_.database().size(); ++i) add(i, data_.database()[i]);
    sort();
    return std::move(found_);
  }

 private:
  /// By client first: their numbers say where each one's are, and every activity goes there by exchange, in place.
  void sort() {
    std::vector<Activity>& all = found_.all;
    std::vector<std::size_t> first(found_.clients.size() + 1);
    for (const Activity& a : all) ++first[a.client + std::size_t{1}];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::size_t> next = first;
    for (std::size_t client = 0; client < found_.clients.size(); ++client) {
      const std::size_t end = first[client + 1];
      while (next[client] < end) {
        Activity& a = all[next[client]];
        if (a.client == client) {
          ++next[client];
        } else {
          std::swap(a, all[next[a.client]++]);
        }
      }
      std::sort(all.data() + first[client], all.data() + end, is_before);
    }
  }

  void add(std::size_t i, const HttpTransaction& h) {
    const std::size_t c = data_.connection_index(h.connection);
    const bool untimed = h.response_frames.last != 0 && !known(h.response_last_ns);
    if (!h.request_seen || c == Dataset::kNone || untimed) return;
    const TimeNs whole_ns = response_end_ns(h, data_.connections()[c]);
    const TimeNs end = known(whole_ns) ? whole_ns : h.request_last_ns;
    const bool failed = h.status >= kServerError || !known(h.response_first_ns);
    add(h.client.ip, h.request_first_ns, end, {VisitNode::Kind::request, failed || lost_[c], i, c});
  }

  void add(std::size_t i, const DatabaseTransaction& d) {
    const std::size_t c = data_.connection_index(d.connection);
    if (c == Dataset::kNone) return;
    const TimeNs end = known(d.response_last_ns) ? d.response_last_ns : d.request_last_ns;
    add(d.client.ip, d.request_first_ns, end, {VisitNode::Kind::query, d.error || lost_[c], i, c},
        true);
  }

  void add_connection(std::size_t i) {
    const Connection& c = data_.connections()[i];
    const Channel& channel = correlation_.channels[i];
    const bool lost = lost_[i] = sent_again(c);
    if (!channel.dns.empty()) return;  // part of a lookup
    const bool database = !channel.database.empty();
    const bool opened =
        c.state != ConnectionState::midstream && c.state != ConnectionState::no_syn_seen;
    if (opened && !c.untimed) {
      const bool established = known(c.established_time_ns);
      const TimeNs ready_ns = std::max(c.established_time_ns, greeting_ns(c));
      add(c.client.ip, c.start_time_ns, established ? ready_ns : c.last_time_ns,
          {VisitNode::Kind::connect, lost || !established, i, i}, database);
      add_lookup(c, channel.lookup, i, database);
    }
    if (channel.tls != Dataset::kNone) {
      const TlsHandshake& t = data_.tls()[channel.tls];
      add(c.client.ip, t.client_hello_ns, std::max(t.client_finished_ns, t.server_finished_ns),
          {VisitNode::Kind::tls, lost, channel.tls, i});
      add_unreadable(c, i, t.first_client_data_ns, first_answer_end_ns(c, &t));
    } else if (channel.http.empty() && channel.database.empty()) {
      add_unreadable(c, i, c.half.c2s.first_payload_ns, first_answer_end_ns(c, nullptr));
    }
  }

  void add_unreadable(const Connection& c, std::size_t i, TimeNs from_ns, TimeNs to_ns) {
    add(c.client.ip, from_ns, to_ns,
        {VisitNode::Kind::request, static_cast<bool>(lost_[i]), Dataset::kNone, i});
  }

  /// A lookup belongs to the client that connected to the address, once.
  void add_lookup(const Connection& c, std::size_t lookup, std::size_t connection, bool database) {
    if (lookup == Dataset::kNone) return;
    const Lookup& l = correlation_.lookups[lookup];
    if (!known(l.wait_ns) || !is_first_use(number(c.client.ip, connection), lookup)) return;
    const bool failed = l.members.size() > 1 || l.outcome == DnsOutcome::unanswered;
    add(c.client.ip, l.start_time_ns, l.end_time_ns,
        {VisitNode::Kind::dns, failed, lookup, connection}, database);
  }

  void add(const IpAddress& client, TimeNs from, TimeNs to, const NodeRef& n,
           bool database = false) {
    if (!known(from)) return;
    found_.all.push_back({from, std::max(from, to), number(client, n.connection), n.item,
                          n.connection, n.kind, database, n.troubled});
  }

  /// Hardly anything on a connection is of another client than what was there before.
  SmallIndex number(const IpAddress& client, std::size_t connection) {
    SmallIndex& before = client_of_[connection];
    if (before == Dataset::kNone || found_.clients[before] != client) {
      before = found_.clients.number(client);
    }
    return before;
  }

  /// Nearly every lookup is used by one client alone.
  bool is_first_use(SmallIndex client, std::size_t lookup) {
    SmallIndex& first = used_by_[lookup];
    if (first == client) return false;
    if (first != Dataset::kNone) return used_by_more_.emplace(lookup, client).second;
    first = client;
    return true;
  }

  const Dataset& data_;
  const Correlation& correlation_;
  Activities found_;
  std::vector<SmallIndex> client_of_;  ///< by connection: the latest one seen on it
  std::vector<bool> lost_;             ///< by connection
  std::vector<SmallIndex> used_by_;    ///< by lookup: its first user
  std::set<std::pair<SmallIndex, SmallIndex>> used_by_more_;
};

}  // namespace

Activities find_activities(const Dataset& data, const Correlation& correlation) {
  return ActivityFinder(data, correlation).run();
}

}  // namespace wirelag
