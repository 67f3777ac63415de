// DNS transactions: one question to one resolver, over UDP or TCP, with its re-sent copies, its
// response and the duplicates of that (docs/metrics.md, "DNS").
//
//   UDP datagram --------------------------> message --> pairing --> DnsTransaction into the sink
//   TCP bytes --> framing (2-byte length) -->
//
// A transaction is emitted when nothing more can be added to it: the duplicate window after its
// response is over, or nobody answered for four query timeouts. RFC 1035, 7766 (TCP), 6891 (EDNS);
// mDNS (RFC 6762) and LLMNR (RFC 4795) are counted and never paired, because others answer than
// were asked.
#pragma once

#include <memory>

#include <wirelag/base/counters.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag {

/// One per worker, called on its thread. No allocation after construction; the references must
/// outlive the tracker. Sizes come from DnsLimits; the policy when full is in
/// src/track/dns/query_table.hpp.
class DnsTracker final : public DatagramTracker, public StreamTracker {
 public:
  DnsTracker(const DnsLimits& limits, Classifier& classifier, TransactionSink& sink,
             Counters& counters);
  ~DnsTracker() override;

  /// Ahead of on_datagram(). First, for where the pending query of a DNS message is found: returns the hash of its key.
  /// Then, some packets later, for the query itself.
  [[nodiscard]] std::uint32_t prefetch_bucket(const Packet& packet) const;
  void prefetch_query(std::uint32_t hash) const;
  /// For datagrams of port 53, 5353 and 5355 and those the Classifier takes for DNS.
  /// none: DNS, accounted for. multicast_dns: mDNS or LLMNR. udp_untracked: not DNS after all.
  [[nodiscard]] NotAnalysed on_datagram(const Packet& packet) override;

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  [[nodiscard]] ServiceId service(Handle handle) const override;
  void close(Handle handle) override;

  /// Emits transactions that are over at `now` (packet time), a bounded number per call. Results do
  /// not depend on when or how often it is called.
  void tick(TimeNs now);
  /// Capture end: emits everything that is pending. The tracker can be used again.
  void finish();

 private:
  struct State;
  class StreamMessages;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
