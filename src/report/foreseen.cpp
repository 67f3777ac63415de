#include "foreseen.hpp"

#include <algorithm>

#include <wirelag/advise/weighted.hpp>

#include "visit_outcome.hpp"

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

class EarlierPart {
 public:
  EarlierPart(const Dataset& whole, TimeNs from_ns, TimeNs to_ns)
      : from_ns_(from_ns), to_ns_(to_ns) {
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

/// The waits of a service's visits: as they were, and with the findings' changes made.
struct ServiceWaits {
  std::vector<Weighted> was, least, most;
};

DurationNs jitter_of(const Advice& advice, std::string_view rule) {
  DurationNs jitter_ns = 0;
  for (const Finding& f : advice.findings) {
    if (f.rule == rule) jitter_ns = std::max(jitter_ns, f.jitter_ns);
  }
  return jitter_ns;
}

Foreseen of_rule(const std::string& rule, const Visits& visits, const std::vector<bool>& counts,
                 const Advice& advice) {
  const std::vector<WaitAfter> after = waits_with(visits, advice, rule);
  std::map<std::string, ServiceWaits> by_service;
  for (std::size_t i = 0; i < visits.stored.size(); ++i) {
    if (!counts[i]) continue;
    const Visit& v = visits.stored[i];
    ServiceWaits& waits = by_service[v.service];
    waits.was.push_back({v.wait_ns, v.weight});
    waits.least.push_back({after[i].least_ns, v.weight});
    waits.most.push_back({after[i].most_ns, v.weight});
  }
  const DurationNs jitter_ns = jitter_of(advice, rule);
  Foreseen foreseen{rule, {}};
  for (auto& [service, waits] : by_service) {
    const DurationNs was_ns = quantile(waits.was, 0.5);
    const DurationNs low_ns = was_ns - quantile(waits.most, 0.5);
    const DurationNs high_ns = was_ns - quantile(waits.least, 0.5);
    if (high_ns <= 0) continue;
    foreseen.by_service[service] = {std::max<DurationNs>(0, low_ns - jitter_ns),
                                    std::min(was_ns, high_ns + jitter_ns)};
  }
  return foreseen;
}

}  // namespace

std::vector<Foreseen> foresee(const Dataset& data, TimeNs from_ns, TimeNs to_ns,
                              const Thresholds& thresholds) {
  Dataset part = EarlierPart(data, from_ns, to_ns).take();
  part.seal(thresholds.lookups);
  const Correlation correlation = correlate(part, thresholds.lookups);
  const Visits visits = find_visits(part, correlation, thresholds.visits);
  const Advice advice = advise(RuleInput{part, correlation, visits, thresholds});
  std::vector<bool> counts;
  for (const Visit& v : visits.stored) {
    const VisitOutcome outcome = outcome_of(v, part);
    counts.push_back((outcome == VisitOutcome::answered || outcome == VisitOutcome::error) &&
                     v.start_ns + v.wait_ns <= to_ns);
  }
  std::vector<Foreseen> by_rule;
  for (const Finding& f : advice.findings) {
    const bool again = std::any_of(by_rule.begin(), by_rule.end(),
                                   [&f](const Foreseen& other) { return other.rule == f.rule; });
    if (again || f.capacity_only) continue;
    by_rule.push_back(of_rule(f.rule, visits, counts, advice));
  }
  return by_rule;
}

}  // namespace wirelag::report
