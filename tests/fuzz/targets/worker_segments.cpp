// The worker as a whole over connections whose peers say HTTP, TLS and DNS, in any order, with holes,
// resends and clock steps (frame_script.hpp: segments). Reaches deeper than raw bytes.
#include "fuzz/frame_script.hpp"
#include "hostile/pipeline.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wirelag::fuzz::Input input(data, size);
  wirelag::hostile::check_everything(wirelag::fuzz::segments(input).all());
  return 0;
}
