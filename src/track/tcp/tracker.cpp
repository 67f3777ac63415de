#include <algorithm>
#include <numeric>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/flow/index.hpp>
#include <wirelag/track/tcp/tracker.hpp>

#include "departed.hpp"
#include "eviction.hpp"
#include "opening.hpp"
#include "prediction.hpp"
#include "sequence.hpp"
#include "stream.hpp"

namespace wirelag {
namespace {

using namespace tcp;

/// Ports above 1023 that belong to servers; otherwise, without a SYN, the lower port is the server.
constexpr std::uint16_t kServerPorts[] = {1433, 1521, 3128, 3306, 5432,  6379,
                                          8080, 8443, 9042, 9200, 11211, 27017};
/// Flows looked at to make room: a few each time, and more only while none may give way; and per tick().
constexpr std::uint32_t kEvictionSample = 3;
constexpr std::uint32_t kEvictionSearch = 128;
constexpr std::uint32_t kSweepPerTick = 256;
constexpr std::uint32_t kDeparturesPerTick = 1024;
/// Flows whose memory is let go of at once when all end.
constexpr std::uint32_t kDiscardFlows = 16384;

[[nodiscard]] bool is_server_port(std::uint16_t port) {
  return std::find(std::begin(kServerPorts), std::end(kServerPorts), port) !=
         std::end(kServerPorts);
}

[[nodiscard]] Packet packet_of(const TcpFlow& flow, const SynAside& syn) {
  Packet packet;
  packet.time_ns = syn.time_ns;
  packet.untimed = syn.untimed;
  packet.number = syn.frame;
  packet.flow_hash = flow.hash;
  packet.payload_length = syn.payload_length;
  packet.src = flow.server_endpoint();
  packet.dst = flow.client_endpoint();
  packet.tcp = {syn.seq, 0, syn.window, syn.flags, Bytes(syn.options).first(syn.option_bytes)};
  packet.transport = Transport::tcp;
  return packet;
}

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

struct TcpTracker::State {
  TcpLimits limits;
  TransactionSink& sink;
  ConnectionObserver* observer;
  Counters& counters;
  std::array<StreamTracker*, kProtocols> trackers;
  FlowIndex index;
  Pool<TcpFlow> flows;
  Openings openings;
  Sequences sequences;
  Streams streams;
  DurationNs shortest_timeout_ns;
  std::uint64_t next_serial = 1;
  std::uint32_t sweep = 0;
  EvictionPool evictable;
  Departures departures;
  Departed departed;
  std::array<Impairment, 2> impairments;  ///< of the connection that was described last, by side

  State(const TcpLimits& l, std::uint16_t w, Classifier& classifier, const Trackers& t,
        TransactionSink& s, ConnectionObserver* o, Counters& c)
      : limits(l),
        sink(s),
        observer(o),
        counters(c),
        trackers(t),
        index(l.connections),
        flows(l.connections),
        openings(l.connections),
        sequences(l.connections, c),
        streams(l, w, classifier, t, c),
        shortest_timeout_ns(
            std::min({l.idle_timeout_ns, l.half_open_timeout_ns, l.closed_timeout_ns})),
        departures(l.connections),
        departed(l.connections, l.closed_timeout_ns) {}

  [[nodiscard]] std::uint32_t find(const Packet& packet, Candidate flow) const {
    if (flow.record != FlowIndex::kNone) [[likely]] {
      const TcpFlow& probably = flows[flow.record];
      if (probably.live && probably.carries(packet, flow.sender)) [[likely]]
        return flow.record;
    }
    return index.find(packet.flow_hash,
                      [&](std::uint32_t i) { return flows[i].carries(packet, flow.sender); });
  }

