// TOML -> Config. The TOML is read by toml++; what may stand in it is the table in schema.cpp.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include "schema.hpp"
#include "suggest.hpp"

namespace wirelag {
namespace {

using config::Section;
using config::Setting;

constexpr std::size_t kLargestFile = 1 << 20;

/// "[tcp]", "[[port]]".
std::string heading(std::string_view name, bool repeated) {
  return repeated ? fmt::format("[[{}]]", name) : fmt::format("[{}]", name);
}

std::string shown(const toml::node& node) {
  if (node.is_table()) return "a table";
  std::string text = config::as_toml(node);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names = {config::port_section().name,
                                         config::service_section().name};
  for (const auto& section : config::sections()) names.push_back(section.name);
  return names;
}

/// "[appliance] workers" when some section has the key, else empty.
std::string place_of(std::string_view key) {
  for (const auto& section : config::sections()) {
    for (const auto& setting : section.settings) {
      if (setting.name == key) return fmt::format("[{}] {}", section.name, key);
    }
  }
  return {};
}

class Parser {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

  Result<Config> parse(const toml::table& root) {
    for (auto&& [key, node] : root) {
      if (Status status = top_level(key.str(), node); !status) return status.take_error();
    }
    if (Status status = complete(); !status) return status.take_error();
    return std::move(config_);
  }

 private:
  template <class... Args>
  [[nodiscard]] Error error(fmt::format_string<Args...> format, Args&&... args) const {
    return {file_ + ": " + fmt::format(format, std::forward<Args>(args)...)};
  }

  Status top_level(std::string_view name, const toml::node& node) {
    if (name == config::port_section().name)
      return list(config::port_section(), node, config_.ports);
    if (name == config::service_section().name) {
      return list(config::service_section(), node, config_.services);
    }
    if (name == "rule" && node.is_table()) {
      for (auto&& [rule, thresholds] : *node.as_table()) {
        if (Status s = section(fmt::format("rule.{}", rule.str()), thresholds); !s) return s;
      }
      return Done{};
    }
    return section(name, node);
  }

  Status section(std::string_view name, const toml::node& node) {
    for (const Section<Config>& known_section : config::sections()) {
      if (known_section.name != name) continue;
      const toml::table* table = node.as_table();
      if (table == nullptr) {
        return error("{} at line {}: expected a section [{}]", name, line(node), name);
      }
      return settings(known_section, false, *table, config_);
    }
    return unknown_section(name, node);
  }

  Error unknown_section(std::string_view name, const toml::node& node) const {
    if (!node.is_table() && !node.is_array_of_tables()) {
      const std::string place = place_of(name);
      return error("{} = {} at line {}: a key outside of a section{}", name, shown(node),
                   line(node), place.empty() ? "" : "; did you mean " + place + "?");
    }
    const std::string_view near = config::nearest(name, section_names());
    return error("[{}] at line {}: unknown section{}", name, line(node),
                 near.empty() ? fmt::format("; there are {}", fmt::join(section_names(), ", "))
                              : fmt::format("; did you mean [{}]?", near));
  }

  template <class Owner>
  Status list(const Section<Owner>& section, const toml::node& node, std::vector<Owner>& out) {
    if (!node.is_array_of_tables()) {
      return error("{} at line {}: expected [[{}]], one for each", section.name, line(node),
                   section.name);
    }
    for (const toml::node& item : *node.as_array()) {
      Owner owner;
      if (Status s = settings(section, true, *item.as_table(), owner); !s) return s;
      out.push_back(std::move(owner));
    }
    return Done{};
  }

  template <class Owner>
  Status settings(const Section<Owner>& section, bool repeated, const toml::table& table,
                  Owner& owner) {
    const std::string head = heading(section.name, repeated);
    for (auto&& [key, node] : table) {
      const Setting<Owner>* setting = find(section, key.str());
      if (setting == nullptr) return unknown_key(section, head, key.str(), node);
      if (!setting->read(node, owner)) {
        return error("{} {} = {} at line {}: expected {}", head, key.str(), shown(node), line(node),
                     setting->expected);
      }
    }
    for (const Setting<Owner>& setting : section.settings) {
      if (setting.required && !table.contains(setting.name)) {
        return error("{} at line {}: {} is missing: expected {}", head, line(table), setting.name,
                     setting.expected);
      }
    }
    return Done{};
  }

