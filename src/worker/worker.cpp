#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <wirelag/base/prefetch.hpp>
#include <wirelag/ingest/bursts.hpp>
#include <wirelag/track/dns/tracker.hpp>
#include <wirelag/track/http/tracker.hpp>
#include <wirelag/track/memcached/tracker.hpp>
#include <wirelag/track/mysql/tracker.hpp>
#include <wirelag/track/postgres/tracker.hpp>
#include <wirelag/track/redis/tracker.hpp>
#include <wirelag/track/tcp/tracker.hpp>
#include <wirelag/track/tls/tracker.hpp>
#include <wirelag/worker/worker.hpp>

namespace wirelag {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kMulticastDnsPort = 5353;  ///< RFC 6762
constexpr std::uint16_t kLlmnrPort = 5355;         ///< RFC 4795
/// Places of the flow table in one step of a snapshot: about 64 KiB of transactions at most.
constexpr std::size_t kSnapshotStep = 64;
/// What a stream or a query is followed with is asked for this many packets ahead: where it lies has come by then.
constexpr std::size_t kStateAhead = 8;

[[nodiscard]] bool either_port(const Packet& packet, std::uint16_t port) {
  return packet.src.port == port || packet.dst.port == port;
}

}  // namespace

struct Worker::State : ConnectionObserver {
  Accounting accounting;
  Counters counters;
  std::unique_ptr<Summariser> summariser;  ///< live
  Classifier classifier;
  Decoder decoder;
  DnsTracker dns;
  HttpTracker http;
  TlsTracker tls;
  DatabaseExchanges database;
  DatabaseStatements statements;
  RedisTracker redis;
  MemcachedTracker memcached;
  PostgresTracker postgres;
  MysqlTracker mysql;
  TcpTracker tcp;
  const std::uint32_t roomy_connections;
  TimeNs now = kUnknownNs;
  TimeNs earliest_ns = kUnknownNs;  ///< of a call's first frame, since tick_replay()
  std::array<Packet, kBurst> packets;

  State(std::uint16_t index, const WorkerLimits& limits,
        std::shared_ptr<const Signatures> signatures, TransactionSink& sink, bool live)
      : summariser(live ? std::make_unique<Summariser>(limits.summary, accounting, counters, sink,
                                                       limits.tcp.connections)
                        : nullptr),
        classifier(std::move(signatures)),
        decoder(limits.decode, counters),
        dns(limits.dns, classifier, first(sink), counters),
        http(limits.http, classifier, first(sink), counters),
        tls(limits.tls, classifier, first(sink), counters),
        database(limits.database, first(sink), counters),
        statements(limits.database, counters),
        redis(limits.database, database, counters),
        memcached(limits.database, database, counters),
        postgres(limits.database, database, statements, counters),
        mysql(limits.database, database, statements, counters),
        tcp(limits.tcp, index, classifier, stream_trackers(), first(sink), live ? this : nullptr,
            counters),
        roomy_connections(Worker::roomy_connections(limits)) {}

  /// Who gets the transactions first.
  [[nodiscard]] TransactionSink& first(TransactionSink& sink) {
    return summariser != nullptr ? *summariser : sink;
  }

  /// The registration of the protocols over TCP: one line each.
  [[nodiscard]] TcpTracker::Trackers stream_trackers() {
    TcpTracker::Trackers trackers{};
    trackers[static_cast<std::size_t>(Protocol::dns)] = &dns;
    trackers[static_cast<std::size_t>(Protocol::http1)] = &http;
    trackers[static_cast<std::size_t>(Protocol::tls)] = &tls;
    trackers[static_cast<std::size_t>(Protocol::redis)] = &redis;
    trackers[static_cast<std::size_t>(Protocol::postgres)] = &postgres;
    trackers[static_cast<std::size_t>(Protocol::memcached)] = &memcached;
    trackers[static_cast<std::size_t>(Protocol::mysql)] = &mysql;
    return trackers;
  }

  void on_handshake(const Connection& so_far) override { summariser->on_handshake(so_far); }
  void on_round_trip(const DataRoundTrip& sample) override { summariser->on_round_trip(sample); }

  [[nodiscard]] NotAnalysed track(const Packet& packet, TcpTracker::Candidate flow);
  [[nodiscard]] NotAnalysed track_datagram(const Packet& packet);
  void note_time(TimeNs time_ns);
  [[nodiscard]] bool is_filling() const { return tcp.live_connections() > roomy_connections; }
  void tick(TimeNs silent_now, TimeNs closed_now);
  void process_burst(std::span<const Frame> frames);
  void track_all(std::span<const Packet> decoded);
};

NotAnalysed Worker::State::track(const Packet& packet, TcpTracker::Candidate flow) {
  switch (packet.transport) {
    case Transport::tcp: return tcp.on_segment(packet, flow);
    case Transport::udp: return track_datagram(packet);
    case Transport::none: break;
  }
  return NotAnalysed::udp_untracked;
}

