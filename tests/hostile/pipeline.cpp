#include "pipeline.hpp"

#include <algorithm>
#include <array>
#include <atomic>

#include <wirelag/dispatch/dispatcher.hpp>
#include <wirelag/track/http/parser.hpp>

#include "require.hpp"

namespace wirelag::hostile {
namespace {

/// Two of the largest datagrams, so that no frame is cut on its way.
constexpr std::size_t kRingBytes = 1U << 18;
constexpr std::size_t kMostWorkers = 3;

/// Counters of things that were given up for want of room.
constexpr Counter kLimits[] = {
    Counter::fragment_datagrams_evicted,
    Counter::tcp_evicted,
    Counter::hash_evicted,
    Counter::tcp_reordered_dropped,
    Counter::dns_pending_full,
    Counter::dns_evicted,
    Counter::dns_duplicate_window_cut,
    Counter::dns_streams_full,
    Counter::dns_stream_buffer_full,
    Counter::http_streams_full,
    Counter::http_requests_full,
    Counter::http_header_buffers_full,
    Counter::tls_streams_full,
    Counter::tls_hello_buffers_full,
    Counter::database_streams_full,
    Counter::database_requests_full,
    Counter::database_statements_full,
};

std::shared_ptr<const Signatures> signatures() {
  static const auto kSignatures = Signatures::compile({{"shop", "shop\\.example$"}}).value();
  return kSignatures;
}

struct Nothing final : TransactionSink {
  void emit(TransactionRef) override {}
};

Outcome run_alone(std::span<const Frame> frames, const WorkerLimits& limits,
                  const RunOptions& options) {
  Outcome out;
  Worker worker(0, limits, signatures(), out.data, false);
  std::size_t bursts = 0;
  for (; !frames.empty(); frames = frames.subspan(std::min(options.burst, frames.size()))) {
    worker.process(frames.first(std::min(options.burst, frames.size())));
    WIRELAG_REQUIRE(worker.accounting().balanced());
    if (options.tick_every == 0 || ++bursts % options.tick_every != 0) continue;
    options.replay ? worker.tick_replay() : worker.tick(worker.now());
  }
  worker.finish();
  out.accounting = worker.accounting();
  out.counters = worker.counters();
  return out;
}

Outcome run_dispatched(std::span<const Frame> frames, const WorkerLimits& limits,
                       const RunOptions& options) {
  Outcome out;
  static SpscRing rings[kMostWorkers]{SpscRing(kRingBytes), SpscRing(kRingBytes),
                                      SpscRing(kRingBytes)};  // empty between two calls
  std::vector<SpscRing*> ring_of;
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < options.workers; ++i) {
    ring_of.push_back(&rings[i]);
    workers.push_back(std::make_unique<Worker>(static_cast<std::uint16_t>(i), limits, signatures(),
                                               out.data, false));
  }
  Dispatcher dispatcher(limits.decode, ring_of, WhenFull::drop);
  for (const Frame& frame : frames) {
    dispatcher.dispatch({&frame, 1});
    for (std::size_t i = 0; i < options.workers; ++i) {
      FrameReader reader(rings[i], dispatcher.closed());
      Frame passed_on;
      if (reader.read({&passed_on, 1}) == 0) continue;
      workers[i]->process({&passed_on, 1});
      reader.release();
    }
  }
  out.accounting = dispatcher.accounting();
  out.counters = dispatcher.counters();
  for (auto& worker : workers) {
    worker->finish(dispatcher.now());
    WIRELAG_REQUIRE(worker->accounting().balanced());
    out.accounting.merge(worker->accounting());
    out.counters.merge(worker->counters());
  }
  return out;
}

bool no_negative(std::initializer_list<DurationNs> durations) {
  return std::all_of(durations.begin(), durations.end(),
                     [](DurationNs d) { return !known(d) || d >= 0; });
}

void check(const RttStats& rtt) {
  WIRELAG_REQUIRE((rtt.samples == 0) == !known(rtt.min_ns));
  WIRELAG_REQUIRE(no_negative({rtt.min_ns, rtt.max_ns, rtt.sum_ns}));
  WIRELAG_REQUIRE(rtt.min_ns <= rtt.max_ns);
}

void check(const HalfConnection& half) {
  WIRELAG_REQUIRE(no_negative({half.impairment().time_lost_ns, half.impairment().zero_window_ns}));
  WIRELAG_REQUIRE(known(half.first_payload_ns) == known(half.last_payload_ns));
  std::uint64_t classified = 0;
  for (const std::uint32_t n : half.impairment().retransmissions) classified += n;
  WIRELAG_REQUIRE(classified <= half.packets);
}

void check(const Connection& c) {
  WIRELAG_REQUIRE(no_negative({c.syn_wait_ns, c.rtt_probe_server_ns, c.synack_wait_ns,
                               c.rtt_probe_client_ns, c.handshake_rtt_ns, c.connect_time_ns}));
  if (known(c.connect_time_ns) && known(c.syn_wait_ns) && known(c.rtt_probe_server_ns) &&
      known(c.synack_wait_ns) && known(c.rtt_probe_client_ns)) {
    WIRELAG_REQUIRE(c.connect_time_ns == c.syn_wait_ns + c.rtt_probe_server_ns + c.synack_wait_ns +
                                             c.rtt_probe_client_ns);
  }
  WIRELAG_REQUIRE(c.first_frame != 0 && c.first_frame <= c.last_frame);
  WIRELAG_REQUIRE(!known(c.last_time_ns) || c.start_time_ns <= c.last_time_ns);
  WIRELAG_REQUIRE(c.half.c2s.packets + c.half.s2c.packets > 0);
  check(c.half.c2s);
  check(c.half.s2c);
  check(c.rtt_probe_server);
  check(c.rtt_probe_client);
}

void check(const DnsTransaction& d) {
  WIRELAG_REQUIRE(no_negative({d.latency_ns(), d.resolver_ns()}));
  WIRELAG_REQUIRE((d.outcome == DnsOutcome::unanswered) == (d.response_frame == 0));
  WIRELAG_REQUIRE((d.outcome == DnsOutcome::response_only) == d.query_frames.empty());
  WIRELAG_REQUIRE((d.response_frame == 0) == d.response.empty());
}

/// The known gaps are part of the transfer time.
void check(const TransferShape& s, DurationNs transfer_ns) {
  DurationNs gaps_ns = 0;
  for (const DurationNs gap_ns :
       {s.rounds_ns, s.pause_ns, s.resend_stall_ns, s.window_stall_ns, s.held_ns}) {
    WIRELAG_REQUIRE(no_negative({gap_ns}));
    if (known(gap_ns)) gaps_ns += gap_ns;
  }
  WIRELAG_REQUIRE(gaps_ns == 0 || gaps_ns <= transfer_ns);
}

void check(const HttpTransaction& h) {
  check(h.response_shape, h.transfer_ns());
  WIRELAG_REQUIRE(no_negative({h.request_ns(), h.server_wait_ns(), h.transfer_ns(), h.total_ns()}));
  WIRELAG_REQUIRE((h.status == 0) == (h.response_frames.first == 0));
  WIRELAG_REQUIRE(h.request_frames.first <= h.request_frames.last);
  WIRELAG_REQUIRE(h.response_frames.first <= h.response_frames.last);
  WIRELAG_REQUIRE(h.response_body_bytes == kUnknownBodyBytes ||
                  h.response_body_bytes <= h.response_bytes);
  WIRELAG_REQUIRE(h.request_seen || h.status != 0);
}

void check(const TlsHandshake& t) {
  WIRELAG_REQUIRE(no_negative({t.hello_ns(), t.handshake_ns()}));
  WIRELAG_REQUIRE(t.client_hello_frames.first <= t.client_hello_frames.last);
  WIRELAG_REQUIRE(t.server_hello_frames.first <= t.server_hello_frames.last);
}

/// How far a frame is earlier than another one before it, at most.
DurationNs furthest_back_ns(std::span<const Frame> frames) {
  TimeNs latest = kUnknownNs;
  DurationNs furthest = 0;
  for (const Frame& frame : frames) {
    latest = std::max(latest, frame.time_ns);
    furthest = std::max(furthest, latest - frame.time_ns);
  }
  return furthest;
}

}  // namespace