  template <class Owner>
  static const Setting<Owner>* find(const Section<Owner>& section, std::string_view key) {
    for (const Setting<Owner>& setting : section.settings) {
      if (setting.name == key) return &setting;
    }
    return nullptr;
  }

  template <class Owner>
  Error unknown_key(const Section<Owner>& section, const std::string& head, std::string_view key,
                    const toml::node& node) const {
    std::vector<std::string_view> names;
    for (const Setting<Owner>& setting : section.settings) names.push_back(setting.name);
    std::string hint = fmt::format("; there are {}", fmt::join(names, ", "));
    if (const std::string_view near = config::nearest(key, names); !near.empty()) {
      hint = fmt::format("; did you mean {}?", near);
    } else if (const std::string place = place_of(key); !place.empty()) {
      hint = "; did you mean " + place + "?";
    }
    return error("{} {} at line {}: unknown key{}", head, key, line(node), hint);
  }

  /// What one key alone cannot tell; and the values that follow from others.
  Status complete() {
    if (config_.ports.size() > 255) {
      return error("there are {} [[port]]s: expected at most 255", config_.ports.size());
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < config_.ports.size(); ++i) {
      std::string& name = config_.ports[i].name;
      if (name.empty()) name = fmt::format("port{}", i);
      if (!names.insert(name).second) {
        return error("[[port]] name = \"{}\" stands twice: expected different names", name);
      }
    }
    if (config_.log.format == LogFormat::both && config_.log.path_json.empty()) {
      return error("[log] format = \"both\": expected path_json, a path for the JSON lines");
    }
    std::set<std::string_view> services;
    for (const ServiceRule& rule : config_.services) services.insert(rule.service);
    if (services.size() > 4096) {
      return error("there are {} different [[service]] names: expected at most 4096",
                   services.size());
    }
    config_.worker.summary.services = static_cast<std::uint32_t>(services.size());
    return Done{};
  }

  static std::uint32_t line(const toml::node& node) { return node.source().begin.line; }

  const std::string& file_;
  Config config_;
};

Result<std::string> content_of(const std::string& path) {
  const auto failed = [&] { return Error{"cannot read " + path + ": " + std::strerror(errno)}; };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return failed();
  std::string content(kLargestFile + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get())) return failed();
  if (content.size() > kLargestFile) {
    return Error{"cannot read " + path + ": larger than 1 MiB, not a configuration"};
  }
  return content;
}

/// Names and values of the file stand in the sentence, and may hold control characters.
Error on_one_line(Error error) {
  const auto is_control = [](char c) { return c == '\x7f' || (c >= '\0' && c < ' '); };
  std::replace_if(error.message.begin(), error.message.end(), is_control, ' ');
  return error;
}

}  // namespace

Result<Config> load_config(const std::string& path) {
  const Result<std::string> content = content_of(path);
  if (!content) return content.take_error();
  return parse_config(content.value(), path);
}

Result<Config> parse_config(std::string_view toml, const std::string& file) {
  try {
    Result<Config> config = Parser(file).parse(toml::parse(toml, file));
    return config ? std::move(config) : on_one_line(config.take_error());
  } catch (const toml::parse_error& error) {
    return on_one_line({fmt::format("{}: not valid TOML at line {}: {}", file,
                                    error.source().begin.line, error.description())});
  }
}

Status require_ports(const Config& config, const std::string& file) {
  if (!config.ports.empty()) return Done{};
  return Error{fmt::format("{}: there is no [[port]]: expected at least one, with device = {}",
                           file, config::port_section().settings.front().expected)};
}

}  // namespace wirelag
