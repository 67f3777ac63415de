#include "check_config.hpp"

#include <fmt/format.h>

#include <wirelag/classify/classifier.hpp>
#include <wirelag/config/config.hpp>
#include <wirelag/config/memory_budget.hpp>

#include "output.hpp"

namespace wirelag::app {
namespace {

[[nodiscard]] std::string print_budget(const MemoryBudget& budget) {
  constexpr double kMib = 1 << 20;
  std::string text = "\n# Memory taken at the start, at most, when every table is full:\n";
  for (const MemoryItem& item : budget.items) {
    text += fmt::format("#   {:<28} {:>10} x {:>7} B = {:>9.1f} MiB {:<10} {}\n", item.what,
                        item.count, item.bytes_each, static_cast<double>(item.bytes()) / kMib,
                        item.per_worker ? "per worker" : "once", item.key);
  }
  text += fmt::format("#   total {:.1f} MiB, of which {:.1f} MiB per worker\n",
                      static_cast<double>(budget.bytes_total) / kMib,
                      static_cast<double>(budget.bytes_per_worker) / kMib);
  return text;
}

}  // namespace

int check_config(const std::string& path) {
  Result<Config> config = load_config(path);
  if (!config) return fail(config.error());
  const auto signatures = Signatures::compile(config->services);
  if (!signatures) return fail(fmt::format("{}: {}", path, signatures.error()));
  if (Status s = write_output("", print_config(*config) + print_budget(memory_budget(*config)));
      !s) {
    return fail(s.error());
  }
  return 0;
}

}  // namespace wirelag::app
