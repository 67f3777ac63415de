// A visit: what one user waited for, as a graph of what had to come before what.
//
//   DNS ---> CONNECT ---> TLS ---> REQ / ---> REQ /a.css ---> REQ /b.png      the path that took
//                                    \.......> CONNECT ---> REQ /c.png        longest is the wait
//   ---> certain: protocol (the address came from that answer, one exchange at a time on an HTTP/1
//        connection)                      ...> inferred: what the client had read led to it
//
// What led to what inside the client is not on the wire. So there are two forms of every graph, and
// what is said of a visit is said of both:
//   parallel  a request waits for the first byte of the document that names it (Referer, else the
//             last one of a type that can name others), and for nothing else
//   serial    it waits for the last byte of whatever was complete last before it
// The rest of the gap is the client's own time and keeps its length when the graph changes.
//
// What a client asks a database or a cache is a visit apart: a burst of queries on one connection, in
// order; a pipelined one counts from the end of the one before it.
//
// A node's time is cut into parts that add up to it exactly, each in one category; so is the gap
// before it, of which a part may be the way to the client and back (rounds). So the
// categories along a path, with the client's gaps, add up to the wait exactly. What cannot be cut
// goes to a category by these rules, and a flag of the visit says so:
//   think_has_rtt     no round trip of the server's side is known: it stays inside `think`
//   transfer_unsplit  how a response came is not known: all of its transfer is `bandwidth`
//   encrypted         TLS: one request is seen per connection, the first; what followed is not
//
// Control thread; pure functions.
#pragma once

#include <array>
#include <cassert>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <wirelag/control/correlate.hpp>

namespace wirelag {

/// Where a wait goes.
#define WIRELAG_CATEGORIES(X)                                                                     \
  X(dns, "name lookups")                                                                          \
  X(connect, "TCP handshakes, resent SYNs included")                                              \
  X(tls, "TLS handshakes")                                                                        \
  X(send, "first to last byte of a request")                                                      \
  X(think,                                                                                        \
    "the server's own time before it answers, or greets where it speaks first (MySQL, SMTP ...)") \
  X(rounds, "round trips: one per request, and those between flights of a response")              \
  X(bandwidth, "bytes arriving one after another")                                                \
  X(stall,                                                                                        \
    "waiting for a resent segment, an open window, the ACK of a small segment, or a sender that " \
    "stopped")                                                                                    \
  X(client, "the client's own time, and what the capture does not show")

enum class Category : std::uint8_t {
#define X(symbol, meaning) symbol,
  WIRELAG_CATEGORIES(X)
#undef X
};
inline constexpr std::size_t kCategories = 0
#define X(symbol, meaning) +1
    WIRELAG_CATEGORIES(X)
#undef X
    ;
[[nodiscard]] std::string_view name(Category c);
[[nodiscard]] std::string_view meaning(Category c);

/// By category; the sum is the wait.
using Breakdown = std::array<DurationNs, kCategories>;

struct VisitPart {
  Category category = Category::client;
  DurationNs duration_ns = 0;
};

/// A node's parts, ten at most, in order of time. Kept apart by what they hold: a report has a hundred
/// thousand nodes.
class VisitParts {
 public:
  class Iterator {
   public:
    Iterator(const VisitParts& parts, std::size_t at) : parts_(parts), at_(at) {}
    VisitPart operator*() const { return parts_[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const VisitParts& parts_;
    std::size_t at_;
  };

  void push(const VisitPart& part) {
    assert(size_ < kMost);  // a part left out would be time left out
    if (size_ == kMost) return;
    duration_ns_[size_] = part.duration_ns;
    category_[size_++] = part.category;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] VisitPart operator[](std::size_t i) const {
    return {category_[i], duration_ns_[i]};
  }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size_}; }

 private:
  static constexpr std::size_t kMost = 10;
  std::array<DurationNs, kMost> duration_ns_{};
  std::array<Category, kMost> category_{};
  std::uint8_t size_ = 0;
};

struct VisitNode {
  enum class Kind : std::uint8_t { dns, connect, tls, request, query };

