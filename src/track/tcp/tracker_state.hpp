// What a TcpTracker consists of, and what its parts do for each other: beginning.cpp (which flow, who is the
// client), tracker.cpp (a segment of a flow), ending.cpp (timeouts, making room, what is emitted).
#pragma once

#include <algorithm>

#include <wirelag/flow/index.hpp>
#include <wirelag/track/tcp/tracker.hpp>

#include "departed.hpp"
#include "eviction.hpp"
#include "lone_syns.hpp"
#include "opening.hpp"
#include "sequence.hpp"
#include "stream.hpp"

namespace wirelag {

struct TcpTracker::State {
  TcpLimits limits;
  TransactionSink& sink;
  ConnectionObserver* observer;
  Counters& counters;
  std::array<StreamTracker*, kProtocols> trackers;
  FlowIndex index;
  Pool<tcp::TcpFlow> flows;
  tcp::Openings openings;
  tcp::Sequences sequences;
  tcp::Streams streams;
  DurationNs shortest_timeout_ns;
  std::uint64_t next_serial = 1;
  std::uint32_t sweep = 0;
  tcp::EvictionPool evictable;
  tcp::Departures departures;
  tcp::Departed departed;
  tcp::LoneSyns lone_syns;
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
        departed(l.connections, l.closed_timeout_ns),
        lone_syns(l.connections) {}

  [[nodiscard]] std::uint32_t find(const Packet& packet, Candidate flow) const {
    if (flow.record != FlowIndex::kNone) [[likely]] {
      const tcp::TcpFlow& probably = flows[flow.record];
      if (probably.live && probably.carries(packet, flow.sender)) [[likely]]
        return flow.record;
    }
    return index.find(packet.flow_hash,
                      [&](std::uint32_t i) { return flows[i].carries(packet, flow.sender); });
  }

  /// The record of a connection that this packet begins, FlowIndex::kNone when there is no room.
  [[nodiscard]] std::uint32_t begin(const Packet& packet);
  [[nodiscard]] std::uint32_t take_record(const Packet& packet, std::uint64_t serial);
  void begin_lone(const Packet& packet);
  /// Whether the packet begins another connection on the ports of a SYN alone, which has ended then.
  [[nodiscard]] bool ends_lone(tcp::LoneSyns::Place syn, const Packet& packet);
  /// The record of the connection that a SYN alone has begun, now that something follows it. Without room the
  /// connection has ended: FlowIndex::kNone.
  [[nodiscard]] std::uint32_t follow(tcp::LoneSyns::Place syn, TimeNs now);
  void choose_client(tcp::TcpFlow& flow, const Packet& packet) const;
  void revise_client(tcp::TcpFlow& flow, tcp::SideIndex sender, const Packet& packet) const;
  [[nodiscard]] bool begins_anew(const tcp::TcpFlow& flow, tcp::SideIndex sender,
                                 const Packet& p) const;
  [[nodiscard]] DurationNs timeout_ns(const tcp::TcpFlow& flow) const;
  [[nodiscard]] bool expired(const tcp::TcpFlow& flow, TimeNs now) const {
    const DurationNs silence_ns = now - flow.last_ns;
    if (silence_ns <= shortest_timeout_ns) return false;
    return silence_ns > timeout_ns(flow) && silence_ns < kTwoClocksNs;
  }
  [[nodiscard]] bool expired(const tcp::LoneSyns::Entry& lone, TimeNs now) const {
    const DurationNs silence_ns = now - lone.syn.time_ns;
    return silence_ns > limits.half_open_timeout_ns && silence_ns < kTwoClocksNs;
  }
  [[nodiscard]] bool make_room(TimeNs now);
  [[nodiscard]] bool give_one_up(TimeNs now);
  void prefetch_next_eviction() const;
  /// Where a flow stood before the segment at hand.
  struct Before {
    TimeNs last_ns;
    FrameNumber last_frame;
  };
  void account(std::uint32_t i, tcp::SideIndex sender, const Packet& packet);
  void account_unexpected(tcp::TcpFlow& flow, tcp::SideIndex sender, const Packet& packet,
                          TimeNs previous_ns);
  [[nodiscard]] bool settle_crossing(std::uint32_t i, tcp::SideIndex sender, const Packet& packet,
                                     const Before& before);
  void account_aside(tcp::TcpFlow& flow);
  void account_earlier(tcp::TcpFlow& flow, tcp::SideIndex sender, const Packet& packet);
  void account_copy(tcp::TcpFlow& flow, tcp::SideIndex sender, const Packet& packet,
                    tcp::MirrorCopy copy);
  void note_close(tcp::TcpFlow& flow, tcp::SideIndex sender, const Packet& packet);
  void show(const tcp::TcpFlow& flow, tcp::SideIndex sender, const tcp::RoundTrip& completed) const;
  /// Its lists are valid until the next call.
  [[nodiscard]] Connection describe(const tcp::TcpFlow& flow, ConnectionEnd end);
  void describe_side(const tcp::TcpFlow& flow, tcp::SideIndex s, Connection& c);
  void end(std::uint32_t i, ConnectionEnd why);
  void end_silent(std::uint32_t i);
  void end_lone(tcp::LoneSyns::Place syn, ConnectionEnd why);
  void end_silent_lone(TimeNs now);
  [[nodiscard]] const Connection& describe_lone(tcp::LoneSyns::Place syn, ConnectionEnd why);
  void end_closed(std::uint32_t i);
  void await_departure(tcp::TcpFlow& flow, TimeNs due_ns);
  void end_due(TimeNs now);
};

}  // namespace wirelag
