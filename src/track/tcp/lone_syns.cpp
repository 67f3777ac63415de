#include "lone_syns.hpp"

#include <algorithm>

#include "options.hpp"

namespace wirelag::tcp {

LoneSyns::LoneSyns(std::size_t most)
    : index_(most),
      memory_(most * sizeof(Entry)),
      entries_(static_cast<Entry*>(memory_.get()), most) {
  opening_.segments = 1;
  connection_.state = ConnectionState::syn_unanswered;
  connection_.basis = ClientBasis::syn;
  connection_.one_sided = true;
  connection_.half.c2s.packets = 1;
  connection_.opened = {&opening_, 1};
  connection_.syn_frames = {&frame_, 1};
}

LoneSyns::Place LoneSyns::find(const Packet& packet) const {
  if (size_ == 0) return kNone;
  return index_.find(packet.flow_hash, [&](Place at) {
    const Entry& e = entries_[at];
    return (e.client == packet.src && e.server == packet.dst) ||
           (e.client == packet.dst && e.server == packet.src);
  });
}

void LoneSyns::keep(const Packet& packet, std::uint64_t serial) {
  const Place at = free_ != kNone ? free_ : static_cast<Place>(touched_++);
  Entry& entry = entries_[at];
  if (at == free_) free_ = entry.newer;
  entry.client = packet.src;
  entry.server = packet.dst;
  entry.hash = packet.flow_hash;
  entry.serial = serial;
  entry.syn = KeptSyn(packet);
  by_age_.add_newest(entries_, at);
  index_.insert(entry.hash, at);
  ++size_;
}

void LoneSyns::drop(Place at) {
  Entry& entry = entries_[at];
  index_.erase(entry.hash, at);
  by_age_.remove(entries_, at);
  entry.serial = 0;
  entry.newer = free_;
  free_ = at;
  --size_;
}

void LoneSyns::set_back(Place at) {
  by_age_.remove(entries_, at);
  by_age_.add_newest(entries_, at);
}

const Connection& LoneSyns::describe(const Entry& entry, ConnectionKey key, ConnectionEnd end) {
  const KeptSyn& syn = entry.syn;
  opening_.time_ns[0] = syn.time_ns;
  opening_.isn.c2s = syn.seq;
  if (!std::ranges::equal(syn.option_list(), options_of_.option_list())) {
    opening_.options.c2s = parse_options(syn.option_list());
    options_of_ = syn;
  }
  opening_.window[0] = syn.window;
  opening_.flags[0] = syn.flags;
  frame_ = syn.frame;
  Connection& c = connection_;
  c.key = key;
  c.client = entry.client;
  c.server = entry.server;
  c.end = end;
  c.first_frame = c.last_frame = syn.frame;
  c.start_time_ns = c.last_time_ns = syn.time_ns;
  return c;
}

}  // namespace wirelag::tcp
