// Config -> TOML, and the reference page.
#include "schema.hpp"

namespace wirelag {
namespace {

using config::Section;
using config::Setting;

template <class Owner>
std::string remark(const Setting<Owner>& setting) {
  return setting.unit.empty() ? std::string(setting.meaning)
                              : fmt::format("{}: {}", setting.unit, setting.meaning);
}

template <class Owner>
void print_settings(const Section<Owner>& section, const Owner& owner, std::string& out) {
  for (const Setting<Owner>& setting : section.settings) {
    const std::string assignment = fmt::format("{} = {}", setting.name, setting.print(owner));
    out += fmt::format("{:<34}  # {}\n", assignment, remark(setting));
  }
}

template <class Owner>
void print_list(const Section<Owner>& section, const std::vector<Owner>& owners, std::string& out) {
  for (const Owner& owner : owners) {
    out += fmt::format("\n[[{}]]\n", section.name);
    print_settings(section, owner, out);
  }
}

/// A cell must not hold the character that ends it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

template <class Owner>
void describe(const Section<Owner>& section, std::string_view head, std::string& out) {
  const Owner defaults{};
  out += fmt::format("\n## `{}`\n{}\n\n", head, section.meaning);
  if (!section.source.empty()) out += fmt::format("Source: {}.\n\n", section.source);
  out += "| key | default | expected | unit | meaning |\n|---|---|---|---|---|\n";
  for (const Setting<Owner>& setting : section.settings) {
    const std::string value =
        setting.required ? "required" : fmt::format("`{}`", setting.print(defaults));
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", setting.name, cell(value),
                       cell(setting.expected), setting.unit, cell(setting.meaning));
  }
}

}  // namespace

std::string print_config(const Config& config) {
  std::string out;
  for (const Section<Config>& section : config::sections()) {
    out += fmt::format("{}# {}\n[{}]\n", out.empty() ? "" : "\n", section.meaning, section.name);
    print_settings(section, config, out);
  }
  print_list(config::port_section(), config.ports, out);
  print_list(config::service_section(), config.services, out);
  return out;
}

std::string config_reference_markdown() {
  std::string out =
      "# Configuration\n"
      "`wirelag run --config FILE` and `wirelag check-config FILE` read one TOML file. This page "
      "is\n"
      "written from the program's own table of keys. A section or key that is not here is an "
      "error,\n"
      "and so is a value of another type or outside of its range. Ready-to-use files are in\n"
      "`dpdk-config/`; `wirelag check-config FILE` prints every key with the value in effect.\n";
  describe(config::port_section(), "[[port]]", out);
  describe(config::service_section(), "[[service]]", out);
  for (const Section<Config>& section : config::sections()) {
    describe(section, fmt::format("[{}]", section.name), out);
  }
  return out;
}

}  // namespace wirelag
