#include "schema.hpp"

#include "thresholds.hpp"

namespace wirelag::config {
namespace {

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
          integer<C>("connections", "connections", 1024, 64 * kMega,
                     "live ones kept at once, and as many SYNs that nothing has followed",
                     MEMBER(worker.tcp.connections)),
          duration<C>("idle_timeout_s", kSecondNs, 1, 864000,
                      "silence after which a connection is over",
                      MEMBER(worker.tcp.idle_timeout_ns)),
          duration<C>("half_open_timeout_s", kSecondNs, 1, 86400,
                      "the same while the handshake is incomplete",
                      MEMBER(worker.tcp.half_open_timeout_ns)),
          duration<C>("closed_timeout_s", kSecondNs, 0, 3600,
                      "how long stragglers are known after the end",
                      MEMBER(worker.tcp.closed_timeout_ns)),
          integer<C>("reorder_segments", "segments", 16, 16 * kMega,
                     "out of order, kept at once (2 KiB each)",
                     MEMBER(worker.tcp.reorder_segments)),
          integer<C>("reorder_per_direction", "segments", 1, TcpLimits::kMostReordered,
                     "of these, of one direction of one connection",
                     MEMBER(worker.tcp.reorder_per_direction)),
          integer<C>("classify_segments", "segments", 1, 64,
                     "with payload, looked at to recognise a protocol; small ones until they bring "
                     "32 bytes",
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
          marks<C>(
              "marks",
              "what was changed and when: the report draws them in its heat maps and holds the "
              "visits after each against those before it",
              MEMBER(report.marks)),
          text<C>(
              "marks_file", "a path",
              "more marks, a line each: `wirelag mark` adds one; read for every report, so that "
              "one can be added while it runs; a relative path is beside this file; empty: none",
              MEMBER(report.marks_file), anything),
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
  static const std::vector<Section<Config>> kSections = [] {
    std::vector<Section<Config>> all = {appliance(), eal(), decode(),   tcp(),     dns(),
                                        http(),      tls(), database(), summary(), ring(),
                                        sampling(),  log(), report()};
    for (Section<Config>& section : threshold_sections()) all.push_back(std::move(section));
    return all;
  }();
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
