#include "schema.hpp"

// A member of the owner, as the functions in setting.hpp want it.
#define MEMBER(path) \
  [](auto& owner) -> auto& { return owner.path; }

namespace wirelag::config {
namespace {

constexpr std::int64_t kMega = 1 << 20;

bool anything(std::string_view) { return true; }
bool not_empty(std::string_view text) { return !text.empty(); }

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// "3b:00.0", "0000:3b:00.0".
bool is_pci_address(std::string_view text) {
  if (text.size() < 7) return false;
  const std::string_view bus_device_function = text.substr(text.size() - 7);
  const std::string_view domain = text.substr(0, text.size() - 7);
  return is_hex(bus_device_function.substr(0, 2), 2) && bus_device_function[2] == ':' &&
         is_hex(bus_device_function.substr(3, 2), 2) && bus_device_function[5] == '.' &&
         bus_device_function[6] >= '0' && bus_device_function[6] <= '7' &&
         (domain.empty() ||
          (domain.back() == ':' && is_hex(domain.substr(0, domain.size() - 1), 4)));
}

/// Arguments may follow either after a comma.
bool is_device(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(','));
  return is_pci_address(name) || (name.starts_with("net_") && name.size() > 4);
}

const Choices<LinkType> kLinks = {
    {"ethernet", LinkType::ethernet},     {"linux_sll", LinkType::linux_sll},
    {"linux_sll2", LinkType::linux_sll2}, {"raw_ip", LinkType::raw_ip},
    {"bsd_null", LinkType::bsd_null},     {"bsd_loop", LinkType::bsd_loop}};
const Choices<ShardingPolicy> kSharding = {{"auto", ShardingPolicy::automatic},
                                           {"rss", ShardingPolicy::rss},
                                           {"dispatcher", ShardingPolicy::dispatcher}};
const Choices<LogFormat> kLogFormats = {
    {"text", LogFormat::text}, {"json", LogFormat::json}, {"both", LogFormat::both}};

using C = Config;

Section<C> appliance() {
  return {
      "appliance",
      "The appliance as a whole.",
      {
          text<C>("name", "a text", "its name in the logs", MEMBER(appliance.name), not_empty),
          integer<C>("workers", "cores", 1, 128, "worker cores; every port gets one queue for each",
                     MEMBER(appliance.workers)),
          duration<C>("interval_s", kSecondNs, 1, 3600, "time between two summaries in the log",
                      MEMBER(appliance.interval_ns)),
      }};
}

Section<C> eal() {
  return {
      "eal",
      "DPDK's environment (EAL). Ports need no argument here; they are in [[port]].",
      {
          texts<C>("args", "further EAL arguments, as on DPDK's command line", MEMBER(eal.args)),
          flag<C>("hugepages", "false: ordinary pages, slower, no preparation of the host",
                  MEMBER(eal.hugepages)),
          integer<C>("memory_mb", "MiB", 64, kMega, "memory for packet buffers and rings",
                     MEMBER(eal.memory_mb)),
      }};
}

Section<C> decode() {
  return {"decode",
          "From frames to packets. Sizes are per worker.",
          {
              integer<C>("max_tunnels", "tunnels", 0, 16, "taken off one inside another",
                         MEMBER(worker.decode.max_tunnels)),
              integer<C>("fragment_datagrams", "datagrams", 1, 65536,
                         "put together from fragments at once",
                         MEMBER(worker.decode.fragment_datagrams)),
              duration<C>("fragment_timeout_s", kSecondNs, 1, 300,
                          "how long a datagram waits for its fragments",
                          MEMBER(worker.decode.fragment_timeout_ns)),
          }};
}

Section<C> tcp() {
  return {
      "tcp",
      "TCP connections. Sizes are per worker.",
      {
          integer<C>("connections", "connections", 1024, 64 * kMega, "live ones kept at once",
                     MEMBER(worker.tcp.connections)),
          duration<C>("idle_timeout_s", kSecondNs, 1, 864000,
                      "silence after which a connection is over",
                      MEMBER(worker.tcp.idle_timeout_ns)),
          duration<C>("half_open_timeout_s", kSecondNs, 1, 86400,
                      "the same while the handshake is incomplete",
                      MEMBER(worker.tcp.half_open_timeout_ns)),
          duration<C>("closed_timeout_s", kSecondNs, 0, 3600, "kept after the end, for stragglers",
                      MEMBER(worker.tcp.closed_timeout_ns)),
          integer<C>("reorder_segments", "segments", 16, 16 * kMega,
                     "out of order, kept at once (2 KiB each)",
                     MEMBER(worker.tcp.reorder_segments)),
          integer<C>("reorder_per_direction", "segments", 1, 65536,
                     "of these, of one direction of one connection",
                     MEMBER(worker.tcp.reorder_per_direction)),
          integer<C>("classify_segments", "segments", 1, 64,
                     "with payload, looked at to recognise a protocol",
                     MEMBER(worker.tcp.classify_segments)),
      }};
}

Section<C> dns() {
  return {"dns",
          "DNS over UDP and TCP. Sizes are per worker.",
          {
              integer<C>("pending_queries", "queries", 64, 64 * kMega,
                         "unanswered ones kept at once", MEMBER(worker.dns.pending_queries)),
              duration<C>("query_timeout_s", kSecondNs, 1, 300, "then a query is unanswered",
                          MEMBER(worker.dns.query_timeout_ns)),
              duration<C>("duplicate_window_s", kSecondNs, 0, 300,
                          "how long second responses are recognised",
                          MEMBER(worker.dns.duplicate_window_ns)),
              integer<C>("tcp_streams", "connections", 1, kMega, "DNS over TCP at once",
                         MEMBER(worker.dns.tcp_streams)),
          }};
}

Section<C> http() {
  return {"http",
          "HTTP/1. Sizes are per worker.",
          {
              integer<C>("connections", "connections", 16, 64 * kMega, "followed at once",
                         MEMBER(worker.http.connections)),
              integer<C>("open_requests", "requests", 16, 64 * kMega,
                         "unanswered, of all connections", MEMBER(worker.http.open_requests)),
              integer<C>("header_bytes", "bytes", 256, kMega,
                         "start line and headers of one message", MEMBER(worker.http.header_bytes)),
              integer<C>("header_buffers", "messages", 1, kMega,
                         "whose headers are being put together at once",
                         MEMBER(worker.http.header_buffers)),
          }};
}

Section<C> tls() {
  return {"tls",
          "TLS handshakes. Sizes are per worker.",
          {
              integer<C>("connections", "connections", 16, 64 * kMega, "followed at once",
                         MEMBER(worker.tls.connections)),
              integer<C>("hello_bytes", "bytes", 512, kMega, "of one handshake message",
                         MEMBER(worker.tls.hello_bytes)),
              integer<C>("hello_buffers", "messages", 1, kMega, "being put together at once",
                         MEMBER(worker.tls.hello_buffers)),
          }};
}

Section<C> database() {
  return {"database",
          "Redis, memcached, PostgreSQL and MySQL. Sizes are per worker.",
          {
              integer<C>("connections", "connections", 16, 64 * kMega,
                         "followed at once, of each protocol", MEMBER(worker.database.connections)),
              integer<C>("open_requests", "requests", 16, 64 * kMega,
                         "unanswered, of all connections", MEMBER(worker.database.open_requests)),
              integer<C>("statements", "statements", 16, 64 * kMega, "prepared, of all connections",
                         MEMBER(worker.database.statements)),
          }};
}

Section<C> summary() {
  return {"summary",
          "The numbers of an interval. Sizes are per worker.",
          {
              integer<C>("servers", "servers", 2, 65536,
                         "and resolvers with a row of their own beside the named services",
                         MEMBER(worker.summary.servers)),
          }};
}

Section<C> ring() {
  return {"ring",
          "Rings between cores. Rounded up to a power of two.",
          {
              integer<C>("frame_bytes", "bytes", 256 * 1024, 1024 * kMega,
                         "dispatcher to one worker; full: the frame is dropped and counted",
                         MEMBER(rings.frame_bytes)),
              integer<C>("transaction_bytes", "bytes", 256 * 1024, 1024 * kMega,
                         "one worker to the control core; full: detail is shed and counted",
                         MEMBER(rings.transaction_bytes)),
          }};
}

Section<C> sampling() {
  return {"sampling",
          "What the control core gets beside the summaries, which are always complete.",
          {
              number<C>("client_share", "fraction", 0, 1,
                        "of the clients whose transactions are reported one by one",
                        MEMBER(sampling.client_share)),
          }};
}

Section<C> log() {
  return {"log",
          "The summary log. SIGHUP opens its files again.",
          {
              text<C>("summary", "a path, \"stderr\" or \"stdout\"",
                      "where it goes: a path, stderr, stdout", MEMBER(log.summary), not_empty),
              choice<C>("format", kLogFormats, "of its lines", MEMBER(log.format)),
              text<C>("path_json", "a path, or \"\"",
                      "where JSON lines go; empty: to `summary` in place of text",
                      MEMBER(log.path_json), anything),
              integer<C>("max_lines", "lines", 1, 10000,
                         "of services, and of findings, per interval", MEMBER(log.max_lines)),
          }};
}

Section<C> report() {
  return {
      "report",
      "The report on SIGUSR1 and at the end.",
      {
          text<C>("directory", "a path", "where report files are written", MEMBER(report.directory),
                  not_empty),
          flag<C>("text", "write the report as text", MEMBER(report.text)),
          flag<C>("json", "write the report as JSON", MEMBER(report.json)),
          flag<C>("html", "write the report as one page for a browser", MEMBER(report.html)),
          integer<C>("max_transactions", "transactions", 1000, 1024 * kMega,
                     "of each kind kept for the report; the oldest go first",
                     MEMBER(report.max_transactions)),
          integer<C>(
              "replay_transactions", "transactions", 1, 1024 * kMega,
              "of each kind kept in a replay, whose memory grows with them; the oldest go first",
              MEMBER(report.replay_transactions)),
      }};
}

Section<C> dns_redundant_fanout() {
  return {"rule.dns-redundant-fanout",
          "One question sent to several resolvers at once.",
          {
              integer<C>("min_servers", "resolvers", 2, 16, "asked the same question",
                         MEMBER(thresholds.dns_redundant_fanout.min_servers)),
              duration<C>("within_ms", kMillisecondNs, 0, 10000, "between the copies",
                          MEMBER(thresholds.dns_redundant_fanout.within_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the forwarded questions",
                        MEMBER(thresholds.dns_redundant_fanout.min_share)),
          }};
}

Section<C> http_late_connection() {
  return {"rule.http-late-connection",
          "A connection opened at the moment of need.",
          {
              duration<C>("request_after_handshake_ms", kMillisecondNs, 0, 10000,
                          "the request comes this soon: the connection was opened for it",
                          MEMBER(thresholds.http_late_connection.request_after_handshake_ns)),
              duration<C>("speculative_after_ms", kMillisecondNs, 0, 600000,
                          "no request by then: a spare connection",
                          MEMBER(thresholds.http_late_connection.speculative_after_ns)),
          }};
}

Section<C> http_slow_ttfb() {
  return {"rule.http-slow-ttfb",
          "A server thinks long before it answers.",
          {
              duration<C>("p50_ms", kMillisecondNs, 0, 600000, "its own time at the median",
                          MEMBER(thresholds.http_slow_ttfb.p50_ns)),
              duration<C>("p95_ms", kMillisecondNs, 0, 600000, "its own time at the slow end",
                          MEMBER(thresholds.http_slow_ttfb.p95_ns)),
              duration<C>("target_ms", kMillisecondNs, 0, 600000, "what a server should need",
                          MEMBER(thresholds.http_slow_ttfb.target_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the visits' wait",
                        MEMBER(thresholds.http_slow_ttfb.min_share)),
          }};
}

Section<C> tcp_connection_churn() {
  return {"rule.tcp-connection-churn",
          "A client opens a connection for each request.",
          {
              number<C>("min_share", "fraction", 0, 1,
                        "of the connections carry one request and are opened again",
                        MEMBER(thresholds.tcp_connection_churn.min_share)),
              duration<C>("return_within_s", kSecondNs, 0, 86400, "until the client is back",
                          MEMBER(thresholds.tcp_connection_churn.return_within_ns)),
          }};
}

Section<C> tcp_syn_loss() {
  return {"rule.tcp-syn-loss",
          "A SYN had to be sent again.",
          {
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "from the first SYN to the one that was answered",
                          MEMBER(thresholds.tcp_syn_loss.min_wait_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the connections to the server",
                        MEMBER(thresholds.tcp_syn_loss.min_share)),
          }};
}

Section<C> tcp_accept_overflow() {
  return {"rule.tcp-accept-overflow",
          "A listener's queue was full.",
          {
              integer<C>("min_events", "connections", 1, 1000000, "ignored at about the same time",
                         MEMBER(thresholds.tcp_accept_overflow.min_events)),
              duration<C>("within_ms", kMillisecondNs, 1, 600000, "what about the same time means",
                          MEMBER(thresholds.tcp_accept_overflow.within_ns)),
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "how long a first request was unacknowledged",
                          MEMBER(thresholds.tcp_accept_overflow.min_wait_ns)),
          }};
}

Section<C> dns_slow_resolver() {
  return {"rule.dns-slow-resolver",
          "A resolver takes long to answer.",
          {
              duration<C>("p50_ms", kMillisecondNs, 0, 60000, "its answer time at the median",
                          MEMBER(thresholds.dns_slow_resolver.p50_ns)),
              duration<C>("p95_ms", kMillisecondNs, 0, 60000, "its answer time at the slow end",
                          MEMBER(thresholds.dns_slow_resolver.p95_ns)),
              number<C>("faster_factor", "times", 1, 1000,
                        "another one answers the same names so many times faster",
                        MEMBER(thresholds.dns_slow_resolver.faster_factor)),
          }};
}

Section<C> dns_timeout_retry() {
  return {"rule.dns-timeout-retry",
          "A lookup waited for a resolver that did not answer.",
          {
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "from the first question to the one that was answered",
                          MEMBER(thresholds.dns_timeout_retry.min_wait_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the lookups",
                        MEMBER(thresholds.dns_timeout_retry.min_share)),
          }};
}

Section<C> tcp_initcwnd_rounds() {
  return {"rule.tcp-initcwnd-rounds",
          "A response needs several flights of slow start.",
          {
              integer<C>("max_response_bytes", "bytes", 1, 1024 * kMega, "larger ones are left out",
                         MEMBER(thresholds.tcp_initcwnd_rounds.max_response_bytes)),
              integer<C>("initial_segments", "segments", 1, 1000,
                         "a first flight of at most so many is the default one",
                         MEMBER(thresholds.tcp_initcwnd_rounds.initial_segments)),
              integer<C>("proposed_segments", "segments", 1, 1000,
                         "of a first flight, that the change sets",
                         MEMBER(thresholds.tcp_initcwnd_rounds.proposed_segments)),
              number<C>("min_share", "fraction", 0, 1, "of the responses to be judged",
                        MEMBER(thresholds.tcp_initcwnd_rounds.min_share)),
          }};
}

Section<C> http_h1_parallel_limit() {
  return {"rule.http-h1-parallel-limit",
          "Requests wait for a free connection.",
          {
              integer<C>("min_requests", "requests", 2, 100000, "of one visit to one server",
                         MEMBER(thresholds.http_h1_parallel_limit.min_requests)),
              integer<C>("min_connections", "connections", 1, 1000, "that carried them",
                         MEMBER(thresholds.http_h1_parallel_limit.min_connections)),
          }};
}

Section<C> srv_saturation_knee() {
  return {"rule.srv-saturation-knee",
          "A server answers later the more it has to do.",
          {
              duration<C>("window_ms", kMillisecondNs, 10, 3600000,
                          "over which requests in flight are averaged",
                          MEMBER(thresholds.srv_saturation_knee.window_ns)),
              integer<C>("min_windows", "windows", 1, 100000, "beyond the knee",
                         MEMBER(thresholds.srv_saturation_knee.min_windows)),
              number<C>("response_factor", "times", 1, 1000, "slower than with little to do",
                        MEMBER(thresholds.srv_saturation_knee.response_factor)),
              integer<C>("min_completions", "answers", 1, 1000000, "of a window that counts",
                         MEMBER(thresholds.srv_saturation_knee.min_completions)),
          }};
}

Section<C> tls_extra_rtt() {
  return {"rule.tls-extra-rtt",
          "A TLS handshake takes more than one round trip.",
          {
              number<C>("min_share", "fraction", 0, 1, "of the handshakes",
                        MEMBER(thresholds.tls_extra_rtt.min_share)),
          }};
}

Section<C> db_serial_roundtrips() {
  return {"rule.db-serial-roundtrips",
          "A client sends commands to a database or cache one by one.",
          {
              integer<C>("min_run", "queries", 2, 1000000, "in a row",
                         MEMBER(thresholds.db_serial_roundtrips.min_run)),
              duration<C>("turn_gap_ms", kMillisecondNs, 0, 60000,
                          "the client's own time before the next one",
                          MEMBER(thresholds.db_serial_roundtrips.turn_gap_ns)),
              duration<C>("min_waste_ms", kMillisecondNs, 0, 60000, "in round trips of a run",
                          MEMBER(thresholds.db_serial_roundtrips.min_waste_ns)),
              duration<C>("min_rtt_us", kMicrosecondNs, 0, 1000000,
                          "a shorter path has nothing to gain",
                          MEMBER(thresholds.db_serial_roundtrips.min_rtt_ns)),
          }};
}

Section<C> db_n_plus_one() {
  return {"rule.db-n-plus-one",
          "A client repeats one statement in a loop.",
          {
              integer<C>("min_repeats", "statements", 2, 1000000, "of one shape",
                         MEMBER(thresholds.db_n_plus_one.min_repeats)),
              duration<C>("within_ms", kMillisecondNs, 0, 60000, "from one repeat to the next",
                          MEMBER(thresholds.db_n_plus_one.within_ns)),
              duration<C>("min_total_ms", kMillisecondNs, 0, 60000, "all repeats together",
                          MEMBER(thresholds.db_n_plus_one.min_total_ns)),
          }};
}

Section<C> db_slow_fingerprint() {
  return {
      "rule.db-slow-fingerprint",
      "A database takes long for statements of one shape.",
      {
          duration<C>("sql_p95_ms", kMillisecondNs, 0, 600000,
                      "its own time at the slow end, PostgreSQL and MySQL",
                      MEMBER(thresholds.db_slow_fingerprint.sql_p95_ns)),
          duration<C>("cache_p95_ms", kMillisecondNs, 0, 600000, "likewise, Redis and memcached",
                      MEMBER(thresholds.db_slow_fingerprint.cache_p95_ns)),
          integer<C>("max_per_server", "shapes", 1, 1000, "looked at, those with the most time",
                     MEMBER(thresholds.db_slow_fingerprint.max_per_server)),
      }};
}

Section<C> tcp_nagle_delack() {
  return {
      "rule.tcp-nagle-delack",
      "Small writes wait for delayed acknowledgements.",
      {
          duration<C>("quick_min_ms", kMillisecondNs, 0, 60000, "the ACK is late by at least this",
                      MEMBER(thresholds.tcp_nagle_delack.quick_min_ns)),
          duration<C>("quick_max_ms", kMillisecondNs, 0, 60000, "and at most this",
                      MEMBER(thresholds.tcp_nagle_delack.quick_max_ns)),
          duration<C>("slow_min_ms", kMillisecondNs, 0, 60000, "or by at least this",
                      MEMBER(thresholds.tcp_nagle_delack.slow_min_ns)),
          duration<C>("slow_max_ms", kMillisecondNs, 0, 60000, "and at most this",
                      MEMBER(thresholds.tcp_nagle_delack.slow_max_ns)),
          integer<C>("min_events", "exchanges", 1, 1000000, "of one server that waited, or",
                     MEMBER(thresholds.tcp_nagle_delack.min_events)),
          number<C>("min_share", "fraction", 0, 1, "of its exchanges",
                    MEMBER(thresholds.tcp_nagle_delack.min_share)),
      }};
}

Section<C> tcp_path_loss() {
  return {"rule.tcp-path-loss",
          "A path loses segments.",
          {
              number<C>("min_share", "fraction", 0, 1, "of the data segments were sent again",
                        MEMBER(thresholds.tcp_path_loss.min_share)),
              integer<C>("min_segments", "segments", 1, 1024 * kMega,
                         "with data, to or from a client's network",
                         MEMBER(thresholds.tcp_path_loss.min_segments)),
          }};
}

Section<C> tcp_tail_rto() {
  return {
      "rule.tcp-tail-rto",
      "A lost segment was noticed by a timer only.",
      {
          duration<C>("min_stall_ms", kMillisecondNs, 0, 600000, "silence that a resend ended",
                      MEMBER(thresholds.tcp_tail_rto.min_stall_ns)),
          number<C>("min_share", "fraction", 0, 1, "of the exchanges",
                    MEMBER(thresholds.tcp_tail_rto.min_share)),
          integer<C>("min_alike", "exchanges", 1, kMega,
                     "with a silence of the timer's length, where the loss was before the probe",
                     MEMBER(thresholds.tcp_tail_rto.min_alike)),
      }};
}

Section<C> tcp_idle_restart() {
  return {"rule.tcp-idle-restart",
          "A connection begins slow start anew after a pause.",
          {
              integer<C>("min_response_bytes", "bytes", 1, 1024 * kMega,
                         "smaller answers fit into one flight",
                         MEMBER(thresholds.tcp_idle_restart.min_response_bytes)),
              duration<C>("min_idle_ms", kMillisecondNs, 0, 3600000, "since the answer before",
                          MEMBER(thresholds.tcp_idle_restart.min_idle_ns)),
              integer<C>("initial_segments", "segments", 1, 1000,
                         "a first flight of at most so many has begun anew",
                         MEMBER(thresholds.tcp_idle_restart.initial_segments)),
              number<C>("min_share", "fraction", 0, 1, "of such answers after such a pause",
                        MEMBER(thresholds.tcp_idle_restart.min_share)),
          }};
}

Section<C> visits() {
  return {"visits",
          "What counts as one visit of a user, and how many are kept for simulation.",
          {
              duration<C>("quiet_ms", kMillisecondNs, 1, 3600000, "silence that ends a visit",
                          MEMBER(thresholds.visits.quiet_ns)),
              duration<C>("longest_s", kSecondNs, 1, 86400, "a longer one is cut",
                          MEMBER(thresholds.visits.longest_ns)),
              duration<C>("database_quiet_ms", kMillisecondNs, 1, 3600000,
                          "silence that ends a burst of queries on one connection",
                          MEMBER(thresholds.visits.database_quiet_ns)),
              integer<C>("max_stored", "visits", 1, 16 * kMega,
                         "kept: first those with losses or failures, then by a hash of client and "
                         "time; the others count by weight",
                         MEMBER(thresholds.visits.max_stored)),
              integer<C>("max_nodes", "activities", 16, kMega,
                         "lookups, handshakes and requests of one visit",
                         MEMBER(thresholds.visits.max_nodes)),
          }};
}

Section<C> gate() {
  return {"gate",
          "What a finding must reach to be reported.",
          {
              duration<C>("min_effect_ms", kMillisecondNs, 0, 60000, "smaller savings are left out",
                          MEMBER(thresholds.gate.min_effect_ns)),
              number<C>("min_effect_share", "fraction", 0, 1,
                        "of the median wait of the affected visits; smaller savings are left out",
                        MEMBER(thresholds.gate.min_effect_share)),
          }};
}

Section<PortConfig> port() {
  using P = PortConfig;
  Section<P> section = {
      "port",
      "One for each DPDK port that `wirelag run` listens on; at least one.",
      {
          text<P>("device",
                  "a PCI address (\"0000:3b:00.0\") or a DPDK virtual device "
                  "(\"net_af_packet0,iface=eth0\")",
                  "PCI address, or virtual device with its arguments", MEMBER(device), is_device),
          text<P>("name", "a text", "its name in logs and reports; port0, port1 ... when not given",
                  MEMBER(name), not_empty),
          choice<P>("link", kLinks, "what a frame begins with", MEMBER(link)),
          choice<P>("sharding", kSharding,
                    "who spreads frames over the workers: the port (rss) or a core (dispatcher)",
                    MEMBER(sharding)),
      }};
  section.settings[0].required = true;
  return section;
}

Section<ServiceRule> service() {
  using S = ServiceRule;
  Section<S> section = {
      "service",
      "Names for what is served. The first that matches wins; a name may stand in several.",
      {
          text<S>("name", "a text", "in logs and reports", MEMBER(service), not_empty),
          text<S>("match", "a regular expression",
                  "regular expression (Hyperscan), searched in HTTP host, TLS SNI and DNS name",
                  MEMBER(pattern), not_empty),
      }};
  for (Setting<S>& setting : section.settings) setting.required = true;
  return section;
}

}  // namespace

const std::vector<Section<Config>>& sections() {
  static const std::vector<Section<Config>> kSections = {appliance(),
                                                         eal(),
                                                         decode(),
                                                         tcp(),
                                                         dns(),
                                                         http(),
                                                         tls(),
                                                         database(),
                                                         summary(),
                                                         ring(),
                                                         sampling(),
                                                         log(),
                                                         report(),
                                                         visits(),
                                                         db_n_plus_one(),
                                                         db_serial_roundtrips(),
                                                         db_slow_fingerprint(),
                                                         dns_redundant_fanout(),
                                                         dns_slow_resolver(),
                                                         dns_timeout_retry(),
                                                         http_h1_parallel_limit(),
                                                         http_late_connection(),
                                                         http_slow_ttfb(),
                                                         srv_saturation_knee(),
                                                         tcp_accept_overflow(),
                                                         tcp_connection_churn(),
                                                         tcp_idle_restart(),
                                                         tcp_initcwnd_rounds(),
                                                         tcp_nagle_delack(),
                                                         tcp_path_loss(),
                                                         tcp_syn_loss(),
                                                         tcp_tail_rto(),
                                                         tls_extra_rtt(),
                                                         gate()};
  return kSections;
}

const Section<PortConfig>& port_section() {
  static const Section<PortConfig> kPort = port();
  return kPort;
}

const Section<ServiceRule>& service_section() {
  static const Section<ServiceRule> kService = service();
  return kService;
}

}  // namespace wirelag::config