WorkerLimits tiny_limits() {
  WorkerLimits limits;
  limits.decode = {.max_tunnels = 2, .fragment_datagrams = 2, .fragment_timeout_ns = kSecondNs};
  limits.tcp.connections = 3;
  limits.tcp.reorder_segments = 6;
  limits.tcp.reorder_per_direction = 4;
  limits.tcp.classify_segments = 3;
  limits.dns = {.pending_queries = 4,
                .query_timeout_ns = kSecondNs,
                .duplicate_window_ns = kSecondNs / 2,
                .tcp_streams = 1};
  limits.http = {.connections = 2, .open_requests = 3, .header_bytes = 256, .header_buffers = 1};
  limits.tls = {.connections = 1, .hello_bytes = 256, .hello_buffers = 1};
  limits.database = {.connections = 1, .open_requests = 8, .statements = 2};
  limits.summary = {.services = 1, .servers = 2};
  return limits;
}

WorkerLimits roomy_limits() {
  WorkerLimits limits;
  limits.decode.fragment_datagrams = 3;
  limits.tcp.connections = 64;
  limits.tcp.reorder_segments = 64;
  limits.dns = {.pending_queries = 128, .tcp_streams = 16};
  limits.http = {
      .connections = 64, .open_requests = 128, .header_bytes = 1024, .header_buffers = 16};
  limits.tls = {.connections = 64, .hello_bytes = 2048, .hello_buffers = 16};
  limits.database = {.connections = 64, .open_requests = 128, .statements = 32};
  limits.summary = {.services = 1, .servers = 8};
  return limits;
}

Outcome run(std::span<const Frame> frames, const WorkerLimits& limits, const RunOptions& options) {
  return options.workers == 1 ? run_alone(frames, limits, options)
                              : run_dispatched(frames, limits, options);
}