  [[nodiscard]] std::uint32_t begin(const Packet& packet);
  void choose_client(TcpFlow& flow, const Packet& packet) const;
  void revise_client(TcpFlow& flow, SideIndex sender, const Packet& packet) const;
  [[nodiscard]] bool begins_anew(const TcpFlow& flow, SideIndex sender, const Packet& p) const;
  [[nodiscard]] DurationNs timeout_ns(const TcpFlow& flow) const;
  [[nodiscard]] bool expired(const TcpFlow& flow, TimeNs now) const {
    const DurationNs silence_ns = now - flow.last_ns;
    if (silence_ns <= shortest_timeout_ns) return false;
    return silence_ns > timeout_ns(flow) && silence_ns < kTwoClocksNs;
  }
  [[nodiscard]] bool make_room(TimeNs now);
  [[nodiscard]] bool give_one_up(TimeNs now);
  void prefetch_next_eviction() const;
  /// Where a flow stood before the segment at hand.
  struct Before {
    TimeNs last_ns;
    FrameNumber last_frame;
  };
  void account(std::uint32_t i, SideIndex sender, const Packet& packet);
  void account_unexpected(TcpFlow& flow, SideIndex sender, const Packet& packet,
                          TimeNs previous_ns);
  [[nodiscard]] bool settle_crossing(std::uint32_t i, SideIndex sender, const Packet& packet,
                                     const Before& before);
  void account_aside(TcpFlow& flow);
  void account_earlier(TcpFlow& flow, SideIndex sender, const Packet& packet);
  void account_copy(TcpFlow& flow, SideIndex sender, const Packet& packet, MirrorCopy copy);
  void note_close(TcpFlow& flow, SideIndex sender, const Packet& packet);
  void show(const TcpFlow& flow, SideIndex sender, const RoundTrip& completed) const;
  /// Its lists are valid until the next call.
  [[nodiscard]] Connection describe(const TcpFlow& flow, ConnectionEnd end);
  void describe_side(const TcpFlow& flow, SideIndex s, Connection& c);
  void end(std::uint32_t i, ConnectionEnd why);
  void end_silent(std::uint32_t i);
  void end_closed(std::uint32_t i);
  void await_departure(TcpFlow& flow, TimeNs due_ns);
  void end_due(TimeNs now);
};

// ------------------------------------------------------------------------------- beginning

std::uint32_t TcpTracker::State::begin(const Packet& packet) {
  if (flows.in_use() == flows.capacity() && !make_room(packet.time_ns)) return FlowIndex::kNone;
  if (const std::uint32_t old = index.in_the_way(packet.flow_hash); old != FlowIndex::kNone)
      [[unlikely]] {
    counters.add(Counter::hash_evicted);
    end(old, ConnectionEnd::evicted);
  }
  const std::uint32_t i = flows.take();
  TcpFlow& flow = flows[i];
  flow.key = FlowKey::of(packet.src, packet.dst);
  flow.hash = packet.flow_hash;
  flow.serial = next_serial++;
  flow.start_ns = packet.time_ns;
  flow.last_ns = packet.time_ns;
  flow.first_frame = packet.number;
  flow.live = true;
  choose_client(flow, packet);
  index.insert(flow.hash, i);
  counters.add(Counter::tcp_connections);
  return i;
}

/// `packet` is the first one seen.
void TcpTracker::State::choose_client(TcpFlow& flow, const Packet& packet) const {
  const std::uint8_t opening = packet.tcp.flags & (tcp_flag::syn | tcp_flag::ack);
  bool from_server = false;
  if (opening == tcp_flag::syn) {
    flow.basis = ClientBasis::syn;
  } else if (packet.tcp.has(tcp_flag::syn | tcp_flag::ack)) {
    from_server = true;
    flow.basis = ClientBasis::synack;
  } else if (is_server_port(packet.src.port) != is_server_port(packet.dst.port)) {
    from_server = is_server_port(packet.src.port);
    flow.basis = ClientBasis::port;
  } else if (packet.src.port != packet.dst.port) {
    from_server = packet.src.port < packet.dst.port;
    flow.basis = ClientBasis::port;
  }
  const SideIndex sender = sender_of(packet);
  flow.client = from_server ? sender ^ 1 : sender;
}

/// A SYN or SYN-ACK later than the first segment settles who is the client, as long as no protocol
/// tracker has been told otherwise.
void TcpTracker::State::revise_client(TcpFlow& flow, SideIndex sender, const Packet& packet) const {
  if (!packet.tcp.has(tcp_flag::syn) || flow.basis == ClientBasis::syn) return;
  if (flow.tracker != StreamTracker::kNone) return;
  const bool syn_ack = packet.tcp.has(tcp_flag::ack);
  if (syn_ack && flow.basis == ClientBasis::synack) return;
  flow.client = syn_ack ? sender ^ 1 : sender;
  flow.basis = syn_ack ? ClientBasis::synack : ClientBasis::syn;
}

/// A SYN whose sequence number is not the one this side began with opens another connection.
/// So does the SYN of a side that has not begun before the connection was refused or given up.
bool TcpTracker::State::begins_anew(const TcpFlow& flow, SideIndex sender, const Packet& p) const {
  if ((p.tcp.flags & (tcp_flag::syn | tcp_flag::ack)) != tcp_flag::syn) return false;
  if (!flow.side[sender].seen) return flow.closed() && (flow.syn || flow.syn_ack);
  return p.tcp.seq != flow.detail[sender].base_seq && !may_cross(flow, sender, p.tcp);
}

// ------------------------------------------------------------------------------------ life

NotAnalysed TcpTracker::on_segment(const Packet& packet, Candidate probably) {
  State& s = *state_;
  const SideIndex sender = probably.sender;
  const std::uint32_t i = s.find(packet, probably);
  if (i != FlowIndex::kNone) [[likely]] {
    TcpFlow& flow = s.flows[i];
    const bool expired = s.expired(flow, packet.time_ns);
    if (!expired && !s.begins_anew(flow, sender, packet)) [[likely]] {
      s.account(i, sender, packet);
      return NotAnalysed::none;
    }
    if (expired) {
      s.end_silent(i);
    } else {
      s.end(i, flow.closed() ? ConnectionEnd::closed : ConnectionEnd::port_reused);
    }
  }
  if (s.departed.has_straggler(packet, sender)) {
    s.counters.add(Counter::tcp_after_close);
    return NotAnalysed::none;
  }
  const std::uint32_t begun = s.begin(packet);
  if (begun == FlowIndex::kNone) return NotAnalysed::flow_table_full;
  s.account(begun, sender, packet);
  return NotAnalysed::none;
}

void TcpTracker::State::account(std::uint32_t i, SideIndex sender, const Packet& packet) {
  TcpFlow& flow = flows[i];
  const Before before{flow.last_ns, flow.last_frame};
  flow.last_ns = std::max(flow.last_ns, packet.time_ns);  // a clock step back is not silence
  flow.last_frame = packet.number;
  RoundTrip completed;
  if (!account_expected(flow, sender, packet, completed)) {
    const bool crossing = flow.syn_aside || may_cross(flow, sender, packet.tcp);
    if (crossing && settle_crossing(i, sender, packet, before)) return;
    account_unexpected(flow, sender, packet, before.last_ns);
    return;
  }
  if (observer != nullptr && completed.any()) show(flow, sender, completed);
  if (packet.payload_length > 0 && flow.followed()) {
    streams.on_segment(flow, sender, packet, SegmentContent::payload);
  }
}

void TcpTracker::State::account_unexpected(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                           TimeNs previous_ns) {
  const std::uint8_t flags = packet.tcp.flags;
  if (packet.untimed) flow.untimed = true;
  if ((flags & tcp_flag::syn) != 0) revise_client(flow, sender, packet);
  const MirrorCopy copy = mirror_copy(flow, sender, packet, previous_ns);
  if (copy != MirrorCopy::no) {
    account_copy(flow, sender, packet, copy);
    return;
  }
  if (of_earlier_connection(flow, sender, packet.tcp)) {
    account_earlier(flow, sender, packet);
    return;
  }
  if ((flags & (tcp_flag::fin | tcp_flag::rst)) != 0) note_close(flow, sender, packet);
  const bool was_complete = flow.complete;
  if (!flow.complete || (flags & tcp_flag::syn) != 0) openings.note(flow, sender, packet);
  RoundTrip completed;
  const SegmentContent content = sequences.account(flow, sender, packet, completed);
  if (observer != nullptr) {
    if (completed.any() && !flow.untimed) show(flow, sender, completed);
    if (flow.complete && !was_complete) {
      observer->on_handshake(describe(flow, ConnectionEnd::capture_end));
    }
  }
  if (content != SegmentContent::nothing || (flags & (tcp_flag::syn | tcp_flag::fin)) != 0) {
    streams.on_segment(flow, sender, packet, content);
  }
  if (flow.fins && !flow.departing) await_departure(flow, packet.time_ns + kOverNs);
}

void TcpTracker::State::account_copy(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                     MirrorCopy copy) {
  if (copy != MirrorCopy::bare) counters.add(Counter::mirror_duplicates);
  if (of_earlier_connection(flow, sender, packet.tcp)) {
    ++flow.side[sender].packets;
    return;
  }
  sequences.account_mirror_copy(flow, sender, packet, copy);
  if (copy != MirrorCopy::bare && packet.tcp.has(tcp_flag::syn)) {
    openings.note_mirror_copy(flow, sender, packet);
  }
}

void TcpTracker::State::account_earlier(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  ++flow.side[sender].packets;
  counters.add(Counter::tcp_earlier_connection);
  openings.note_earlier(flow, sender, packet);
}

// ------------------------------------------------------------------------ SYNs that may have crossed

/// A SYN that may have crossed the client's is put aside; what comes next tells whether it did, or has
/// opened another connection. Whether the segment is accounted for.
bool TcpTracker::State::settle_crossing(std::uint32_t i, SideIndex sender, const Packet& packet,
                                        const Before& before) {
  TcpFlow& flow = flows[i];
  const bool syn = (packet.tcp.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
  if (syn && sender == flow.client) return false;  // sent again: tells nothing
  flow.last_ns = before.last_ns;
  flow.last_frame = before.last_frame;
  if (may_cross(flow, sender, packet.tcp) && openings.put_aside(flow, packet)) return true;
  if (syn || shows_crossing(flow, sender, packet.tcp)) {
    account_aside(flow);
    account(i, sender, packet);
    return true;
  }
  const SynsAside syns = openings.take_aside(flow);
  std::array<Packet, SynsAside::capacity()> calls;
  for (std::size_t n = 0; n < syns.size(); ++n) calls[n] = packet_of(flow, syns[n]);
  end(i, ConnectionEnd::port_reused);
  const std::uint32_t begun = begin(calls[0]);
  for (std::size_t n = 0; n < syns.size(); ++n) account(begun, sender_of(calls[n]), calls[n]);
  account(begun, sender, packet);
  return true;
}

/// The SYNs that were put aside belong to this connection.
void TcpTracker::State::account_aside(TcpFlow& flow) {
  if (!flow.syn_aside) return;
  const SynsAside syns = openings.take_aside(flow);
  const SideIndex sender = flow.client ^ 1;
  for (const SynAside& syn : syns) {
    const TimeNs previous_ns = flow.last_ns;
    flow.last_ns = std::max(flow.last_ns, syn.time_ns);
    flow.last_frame = syn.frame;
    account_unexpected(flow, sender, packet_of(flow, syn), previous_ns);
  }
}

void TcpTracker::State::note_close(TcpFlow& flow, SideIndex sender, const Packet& packet) {
  if (packet.tcp.has(tcp_flag::rst) && !flow.rst) {
    flow.rst = true;
    flow.refusal = sender != flow.client && !flow.side[sender].sent_payload;
  }
  if (flow.close_frame != 0 || known(flow.close_ns)) return;
  flow.close_ns = packet.measured_ns();
  flow.close_frame = packet.number;
}

/// The round trips that a segment of `sender` has completed, to the observer.
void TcpTracker::State::show(const TcpFlow& flow, SideIndex sender,
                             const RoundTrip& completed) const {
  DataRoundTrip sample;
  sample.server = flow.server_endpoint();
  sample.service = streams.service(flow);
  sample.data = flow.direction(sender ^ 1);
  sample.to_ack_ns = completed.to_ack_ns;
  sample.to_timestamp_ns = completed.to_timestamp_ns;
  observer->on_round_trip(sample);
}

// ------------------------------------------------------------------------------------- end

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
  streams.close(flow, why);
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

Connection TcpTracker::State::describe(const TcpFlow& flow, ConnectionEnd end) {
  static constexpr Connection kNothing;  // copied more quickly than made
  Connection c = kNothing;
  c.key = streams.key_of(flow);
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
  c.options[d] = detail.options;
  c.syn_window[d] = detail.syn_window;
  const bool client = d == Direction::c2s;
  (client ? c.rtt_probe_server : c.rtt_probe_client) = flow.round_trips[s].stats(Answer::ack);
  (client ? c.rtt_probe_server_timestamps : c.rtt_probe_client_timestamps) =
      flow.round_trips[s].stats(Answer::timestamp);
  const Trouble* const trouble = sequences.trouble(detail);
  if (trouble == nullptr) return;
  impairments[s] = impairment_of(flow, *trouble);
  half.impaired = {&impairments[s], 1};
}

// ---------------------------------------------------------------------------------- public

TcpTracker::TcpTracker(const TcpLimits& limits, std::uint16_t worker, Classifier& classifier,
                       const Trackers& trackers, TransactionSink& sink,
                       ConnectionObserver* observer, Counters& counters)
    : state_(std::make_unique<State>(limits, worker, classifier, trackers, sink, observer,
                                     counters)) {}

TcpTracker::~TcpTracker() = default;

void TcpTracker::prefetch_slot(const Packet& packet) const {
  state_->index.prefetch(packet.flow_hash);
}

TcpTracker::Candidate TcpTracker::prefetch_flow(const Packet& packet) const {
  const State& s = *state_;
  const std::uint32_t i = s.index.candidate(packet.flow_hash);
  const SideIndex sender = sender_of(packet);
  if (i != FlowIndex::kNone) {
    const TcpFlow& flow = s.flows[i];
    // All that an expected segment touches.
    prefetch_lines<offsetof(TcpFlow, recent)>(&flow);
    prefetch_line(&flow.round_trips[sender ^ 1]);
    if (packet.payload_length > 0) prefetch_line(&flow.recent[sender]);
  }
  return {i, sender};
}

void TcpTracker::prefetch_stream(Candidate flow, const Packet& packet) const {
  if (packet.payload_length == 0 || flow.record == FlowIndex::kNone) return;
  state_->streams.prefetch(state_->flows[flow.record], flow.sender);
}

void TcpTracker::tick(TimeNs now) {
  State& s = *state_;
  const auto total = static_cast<std::uint32_t>(s.flows.touched());
  for (std::uint32_t n = 0; n < std::min(kSweepPerTick, total); ++n) {
    s.sweep = s.sweep + 1 < total ? s.sweep + 1 : 0;
    const TcpFlow& flow = s.flows[s.sweep];
    if (flow.live && s.expired(flow, now)) s.end_silent(s.sweep);
  }
}

void TcpTracker::end_closed(TimeNs now) { state_->end_due(now); }

std::size_t TcpTracker::snapshot(TransactionSink& into, std::size_t from, std::size_t at_most) {
  State& s = *state_;
  const std::size_t end = std::min(from + at_most, s.flows.touched());
  for (auto i = static_cast<std::uint32_t>(from); i < end; ++i) {
    if (!s.flows[i].live) continue;
    const Connection connection = s.describe(s.flows[i], ConnectionEnd::capture_end);
    into.emit(&connection);
  }
  return end < s.flows.touched() ? end : 0;
}

void TcpTracker::finish(TimeNs end) {
  State& s = *state_;
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

std::size_t TcpTracker::live_connections() const { return state_->flows.in_use(); }

}  // namespace wirelag
