#include <wirelag/base/prefetch.hpp>

#include "prediction.hpp"
#include "tracker_state.hpp"

namespace wirelag {

using namespace tcp;

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
  } else {
    s.lone_syns.prefetch(packet.flow_hash);
    s.departed.prefetch(packet.flow_hash);
  }
  return {i, sender};
}

void TcpTracker::prefetch_stream(Candidate flow, const Packet& packet) const {
  if (packet.payload_length == 0 || flow.record == FlowIndex::kNone) return;
  state_->streams.prefetch(state_->flows[flow.record], flow.sender);
}

// -------------------------------------------------------------------------- a segment of a flow

NotAnalysed TcpTracker::on_segment(const Packet& packet, Candidate probably) {
  State& s = *state_;
  const SideIndex sender = probably.sender;
  std::uint32_t i = s.find(packet, probably);
  if (i == FlowIndex::kNone) [[unlikely]] {
    const LoneSyns::Place syn = s.lone_syns.find(packet);
    if (syn != LoneSyns::kNone && !s.ends_lone(syn, packet)) {
      i = s.follow(syn, packet.time_ns);
      if (i == FlowIndex::kNone) return NotAnalysed::flow_table_full;
    }
  }
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
  if (LoneSyns::may_keep(packet)) {
    s.begin_lone(packet);
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
    const bool closes = (packet.tcp.flags & (tcp_flag::fin | tcp_flag::rst)) != 0;
    if (closes && packet.payload_length == 0 && outside_window(flow, sender, packet.tcp)) {
      flow.last_ns = before.last_ns;
      flow.last_frame = before.last_frame;
      counters.add(Counter::tcp_outside_window);
      return;
    }
    const bool crossing = flow.syn_aside || may_cross(flow, sender, packet.tcp);
    if (crossing && settle_crossing(i, sender, packet, before)) return;
    account_unexpected(flow, sender, packet, before.last_ns);
    return;
  }
  if (completed.late_ns > 0) streams.note_late_ack(flow, sender, completed.late_ns);
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
  const MirrorCopy copy = sequences.copy_of(flow, sender, packet, previous_ns);
  if (copy != MirrorCopy::no && !sequences.may_answer_twice(flow, sender, packet.tcp)) {
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
  if (completed.late_ns > 0) streams.note_late_ack(flow, sender, completed.late_ns);
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
  for (std::size_t n = 0; n < syns.size(); ++n) {
    calls[n] = syns[n].packet(flow.server_endpoint(), flow.client_endpoint(), flow.hash);
  }
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
  for (const KeptSyn& syn : syns) {
    const TimeNs previous_ns = flow.last_ns;
    flow.last_ns = std::max(flow.last_ns, syn.time_ns);
    flow.last_frame = syn.frame;
    account_unexpected(flow, sender,
                       syn.packet(flow.server_endpoint(), flow.client_endpoint(), flow.hash),
                       previous_ns);
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
  flow.detail[sender].closed_first = true;
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

}  // namespace wirelag
