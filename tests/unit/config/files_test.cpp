// The files of the source tree that speak of the configuration are right: docs/configuration.md,
// the ready-to-use files in dpdk-config/, and the advice in the counters' meanings.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/base/counters.hpp>
#include <wirelag/config/config.hpp>
#include <wirelag/decode/accounting.hpp>

namespace wirelag {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = WIRELAG_SOURCE_ROOT;

std::string content(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

TEST(ConfigurationPage, is_what_the_table_of_keys_says) {
  const fs::path page = kRoot / "docs" / "configuration.md";
  if (std::getenv("WIRELAG_UPDATE_DOCS") != nullptr) {
    std::ofstream(page) << config_reference_markdown();
  }
  EXPECT_TRUE(content(page) == config_reference_markdown())
      << "docs/configuration.md is out of date: run this test with WIRELAG_UPDATE_DOCS=1";
}

TEST(ReadyToUseFiles, are_configurations) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kRoot / "dpdk-config")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const auto config = load_config(entry.path());
    ASSERT_TRUE(config.ok()) << config.error();
    EXPECT_TRUE(require_ports(config.value(), entry.path()).ok()) << entry.path();
  }
  EXPECT_GE(files, 5U);
}

/// "raise tcp.connections" must name a key that is there.
void expect_known_keys(std::string_view symbol, std::string_view advice) {
  constexpr std::string_view kRaise = "raise ";
  const std::size_t at = advice.find(kRaise);
  if (at == std::string_view::npos) return;
  const std::string_view key = advice.substr(at + kRaise.size());
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos || dot > key.find(' ')) return;  // "raise the snaplen"
  const std::string section(key.substr(0, dot));
  const std::size_t end = key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", dot + 1);
  const std::string name(key.substr(dot + 1, end - dot - 1));

  const std::string page = config_reference_markdown();
  const std::size_t begin = page.find("## `[" + section + "]`");
  ASSERT_NE(begin, std::string::npos) << symbol << ": " << advice;
  EXPECT_LT(page.find("\n| `" + name + "` |", begin), page.find("\n## ", begin))
      << symbol << ": " << advice;
}

TEST(Advice, of_counters_names_keys_that_exist) {
  for (std::size_t i = 0; i < Counters{}.values.size(); ++i) {
    const CounterInfo& counter = info(static_cast<Counter>(i));
    expect_known_keys(counter.symbol, counter.nonzero);
  }
}

TEST(Advice, of_frames_not_analysed_names_keys_that_exist) {
#define X(symbol, meaning) expect_known_keys(#symbol, meaning);
  WIRELAG_NOT_ANALYSED(X)
#undef X
}

}  // namespace
}  // namespace wirelag