  Kind kind = Kind::request;
  bool ended = true;       ///< false: unanswered within the capture
  bool waited_for = true;  ///< false: a connection that carried nothing in the visit
  std::uint8_t parts_before_answer = 0;
  /// Into Correlation::lookups, Dataset::connections(), tls(), http() or database(); kNone for a request
  /// that cannot be read (encrypted or an unknown protocol).
  SmallIndex item;
  SmallIndex connection;  ///< into Dataset::connections()
  /// Of a request: the connection that was opened for it and came too late; into connections().
  SmallIndex opened_for_it;
  TimeNs start_ns = 0;
  TimeNs end_ns = 0;
  VisitParts parts;  ///< they add up to end - start
  /// Of the round trip that no answer does without: what lay behind the capture's end. Nobody was seen to wait it,
  /// so it is in no part; but what a change saves does not depend on when the capture ended.
  DurationNs unseen_ns = 0;
};
[[nodiscard]] std::string_view name(VisitNode::Kind k);

enum class EdgeKind : std::uint8_t {
  protocol,   ///< certain: lookup, handshake, first request
  queue,      ///< certain: one exchange at a time on an HTTP/1 connection
  discovery,  ///< inferred
};
[[nodiscard]] std::string_view name(EdgeKind k);

/// `to` cannot start earlier than `lag_ns` after `from` ended (or its answer began).
struct VisitEdge {
  std::uint32_t from = 0;  ///< always smaller than `to`
  std::uint32_t to = 0;
  DurationNs lag_ns = 0;
  DurationNs round_ns = 0;  ///< of lag_ns: from the probe to the client and back
  DurationNs stall_ns = 0;  ///< of lag_ns: until what was lost on the way to the client came again
  EdgeKind kind = EdgeKind::protocol;
  bool at_first_byte = false;
};

enum class Form : std::uint8_t { parallel, serial };
inline constexpr std::array kForms = {Form::parallel, Form::serial};
[[nodiscard]] std::string_view name(Form f);

struct VisitFlags {
  bool think_has_rtt = false;
  bool transfer_unsplit = false;
  bool encrypted = false;
  /// Unanswered when the capture ended: the wait is at least this. An unanswered request counts with
  /// the one round trip that it cannot do without, where that is known, and as far as it was captured.
  bool incomplete = false;
  /// What was waited for last was not answered in the capture, and its server's direction or any round
  /// trip to it was not captured: the wait is not known.
  bool end_unseen = false;
  bool midstream = false;       ///< a connection was open before the capture began
  bool one_sided = false;       ///< of a connection only one direction was captured
  bool shared_address = false;  ///< more than one user may be behind the client address
  bool cut = false;             ///< activity beyond the limits was left out
};

struct Visit {
  IpAddress client_ip;
  bool api = false;       ///< one request with what it needed; else one burst of a page
  bool database = false;  ///< one connection's burst of queries (not `api`)
  std::string service;    ///< host of the first request, else name or address of the first server
  TimeNs start_ns = 0;
  DurationNs wait_ns = 0;  ///< to the end of the last thing waited for; see flags.end_unseen
  /// How many visits of the capture it stands for; 1 unless the visits are a sample.
  double weight = 1;
  VisitFlags flags;
  std::vector<VisitNode> nodes;                 ///< in order of start
  std::array<std::vector<VisitEdge>, 2> edges;  ///< by Form, in order of `to`; see edges_of()
  bool one_form = false;                        ///< nothing was to be inferred: both are the first
  [[nodiscard]] const std::vector<VisitEdge>& edges_of(Form f) const {
    return edges[one_form ? 0 : static_cast<std::size_t>(f)];
  }
  /// Those that differ.
  [[nodiscard]] std::span<const Form> forms() const {
    return std::span(kForms).first(one_form ? 1 : kForms.size());
  }
};

/// One step of a critical path, in order of time: the gap before a node, then the node's own time
/// (as far as it was waited for).
struct PathStep {
  std::size_t node = 0;
  DurationNs client_ns = 0;  ///< of the gap: the client's own time
  DurationNs round_ns = 0;   ///< of the gap
  DurationNs stall_ns = 0;   ///< of the gap; the three are all of it
  DurationNs duration_ns = 0;
};
struct CriticalPath {
  std::vector<PathStep> steps;
  Breakdown breakdown{};
};
[[nodiscard]] CriticalPath critical_path(const Visit& visit, Form form);
/// Of the critical path of each.
[[nodiscard]] std::array<std::vector<Breakdown>, kForms.size()> breakdowns(
    std::span<const Visit> visits);

struct VisitLimits {
  DurationNs quiet_ns = 1 * kSecondNs;                  ///< silence that ends a visit
  DurationNs longest_ns = 30 * kSecondNs;               ///< a visit is cut there
  DurationNs database_quiet_ns = 200 * kMillisecondNs;  ///< silence that ends a burst of queries
  /// A request sent this soon after the answer before it on its connection (and a round trip on the
  /// client's side of the probe) had waited for that.
  DurationNs queued_within_ns = 2 * kMillisecondNs;
  /// The first request of a connection this soon after the handshake had waited for it: what a program in a slow
  /// language takes to write one. A connection that was opened ahead of need is used at any later time.
  DurationNs request_follows_handshake_ns = 10 * kMillisecondNs;
  /// A connection opened this soon after the answer that named its address had waited for it.
  DurationNs connect_follows_lookup_ns = 10 * kMillisecondNs;
  /// Bursts of queries of one client that begin this close together were sent together.
  DurationNs together_within_ns = 2 * kMillisecondNs;
  /// A round trip this much longer than the shortest one of its connection is a delayed ACK (Linux:
  /// 40 ms or more) or a queue, not jitter.
  DurationNs jitter_below_ns = 30 * kMillisecondNs;
  /// What browsers allow themselves to one server over HTTP/1 (RFC 9112 section 9.4: the motive).
  std::uint32_t connections_per_server = 6;
  std::uint32_t max_stored = 20'000;  ///< visits with a graph; the others are counted
  std::uint32_t max_nodes = 512;      ///< of one visit
};

/// How long the paths of the capture take: worked out once, for the visits and for what changes save.
class RoundTrips;
/// Which visit a transaction belongs to: likewise, for the rules.
class NodePlaces;

struct Visits {
  std::vector<Visit> stored;                      ///< in order of start
  std::uint64_t seen = 0;                         ///< stored and not
  std::shared_ptr<const RoundTrips> round_trips;  ///< of the data that they were found in
  std::shared_ptr<const NodePlaces> places;       ///< of the nodes of `stored`
  /// The stored ones are a sample; their weights add up to `seen`.
  [[nodiscard]] bool sampled() const { return seen > stored.size(); }
};

/// `data` is sealed. Where there are more visits than may be stored, those in which something failed
/// or was lost get up to half of the places, and every one carries its weight. Which visits are
/// stored does not depend on the order of emission.
[[nodiscard]] Visits find_visits(const Dataset& data, const Correlation& correlation,
                                 const VisitLimits& limits);

}  // namespace wirelag
