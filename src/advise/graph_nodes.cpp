// From the activities of a visit to its nodes: where each one's time goes, cut into parts that add up to
// it exactly.
//
//   DNS      dns                        CONNECT  connect | rounds think       TLS  tls
//                                                handshake | the server's greeting, where it speaks first
//   REQ      send [stall] | rounds [stall] think | rounds stall bandwidth [stall]
//            request        wait for the answer    the answer arrives       sent again after it, or not closed
//   QUERY    send [stall] | rounds [stall] think | [stall] bandwidth [stall]
//            a login: as many round trips as its protocol needs; pipelined: from the end of the one before
#include <algorithm>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/control/opening.hpp>

#include "first_answer.hpp"
#include "graph_parts.hpp"
#include "response_end.hpp"

namespace wirelag {
namespace {

/// Without a round trip: more than an answer of some packets takes.
constexpr DurationNs kLongTransferNs = 10 * kMillisecondNs;

class Nodes {
 public:
  Nodes(Visit& visit, const Dataset& data, const Correlation& correlation,
        const RoundTrips& round_trips)
      : visit_(visit), data_(data), correlation_(correlation), round_trips_(round_trips) {}

  void add(const NodeRef& ref) {
    VisitNode n;
    n.kind = ref.kind;
    n.item = ref.item;
    n.connection = ref.connection;
    if (ref.connection != Dataset::kNone) note(data_.connections()[ref.connection]);
    switch (ref.kind) {
      case VisitNode::Kind::dns: lookup(n, correlation_.lookups[ref.item]); break;
      case VisitNode::Kind::connect: connect(n, data_.connections()[ref.item]); break;
      case VisitNode::Kind::tls: tls(n, data_.tls()[ref.item]); break;
      case VisitNode::Kind::request:
        if (ref.item == Dataset::kNone) {
          unreadable(n);
        } else {
          request(n, data_.http()[ref.item]);
        }
        break;
      case VisitNode::Kind::query: query(n, data_.database()[ref.item]); break;
    }
    // Whose opening or answer did not come to its end may have been waited for longer.
    visit_.flags.incomplete |= !n.ended && was_open_at_the_end(n);
    visit_.nodes.push_back(n);
  }

 private:
  [[nodiscard]] bool was_open_at_the_end(const VisitNode& n) const {
    if (n.connection == Dataset::kNone) return false;
    const Connection& c = data_.connections()[n.connection];
    if (n.kind == VisitNode::Kind::connect) return still_opening(data_, c);
    return may_be_answered(data_, c, n.end_ns);
  }

  void note(const Connection& c) {
    visit_.flags.midstream |= c.state == ConnectionState::midstream;
    // An attempt that nobody answered has one side by nature: no direction of it is missing.
    const bool unanswered = c.state == ConnectionState::syn_unanswered && !server_not_captured(c);
    visit_.flags.one_sided |= c.one_sided && !unanswered;
  }

  static void span(VisitNode& n, TimeNs from, TimeNs to, Category category) {
    n.start_ns = from;
    n.end_ns = std::max(from, to);
    n.parts.push({category, n.end_ns - n.start_ns});
    n.parts_before_answer = 1;
  }

  static void lookup(VisitNode& n, const Lookup& l) {
    span(n, l.start_time_ns, l.end_time_ns, Category::dns);
  }

  /// How long it took is not known where the server's side, or the client's, was not captured, or an answer before its
  /// question: then it is in the gap behind it.
  void connect(VisitNode& n, const Connection& c) {
    n.ended = known(c.established_time_ns);
    if (opening_contradicts(c) || (!n.ended && went_on_unseen(c)))
      return span(n, c.start_time_ns, c.start_time_ns, Category::connect);
    span(n, c.start_time_ns, n.ended ? c.established_time_ns : c.last_time_ns, Category::connect);
    const TimeNs greeted_ns = greeting_ns(c);
    if (!known(greeted_ns)) return;
    wait(n, greeted_ns - n.end_ns);
    n.end_ns = greeted_ns;
  }

  /// One direction is missing: there are packets that only an answer led to, or only answers.
  static bool went_on_unseen(const Connection& c) {
    if (!c.one_sided) return false;
    return c.half.s2c.packets > 0 || c.client_went_on();
  }

