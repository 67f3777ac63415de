#include <numeric>

#include <wirelag/base/prefetch.hpp>

#include "tracker_state.hpp"

namespace wirelag {
namespace {

using namespace tcp;

/// Flows looked at to make room: a few each time, and more only while none may give way; and per tick().
constexpr std::uint32_t kEvictionSample = 3;
constexpr std::uint32_t kEvictionSearch = 128;
constexpr std::uint32_t kSweepPerTick = 256;
constexpr std::uint32_t kDeparturesPerTick = 1024;
/// Flows whose memory is let go of at once when all end.
constexpr std::uint32_t kDiscardFlows = 16384;

/// Of a connection some of whose frames have no time. What its opening tells is right: it knows which have.
void forget_times(Connection& c) {
  c.untimed = true;
  c.last_time_ns = kUnknownNs;
  for (const Direction d : {Direction::c2s, Direction::s2c}) {
    HalfConnection& half = c.half[d];
    half.first_payload_ns = half.last_payload_ns = kUnknownNs;
  }
  c.rtt_probe_server = c.rtt_probe_client = {};
  c.rtt_probe_server_timestamps = c.rtt_probe_client_timestamps = {};
}

[[nodiscard]] Impairment impairment_of(const TcpFlow& flow, const Trouble& trouble) {
  Impairment out;
  out.missing_bytes = trouble.missing_bytes;
  out.retransmissions = trouble.retransmissions;
  out.windows_full = trouble.windows_full;
  out.zero_windows = trouble.zero_windows;
  out.duplicates_reported = trouble.duplicates_reported;
  out.keep_alives_answered = trouble.keep_alives_answered;
  if (flow.untimed) return out;
  out.lost_ns = trouble.lost_ns;
  out.lost_until_ns = trouble.lost_until_ns;
  out.time_lost_ns =
      std::accumulate(trouble.lost_ns.begin(), trouble.lost_ns.end(), DurationNs{0}, plus_ns);
  out.window_full_ns = trouble.window_full_ns;
  out.zero_window_ns = trouble.zero_window_ns;
  return out;
}

}  // namespace

DurationNs TcpTracker::State::timeout_ns(const TcpFlow& flow) const {
  if (flow.closed()) return limits.closed_timeout_ns;
  return flow.half_open() ? limits.half_open_timeout_ns : limits.idle_timeout_ns;
}

/// Ends the first flow it sees that is over by now, or else the one that matters least of those seen lately.
bool TcpTracker::State::make_room(TimeNs now) {
  const auto total = static_cast<std::uint32_t>(flows.touched());
  for (std::uint32_t n = 0; n < std::min(kEvictionSearch, total); ++n) {
    if (n >= kEvictionSample && give_one_up(now)) return true;
    sweep = sweep + 1 < total ? sweep + 1 : 0;
    const TcpFlow& flow = flows[sweep];
    if (!flow.live) continue;
    if (expired(flow, now)) {
      end_silent(sweep);
      return true;
    }
    const Worth its = worth(flow, now);
    if (its != Worth::active) evictable.add({sweep, its, flow.last_ns});
  }
  return give_one_up(now);
}

/// The first of the candidates that is still what it was; false when there is none.
bool TcpTracker::State::give_one_up(TimeNs now) {
  for (auto c = evictable.take(); c.flow != kNone; c = evictable.take()) {
    const TcpFlow& flow = flows[c.flow];
    if (!flow.live || flow.last_ns != c.last_ns || worth(flow, now) > c.worth) continue;
    if (c.worth == Worth::unanswered) counters.add(Counter::tcp_evicted_unanswered);
    if (flow.closed()) {
      end_closed(c.flow);
    } else {
      counters.add(Counter::tcp_evicted);
      end(c.flow, ConnectionEnd::evicted);
    }
    prefetch_next_eviction();
    return true;
  }
  return false;
}

/// A flood needs room again soon: what will be looked at and what will probably go.
void TcpTracker::State::prefetch_next_eviction() const {
  for (std::uint32_t n = 1; n <= kEvictionSample; ++n) {
    if (sweep + n < flows.touched()) prefetch_line(&flows[sweep + n]);
  }
  if (evictable.next() != kNone) prefetch_lines<sizeof(TcpFlow)>(&flows[evictable.next()]);
}

void TcpTracker::State::end(std::uint32_t i, ConnectionEnd why) {
  TcpFlow& flow = flows[i];
  index.prefetch(flow.hash);  // for erase(), below
  account_aside(flow);
  streams.close(flow);
  const Connection connection = describe(flow, why);
  sink.emit(&connection);
  openings.release(flow);
  sequences.release(flow);
  index.erase(flow.hash, i);
  flow.live = false;
  flows.give(i);
}

/// A flow that has expired.
void TcpTracker::State::end_silent(std::uint32_t i) {
  if (!flows[i].closed()) return end(i, ConnectionEnd::idle_timeout);
  end_closed(i);
}

void TcpTracker::State::end_closed(std::uint32_t i) {
  if (closed_by_both(flows[i])) departed.add(flows[i]);
  end(i, ConnectionEnd::closed);
}

/// Both sides have sent a FIN.
void TcpTracker::State::await_departure(TcpFlow& flow, TimeNs due_ns) {
  const auto i = static_cast<std::uint32_t>(&flow - &flows[0]);
  flow.departing = departures.add({due_ns, i, static_cast<std::uint32_t>(flow.serial)});
}

/// Ends the connections that are over by now, some of them each time.
void TcpTracker::State::end_due(TimeNs now) {
  for (std::uint32_t n = 0; n < kDeparturesPerTick; ++n) {
    const Departures::Due* const next = departures.next(now);
    if (next == nullptr) return;
    const Departures::Due due = *next;
    departures.drop_next();
    TcpFlow& flow = flows[due.flow];
    if (!flow.live || static_cast<std::uint32_t>(flow.serial) != due.serial) continue;
    flow.departing = false;
    if (flow.untimed || !closed_by_both(flow)) continue;
    if (now - flow.last_ns >= kOverNs) {
      end_closed(due.flow);
    } else {
      await_departure(flow, flow.last_ns + kOverNs);
    }
  }
}

// ------------------------------------------------------------------------------------ SYNs alone

const Connection& TcpTracker::State::describe_lone(LoneSyns::Place syn, ConnectionEnd why) {
  return lone_syns.describe(lone_syns[syn], streams.key_of(lone_syns[syn].serial), why);
}

void TcpTracker::State::end_lone(LoneSyns::Place syn, ConnectionEnd why) {
  sink.emit(&describe_lone(syn, why));
  lone_syns.drop(syn);
}

/// Some of those that have waited too long, the oldest first.
void TcpTracker::State::end_silent_lone(TimeNs now) {
  for (std::uint32_t n = 0; n < kSweepPerTick; ++n) {
    const LoneSyns::Place oldest = lone_syns.oldest();
    if (oldest == LoneSyns::kNone) return;
    if (expired(lone_syns[oldest], now)) {
      end_lone(oldest, ConnectionEnd::idle_timeout);
    } else if (lone_syns[oldest].syn.time_ns - now > limits.half_open_timeout_ns) {
      lone_syns.set_back(oldest);
    } else {
      return;
    }
  }
}

// ----------------------------------------------------------------------------- what there is to tell

Connection TcpTracker::State::describe(const TcpFlow& flow, ConnectionEnd end) {
  static constexpr Connection kNothing;  // copied more quickly than made
  Connection c = kNothing;
  c.key = streams.key_of(flow.serial);
  c.client = flow.client_endpoint();
  c.server = flow.server_endpoint();
  c.state = flow.state();
  c.basis = flow.basis;
  c.end = end;
  c.protocol = flow.protocol;
  c.service = flow.service;
  c.first_frame = flow.first_frame;
  c.last_frame = flow.last_frame;
  c.start_time_ns = flow.start_ns;
  c.last_time_ns = flow.last_ns;
  c.close_time_ns = flow.close_ns;
  c.close_frame = flow.close_frame;
  c.close_by = flow.detail[flow.client].closed_first ? Direction::c2s : Direction::s2c;
  c.one_sided = flow.side[0].packets == 0 || flow.side[1].packets == 0;
  const bool fin_client = flow.side[flow.client].fin;
  const bool fin_server = flow.side[flow.client ^ 1].fin;
  c.close = flow.rst                   ? CloseKind::rst
            : fin_client && fin_server ? CloseKind::fin_both
            : fin_client               ? CloseKind::fin_client
            : fin_server               ? CloseKind::fin_server
                                       : CloseKind::open;
  openings.describe(flow, c);
  for (SideIndex s = 0; s < 2; ++s) {
    if (flow.side[s].packets > 0) describe_side(flow, s, c);
  }
  if (flow.untimed) forget_times(c);
  return c;
}

void TcpTracker::State::describe_side(const TcpFlow& flow, SideIndex s, Connection& c) {
  const Direction d = flow.direction(s);
  const SideDetail& detail = flow.detail[s];
  HalfConnection& half = c.half[d];
  half.packets = flow.side[s].packets;
  half.payload_packets = flow.recent[s].payload_packets;
  half.payload_bytes = flow.recent[s].payload_bytes;
  half.first_payload_ns = detail.first_payload_ns;
  half.last_payload_ns = flow.recent[s].last_payload_ns;
  const bool client = d == Direction::c2s;
  (client ? c.rtt_probe_server : c.rtt_probe_client) = flow.round_trips[s].stats(Answer::ack);
  (client ? c.rtt_probe_server_timestamps : c.rtt_probe_client_timestamps) =
      flow.round_trips[s].stats(Answer::timestamp);
  const Trouble* const trouble = sequences.trouble(detail);
  if (trouble == nullptr) return;
  impairments[s] = impairment_of(flow, *trouble);
  half.impaired = {&impairments[s], 1};
}

// --------------------------------------------------------------------- what the worker asks for

void TcpTracker::tick(TimeNs now) {
  State& s = *state_;
  const auto total = static_cast<std::uint32_t>(s.flows.touched());
  for (std::uint32_t n = 0; n < std::min(kSweepPerTick, total); ++n) {
    s.sweep = s.sweep + 1 < total ? s.sweep + 1 : 0;
    const TcpFlow& flow = s.flows[s.sweep];
    if (flow.live && s.expired(flow, now)) s.end_silent(s.sweep);
  }
  s.end_silent_lone(now);
}

void TcpTracker::end_closed(TimeNs now) { state_->end_due(now); }

/// The places of the SYNs alone follow those of all flows: one that something follows meanwhile is left to
/// the next snapshot, and none is shown twice.
std::size_t TcpTracker::snapshot(TransactionSink& into, std::size_t from, std::size_t at_most) {
  State& s = *state_;
  const std::size_t lone_from = s.flows.capacity();
  const std::size_t lone_end = lone_from + s.lone_syns.touched();
  if (from < lone_from) {
    const std::size_t end = std::min(from + at_most, s.flows.touched());
    for (auto i = static_cast<std::uint32_t>(from); i < end; ++i) {
      if (!s.flows[i].live) continue;
      const Connection connection = s.describe(s.flows[i], ConnectionEnd::capture_end);
      into.emit(&connection);
    }
    if (end < s.flows.touched()) return end;
    return lone_from < lone_end ? lone_from : 0;
  }
  const std::size_t end = std::min(from + at_most, lone_end);
  for (std::size_t at = from; at < end; ++at) {
    const auto syn = static_cast<LoneSyns::Place>(at - lone_from);
    if (!s.lone_syns[syn].kept()) continue;
    into.emit(&s.describe_lone(syn, ConnectionEnd::capture_end));
  }
  return end < lone_end ? end : 0;
}

void TcpTracker::finish(TimeNs end) {
  State& s = *state_;
  while (s.lone_syns.size() > 0) {
    const LoneSyns::Place oldest = s.lone_syns.oldest();
    const bool idle = known(end) && s.expired(s.lone_syns[oldest], end);
    s.end_lone(oldest, idle ? ConnectionEnd::idle_timeout : ConnectionEnd::capture_end);
  }
  for (std::uint32_t i = 0; i < s.flows.touched(); ++i) {
    // What has ended makes room for what it leaves behind: a capture's end is when most memory is taken.
    if (i % kDiscardFlows == 0 && i > 0) s.flows.discard(0, i);
    const TcpFlow& flow = s.flows[i];
    if (!flow.live) continue;
    const bool idle = known(end) && s.expired(flow, end);
    s.end(i, flow.closed() ? ConnectionEnd::closed
             : idle        ? ConnectionEnd::idle_timeout
                           : ConnectionEnd::capture_end);
  }
}

std::size_t TcpTracker::live_connections() const {
  return state_->flows.in_use() + state_->lone_syns.size();
}

}  // namespace wirelag
