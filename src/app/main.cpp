// The command line. Everything it can do is a function in one of the files beside it.
#include <new>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <wirelag/config/config.hpp>

#include "check_config.hpp"
#include "live.hpp"
#include "marks_file.hpp"
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
    "  wirelag replay -f html -o report.html trace.pcap   the report as one page for a browser\n"
    "  wirelag replay --explain 3 trace.pcap       the handshake of connection 3 frame by frame\n"
    "  wirelag mark -c wirelag.toml http2 on: http-late-connection   note a change and its rule\n"
    "  wirelag check-config wirelag.toml           the effective configuration, or what is wrong\n"
    "  wirelag run --config wirelag.toml           listen to live ports until SIGINT or SIGTERM\n"
    "\n"
    "Exit status: 0 success, 1 error (one sentence on stderr), 2 usage, 130 interrupted.\n"
    "Configuration: docs/configuration.md. Every number is defined in docs/metrics.md.";

struct Arguments {
  std::string config;
  ReplayOptions replay;
  std::vector<std::string> eal;
  std::vector<std::string> words;  ///< of a mark
  std::optional<std::string> at;
};

/// The option takes one of these words; another one is answered with all of them.
template <class Value>
void choice(CLI::Option& option, const std::vector<std::pair<std::string, Value>>& words) {
  std::string all;
  for (const auto& [word, value] : words) all += (all.empty() ? "" : "|") + word;
  const auto to_number = [words, all](std::string& text) {
    for (const auto& [word, value] : words) {
      if (text != word) continue;
      text = std::to_string(static_cast<int>(value));
      return std::string();
    }
    return fmt::format("'{}' is not one of {}", text, all);
  };
  option.transform(CLI::Validator(to_number, all));
}

void add_replay(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand("replay", "Read a capture file and print the report");
  cmd->add_option("CAPTURE", a.replay.capture,
                  "pcap, pcapng, snoop or NetMon 2 file, also compressed with gzip or zstd")
      ->required();
  cmd->add_option("-w,--workers", a.replay.workers,
                  "worker threads; the report does not depend on it")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  choice<ReportFormat>(
      *cmd->add_option("-f,--format", a.replay.format,
                       "text (default), json, html: one page for a browser, har: HTTP Archive 1.2"),
      {{"text", ReportFormat::text},
       {"json", ReportFormat::json},
       {"html", ReportFormat::html},
       {"har", ReportFormat::har}});
  cmd->add_option("-o,--output", a.replay.output,
                  "write the report to this file (default: stdout)");
  cmd->add_option("--explain", a.replay.explain,
                  "text: explain the handshake of this connection id (default: the slowest)")
      ->check(CLI::Range(1, 2'000'000'000));
  cmd->add_option("--rows", a.replay.rows, "text: rows per table, 0 = all")
      ->check(CLI::Range(0, 2'000'000'000))
      ->capture_default_str();
  choice<ReplayVia>(
      *cmd->add_option(
          "--via", a.replay.via,
          "file (default): wirelag's own reader; net_pcap: through DPDK's pcap driver"),
      {{"file", ReplayVia::file}, {"net_pcap", ReplayVia::net_pcap}});
  cmd->add_option("-c,--config", a.config, "configuration file: services, limits, thresholds");
}

void add_run(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand(
      "run",
      "Listen to live ports: summary log every interval, full report on SIGUSR1 and at the end");
  cmd->add_option("-c,--config", a.config, "configuration file")->required();
  cmd->add_option("EAL_ARGS", a.eal, "arguments for DPDK's EAL, after --");
}

void add_mark(CLI::App& app, Arguments& a) {
  CLI::App* cmd = app.add_subcommand(
      "mark",
      "Note that something was changed: the next reports hold what came after against before");
  cmd->add_option("-c,--config", a.config, "configuration file: report.marks_file")->required();
  cmd->add_option("--at", a.at, "when, like 2026-01-31T09:30:00Z (default: now)");
  cmd->add_option(
         "WORDS", a.words,
         "what was changed; name the finding's rule among them to have its prediction held "
         "against what is measured")
      ->required();
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
  find_marks_beside(config.value(), a.config);
  if (app.got_subcommand("mark")) {
    return mark({fmt::format("{}", fmt::join(a.words, " ")), a.at}, config.value());
  }
  if (app.got_subcommand("replay")) return replay(a.replay, config.value());
  if (Status s = require_ports(config.value(), a.config); !s) return fail(s.error());
  return run_live(config.value(), a.eal);
}

/// The sentence for a command line that cannot be followed.
std::string complaint(const CLI::App& app, const CLI::ParseError& e) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  if (!app.get_subcommands().empty()) return e.what();
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) return "name a command: " + names;
  return fmt::format(
      "'{}' is not {}: {}", rest.front(),
      rest.front().starts_with('-') ? "an option here, name a command first" : "a command", names);
}

/// Exit status of a command line that ends here: 0 for --help and --version.
int end(const CLI::App& app, const CLI::ParseError& e) {
  if (e.get_exit_code() == 0) return app.exit(e);
  const auto chosen = app.get_subcommands();
  warn(fmt::format("{} (wirelag{} --help)", complaint(app, e),
                   chosen.empty() ? "" : " " + chosen.front()->get_name()));
  return kUsage;
}

int main(int argc, char** argv) {
  CLI::App app(kAbout, "wirelag");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("wirelag ") + WIRELAG_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  add_replay(app, arguments);
  add_run(app, arguments);
  add_mark(app, arguments);
  add_check_config(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return end(app, e);
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