  /// Whose end was not seen: as far as the ServerHello, or a round trip, no answer comes sooner.
  void tls(VisitNode& n, const TlsHandshake& t) {
    const TimeNs end = std::max(t.client_finished_ns, t.server_finished_ns);
    n.ended = known(end);
    if (n.ended) return span(n, t.client_hello_ns, end, Category::tls);
    if (t.alert_frame == 0) visit_.flags.incomplete = true;
    if (known(t.server_hello_ns))
      return span(n, t.client_hello_ns, t.server_hello_ns, Category::tls);
    const DurationNs at_least_ns = unanswered(n, t.client_hello_ns);
    span(n, t.client_hello_ns, t.client_hello_ns + at_least_ns, Category::tls);
  }

  /// No answer comes sooner than after a round trip; of that, what was seen of who waited for it.
  DurationNs unanswered(VisitNode& n, TimeNs asked_ns) {
    const DurationNs rtt = round_trips_.probe_server_ns(n.connection);
    if (!known(rtt)) return 0;
    const TimeNs until_ns = watched_until_ns(data_, data_.connections()[n.connection]);
    if (!known(until_ns)) return rtt;
    const DurationNs seen_ns = std::clamp<DurationNs>(until_ns - asked_ns, 0, rtt);
    if (until_ns == data_.ended_ns()) n.unseen_ns = rtt - seen_ns;
    return seen_ns;
  }

  /// The wait for the first byte of an answer: a round trip on the server's side, the rest is its
  /// own time.
  void wait(VisitNode& n, DurationNs wait_ns, const ExchangeStalls& stalls = {}) {
    const DurationNs rtt = round_trips_.probe_server_ns(n.connection);
    if (!known(rtt)) visit_.flags.think_has_rtt = true;
    const DurationNs queued = or_none(stalls.request_queued_ns);
    const DurationNs rounds = known(rtt) ? std::min(plus_ns(rtt, queued), wait_ns) : 0;
    const DurationNs stall = std::min(or_none(stalls.request_resend_ns), wait_ns - rounds);
    n.parts.push({Category::rounds, rounds});
    if (stall > 0) n.parts.push({Category::stall, stall});
    n.parts.push({Category::think, wait_ns - rounds - stall});
    n.parts_before_answer = static_cast<std::uint8_t>(n.parts.size());
  }

  /// Of what cannot be read the first exchange is seen: first bytes out, first bytes back, and the last ones
  /// where nothing else was asked. How they came is not measured.
  void unreadable(VisitNode& n) {
    const Channel& channel = correlation_.channels[n.connection];
    const Connection& c = data_.connections()[n.connection];
    const TlsHandshake* tls = channel.tls != Dataset::kNone ? &data_.tls()[channel.tls] : nullptr;
    visit_.flags.encrypted |= tls != nullptr;
    const TimeNs from = tls != nullptr ? tls->first_client_data_ns : c.half.c2s.first_payload_ns;
    const TimeNs to = tls != nullptr ? tls->first_server_data_ns : c.half.s2c.first_payload_ns;
    const TimeNs last = first_answer_end_ns(c, tls);
    n.start_ns = n.end_ns = from;
    n.ended = known(to) && last >= from;
    if (!n.ended) return n.parts.push({Category::send, 0});
    if (to >= from) {
      wait(n, to - from);
    } else {
      server_spoke_first(n, last - from);
    }
    for (const VisitPart& part : n.parts) n.end_ns += part.duration_ns;
    if (last <= n.end_ns) return;
    n.parts.push({Category::bandwidth, last - n.end_ns});
    n.end_ns = last;
    visit_.flags.transfer_unsplit = true;
  }

  /// HTTP/2's settings, say: which bytes are the answer's first ones is not known, but none came sooner than a round
  /// trip.
  void server_spoke_first(VisitNode& n, DurationNs answered_ns) {
    const DurationNs rtt = round_trips_.probe_server_ns(n.connection);
    n.parts.push({Category::rounds, known(rtt) ? std::min(rtt, answered_ns) : 0});
    n.parts_before_answer = 1;
  }