NotAnalysed Worker::State::track_datagram(const Packet& packet) {
  const bool known_port = either_port(packet, kDnsPort) || either_port(packet, kMulticastDnsPort) ||
                          either_port(packet, kLlmnrPort);
  const Protocol protocol =
      known_port ? Protocol::dns : classifier.recognise(packet.payload, Transport::udp).protocol;
  if (protocol == Protocol::dns) return dns.on_datagram(packet);
  return protocol == Protocol::dtls ? NotAnalysed::dtls : NotAnalysed::udp_untracked;
}

void Worker::State::note_time(TimeNs time_ns) {
  if (!known(earliest_ns) || time_ns < earliest_ns) earliest_ns = time_ns;
}

void Worker::State::process_burst(std::span<const Frame> frames) {
  std::size_t ready = 0;
  for (const Frame& frame : frames) {
    if (!frame.untimed || !known(now)) now = std::max(now, frame.time_ns);
    const NotAnalysed reason = decoder.decode(frame, packets[ready]);
    if (decoder.fragments_completed() > 0) {
      accounting.datagram_completed(decoder.fragments_completed());
    }
    if (reason != NotAnalysed::none) {
      accounting.count(reason);
      continue;
    }
    // Where the headers are long, the burst's prefetch has not reached their end.
    prefetch_line(packets[ready].payload.data());
    if (packets[ready].transport == Transport::tcp) tcp.prefetch_slot(packets[ready]);
    ++ready;
    if (!decoder.rebuilt().bytes.empty()) {
      // Its payload lies in the decoder's buffer, which the next fragment may overwrite.
      track_all({packets.data(), ready});
      ready = 0;
    }
  }
  track_all({packets.data(), ready});
}

void Worker::State::track_all(std::span<const Packet> decoded) {
  std::array<TcpTracker::Candidate, kBurst> flows;  ///< of TCP
  std::array<std::uint32_t, kBurst> queries;        ///< of DNS: their hashes
  const auto is_dns = [](const Packet& packet) {
    return packet.transport == Transport::udp && either_port(packet, kDnsPort);
  };
  const auto prefetch_state = [&](std::size_t i) {
    if (i >= decoded.size()) return;
    if (decoded[i].transport == Transport::tcp) {
      tcp.prefetch_stream(flows[i], decoded[i]);
    } else if (is_dns(decoded[i])) {
      dns.prefetch_query(queries[i]);
    }
  };
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    if (decoded[i].transport == Transport::tcp) {
      flows[i] = tcp.prefetch_flow(decoded[i]);
    } else if (is_dns(decoded[i])) {
      queries[i] = dns.prefetch_bucket(decoded[i]);
    }
  }
  for (std::size_t i = 0; i < kStateAhead; ++i) prefetch_state(i);
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    prefetch_state(i + kStateAhead);
    accounting.count(track(decoded[i], flows[i]));
  }
}

Worker::Worker(std::uint16_t index, const WorkerLimits& limits,
               std::shared_ptr<const Signatures> signatures, TransactionSink& sink, bool live)
    : state_(std::make_unique<State>(index, limits, std::move(signatures), sink, live)) {}

Worker::~Worker() = default;

void Worker::process(std::span<const Frame> frames) {
  if (frames.empty()) return;
  if (!frames.front().untimed) state_->note_time(frames.front().time_ns);
  if (state_->summariser != nullptr) state_->summariser->begin(frames.front().time_ns);
  for_each_burst(frames, kBurst,
                 [this](std::span<const Frame> burst) { state_->process_burst(burst); });
}

void Worker::count_ring_full() { state_->accounting.count(NotAnalysed::ring_full); }

void Worker::count_shed(std::uint64_t transactions) {
  state_->counters.add(Counter::transactions_shed, transactions);
}

void Worker::State::tick(TimeNs silent_now, TimeNs closed_now) {
  if (is_filling()) tcp.end_closed(closed_now);
  tcp.tick(silent_now);
  dns.tick(silent_now);
}

void Worker::tick(TimeNs now) {
  if (known(now)) state_->tick(now, now);
}

void Worker::tick_replay() {
  const TimeNs earliest_ns = std::exchange(state_->earliest_ns, kUnknownNs);
  if (!known(earliest_ns) || !state_->is_filling()) return;
  state_->tick(earliest_ns - kClockStepNs, earliest_ns);
}

/// Queries are not among them: their table lets go of what is over by itself when it is full.
std::uint32_t Worker::roomy_connections(const WorkerLimits& limits) {
  return std::min({limits.tcp.connections, limits.tcp.reorder_segments, limits.dns.tcp_streams,
                   limits.http.connections, limits.http.header_buffers, limits.tls.connections,
                   limits.tls.hello_buffers, limits.database.connections}) /
         2;
}

std::size_t Worker::snapshot(TransactionSink& into, std::size_t from) {
  return state_->tcp.snapshot(into, from, kSnapshotStep);
}

void Worker::finish(TimeNs end) {
  state_->tcp.finish(std::max(end, state_->now));
  state_->dns.finish();
}

TimeNs Worker::now() const { return state_->now; }
const Accounting& Worker::accounting() const { return state_->accounting; }
const Counters& Worker::counters() const { return state_->counters; }
Summariser& Worker::summariser() { return *state_->summariser; }

}  // namespace wirelag
