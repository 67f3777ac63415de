#include <algorithm>
#include <bit>

#include <wirelag/summary/summariser.hpp>

namespace wirelag {
namespace {

std::uint32_t resent(const Impairment& impairment, RetransmissionClass c) {
  return impairment.retransmissions[static_cast<std::size_t>(c)];
}

/// Data that the sender sent again; what only looks like it is left out.
std::uint64_t data_resent(const Impairment& impairment) {
  using enum RetransmissionClass;
  return std::uint64_t{resent(impairment, rto)} + resent(impairment, fast) +
         resent(impairment, tail_probe) + resent(impairment, spurious);
}

/// Most connections have none on either side.
void count_impairments(ServiceSummary& row, const PerDirection<HalfConnection>& half) {
  using enum ServiceCount;
  if (half.c2s.impaired.empty() && half.s2c.impaired.empty()) return;
  const Impairment &c2s = half.c2s.impairment(), &s2c = half.s2c.impairment();
  row.add(syn_resent, resent(c2s, RetransmissionClass::handshake));
  row.add(synack_resent, resent(s2c, RetransmissionClass::handshake));
  row.add(retransmissions, data_resent(c2s) + data_resent(s2c));
  row.add(zero_windows, std::uint64_t{c2s.zero_windows} + s2c.zero_windows);
}

/// `total - before`, counter by counter, modulo 2^64.
Accounting difference(const Accounting& total, const Accounting& before) {
  Accounting d = total;
  d.received -= before.received;
  d.analysed -= before.analysed;
  for (std::size_t i = 0; i < d.not_analysed.size(); ++i) {
    d.not_analysed[i] -= before.not_analysed[i];
  }
  return d;
}

Counters difference(const Counters& total, const Counters& before) {
  Counters d = total;
  for (std::size_t i = 0; i < d.values.size(); ++i) d.values[i] -= before.values[i];
  return d;
}

}  // namespace

Summariser::Summariser(const SummaryLimits& limits, const Accounting& accounting,
                       Counters& counters, TransactionSink& next, std::size_t live_handshakes)
    : accounting_(accounting),
      counters_(counters),
      next_(next),
      opened_(live_handshakes > 0 ? std::bit_ceil(live_handshakes) : 0),
      waiting_(opened_.size()),
      first_(std::make_unique<Summary>(limits)),
      second_(std::make_unique<Summary>(limits)),
      current_(first_.get()),
      spare_(second_.get()) {}

void Summariser::begin(TimeNs now) {
  if (!known(current_->start_time_ns)) current_->start_time_ns = now;
}

void Summariser::emit(TransactionRef transaction) {
  std::visit([this](const auto* t) { count(*t); }, transaction);
  next_.emit(transaction);
}

void Summariser::count(const Connection& c) {
  using enum ServiceCount;
  const bool answered = c.state != ConnectionState::syn_unanswered;
  ServiceSummary& row = current_->row(ServiceKey::of_server(c.service, c.server), answered);
  row.add(connections);
  switch (c.state) {
    case ConnectionState::complete: row.add(handshakes_complete); break;
    case ConnectionState::refused: row.add(refused); break;
    case ConnectionState::syn_unanswered: row.add(syn_unanswered); break;
    case ConnectionState::synack_no_ack: row.add(synack_unanswered); break;
    default: break;
  }
  count_impairments(row, c.half);
  row.add(resets, c.close == CloseKind::rst && c.state != ConnectionState::refused ? 1 : 0);
  row.add(bytes_c2s, c.half.c2s.payload_bytes);
  row.add(bytes_s2c, c.half.s2c.payload_bytes);
  if (!answered) return;  // a flood's end here: no round trip was seen

  if (Opened* o = opened(c.key)) {
    if (!o->counted) count_handshake(*o, c.service);
    o->key = 0;
  } else {
    row.record(ServiceDuration::connect, c.connect_time_ns);
    row.record(ServiceDuration::rtt_probe_server, c.rtt_probe_server_ns);
  }
}

void Summariser::count(const DnsTransaction& d) {
  using enum ServiceCount;
  if (d.outcome == DnsOutcome::response_only) return;
  const bool answered = d.outcome != DnsOutcome::unanswered;
  ServiceSummary& row = current_->row(ServiceKey::of_resolver(d.service, d.resolver), answered);
  row.add(dns_queries);
  switch (d.outcome) {
    case DnsOutcome::nxdomain: row.add(dns_nxdomain); break;
    case DnsOutcome::failed: row.add(dns_failed); break;
    case DnsOutcome::unanswered: row.add(dns_unanswered); break;
    default: break;
  }
  row.add(dns_resent, d.resent());
  row.record(ServiceDuration::dns_latency, d.latency_ns());
}

void Summariser::count(const HttpTransaction& h) {
  using enum ServiceCount;
  name_handshake(h.connection, h.service);
  if (!h.request_seen) return;
  ServiceSummary& row = current_->row(ServiceKey::of_server(h.service, h.server), true);
  row.add(http_requests);
  row.add(http_4xx, h.status / 100 == 4 ? 1 : 0);
  row.add(http_5xx, h.status / 100 == 5 ? 1 : 0);
  row.add(http_unanswered, h.unanswered() ? 1 : 0);
  row.record(ServiceDuration::server_wait, h.server_wait_ns());
}

void Summariser::count(const TlsHandshake& t) {
  using enum ServiceCount;
  name_handshake(t.connection, t.service);
  ServiceSummary& row = current_->row(ServiceKey::of_server(t.service, t.server), true);
  row.add(tls_handshakes);
  row.add(tls_resumed, t.resumed == TriState::yes ? 1 : 0);
  row.record(ServiceDuration::tls_hello, t.hello_ns());
}

void Summariser::count(const DatabaseTransaction& t) {
  using enum ServiceCount;
  name_handshake(t.connection, t.service);
  ServiceSummary& row = current_->row(ServiceKey::of_server(t.service, t.server), true);
  row.add(database_requests);
  row.add(database_errors, t.error ? 1 : 0);
  row.add(database_unanswered, t.unanswered() ? 1 : 0);
  if (!t.waits_by_design) row.record(ServiceDuration::database_wait, t.server_wait_ns());
}

// --------------------------------------------------------------------- connections while they live

void Summariser::on_handshake(const Connection& c) {
  // Two settled for each that comes: the ring drains without ever being swept at once.
  settle_waiting(c.established_time_ns, 2);
  if (opened_.empty()) return;
  Opened& o = opened_[c.key & (opened_.size() - 1)];
  if (o.key != 0) return;
  o = {c.key, c.established_time_ns, c.connect_time_ns, c.rtt_probe_server_ns, c.server, false};
  if (c.service != kNoService) {
    count_handshake(o, c.service);
    return;
  }
  if (waiting_end_ - waiting_first_ == waiting_.size()) settle_oldest();
  waiting_[waiting_end_++ & (waiting_.size() - 1)] = c.key;
}

void Summariser::on_round_trip(const DataRoundTrip& sample) {
  using enum ServiceDuration;
  ServiceSummary& row =
      current_->row_of_sample(ServiceKey::of_server(sample.service, sample.server));
  const bool server_half = sample.data == Direction::c2s;
  row.record(server_half ? data_rtt_probe_server : data_rtt_probe_client, sample.to_ack_ns);
  row.record(server_half ? timestamp_rtt_probe_server : timestamp_rtt_probe_client,
             sample.to_timestamp_ns);
}

Summariser::Opened* Summariser::opened(ConnectionKey key) {
  if (opened_.empty() || key == 0) return nullptr;
  Opened& o = opened_[key & (opened_.size() - 1)];
  return o.key == key ? &o : nullptr;
}

void Summariser::count_handshake(Opened& o, ServiceId service) {
  ServiceSummary& row = current_->row(ServiceKey::of_server(service, o.server), true);
  row.record(ServiceDuration::connect, o.connect_ns);
  row.record(ServiceDuration::rtt_probe_server, o.rtt_probe_server_ns);
  o.counted = true;
}

void Summariser::name_handshake(ConnectionKey key, ServiceId service) {
  if (service == kNoService) return;
  if (Opened* o = opened(key); o != nullptr && !o->counted) count_handshake(*o, service);
}

void Summariser::settle_waiting(TimeNs now, std::size_t at_most) {
  for (; at_most > 0 && waiting_first_ != waiting_end_; --at_most) {
    const Opened* o = opened(waiting_[waiting_first_ & (waiting_.size() - 1)]);
    if (o != nullptr && !o->counted) {
      // A clock that stepped back ends the wait.
      const DurationNs waited_ns = elapsed_ns(o->established_ns, now);
      if (known(waited_ns) && waited_ns < kNamingWaitNs) return;
    }
    settle_oldest();
  }
}

void Summariser::settle_oldest() {
  Opened* o = opened(waiting_[waiting_first_++ & (waiting_.size() - 1)]);
  if (o != nullptr && !o->counted) count_handshake(*o, kNoService);
}

// ------------------------------------------------------------------------------------- publishing

bool Summariser::publish(TimeNs now) {
  settle_waiting(now, waiting_.size());
  Summary* spare = spare_.exchange(nullptr, std::memory_order_acquire);
  if (spare == nullptr) return false;
  close_books(*current_, now);
  spare->start_time_ns = now;
  filled_.store(current_, std::memory_order_release);
  current_ = spare;
  return true;
}

void Summariser::close_books(Summary& summary, TimeNs now) {
  summary.end_time_ns = now;
  counters_.add(Counter::summary_rows_full, summary.without_row);
  summary.accounting = difference(accounting_, accounting_before_);
  summary.counters = difference(counters_, counters_before_);
  accounting_before_ = accounting_;
  counters_before_ = counters_;
}

Summariser::Taken Summariser::take() {
  return Taken(filled_.exchange(nullptr, std::memory_order_acquire), GiveBack{this});
}

void Summariser::GiveBack::operator()(Summary* summary) const {
  summary->clear();
  owner->spare_.store(summary, std::memory_order_release);
}

}  // namespace wirelag
