// What `wirelag run --config FILE` needs, and how it is read from TOML. A replay takes the same
// file for its limits, services and thresholds.
//
// Every key is declared once, in src/config/schema.cpp, with type, unit, range and meaning; its
// default is the member's initialiser here or in the limits it fills in. Parsing, errors, the
// printed effective configuration and docs/configuration.md all come from that table.
//
// Errors are one sentence that names file, key, value, line and what was expected:
//   edge.toml: [tcp] connections = -5 at line 12: expected an integer from 1024 to 67108864
// Unknown sections and keys are errors.
//
// Control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <wirelag/advise/rule.hpp>
#include <wirelag/base/result.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/ingest/frame.hpp>
#include <wirelag/report/mark.hpp>
#include <wirelag/worker/worker.hpp>

namespace wirelag {

enum class ShardingPolicy : std::uint8_t {
  automatic,   ///< RSS where the port can do it symmetrically, else the dispatcher
  rss,         ///< the port must do it
  dispatcher,  ///< one core spreads the frames over the workers
};

/// A [[port]].
struct PortConfig {
  std::string name;    ///< "port0", "port1" ... when not given
  std::string device;  ///< PCI address or DPDK virtual device with its arguments
  LinkType link = LinkType::ethernet;
  ShardingPolicy sharding = ShardingPolicy::automatic;
};

/// [ring]: SpscRing capacities.
struct RingSizes {
  std::size_t frame_bytes = std::size_t{8} << 20;         ///< dispatcher -> one worker
  std::size_t transaction_bytes = std::size_t{16} << 20;  ///< one worker -> control core
};

enum class LogFormat : std::uint8_t { text, json, both };

struct Config {
  struct {
    std::string name = "wirelag";
    std::uint32_t workers = 1;
    DurationNs interval_ns = 10 * kSecondNs;
  } appliance;

  std::vector<PortConfig> ports;  ///< may be empty: a replay needs none (require_ports)

  struct {
    std::vector<std::string> args;
    bool hugepages = true;
    std::uint32_t memory_mb = 512;
  } eal;

  /// [decode], [tcp], [dns], [http], [tls], [summary]. `worker.summary.services` is the number of
  /// different service names.
  WorkerLimits worker;

  RingSizes rings;

  struct {
    double client_share = 1.0;
  } sampling;

  struct {
    std::string summary = "stderr";  ///< a path, "stderr" or "stdout"
    LogFormat format = LogFormat::text;
    std::string path_json;  ///< where JSON lines go; empty: to `summary` (format json)
    std::uint32_t max_lines = 20;
  } log;

  struct {
    std::string directory = ".";
    bool text = true;
    bool json = true;
    bool html = true;
    std::uint64_t max_transactions = 200'000;
    std::uint64_t replay_transactions = 4'000'000;
    std::vector<Mark> marks;  ///< what was changed, and when
    std::string marks_file;   ///< more of them, read for every report; empty: none
  } report;

  /// [[service]], in order: the first that matches wins.
  std::vector<ServiceRule> services;

  /// [rule.*] and [gate].
  Thresholds thresholds;
};

[[nodiscard]] Result<Config> load_config(const std::string& path);
/// `file` names the text in errors.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, const std::string& file);

/// A live run needs a port: fails with a sentence that says how to give one. `file` names the file.
[[nodiscard]] Status require_ports(const Config& config, const std::string& file);

/// The effective configuration: every key with its value, valid TOML, with unit and meaning behind
/// it. Parsing it gives the same configuration.
[[nodiscard]] std::string print_config(const Config& config);

/// docs/configuration.md.
[[nodiscard]] std::string config_reference_markdown();

}  // namespace wirelag
