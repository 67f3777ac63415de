// The stage's entry: starts a frame's walk through its layers and keeps the counters. Called by a
// worker for each frame of a burst, and by the dispatcher for the hash of a frame.
#include "common.hpp"
#include "walk.hpp"

namespace wirelag {
namespace {

/// Tunnels nest by recursion: a configuration must not exhaust the stack.
constexpr std::uint32_t kDeepestTunnel = 32;

}  // namespace

struct Decoder::State {
  State(const DecodeLimits& limits, Counters& to)
      : fragments(limits.fragment_datagrams, limits.fragment_timeout_ns, limits.hash_seed),
        counters(to),
        max_tunnels(std::min(limits.max_tunnels, kDeepestTunnel)),
        hash_seed(limits.hash_seed) {}

  void count(const Frame& frame, const decode::Walk& walk);

  decode::Fragments fragments;
  Counters& counters;
  std::uint32_t max_tunnels;
  std::uint64_t hash_seed;
  TimeNs last_time_ns = kUnknownNs;
  std::uint64_t evicted = 0;
};

void Decoder::State::count(const Frame& frame, const decode::Walk& walk) {
  if (walk.cut() || frame.bytes.size() < frame.wire_length) counters.add(Counter::snaplen_cut);
  if (walk.tunnels() > 0) counters.add(Counter::tunnelled);
  if (frame.time_ns < last_time_ns) counters.add(Counter::clock_steps_back);
  if (!walk.fragment()) return;
  if (walk.duplicate()) counters.add(Counter::mirror_duplicates);
  counters.add(Counter::fragments);
  counters.add(Counter::datagrams_rebuilt, walk.rebuilt());
  counters.add(Counter::fragment_datagrams_evicted, fragments.evicted() - evicted);
  evicted = fragments.evicted();
}

Decoder::Decoder(const DecodeLimits& limits, Counters& counters)
    : state_(std::make_unique<State>(limits, counters)) {}

Decoder::~Decoder() = default;

NotAnalysed Decoder::decode(const Frame& frame, Packet& out) {
  State& s = *state_;
  fragments_completed_ = 0;
  rebuilt_.bytes = {};
  if (!decode::decode_common(frame, s.hash_seed, out)) [[unlikely]]
    return walk(frame, out);
  if (!frame.dispatched) {
    if (out.snaplen_cut) s.counters.add(Counter::snaplen_cut);
    if (frame.time_ns < s.last_time_ns) s.counters.add(Counter::clock_steps_back);
  }
  s.last_time_ns = frame.time_ns;
  return NotAnalysed::none;
}

NotAnalysed Decoder::walk(const Frame& frame, Packet& out) {
  State& s = *state_;
  decode::Walk walk(frame, out, s.max_tunnels, s.hash_seed, s.fragments);
  const auto captured = static_cast<std::uint32_t>(frame.bytes.size());
  const NotAnalysed result =
      walk.link(frame.link, {frame.bytes.data(), captured, std::max(captured, frame.wire_length)});

  if (!frame.dispatched) s.count(frame, walk);
  s.last_time_ns = frame.time_ns;
  if (walk.rebuilt() > 0) {
    fragments_completed_ = walk.frames_completed();
    rebuilt_ = frame;
    rebuilt_.bytes = s.fragments.datagram();
    rebuilt_.wire_length = static_cast<std::uint32_t>(rebuilt_.bytes.size());
    rebuilt_.link = LinkType::raw_ip;
    rebuilt_.rss_hash = 0;
  }
  return result;
}

}  // namespace wirelag
