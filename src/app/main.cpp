// The command line. Everything it can do is a function in one of the files beside it.
#include <map>
#include <new>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <wirelag/config/config.hpp>

#include "check_config.hpp"
#include "live.hpp"
#include "output.hpp"
#include "replay.hpp"

namespace wirelag::app {
namespace {

constexpr int kUsage = 2;

constexpr const char* kAbout =
    "wirelag tells where a user's waiting time goes and what to change about it,\n"
    "from the packets of a mirror port, a TAP or a capture file.";

constexpr const char* kFooter =
    "Examples:\n"
    "  wirelag replay trace.pcapng                 the report as text\n"
    "  wirelag replay --format json trace.pcap     the same as JSON (docs/report-json.md)\n"
    "  wirelag replay --explain 3 trace.pcap       the handshake of connection 3 frame by frame\n"
    "  wirelag check-config wirelag.toml           the effective configuration, or what is wrong\n"
    "  wirelag run --config wirelag.toml           listen to live ports until SIGINT or SIGTERM\n"
    "\n"
    "Exit status: 0 success, 1 error (one sentence on stderr), 2 usage, 130 interrupted.\n"
    "Configuration: docs/configuration.md. Every number is defined in docs/metrics.md.";

struct Arguments {
  std::string config;
  ReplayOptions replay;
  std::vector<std::string> eal;
};

void add_replay(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand("replay", "Read a capture file and print the report");
  cmd->add_option("CAPTURE", a.replay.capture, "pcap or pcapng file")->required();
  cmd->add_option("-w,--workers", a.replay.workers,
                  "worker threads; the report does not depend on it")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  const std::map<std::string, ReportFormat> formats{{"text", ReportFormat::text},
                                                    {"json", ReportFormat::json}};
  cmd->add_option("-f,--format", a.replay.format, "text (default) or json")
      ->transform(CLI::CheckedTransformer(formats).description("text|json"));
  cmd->add_option("-o,--output", a.replay.output,
                  "write the report to this file (default: stdout)");
  cmd->add_option("--explain", a.replay.explain,
                  "text: explain the handshake of this connection id (default: the slowest)")
      ->check(CLI::Range(1, 2'000'000'000));
  cmd->add_option("--rows", a.replay.rows, "text: rows per table, 0 = all")
      ->check(CLI::Range(0, 2'000'000'000))
      ->capture_default_str();
  const std::map<std::string, ReplayVia> sources{{"file", ReplayVia::file},
                                                 {"net_pcap", ReplayVia::net_pcap}};
  cmd->add_option("--via", a.replay.via,
                  "file (default): wirelag's own reader; net_pcap: through DPDK's pcap driver")
      ->transform(CLI::CheckedTransformer(sources).description("file|net_pcap"));
  cmd->add_option("-c,--config", a.config, "configuration file: services, limits, thresholds");
}

void add_run(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand(
      "run",
      "Listen to live ports: summary log every interval, full report on SIGUSR1 and at the end");
  cmd->add_option("-c,--config", a.config, "configuration file")->required();
  cmd->add_option("EAL_ARGS", a.eal, "arguments for DPDK's EAL, after --");
}

void add_check_config(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand(
      "check-config",
      "Print the effective configuration, or the error with key, value and expectation");
  cmd->add_option("FILE", a.config, "configuration file")->required();
}

int dispatch(const CLI::App& app, const Arguments& a) {
  if (app.got_subcommand("check-config")) return check_config(a.config);
  Result<Config> config = a.config.empty() ? Result<Config>(Config{}) : load_config(a.config);
  if (!config) return fail(config.error());
  if (app.got_subcommand("replay")) return replay(a.replay, config.value());
  if (Status s = require_ports(config.value(), a.config); !s) return fail(s.error());
  return run_live(config.value(), a.eal);
}

int main(int argc, char** argv) {
  CLI::App app(kAbout, "wirelag");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("wirelag ") + WIRELAG_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  add_replay(app, arguments);
  add_run(app, arguments);
  add_check_config(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // 0 for --help and --version.
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  try {
    return dispatch(app, arguments);
  } catch (const std::bad_alloc&) {
    return fail(
        "not enough memory for these limits: wirelag check-config FILE shows what each takes");
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}

}  // namespace
}  // namespace wirelag::app

int main(int argc, char** argv) { return wirelag::app::main(argc, argv); }
