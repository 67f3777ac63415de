// The options of a TCP segment. The value of an option that is there is what its bytes say, and the ways
// that ask for one option only agree with the one that reads them all.
#include "../src/track/tcp/options.hpp"
#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  const Bytes bytes{data, size};
  const TcpOptions options = tcp::parse_options(bytes);
  WIRELAG_REQUIRE(options.window_scale >= -1 && options.window_scale <= 14);
  WIRELAG_REQUIRE(options.timestamps || (options.tsval == 0 && options.tsecr == 0));

  const tcp::Timestamps stamps = tcp::SegmentOptions(bytes).timestamps();
  WIRELAG_REQUIRE(stamps.present == options.timestamps);
  WIRELAG_REQUIRE(!stamps.present || (stamps.val == options.tsval && stamps.ecr == options.tsecr));
  return 0;
}