  void request(VisitNode& n, const HttpTransaction& h) {
    n.start_ns = h.request_first_ns;
    const DurationNs first_byte = elapsed_ns(h.request_first_ns, h.response_first_ns);
    if (!known(first_byte)) {
      n.ended = false;
      visit_.flags.incomplete = true;
      const DurationNs sent = elapsed_ns(h.request_first_ns, h.request_last_ns);
      n.parts.push({Category::send, known(sent) ? sent : 0});
      const TimeNs asked_ns = n.start_ns + n.parts[0].duration_ns;
      n.parts.push({Category::rounds, unanswered(n, asked_ns)});
      n.end_ns = n.start_ns + n.parts[0].duration_ns + n.parts[1].duration_ns;
      return;
    }
    const DurationNs server = h.server_wait_ns();
    const DurationNs asked =
        std::max<DurationNs>(0, known(server) ? first_byte - server : first_byte);
    send(n, asked, h.stalls());
    wait(n, first_byte - asked, h.stalls());
    transfer(n, h);
    stalled_after(n, h.response_last_ns, response_end_ns(h, data_.connections()[n.connection]));
    n.ended = h.response_complete;
    if (!n.ended) visit_.flags.incomplete = true;
    n.end_ns = n.start_ns;
    for (const VisitPart& part : n.parts) n.end_ns += part.duration_ns;
  }

  static DurationNs or_none(DurationNs d) { return known(d) ? d : 0; }

  /// The request on its way to the server, `asked` in all.
  static void send(VisitNode& n, DurationNs asked, const ExchangeStalls& stalls) {
    const DurationNs held = std::min(or_none(stalls.request_held_ns), asked);
    n.parts.push({Category::send, asked - held});
    if (held > 0) n.parts.push({Category::stall, held});
  }

  /// Until the answer was whole at the client, at `whole_ns` by what the probe saw.
  void stalled_after(VisitNode& n, TimeNs last_ns, TimeNs whole_ns) {
    if (!known(last_ns)) return;
    const TimeNs until_ns = std::max(whole_ns, resent_until_ns(n));
    if (until_ns > last_ns) n.parts.push({Category::stall, until_ns - last_ns});
  }

  /// What had passed the probe and was then sent again: it was not whole at the client before that.
  /// Seen of the last thing that came on a connection; before a next request it is in the gap.
  [[nodiscard]] TimeNs resent_until_ns(const VisitNode& n) const {
    const HalfConnection& half = data_.connections()[n.connection].half.s2c;
    const TimeNs resent_ns = half.impairment().lost_until_ns;
    const bool payload = known(resent_ns) && resent_ns == half.last_payload_ns;
    return payload && last_on_connection(n) ? resent_ns : kUnknownNs;
  }

  [[nodiscard]] bool last_on_connection(const VisitNode& n) const {
    const Channel& channel = correlation_.channels[n.connection];
    if (n.kind == VisitNode::Kind::query) return channel.database.back() == n.item;
    return !channel.http.empty() && channel.http.back() == n.item;
  }

  /// A pipelined query has no time of its own until the one before it is answered.
  void query(VisitNode& n, const DatabaseTransaction& t) {
    const VisitNode* before = visit_.nodes.empty() ? nullptr : &visit_.nodes.back();
    const bool behind = before != nullptr && before->kind == VisitNode::Kind::query &&
                        before->connection == n.connection && before->end_ns > t.request_first_ns;
    n.start_ns = behind ? before->end_ns : t.request_first_ns;
    n.ended = t.response_complete || t.no_reply;
    const DurationNs asked = std::max<DurationNs>(0, t.request_last_ns - n.start_ns);
    send(n, asked, t.stalls());
    if (!known(t.response_first_ns)) {
      if (!n.ended) visit_.flags.incomplete = true;
      n.parts_before_answer = static_cast<std::uint8_t>(n.parts.size());
    } else {
      const TimeNs from = n.start_ns + asked;
      const DurationNs wait_ns = std::max<DurationNs>(0, t.response_first_ns - from);
      if (t.waits_by_design) {
        n.parts.push({Category::client, wait_ns});
      } else if (t.login && t.round_trips > 1) {
        login(n, wait_ns, t);
      } else if (behind) {
        waited_in_line(n, wait_ns, t, from);
      } else {
        wait(n, wait_ns, t.stalls());
      }
      n.parts_before_answer = static_cast<std::uint8_t>(n.parts.size());
      answer(n, t, from + wait_ns);
      stalled_after(n, t.response_last_ns, t.response_last_ns);
    }
    n.end_ns = n.start_ns;
    for (const VisitPart& part : n.parts) n.end_ns += part.duration_ns;
  }

