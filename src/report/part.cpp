#include "part.hpp"

#include <algorithm>

namespace wirelag::report {
namespace {

/// Whether it was opened, or had data, at `to_ns`: one that was still being opened had carried nothing.
bool under_way(const Connection& c, TimeNs to_ns) {
  const auto was = [to_ns](TimeNs t) { return known(t) && t <= to_ns; };
  return was(c.established_time_ns) || was(c.half.c2s.first_payload_ns) ||
         was(c.half.s2c.first_payload_ns);
}

/// One direction: which packets there are (a property of the capture), when its data began, and that more came.
HalfConnection as_of(const HalfConnection& whole, TimeNs to_ns) {
  HalfConnection half;
  half.packets = whole.packets;
  if (!known(whole.first_payload_ns) || whole.first_payload_ns > to_ns) return half;
  half.first_payload_ns = whole.first_payload_ns;
  half.last_payload_ns = to_ns;
  return half;
}

/// What could be known at `to_ns` of a connection that lived on: its opening. Shortest round trips, what they
/// vary, resends and bytes are kept for its whole life only, so they are not known.
Connection as_of(const Connection& whole, TimeNs to_ns) {
  Connection c = whole;
  c.half = {as_of(whole.half.c2s, to_ns), as_of(whole.half.s2c, to_ns)};
  c.rtt_probe_server = c.rtt_probe_client = {};
  c.rtt_probe_server_timestamps = c.rtt_probe_client_timestamps = {};
  c.last_time_ns = to_ns;
  c.last_frame = whole.ack_frame != 0 ? whole.ack_frame : whole.first_frame;
  c.end = ConnectionEnd::capture_end;
  if (known(whole.close_time_ns) && whole.close_time_ns <= to_ns) return c;
  c.close = CloseKind::open;
  c.close_time_ns = kUnknownNs;
  c.close_frame = 0;
  return c;
}

/// Without the application data that came later.
TlsHandshake as_of(const TlsHandshake& whole, TimeNs to_ns) {
  TlsHandshake t = whole;
  if (t.first_client_data_ns > to_ns) t.first_client_data_ns = kUnknownNs;
  if (t.first_server_data_ns > to_ns) t.first_server_data_ns = kUnknownNs;
  return t;
}

class Part {
 public:
  Part(const Dataset& whole, TimeNs from_ns, TimeNs to_ns) : from_ns_(from_ns), to_ns_(to_ns) {
    for (const Connection& c : whole.connections()) add(c);
    for (const DnsTransaction& t : whole.dns()) {
      add(t, t.first_query_ns, t.response_ns);
    }
    for (const HttpTransaction& t : whole.http()) add(t, t.request_first_ns, t.response_last_ns);
    for (const DatabaseTransaction& t : whole.database()) {
      add(t, t.request_first_ns, t.response_last_ns);
    }
    for (const TlsHandshake& t : whole.tls()) {
      add(as_of(t, to_ns_), t.client_hello_ns,
          std::max(t.client_finished_ns, t.server_finished_ns));
    }
  }
  [[nodiscard]] Dataset take() { return std::move(data_); }

 private:
  void add(const Connection& c) {
    if (!known(c.start_time_ns) || c.start_time_ns >= to_ns_ || c.last_time_ns < from_ns_) return;
    if (c.last_time_ns <= to_ns_) return data_.emit(&c);
    if (!under_way(c, to_ns_)) return;
    const Connection earlier = as_of(c, to_ns_);
    data_.emit(&earlier);
  }
  /// What nobody answered began before the mark all the same.
  template <class Transaction>
  void add(const Transaction& t, TimeNs begin_ns, TimeNs end_ns) {
    if (known(begin_ns) && begin_ns >= from_ns_ && begin_ns < to_ns_ && end_ns <= to_ns_)
      data_.emit(&t);
  }

  TimeNs from_ns_, to_ns_;
  Dataset data_;
};

}  // namespace

Dataset part_of(const Dataset& whole, TimeNs from_ns, TimeNs to_ns) {
  return Part(whole, from_ns, to_ns).take();
}

}  // namespace wirelag::report
