#include "tracker_state.hpp"

namespace wirelag {
namespace {

/// Ports above 1023 that belong to servers; otherwise, without a SYN, the lower port is the server.
constexpr std::uint16_t kServerPorts[] = {1433, 1521, 3128, 3306, 5432,  6379,
                                          8080, 8443, 9042, 9200, 11211, 27017};
[[nodiscard]] bool is_server_port(std::uint16_t port) {
  return std::find(std::begin(kServerPorts), std::end(kServerPorts), port) !=
         std::end(kServerPorts);
}

}  // namespace

using namespace tcp;

std::uint32_t TcpTracker::State::begin(const Packet& packet) {
  const std::uint32_t i = take_record(packet, next_serial);
  if (i == FlowIndex::kNone) return i;
  ++next_serial;
  counters.add(Counter::tcp_connections);
  return i;
}

std::uint32_t TcpTracker::State::take_record(const Packet& packet, std::uint64_t serial) {
  if (flows.in_use() == flows.capacity() && !make_room(packet.time_ns)) return FlowIndex::kNone;
  for (std::uint32_t old; (old = index.in_the_way(packet.flow_hash)) != FlowIndex::kNone;) {
    counters.add(Counter::hash_evicted);
    end(old, ConnectionEnd::evicted);
  }
  const std::uint32_t i = flows.take();
  TcpFlow& flow = flows[i];
  flow.key = FlowKey::of(packet.src, packet.dst);
  flow.hash = packet.flow_hash;
  flow.serial = serial;
  flow.start_ns = packet.time_ns;
  flow.last_ns = packet.time_ns;
  flow.first_frame = packet.number;
  flow.live = true;
  choose_client(flow, packet);
  index.insert(flow.hash, i);
  return i;
}

// ------------------------------------------------------------------------------------ SYNs alone

void TcpTracker::State::begin_lone(const Packet& packet) {
  for (LoneSyns::Place old; (old = lone_syns.in_the_way(packet)) != LoneSyns::kNone;) {
    counters.add(Counter::hash_evicted);
    end_lone(old, ConnectionEnd::evicted);
  }
  if (lone_syns.full()) {
    counters.add(Counter::tcp_evicted);
    counters.add(Counter::tcp_evicted_unanswered);
    end_lone(lone_syns.oldest(), ConnectionEnd::evicted);
    lone_syns.fetch_oldest();
  }
  lone_syns.keep(packet, next_serial++);
  counters.add(Counter::tcp_connections);
}

bool TcpTracker::State::ends_lone(LoneSyns::Place syn, const Packet& packet) {
  const LoneSyns::Entry& lone = lone_syns[syn];
  const bool idle = expired(lone, packet.time_ns);
  const bool another =
      LoneSyns::may_keep(packet) && lone.client == packet.src && lone.syn.seq != packet.tcp.seq;
  if (!idle && !another) return false;
  end_lone(syn, idle ? ConnectionEnd::idle_timeout : ConnectionEnd::port_reused);
  return true;
}

std::uint32_t TcpTracker::State::follow(LoneSyns::Place syn, TimeNs now) {
  const LoneSyns::Entry kept = lone_syns[syn];
  const Packet packet = kept.syn.packet(kept.client, kept.server, kept.hash);
  if (flows.in_use() == flows.capacity() && !make_room(now)) {
    counters.add(Counter::tcp_evicted);
    counters.add(Counter::tcp_evicted_unanswered);
    end_lone(syn, ConnectionEnd::evicted);
    return FlowIndex::kNone;
  }
  lone_syns.drop(syn);
  const std::uint32_t i = take_record(packet, kept.serial);
  account(i, sender_of(packet), packet);
  return i;
}

// ------------------------------------------------------------------------------- who is the client

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

}  // namespace wirelag
