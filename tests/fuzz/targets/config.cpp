// A configuration of any text: refused with one sentence, or printed so that it reads the same.
#include <wirelag/config/config.hpp>
#include <wirelag/config/memory_budget.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  Result<Config> config = parse_config(as_text({data, size}), "fuzz.toml");
  if (!config) {
    WIRELAG_REQUIRE(!config.error().empty());
    WIRELAG_REQUIRE(config.error().find('\n') == std::string::npos);
    return 0;
  }
  (void)memory_budget(*config);
  const std::string printed = print_config(*config);
  Result<Config> again = parse_config(printed, "printed.toml");
  WIRELAG_REQUIRE(again);
  WIRELAG_REQUIRE(print_config(*again) == printed);
  return 0;
}
