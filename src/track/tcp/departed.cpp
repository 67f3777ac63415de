#include "departed.hpp"

namespace wirelag::tcp {

namespace {

/// How far before its sender's end a segment lies that is sent again, or what it acknowledges.
constexpr std::int32_t kStragglerReach = 1 << 16;
/// No closed connection is due so late: its clock is not the others'. It is found when it has expired.
constexpr DurationNs kFarAheadNs = 2 * kOverNs;

}  // namespace

bool closed_by_both(const TcpFlow& flow) {
  if (!flow.fins) return false;
  for (SideIndex s = 0; s < 2; ++s) {
    const Side& peer = flow.side[s ^ 1];
    if (!peer.acked || peer.overtaken) return false;
    if (seq_distance(flow.detail[s].fin_seq + 1, peer.max_ack) < 0) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------- what is remembered

Departed::Departed(std::size_t most, DurationNs remembered_ns)
    : remembered_ns_(remembered_ns),
      index_(most),
      memory_(most * sizeof(Entry)),
      ring_(static_cast<Entry*>(memory_.get()), most) {}

void Departed::add(const TcpFlow& flow) {
  Entry& entry = ring_[oldest_];
  if (entry.kept) forget(oldest_);
  if (index_.in_the_way(flow.hash) != FlowIndex::kNone) return;
  entry = {flow.key, flow.hash, flow.last_ns, {flow.side[0].next_seq, flow.side[1].next_seq}, true};
  index_.insert(flow.hash, oldest_);
  ++kept_;
  oldest_ = oldest_ + 1 < ring_.size() ? oldest_ + 1 : 0;
}

void Departed::forget(std::uint32_t at) {
  index_.erase(ring_[at].hash, at);
  ring_[at].kept = false;
  --kept_;
}

/// Whether the segment lies close before the end of what its sender has sent, and acknowledges no more than
/// the other has: on ports that are used again, what was not captured of the opening may be anywhere.
bool Departed::belongs_to(const Entry& entry, const Packet& packet, SideIndex sender) {
  const TcpHeader& tcp = packet.tcp;
  if ((tcp.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn) return false;
  const std::uint32_t end = sequence_end(packet);
  const auto lies_before = [](std::uint32_t at, std::uint32_t next) {
    const std::int32_t before = seq_distance(at, next);
    return before >= 0 && before <= kStragglerReach;
  };
  if (!lies_before(end, entry.next_seq[sender])) return false;
  return !tcp.has(tcp_flag::ack) || lies_before(tcp.ack, entry.next_seq[sender ^ 1]);
}

bool Departed::has_straggler(const Packet& packet, SideIndex sender) {
  if (kept_ == 0) return false;
  const FlowKey key = FlowKey::of(packet.src, packet.dst);
  const std::uint32_t at =
      index_.find(packet.flow_hash, [&](std::uint32_t i) { return ring_[i].key == key; });
  if (at == FlowIndex::kNone) return false;
  Entry& entry = ring_[at];
  if (!belongs_to(entry, packet, sender) || packet.time_ns - entry.last_ns > remembered_ns_) {
    forget(at);
    return false;
  }
  entry.last_ns = std::max(entry.last_ns, packet.time_ns);
  return true;
}

// ------------------------------------------------------------------------------- what is awaited

Departures::Departures(std::size_t connections)
    : memory_(std::bit_ceil(connections) * sizeof(Due)),
      ring_(static_cast<Due*>(memory_.get()), std::bit_ceil(connections)) {}

bool Departures::add(const Due& due) {
  if (last_ - first_ == ring_.size()) return false;
  at(last_++) = due;
  return true;
}

const Departures::Due* Departures::next(TimeNs now) {
  while (first_ != last_ && at(first_).time_ns > now + kFarAheadNs) ++first_;
  if (first_ == last_ || at(first_).time_ns > now) return nullptr;
  return &at(first_);
}

}  // namespace wirelag::tcp
