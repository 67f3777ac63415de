// The options of a TCP segment. The value of an option that is there is what its bytes say.
#include "../src/track/tcp/flow_state.hpp"
#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  const TcpOptions options = tcp::parse_options({data, size});
  WIRELAG_REQUIRE(options.window_scale >= -1 && options.window_scale <= 14);
  WIRELAG_REQUIRE(options.timestamps || (options.tsval == 0 && options.tsecr == 0));
  return 0;
}