  /// The round trips that the protocol of a login needs. The last one ends at the probe.
  void login(VisitNode& n, DurationNs wait_ns, const DatabaseTransaction& t) {
    const DurationNs rtt = round_trips_.whole_ns(n.connection);
    if (!known(rtt)) visit_.flags.think_has_rtt = true;
    const DurationNs client = std::max<DurationNs>(0, round_trips_.probe_client_ns(n.connection));
    DurationNs rounds = 0;
    if (known(rtt)) {
      const bool all = rtt < plus_ns(wait_ns, client) / t.round_trips;
      rounds = all ? std::max<DurationNs>(0, rtt * t.round_trips - client) : wait_ns;
    }
    n.parts.push({Category::rounds, rounds});
    n.parts.push({Category::think, wait_ns - rounds});
  }

  /// Sent while others were unanswered: of its round trip only what is left when its turn came.
  void waited_in_line(VisitNode& n, DurationNs wait_ns, const DatabaseTransaction& t, TimeNs from) {
    const DurationNs rtt = round_trips_.probe_server_ns(n.connection);
    if (!known(rtt)) visit_.flags.think_has_rtt = true;
    const DurationNs left = known(rtt) ? rtt - (from - t.request_last_ns) : 0;
    const DurationNs rounds = std::clamp<DurationNs>(left, 0, wait_ns);
    n.parts.push({Category::rounds, rounds});
    n.parts.push({Category::think, wait_ns - rounds});
  }

  /// How it travelled is not measured: what is longer than a round trip may have been round trips, or the server.
  void answer(VisitNode& n, const DatabaseTransaction& t, TimeNs from) {
    const DurationNs transfer_ns = std::max<DurationNs>(0, t.response_last_ns - from);
    if (transfer_ns == 0) return;
    const DurationNs stall = std::min(
        or_none(t.stalls().response_held_ns) + or_none(t.stalls().response_resend_ns), transfer_ns);
    if (stall > 0) n.parts.push({Category::stall, stall});
    n.parts.push({Category::bandwidth, transfer_ns - stall});
    const DurationNs rtt = round_trips_.whole_ns(n.connection);
    visit_.flags.transfer_unsplit |= transfer_ns - stall > (known(rtt) ? rtt : kLongTransferNs);
  }

  void transfer(VisitNode& n, const HttpTransaction& h) {
    const DurationNs transfer_ns = h.transfer_ns();
    if (!known(transfer_ns) || transfer_ns == 0) return;
    const TransferShape& s = h.response_shape;
    const DurationNs rounds = std::min(or_none(s.rounds_ns), transfer_ns);
    DurationNs stall = 0;
    for (const DurationNs gap : {s.resend_stall_ns, s.window_stall_ns, s.pause_ns, s.held_ns}) {
      stall = plus_ns(stall, or_none(gap));
    }
    stall = std::min(stall, transfer_ns - rounds);
    if (s.flights == 0) visit_.flags.transfer_unsplit = true;
    n.parts.push({Category::rounds, rounds});
    n.parts.push({Category::stall, stall});
    n.parts.push({Category::bandwidth, transfer_ns - rounds - stall});
  }

  Visit& visit_;
  const Dataset& data_;
  const Correlation& correlation_;
  const RoundTrips& round_trips_;
};

}  // namespace

void add_nodes(Visit& visit, std::span<const NodeRef> activities, const GraphInput& input) {
  Nodes nodes(visit, input.data, input.correlation, input.round_trips);
  for (const NodeRef& activity : activities) nodes.add(activity);
}

}  // namespace wirelag