void check(const DatabaseTransaction& d) {
  WIRELAG_REQUIRE(no_negative({d.request_ns(), d.server_wait_ns(), d.transfer_ns(), d.total_ns()}));
  WIRELAG_REQUIRE(d.request_frames.first != 0 && d.request_frames.first <= d.request_frames.last);
  WIRELAG_REQUIRE(d.response_frames.first <= d.response_frames.last);
  // Frames whose time is damaged have none.
  WIRELAG_REQUIRE(!known(d.response_first_ns) || d.response_frames.first != 0);
  WIRELAG_REQUIRE((d.response_frames.first != 0) == (d.response_bytes > 0));
  WIRELAG_REQUIRE(!d.response_complete || d.response_bytes > 0);
  WIRELAG_REQUIRE(d.depth > 0 && d.pipelined == (d.depth > 1));
}

void check(const Outcome& outcome, std::size_t frames) {
  WIRELAG_REQUIRE(outcome.accounting.received == frames);
  WIRELAG_REQUIRE(outcome.accounting.balanced());
  const Dataset& data = outcome.data;
  WIRELAG_REQUIRE(data.connections().size() == outcome.counters.of(Counter::tcp_connections));
  std::uint64_t packets = 0;
  for (const Connection& c : data.connections()) {
    check(c);
    packets += c.half.c2s.packets + c.half.s2c.packets;
  }
  WIRELAG_REQUIRE(packets <= outcome.accounting.analysed);
  for (const DnsTransaction& d : data.dns()) check(d);
  for (const HttpTransaction& h : data.http()) check(h);
  for (const TlsHandshake& t : data.tls()) check(t);
  for (const DatabaseTransaction& d : data.database()) check(d);
}

bool any_limit_reached(const Outcome& outcome) {
  return outcome.accounting.of(NotAnalysed::flow_table_full) != 0 ||
         outcome.accounting.of(NotAnalysed::fragment_table_full) != 0 ||
         std::any_of(std::begin(kLimits), std::end(kLimits),
                     [&](Counter c) { return outcome.counters.of(c) != 0; });
}

std::string report_of(Outcome outcome) {
  CaptureBlock capture;
  capture.name = "hostile";
  capture.format = "pcap";
  capture.packets = outcome.accounting.received;
  const Report report = build_report(std::move(capture), outcome.accounting, outcome.counters,
                                     std::move(outcome.data), {}, {"", "shop"});
  WIRELAG_REQUIRE(!render_text(report, {}).empty());
  return render_json(report);
}

void check_live(std::span<const Frame> frames) {
  Dataset recent(DatasetLimits{.max_per_kind = 4});
  Nothing nowhere;
  Worker worker(0, tiny_limits(), signatures(), recent, true);
  MergedSummary merged;
  std::size_t snapshot_at = 0;
  std::size_t turn = 0;
  const std::size_t all = frames.size();
  const auto publish = [&] {
    WIRELAG_REQUIRE(worker.summariser().publish(worker.now()));
    const Summariser::Taken taken = worker.summariser().take();
    WIRELAG_REQUIRE(taken != nullptr);
    merged.merge(*taken);
  };
  for (; !frames.empty(); frames = frames.subspan(std::min<std::size_t>(5, frames.size()))) {
    worker.process(frames.first(std::min<std::size_t>(5, frames.size())));
    worker.tick(worker.now());
    snapshot_at = worker.snapshot(nowhere, snapshot_at);
    if (++turn % 4 == 0) publish();
  }
  worker.finish();
  if (all > 0) publish();
  WIRELAG_REQUIRE(merged.accounting.received == all && merged.accounting.balanced());
  WIRELAG_REQUIRE(merged.total().of(ServiceCount::connections) ==
                  worker.counters().of(Counter::tcp_connections));
  (void)report_of({worker.accounting(), worker.counters(), std::move(recent)});
}

void check_everything(std::span<const Frame> frames) {
  Outcome tiny = run(frames, tiny_limits(), {.tick_every = 1});
  check(tiny, frames.size());
  (void)report_of(std::move(tiny));
  check_live(frames);

  // While time goes on, ticks may go by the latest frame; else they trail, as in a replay.
  const DurationNs back_ns = furthest_back_ns(frames);
  Outcome alone = run(frames, roomy_limits(), {.burst = 7, .tick_every = 1, .replay = back_ns > 0});
  check(alone, frames.size());
  const bool settled = back_ns <= Worker::kClockStepNs ||
                       alone.data.connections().size() <= Worker::roomy_connections(roomy_limits());
  const bool independent = settled && !any_limit_reached(alone);
  const std::string reference = report_of(std::move(alone));
  if (!independent) return;
  WorkerLimits others = roomy_limits();
  others.seed_hashes(0x9e3779b97f4a7c15);
  Outcome shared = run(frames, others, {.workers = 2});
  check(shared, frames.size());
  WIRELAG_REQUIRE(report_of(std::move(shared)) == reference);
}

}  // namespace wirelag::hostile
