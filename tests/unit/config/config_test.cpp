#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/config/config.hpp>

namespace wirelag {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPort = "[[port]]\ndevice = \"net_tap0,iface=dtap0\"\n";

/// A port, then `text`: its first line is line 3.
Result<Config> parse(std::string_view text) {
  return parse_config(std::string(kPort) + std::string(text), "edge.toml");
}
std::string error_of(std::string_view text) {
  const Result<Config> result = parse(text);
  EXPECT_FALSE(result.ok()) << text;
  return result.ok() ? "" : result.error();
}

// ---------------------------------------------------------------------------------------- values

TEST(Config, one_port_is_enough_and_the_rest_has_defaults) {
  const Config config = parse("").value();
  ASSERT_EQ(config.ports.size(), 1U);
  EXPECT_EQ(config.ports[0].name, "port0");
  EXPECT_EQ(config.ports[0].device, "net_tap0,iface=dtap0");
  EXPECT_EQ(config.appliance.workers, Config{}.appliance.workers);
  EXPECT_EQ(config.worker.tcp.connections, TcpLimits{}.connections);
}

TEST(Config, every_kind_of_value_arrives_in_its_unit) {
  const Config c = parse(R"(
[appliance]
name = "edge-1"
workers = 2
interval_s = 2.5
[eal]
args = ["--file-prefix", "edge \"1\""]
hugepages = false
[tcp]
connections = 4096
idle_timeout_s = 60
[log]
summary = "/var/log/wirelag.log"
format = "both"
path_json = "/var/log/wirelag.json"
[sampling]
client_share = 0.25
[rule.dns-redundant-fanout]
within_ms = 0.5
[gate]
min_effect_ms = 2
[[service]]
name = "shop"
match = 'shop\.example$'
[[service]]
name = "shop"
match = "cart"
[[service]]
name = "mail"
match = "mail"
)")
                       .value();
  EXPECT_EQ(c.appliance.name, "edge-1");
  EXPECT_EQ(c.appliance.workers, 2U);
  EXPECT_EQ(c.appliance.interval_ns, 2'500 * kMillisecondNs);
  EXPECT_THAT(c.eal.args, testing::ElementsAre("--file-prefix", "edge \"1\""));
  EXPECT_FALSE(c.eal.hugepages);
  EXPECT_EQ(c.worker.tcp.connections, 4096U);
  EXPECT_EQ(c.worker.tcp.idle_timeout_ns, 60 * kSecondNs);
  EXPECT_EQ(c.log.format, LogFormat::both);
  EXPECT_EQ(c.sampling.client_share, 0.25);
  EXPECT_EQ(c.thresholds.dns_redundant_fanout.within_ns, 500'000);
  EXPECT_EQ(c.thresholds.gate.min_effect_ns, 2 * kMillisecondNs);
  ASSERT_EQ(c.services.size(), 3U);
  EXPECT_EQ(c.services[0].pattern, "shop\\.example$");
  EXPECT_EQ(c.worker.summary.services, 2U) << "rows for the different names";
}

TEST(Config, devices_are_pci_addresses_or_virtual_devices) {
  for (const char* device : {"0000:3b:00.0", "3b:00.1", "0000:3b:00.0,representor=[0]",
                             "net_af_packet0,iface=veth0,qpairs=2", "net_pcap0,rx_pcap=a b.pcap"}) {
    const auto result = parse_config(fmt::format("[[port]]\ndevice = '{}'", device), "f");
    EXPECT_TRUE(result.ok()) << device;
  }
  for (const char* device : {"", "eth0", "0000:3b:00", "3b:00.9", "/dev/null"}) {
    const auto result = parse_config(fmt::format("[[port]]\ndevice = '{}'", device), "f");
    ASSERT_FALSE(result.ok()) << device;
    EXPECT_THAT(result.error(), HasSubstr("expected a PCI address (\"0000:3b:00.0\") or a DPDK"));
  }
}

TEST(Config, printed_it_is_toml_that_gives_the_same_again) {
  const Config config = parse(R"(
[appliance]
interval_s = 0.1e1
[eal]
args = ["-l", "0-1", "back\\slash", "quo\"te"]
[report]
marks = ["2018-04-11T04:13:20.05Z \"http2\" on", "2026-01-31T00:00:00Z back"]
[sampling]
client_share = 0.1
[[port]]
device = "0000:3b:00.0"
name = "tap b"
link = "raw_ip"
sharding = "rss"
[[service]]
name = "shop \"1\""
match = '''^(www\.)?shop'''
)")
                            .value();
  const std::string printed = print_config(config);
  const auto again = parse_config(printed, "printed.toml");
  ASSERT_TRUE(again.ok()) << again.error() << "\n" << printed;
  EXPECT_EQ(print_config(again.value()), printed);
  EXPECT_EQ(again.value().eal.args, config.eal.args);
  EXPECT_EQ(again.value().report.marks, config.report.marks);
  EXPECT_EQ(again.value().report.marks[0].what, "\"http2\" on");
  EXPECT_EQ(again.value().services[0].service, "shop \"1\"");
  EXPECT_EQ(again.value().services[0].pattern, "^(www\\.)?shop");
  EXPECT_EQ(again.value().ports[1].sharding, ShardingPolicy::rss);
  EXPECT_THAT(printed, HasSubstr("# seconds: time between two summaries"));
}

// ---------------------------------------------------------------------------------------- errors

TEST(Config, units_on_the_page_are_those_in_the_names_of_the_keys) {
  std::istringstream page(config_reference_markdown());
  std::size_t checked = 0;
  for (std::string line; std::getline(page, line);) {
    for (const auto& [suffix, unit] :
         {std::pair("_us` |", "| microseconds |"), std::pair("_ms` |", "| milliseconds |"),
          std::pair("_s` |", "| seconds |")}) {
      if (line.find(suffix) == std::string::npos) continue;
      EXPECT_THAT(line, HasSubstr(unit));
      ++checked;
      break;
    }
  }
  EXPECT_GT(checked, 30U);
}

TEST(Config, every_table_of_a_rule_says_where_its_thresholds_come_from) {
  const std::string page = config_reference_markdown();
  std::size_t rules = 0;
  for (std::size_t at = page.find("## `[rule."); at != std::string::npos;
       at = page.find("## `[rule.", at + 1)) {
    const std::string section = page.substr(at, page.find("\n## ", at + 1) - at);
    EXPECT_THAT(section, HasSubstr("\nSource: ")) << section.substr(0, 60);
    ++rules;
  }
  EXPECT_EQ(rules, 19U);
}

TEST(ConfigError, a_value_out_of_range_names_file_key_value_line_and_range) {
  EXPECT_EQ(
      error_of("\n[tcp]\nconnections = -5\n"),
      "edge.toml: [tcp] connections = -5 at line 5: expected an integer from 1024 to 67108864");
  EXPECT_EQ(error_of("[sampling]\nclient_share = 1.5\n"),
            "edge.toml: [sampling] client_share = 1.5 at line 4: expected a number from 0 to 1");
  EXPECT_THAT(error_of("[sampling]\nclient_share = nan\n"), HasSubstr("client_share = nan"));
  EXPECT_THAT(error_of("[appliance]\nworkers = 0\n"),
              HasSubstr("expected an integer from 1 to 128"));
}

TEST(ConfigError, a_value_of_another_type_is_refused) {
  EXPECT_THAT(error_of("[tcp]\nconnections = \"many\"\n"),
              HasSubstr("[tcp] connections = \"many\" at line 4: expected an integer from"));
  EXPECT_THAT(error_of("[tcp]\nconnections = 4096.0\n"), HasSubstr("expected an integer"));
  EXPECT_THAT(error_of("[tcp]\nconnections = {}\n"), HasSubstr("connections = a table at line 4"));
  EXPECT_THAT(error_of("[eal]\nhugepages = 1\n"), HasSubstr("expected true or false"));
  EXPECT_THAT(error_of("[eal]\nargs = \"-l 0\"\n"), HasSubstr("expected a list of texts"));
  EXPECT_THAT(error_of("[eal]\nargs = [\"-l\", 0]\n"), HasSubstr("expected a list of texts"));
  EXPECT_THAT(error_of("[report]\nmarks = [\"yesterday http2 on\"]\n"),
              HasSubstr("expected a list of texts like \"2026-01-31T09:30:00Z http2 on\", in UTC"));
  EXPECT_THAT(error_of("[report]\nmarks = [2018-04-11T04:13:20Z]\n"), HasSubstr("expected a list"));
  EXPECT_THAT(error_of("[log]\nformat = \"xml\"\n"),
              HasSubstr("expected one of \"text\", \"json\", \"both\""));
  EXPECT_THAT(error_of("[appliance]\nname = \"\"\n"),
              HasSubstr("name = \"\" at line 4: expected a text"));
}

TEST(ConfigError, an_unknown_key_says_which_one_was_meant) {
  EXPECT_EQ(error_of("[tcp]\nconections = 5000\n"),
            "edge.toml: [tcp] conections at line 4: unknown key; did you mean connections?");
  EXPECT_THAT(error_of("[appliance]\ninterval = 5\n"), HasSubstr("did you mean interval_s?"));
  EXPECT_THAT(error_of("[tls]\npending_queries = 5000\n"),
              HasSubstr("did you mean [dns] pending_queries?"));
  EXPECT_THAT(error_of("[sampling]\nzzzzzz = 1\n"),
              HasSubstr("unknown key; there are client_share"));
  EXPECT_THAT(error_of("[[service]]\nnam = \"x\"\n"),
              HasSubstr("[[service]] nam at line 4: unknown key; did you mean name?"));
}

TEST(ConfigError, an_unknown_section_says_which_one_was_meant) {
  EXPECT_EQ(error_of("[tpc]\nconnections = 5000\n"),
            "edge.toml: [tpc] at line 3: unknown section; did you mean [tcp]?");
  EXPECT_THAT(error_of("[rule.dns-redundant-fanuot]\nmin_servers = 2\n"),
              HasSubstr("did you mean [rule.dns-redundant-fanout]?"));
  EXPECT_THAT(error_of("[weather]\n"), HasSubstr("unknown section; there are port, service, "));
  EXPECT_THAT(parse_config("workers = 4", "f").error(),
              HasSubstr("workers = 4 at line 1: a key outside of a section; did you mean "
                        "[appliance] workers?"));
}

TEST(ConfigError, a_section_of_the_wrong_shape) {
  EXPECT_EQ(parse_config("[port]\ndevice = \"net_tap0\"\n", "f").error(),
            "f: port at line 1: expected [[port]], one for each");
  EXPECT_THAT(parse_config("tcp = 5", "f").error(), HasSubstr("expected a section [tcp]"));
  EXPECT_THAT(error_of("[[tcp]]\n"), HasSubstr("expected a section [tcp]"));
  EXPECT_THAT(parse_config("rule = 5", "f").error(), HasSubstr("rule = 5 at line 1"));
}

TEST(ConfigError, what_is_required_is_missed) {
  EXPECT_THAT(parse_config("[[port]]\nname = \"a\"\n", "f").error(),
              StartsWith("f: [[port]] at line 1: device is missing: expected a PCI address"));
  EXPECT_THAT(error_of("[[service]]\nname = \"shop\"\n"), HasSubstr("match is missing"));
  EXPECT_THAT(error_of("[log]\nformat = \"both\"\n"), HasSubstr("expected path_json"));
  EXPECT_THAT(error_of("[[port]]\ndevice = \"net_tap1\"\nname = \"port0\"\n"),
              HasSubstr("name = \"port0\" stands twice"));
}

TEST(ConfigError, only_a_live_run_needs_a_port) {
  EXPECT_EQ(require_ports(parse_config("", "f").value(), "f").error(),
            "f: there is no [[port]]: expected at least one, with device = a PCI address "
            "(\"0000:3b:00.0\") or a DPDK virtual device (\"net_af_packet0,iface=eth0\")");
  EXPECT_TRUE(require_ports(parse("").value(), "f").ok());
}

TEST(ConfigError, what_is_not_toml_is_named_with_its_line) {
  EXPECT_THAT(error_of("[tcp\nconnections = 1\n"),
              StartsWith("edge.toml: not valid TOML at line 3: "));
  EXPECT_THAT(error_of("[tcp]\nconnections = 5000\nconnections = 5000\n"),
              StartsWith("edge.toml: not valid TOML at line 5: "));
  EXPECT_THAT(parse_config("\xff\xfe\x01", "f").error(),
              StartsWith("f: not valid TOML at line 1: "));
}

TEST(ConfigError, is_one_line_whatever_the_file_says) {
  for (const char* toml : {"[tcp]\nx = fals\n", "\"a\\nb\" = 1\n", "[\"a\\nb\"]\n"}) {
    EXPECT_THAT(error_of(toml), Not(HasSubstr("\n"))) << toml;
  }
}

TEST(ConfigError, cut_anywhere_it_is_an_error_or_a_configuration_but_never_a_crash) {
  const std::string whole = print_config(parse("[[service]]\nname='a'\nmatch='b'\n").value());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto result = parse_config(std::string_view(whole).substr(0, n), "f");
    if (!result.ok()) {
      EXPECT_THAT(result.error(), StartsWith("f: "));
    }
  }
}

TEST(LoadConfig, a_file_that_cannot_be_read_is_named) {
  EXPECT_EQ(load_config("/nowhere/edge.toml").error(),
            "cannot read /nowhere/edge.toml: No such file or directory");
  EXPECT_EQ(load_config("/tmp").error(), "cannot read /tmp: Is a directory");
  EXPECT_THAT(load_config("/dev/zero").error(), HasSubstr("larger than 1 MiB"));
}

TEST(LoadConfig, reads_a_file_and_names_it_in_errors) {
  const auto path =
      std::filesystem::temp_directory_path() / ("wirelag-" + std::to_string(getpid()) + ".toml");
  std::ofstream(path) << kPort << "[tcp]\nconnections = 1\n";
  EXPECT_THAT(load_config(path).error(),
              StartsWith(path.string() + ": [tcp] connections = 1 at line 4: expected"));
  std::ofstream(path) << kPort;
  EXPECT_TRUE(load_config(path).ok());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace wirelag
